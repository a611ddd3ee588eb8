//! What becomes of a head that somebody has read: it is planned again, waited for, followed by another.

use std::sync::atomic::{AtomicI64, Ordering};

use insta::assert_snapshot;
use jiff::{SignedDuration, Timestamp};
use landfall_core::name::{CommitSha, PullNumber, RepositoryId};
use landfall_sim::fault::{Fault, Gate, On};
use landfall_sim::github::{NewPull, edit};
use landfall_tests::world::{BOB, CONFIG, EVE, Setting, world, world_with};

use super::{CHECK, DEFACED, allowances, asked_providers, forked, plan, pushed};

#[tokio::test]
async fn the_next_head_is_one_that_nobody_has_read() {
    world(async |w| {
        let (fork, head) = forked(w).await;
        w.read_everything().await;
        w.comment(&plan(&head));
        w.read_everything().await;
        let asked = asked_providers(w);
        pushed(w, &fork, "6.6.6.6").await;
        assert_snapshot!(w.plan_comment().await, @"
        ### Landfall plan for `commit-4`

        > [!NOTE]
        > **production** is not planned: the head of the fork is not commit-3 any more, which was read. Below is what its files change.

        | Environment | Plan | Digest |
        |---|---|---|
        | **production** (`main`) | not planned | – |

        <details open>
        <summary><b>nas</b> in <b>production</b>: changes</summary>

        ```diff
        @@ declared @@
          unifi_dns:
            nas.internal.lan:
        -     a: 192.168.1.50
        +     a: 6.6.6.6
        ```

        </details>

        ---
        **Next:** Somebody with write access who has read what it changes can have it planned with `/plan commit-4`.<br>
        Without that, the plan for **production** is shown here after the merge, and waits for `/apply`.
        ");
        assert_snapshot!(w.check(CHECK).await, @"neutral: Not planned: the head of the fork is not commit-3 any more, which was read. Below is what its files change.");
        w.click(CHECK, "Plan again").await;
        w.read_everything().await;
        assert_eq!(asked_providers(w), asked);

        w.merge().await;
        let held = w.run_comment().await;
        assert!(held.contains("no plan was published before this was merged"), "{held}");
        w.read_everything().await;
        assert_eq!(w.unifi.record("nas.internal.lan", "A"), ["192.168.1.50"]);
    })
    .await;
}

#[tokio::test]
async fn what_was_read_stays_read_whoever_has_it_planned_again_and_why() {
    world(async |w| {
        let (_, head) = forked(w).await;
        w.read_everything().await;
        w.comment(&plan(&head));
        assert!(w.plan_comment().await.contains("| 1 to update |"));
        w.restart().await;
        let asked = asked_providers(w);
        w.click_as(BOB, CHECK, "Plan again").await;
        w.read_everything().await;
        assert!(asked_providers(w) > asked);
        // What lands beside it moves the base.
        w.push("main", [("services/defaced.yaml", DEFACED)]).await;
        w.read_everything().await;
        let word = w.comment("/plan");
        assert_snapshot!(w.plan_comment().await, @"
        ### Landfall plan for `commit-3`

        | Environment | Plan | Digest |
        |---|---|---|
        | **production** (`main`) | 1 to create, 1 to update | `1a34ceab` |

        <details open>
        <summary><b>defaced</b> in <b>production</b>: 1 to create (not from this pull request)</summary>

        ```diff
        @@ unifi_dns @@
        + create A defaced.internal.lan = 192.168.1.60
        ```

        </details>

        <details open>
        <summary><b>nas</b> in <b>production</b>: 1 to update</summary>

        ```diff
        @@ unifi_dns @@
        ! update A nas.internal.lan
        -     values: 192.168.1.50
        +     values: 192.168.1.51
        ```

        `jellyfin.example.com` → `tunnel media` → `nas.internal.lan` *changed* → `192.168.1.51` *changed*

        </details>

        ---
        **Next:** Merge to apply to **production**.
        ");
        assert_eq!(w.reactions(word).await, "eyes rocket");
    })
    .await;
}

/// What its data says of an environment in which nothing is declared otherwise is not a plan either.
#[tokio::test]
async fn where_nothing_is_declared_otherwise_nothing_has_to_be_read() {
    let config = CONFIG.replacen("branches: [develop]\n", "branches: [main]\n", 1);
    world_with(Setting { config, ..Setting::default() }, async |w| {
        w.bootstrap().await;
        let fork = w.repo.fork(EVE).await.unwrap();
        let here = format!("only: [production]\n{DEFACED}");
        let new = [edit("services/defaced.yaml", here)];
        let head = fork.push("main", EVE, "Add it", new).await.unwrap();
        w.knows(&head);
        w.open(NewPull::from("main").of_fork(&fork).by(EVE)).await;
        assert_snapshot!(w.plan_comment().await, @"
        ### Landfall plan for `commit-3`

        > [!NOTE]
        > **production** is not planned: this comes from a fork, and planning needs credentials. Below is what its files change.

        | Environment | Plan | Digest |
        |---|---|---|
        | **production** (`main`) | not planned | – |
        | **staging** (`main`) | nothing to do | – |

        <details open>
        <summary><b>defaced</b> in <b>production</b>: is new</summary>

        ```diff
        @@ declared @@
        + unifi_dns:
        +   defaced.internal.lan:
        +     a: 192.168.1.60
        ```

        </details>

        ---
        **Next:** Somebody with write access who has read what it changes can have it planned with `/plan commit-3`.<br>
        Without that, the plan for **production** is shown here after the merge, and waits for `/apply`.
        ");
        assert_snapshot!(w.check("landfall / staging (main)").await, @"success: Nothing to do");
        let (repository, pull) = (RepositoryId(w.repo.id()), PullNumber(w.number()));
        let head = CommitSha::new(head).unwrap();
        let plans = w.server.store().plans_for_head(repository, pull, &head).await.unwrap();
        assert_eq!(plans, []);
    })
    .await;
}

/// How far the server's clock is ahead, in seconds.
static AHEAD: AtomicI64 = AtomicI64::new(0);

/// A clock that can be set ahead.
fn clock() -> Timestamp {
    Timestamp::now() + SignedDuration::from_secs(AHEAD.load(Ordering::SeqCst))
}

#[tokio::test]
async fn a_word_about_a_head_that_was_cut_off_is_carried_out_once() {
    world_with(Setting { clock, ..Setting::default() }, async |w| {
        let (_, head) = forked(w).await;
        w.read_everything().await;
        let gate = Gate::closed();
        w.unifi.faults().inject(On::get("/**"), Fault::Hold(gate.clone()));
        let word = w.comment(&plan(&head));
        gate.arrival().await;
        w.server.kill().await;
        gate.open();
        // Nobody renews the dead server's claims.
        AHEAD.fetch_add(600, Ordering::SeqCst);
        w.restart().await;
        assert!(w.plan_comment().await.contains("| 1 to update |"));
        assert_eq!(w.reactions(word).await, "eyes rocket");
        assert_eq!(allowances(w).await.len(), 1);
    })
    .await;
}

/// GitHub announces a push before its git shows it.
#[tokio::test]
async fn a_head_that_git_does_not_show_yet_is_waited_for() {
    world(async |w| {
        let (fork, _) = forked(w).await;
        w.read_everything().await;
        w.github.lag_pull_refs(3);
        let head = pushed(w, &fork, "192.168.1.52").await;
        let word = w.comment(&plan(&head));
        assert!(w.plan_comment().await.contains("| 1 to update |"));
        assert_eq!(w.reactions(word).await, "eyes rocket");
        assert_eq!(allowances(w).await.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_head_is_read_for_one_base() {
    world(async |w| {
        w.bootstrap_branch("develop").await;
        let (_, head) = forked(w).await;
        w.read_everything().await;
        w.comment(&plan(&head));
        assert!(w.plan_comment().await.contains("| **production** (`main`) | 1 to update |"));
        let asked = asked_providers(w);
        w.repo.retarget(w.number(), "develop", EVE).await.unwrap();
        assert_snapshot!(w.plan_comment().await, @"
        ### Landfall plan for `commit-5`

        > [!NOTE]
        > **staging** is not planned: the head of the fork was read when it was to go into main. Below is what its files change.

        | Environment | Plan | Digest |
        |---|---|---|
        | **staging** (`develop`) | not planned | – |

        <details open>
        <summary><b>nas</b> in <b>staging</b>: changes</summary>

        ```diff
        @@ declared @@
          unifi_dns:
            nas-staging.internal.lan:
        -     a: 192.168.1.50
        +     a: 192.168.1.51
        ```

        </details>

        ---
        **Next:** Somebody with write access who has read what it changes can have it planned with `/plan commit-5`.<br>
        Without that, the plan for **staging** is shown here after the merge, and waits for `/apply`.
        ");
        assert_eq!(asked_providers(w), asked);
        w.repo.retarget(w.number(), "main", EVE).await.unwrap();
        assert!(w.plan_comment().await.contains("| **production** (`main`) | 1 to update |"));
    })
    .await;
}

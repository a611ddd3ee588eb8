//! Pull requests from forks: what is done with their data alone, and with a head that somebody who may
//! write here has read and named.

use std::sync::atomic::{AtomicI64, Ordering};

use insta::assert_snapshot;
use jiff::{SignedDuration, Timestamp};
use landfall_core::name::{CommitSha, PullNumber, RepositoryId};
use landfall_sim::exchange::Wire;
use landfall_sim::fault::{Fault, Gate, On};
use landfall_sim::github::{NewPull, Repo, Role, Standing, edit};
use landfall_tests::world::{ALICE, BOB, CONFIG, EVE, JELLYFIN, Setting, World, world, world_with};

use crate::nas::nas_at;

const CHECK: &str = "landfall / production (main)";

/// `services/defaced.yaml`: all of its name are hexadecimal digits.
const DEFACED: &str = r#"unifi_dns:
  "defaced${suffix}.internal.lan": { a: 192.168.1.60 }
"#;

/// Production runs, and somebody who may not write here wants the NAS to be moved: their fork, and its
/// head. Nothing of it was read.
async fn forked(w: &mut World) -> (Repo, String) {
    w.bootstrap().await;
    let fork = w.repo.fork(EVE).await.unwrap();
    let head = pushed(w, &fork, "192.168.1.51").await;
    w.open(NewPull::from("main").of_fork(&fork).by(EVE)).await;
    (fork, head)
}

/// The next head of a fork: it moves the NAS to `address`.
async fn pushed(w: &mut World, fork: &Repo, address: &str) -> String {
    let head = fork.push("main", EVE, "Move the NAS", nas_at(address)).await.unwrap();
    w.knows(&head);
    head
}

/// What names a head.
fn plan(head: &str) -> String {
    format!("/plan {}", &head[..8])
}

/// Requests to the console or the account.
fn asked_providers(w: &World) -> usize {
    w.exchanges().count(|exchange| matches!(exchange.wire, Wire::Unifi | Wire::Cloudflare))
}

#[tokio::test]
async fn a_pull_request_from_a_fork_is_checked_and_not_planned() {
    world(async |w| {
        let (fork, _) = forked(w).await;
        assert_snapshot!(w.plan_comment().await, @"
        ### Landfall plan for `commit-3`

        > [!NOTE]
        > **production** is not planned: this comes from a fork, and planning needs credentials. Below is what its files change.

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
        +     a: 192.168.1.51
        ```

        </details>

        ---
        **Next:** Somebody with write access who has read what it changes can have it planned with `/plan commit-3`.<br>
        Without that, the plan for **production** is shown here after the merge, and waits for `/apply`.
        ");
        assert_snapshot!(w.check(CHECK).await, @"neutral: Not planned: this comes from a fork, and planning needs credentials. Below is what its files change.");

        let broken = [edit("services/nas.yaml", "unifi_dns: [\n")];
        let broken = fork.push("main", EVE, "Break it", broken).await.unwrap();
        w.knows(&broken);
        assert_snapshot!(w.plan_comment().await, @r"
        ### Landfall for `commit-4`

        > [!CAUTION]
        > 1 error in the configuration, so no plan was made for any environment.

        - `services/nas.yaml:1:12` unclosed bracket '\[' (`syntax`)
        ");
    })
    .await;
}

#[tokio::test]
async fn a_head_that_was_read_is_planned_and_applied_like_any_other() {
    world(async |w| {
        let (_, head) = forked(w).await;
        w.read_everything().await;
        let word = w.comment_as(BOB, &plan(&head));
        assert_snapshot!(w.plan_comment().await, @"
        ### Landfall plan for `commit-3`

        | Environment | Plan | Digest |
        |---|---|---|
        | **production** (`main`) | 1 to update | `2f488bee` |

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
        assert_snapshot!(w.check(CHECK).await, @"success: 1 to update");
        assert_eq!(w.reactions(word).await, "eyes rocket");
        assert_snapshot!(allowances(w).await.join("\n"), @"/plan commit-3: commit-3 of pull request 2 into main");

        let word = w.comment("/apply");
        assert_snapshot!(w.answer().await, @"
        `alice`: `/apply` was not carried out. This pull request is open.

        Merging it applies it; there is nothing to release before.
        ");
        assert_eq!(w.reactions(word).await, "eyes confused");
        assert_eq!(w.unifi.record("nas.internal.lan", "A"), ["192.168.1.50"]);

        w.merge().await;
        assert_snapshot!(w.outcome().await, @"✅ Applied to production (`commit-4`): 1 updated");
        assert_eq!(w.unifi.record("nas.internal.lan", "A"), ["192.168.1.51"]);
    })
    .await;
}

#[tokio::test]
async fn what_nobody_read_before_the_merge_waits_after_it() {
    world(async |w| {
        forked(w).await;
        w.read_everything().await;
        w.comment("/apply");
        assert_snapshot!(w.answer().await, @"
        `alice`: `/apply` was not carried out. This pull request is open.

        Merging it applies it; there is nothing to release before.
        ");
        w.merge().await;
        let held = w.run_comment().await;
        assert_snapshot!(held, @"
        ### ⏸️ production waits: no plan was published before this was merged

        `commit-4` on `main`, plan `2f488bee`: 1 to update

        ```diff
        @@ nas/unifi_dns @@
        ! update A nas.internal.lan
        -     values: 192.168.1.50
        +     values: 192.168.1.51
        ```

        ---
        **Next:**

        - `/apply production 2f488bee` applies exactly what is shown here
        - `/cancel production` drops this run
        ");
        assert_eq!(w.unifi.record("nas.internal.lan", "A"), ["192.168.1.50"]);
        w.comment("/apply");
        assert!(w.outcome().await.starts_with("✅ Applied to production"));
        assert_eq!(w.unifi.record("nas.internal.lan", "A"), ["192.168.1.51"]);
        w.read_everything().await;
    })
    .await;
}

#[tokio::test]
async fn a_plan_that_is_asked_for_without_a_head_is_made_of_data_and_says_what_to_write() {
    world(async |w| {
        forked(w).await;
        let before = w.plan_comment().await;
        let asked = asked_providers(w);
        let word = w.comment("/plan production");
        assert_snapshot!(w.answer().await, @"
        `alice`: `/plan production` was not carried out. This head is a fork's and nobody named it, so it was checked from its data alone.

        Once you have read what it changes, write `/plan commit-3`.
        ");
        assert_eq!(w.reactions(word).await, "eyes confused");
        w.click_as(BOB, CHECK, "Plan again").await;
        assert_snapshot!(w.answer().await, @"
        `bob`: `/plan` was not carried out. This head is a fork's and nobody named it, so it was checked from its data alone.

        Once you have read what it changes, write `/plan commit-3`.
        ");
        assert_eq!(asked_providers(w), asked);
        // Nothing else has become of it.
        assert!(before.contains("is not planned"));
        w.assert_silence().await;
    })
    .await;
}

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

/// The lines of the audit log that say that a head was allowed.
async fn allowances(w: &World) -> Vec<String> {
    let log = w.server.store().audit(RepositoryId(w.repo.id()), 100).await.unwrap();
    let allowed = log.into_iter().filter(|row| row.entry.what == "allow");
    allowed.map(|row| w.read(&row.entry.why)).collect()
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

#[tokio::test]
async fn the_rules_may_ask_for_more_than_write_and_never_for_less() {
    let config = CONFIG.replacen("version: 1\n", "version: 1\ncommands: { plan: read }\n", 1);
    world_with(Setting { config, ..Setting::default() }, async |w| {
        let (_, head) = forked(w).await;
        w.repo.add_user("trudy", Role::Triage).unwrap();
        w.read_everything().await;
        let asked = asked_providers(w);
        for login in [EVE, "trudy"] {
            let word = w.comment_as(login, &plan(&head));
            assert_eq!(w.reactions(word).await, "eyes confused");
        }
        assert_snapshot!(w.comments().await.join("\n"), @"
        `eve`: `/plan commit-3` was not carried out. For the head of a fork you need write permission here.
        `trudy`: `/plan commit-3` was not carried out. For the head of a fork you need write permission here.
        ");
        assert_eq!(asked_providers(w), asked);

        let rules = CONFIG.replacen("version: 1\n", "version: 1\ncommands: { plan: admin }\n", 1);
        w.push("main", [("landfall.yaml", rules)]).await;
        w.read_everything().await;
        w.comment_as(BOB, &plan(&head));
        assert_snapshot!(w.answer().await, @"`bob`: `/plan commit-3` was not carried out. You need admin permission here.");
        let word = w.comment_as(ALICE, &plan(&head));
        assert!(w.plan_comment().await.contains("| 1 to update |"));
        assert_eq!(w.reactions(word).await, "eyes rocket");
    })
    .await;
}

#[tokio::test]
async fn who_is_only_in_the_right_team_may_not_have_it_planned() {
    let commands = "version: 1\ncommands: { plan: \"team:media\" }\n";
    let config = CONFIG.replacen("version: 1\n", commands, 1);
    world_with(Setting { config, ..Setting::default() }, async |w| {
        let (_, head) = forked(w).await;
        w.read_everything().await;
        for login in [EVE, BOB] {
            w.github.add_to_team("acme", "media", login, Standing::Active);
        }
        w.comment_as(EVE, &plan(&head));
        assert_snapshot!(w.answer().await, @"`eve`: `/plan commit-3` was not carried out. For the head of a fork you need write permission here.");
        w.comment_as(BOB, &plan(&head));
        assert!(w.plan_comment().await.contains("| 1 to update |"));
    })
    .await;
}

#[tokio::test]
async fn an_owner_has_to_own_whatever_the_head_changes_and_not_what_they_name() {
    let config = CONFIG.replacen("version: 1\n", "version: 1\ncommands: { plan: owner }\n", 1);
    let mut setting = Setting { config, ..Setting::default() };
    let owners = "* @alice\n/services/nas.yaml @bob @eve\n";
    setting.files.push(("CODEOWNERS".to_owned(), owners.to_owned()));
    world_with(setting, async |w| {
        let (fork, head) = forked(w).await;
        w.read_everything().await;
        w.comment_as(EVE, &plan(&head));
        assert!(w.answer().await.contains("you need write permission"));
        w.comment_as(BOB, &plan(&head));
        assert!(w.plan_comment().await.contains("| 1 to update |"));

        let both = [edit("services/jellyfin.yaml", JELLYFIN.replace("8096", "8097"))];
        let both = fork.push("main", EVE, "And another port", both).await.unwrap();
        w.knows(&both);
        w.read_everything().await;
        w.comment_as(BOB, &format!("{} nas", plan(&both)));
        assert_snapshot!(w.answer().await, @"
        `bob`: `/plan commit-4 nas` was not carried out. You have to own every service that it is about.

        jellyfin belongs to `@alice`.
        ");
        w.assert_silence().await;
    })
    .await;
}

/// Who may have one environment planned may not have another one planned beside it.
#[tokio::test]
async fn a_head_is_read_for_all_environments_that_follow_its_base() {
    let config = CONFIG.replacen(
        "branches: [develop]\n",
        "branches: [main]\n    commands: { plan: admin }\n",
        1,
    );
    world_with(Setting { config, ..Setting::default() }, async |w| {
        let fork = w.repo.fork(EVE).await.unwrap();
        let head = pushed(w, &fork, "192.168.1.51").await;
        w.open(NewPull::from("main").of_fork(&fork).by(EVE)).await;
        w.read_everything().await;
        w.comment_as(BOB, &format!("{} production", plan(&head)));
        assert_snapshot!(w.answer().await, @"`bob`: `/plan commit-1 production` was not carried out. For staging you need admin permission here.");
        w.assert_silence().await;
    })
    .await;
}

#[tokio::test]
async fn a_head_that_moved_is_refused_wherever_it_comes_from() {
    world(async |w| {
        w.bootstrap().await;
        w.pull("move", nas_at("192.168.1.51")).await;
        let read = w.repo.head("move").await.unwrap().unwrap();
        w.read_everything().await;
        let word = w.comment(&format!("/plan production {read} nas"));
        w.read_everything().await;
        assert_eq!(w.reactions(word).await, "eyes rocket");
        w.push("move", nas_at("192.168.1.52")).await;
        w.read_everything().await;
        let word = w.comment(&plan(&read));
        assert_snapshot!(w.answer().await, @"
        `alice`: `/plan commit-3` was not carried out. `commit-3` is not the head of this pull request, which is `commit-4` now.

        Look at what `commit-4` changes, and name that one: `/plan commit-4`.
        ");
        assert_eq!(w.reactions(word).await, "eyes confused");
        w.assert_silence().await;
    })
    .await;
}

#[tokio::test]
async fn what_reads_as_a_commit_is_no_service_and_what_is_too_short_is_no_commit() {
    world(async |w| {
        w.bootstrap().await;
        w.pull("cafe", [("services/defaced.yaml", DEFACED)]).await;
        w.read_everything().await;
        w.comment("/plan defaced");
        assert_snapshot!(w.answer().await, @"
        `alice`: `/plan defaced` was not carried out. `defaced` is not the head of this pull request, which is `commit-3` now.

        Seven hexadecimal digits or more always name a commit. Look at what `commit-3` changes, and name that one: `/plan commit-3`.
        ");
        w.comment("/plan 1a2b3c");
        assert_snapshot!(w.answer().await, @"
        `alice`: `/plan 1a2b3c` was not carried out. There is no environment and no service `1a2b3c` here.

        A commit is named by seven digits or more.
        ");
        w.comment("/plan 1a2b3c4d deadbeef");
        assert_snapshot!(w.answer().await, @"
        `alice`: `/plan 1a2b3c4d deadbeef` was not carried out. `/plan` does not take `deadbeef`: it takes one commit, and every word of 7 to 40 hexadecimal digits is one.

        Usage: `/plan [environment] [service …] [COMMIT] [only:COMPONENT] [fresh]`, for example `/plan production nas only:unifi_dns`.
        ");
    })
    .await;
}

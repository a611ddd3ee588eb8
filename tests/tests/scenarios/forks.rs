//! Pull requests from forks: what is done with their data alone, and with a head that somebody who may
//! write here has read and named.

use insta::assert_snapshot;
use landfall_core::name::RepositoryId;
use landfall_sim::exchange::Wire;
use landfall_sim::github::{NewPull, Repo, edit};
use landfall_tests::world::{BOB, EVE, World, world};

use crate::nas::nas_at;

mod allowing;
mod later;

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

/// The lines of the audit log that say that a head was allowed.
async fn allowances(w: &World) -> Vec<String> {
    let log = w.server.store().audit(RepositoryId(w.repo.id()), 100).await.unwrap();
    let allowed = log.into_iter().filter(|row| row.entry.what == "allow");
    allowed.map(|row| w.read(&row.entry.why)).collect()
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

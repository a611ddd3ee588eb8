//! The life of a pull request: a draft, another base, labels, an end without a merge, a second
//! beginning, and what others land meanwhile.

use insta::assert_snapshot;
use landfall_sim::exchange::Wire;
use landfall_sim::github::{Fate, NewPull, OnDelivery, edit};
use landfall_tests::world::{ALICE, CONFIG, Setting, World, world, world_with};

use crate::nas::{nas_at, planned};

const CHECK: &str = "landfall / production (main)";

/// `services/plex.yaml`
const PLEX: &str = r#"unifi_dns:
  "plex${suffix}.internal.lan": { a: 192.168.1.60 }
"#;

/// How many times the comments on pull requests were changed or made so far.
fn told(w: &World) -> usize {
    w.exchanges().count(|exchange| {
        exchange.wire == Wire::GitHub
            && matches!(exchange.method.as_str(), "POST" | "PATCH")
            && exchange.path.contains("/issues/")
            && exchange.path.contains("/comments")
    })
}

#[tokio::test]
async fn a_draft_is_planned_and_says_that_it_cannot_be_merged_yet() {
    world(async |w| {
        w.bootstrap().await;
        let main = w.repo.head("main").await.unwrap().unwrap();
        w.repo.point_branch("move", &main, ALICE).await.unwrap();
        w.push("move", nas_at("192.168.1.51")).await;
        w.open(NewPull::from("move").as_draft()).await;
        assert_snapshot!(w.outcome().await, @"
        **Next:** Mark this draft as ready for review.<br>
        Merge to apply to **production**.
        ");
        assert_snapshot!(w.check(CHECK).await, @"success: 1 to update");
        w.repo.mark_ready(w.number(), ALICE).unwrap();
        assert_snapshot!(w.outcome().await, @"**Next:** Merge to apply to **production**.");
        w.repo.mark_draft(w.number(), ALICE).unwrap();
        assert_snapshot!(w.outcome().await, @"
        **Next:** Mark this draft as ready for review.<br>
        Merge to apply to **production**.
        ");
    })
    .await;
}

#[tokio::test]
async fn another_base_is_planned_for_its_environment_and_the_checks_of_the_old_one_say_so() {
    world(async |w| {
        w.bootstrap_branch("develop").await;
        w.bootstrap_branch("main").await;
        w.pull("move", nas_at("192.168.1.51")).await;
        assert!(w.plan_comment().await.contains("| **production** (`main`) | 1 to update |"));
        w.repo.retarget(w.number(), "develop", ALICE).await.unwrap();
        assert_snapshot!(w.plan_comment().await, @"
        ### Landfall plan for `commit-5`

        | Environment | Plan | Digest |
        |---|---|---|
        | **staging** (`develop`) | 1 to update | `ea67ba2d` |

        <details open>
        <summary><b>nas</b> in <b>staging</b>: 1 to update</summary>

        ```diff
        @@ unifi_dns @@
        ! update A nas-staging.internal.lan
        -     values: 192.168.1.50
        +     values: 192.168.1.51
        ```

        `jellyfin-staging.example.com` → `tunnel media-staging` → `nas-staging.internal.lan` *changed* → `192.168.1.51` *changed*

        </details>

        ---
        **Next:** Merge to apply to **staging**.
        ");
        assert_snapshot!(w.check(CHECK).await, @"neutral: Not planned: this goes into develop now");
        assert_snapshot!(w.check("landfall / staging (develop)").await, @"success: 1 to update");

        // And back again: the check is as good as new.
        w.repo.retarget(w.number(), "main", ALICE).await.unwrap();
        assert!(w.plan_comment().await.contains("| **production** (`main`) | 1 to update |"));
        assert_snapshot!(w.check(CHECK).await, @"success: 1 to update");
        assert_snapshot!(w.check("landfall / staging (develop)").await, @"neutral: Not planned: this goes into main now");
    })
    .await;
}

#[tokio::test]
async fn what_was_reviewed_for_one_base_is_not_reviewed_for_another() {
    let config = CONFIG.replace("branches: [main]", "branches: [main, release]");
    world_with(Setting { config, ..Setting::default() }, async |w| {
        w.bootstrap().await;
        let main = w.repo.head("main").await.unwrap().unwrap();
        w.repo.point_branch("other", &main, ALICE).await.unwrap();
        w.pull("move", nas_at("192.168.1.51")).await;
        w.plan_comment().await;
        // No environment follows this one, so nothing of it is planned any more.
        w.repo.retarget(w.number(), "other", ALICE).await.unwrap();
        w.read_everything().await;
        assert_snapshot!(w.check(CHECK).await, @"neutral: Not planned: this goes into other now");
        let landed = w.merge().await;
        w.read_everything().await;
        // It comes to main by a push, and what stood on the pull request once was not for that.
        w.repo.point_branch("main", &landed, ALICE).await.unwrap();
        w.read_everything().await;
        assert_snapshot!(w.run_check("production").await, @"action_required: production waits: no plan was published before this was merged");
        assert_eq!(w.unifi.record("nas.internal.lan", "A"), ["192.168.1.50"]);
    })
    .await;
}

#[tokio::test]
async fn one_that_is_closed_says_once_that_nothing_of_it_is_applied_and_is_planned_anew_when_reopened()
 {
    world(async |w| {
        planned(w, "192.168.1.51").await;
        w.repo.close(w.number(), ALICE).unwrap();
        assert_snapshot!(w.outcome().await, @"⏹️ Closed without being merged, so nothing of this is applied. Opened again, it is planned anew.");
        let before = told(w);
        w.compare().await;
        w.settle().await;
        assert_eq!(told(w), before, "it was said");

        w.repo.reopen(w.number(), ALICE).unwrap();
        assert_snapshot!(w.outcome().await, @"**Next:** Merge to apply to **production**.");
        w.merge().await;
        assert_snapshot!(w.outcome().await, @"✅ Applied to production (`commit-4`): 1 updated");
    })
    .await;
}

#[tokio::test]
async fn one_whose_end_nobody_told_of_is_found_to_be_closed() {
    world(async |w| {
        planned(w, "192.168.1.51").await;
        w.github.hooks().fate(OnDelivery::event("pull_request").action("closed"), Fate::NeverSent);
        w.repo.close(w.number(), ALICE).unwrap();
        w.assert_silence().await;
        w.compare().await;
        assert_snapshot!(w.outcome().await, @"⏹️ Closed without being merged, so nothing of this is applied. Opened again, it is planned anew.");
    })
    .await;
}

#[tokio::test]
async fn a_label_has_the_checks_pass_without_a_plan_and_its_merge_wait() {
    world(async |w| {
        planned(w, "192.168.1.51").await;
        w.repo.label(w.number(), "landfall:skip", ALICE).unwrap();
        assert_snapshot!(w.plan_comment().await, @"
        ### Landfall for `commit-3`

        The label `landfall:skip` is on this pull request, so nothing is planned. What it changes waits for `/apply` after the merge.
        ");
        assert_snapshot!(w.check(CHECK).await, @"success: Not planned: it has the label landfall:skip");

        w.repo.unlabel(w.number(), "landfall:skip", ALICE).unwrap();
        assert!(w.plan_comment().await.contains("1 to update"));
        assert_snapshot!(w.check(CHECK).await, @"success: 1 to update");

        w.repo.label(w.number(), "Landfall:Skip", ALICE).unwrap();
        w.read_everything().await;
        w.merge().await;
        assert_snapshot!(w.run_comment().await, @"
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
        w.read_everything().await;
        assert_eq!(w.unifi.record("nas.internal.lan", "A"), ["192.168.1.50"]);
    })
    .await;
}

#[tokio::test]
async fn one_that_is_opened_with_the_label_passes_in_silence() {
    world(async |w| {
        w.bootstrap().await;
        w.github.hooks().fate(OnDelivery::event("pull_request").action("opened"), Fate::Held);
        w.pull("move", nas_at("192.168.1.51")).await;
        w.repo.label(w.number(), "landfall:skip", ALICE).unwrap();
        w.github.hooks().release();
        w.assert_silence().await;
        assert_snapshot!(w.check(CHECK).await, @"success: Not planned: it has the label landfall:skip");
    })
    .await;
}

#[tokio::test]
async fn a_label_holds_the_run_until_it_is_gone() {
    world(async |w| {
        planned(w, "192.168.1.51").await;
        w.repo.label(w.number(), "landfall:hold", ALICE).unwrap();
        assert_snapshot!(w.outcome().await, @"**Next:** Merge. The run on **production** then waits for you, because pull request 2 has the label landfall:hold. Release it with `/apply production 2f488bee`.");
        assert_snapshot!(w.check(CHECK).await, @"success: 1 to update; waits for /apply after the merge");
        w.merge().await;
        assert_snapshot!(w.run_comment().await, @"
        ### ⏸️ production waits: pull request 2 has the label landfall:hold

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
        w.read_everything().await;
        assert_eq!(w.unifi.record("nas.internal.lan", "A"), ["192.168.1.50"]);

        w.repo.unlabel(w.number(), "landfall:hold", ALICE).unwrap();
        assert_snapshot!(w.outcome().await, @"✅ Applied to production (`commit-4`): 1 updated");
        w.read_everything().await;
        assert_eq!(w.unifi.record("nas.internal.lan", "A"), ["192.168.1.51"]);
    })
    .await;
}

#[tokio::test]
async fn a_run_that_a_label_holds_goes_on_by_a_word_for_its_digest() {
    let config = CONFIG.replace("branches: [main]", "branches: [main]\n    plan_changed: apply");
    world_with(Setting { config, ..Setting::default() }, async |w| {
        w.bootstrap().await;
        w.pull("move", nas_at("192.168.1.51")).await;
        w.plan_comment().await;
        w.repo.label(w.number(), "landfall:hold", ALICE).unwrap();
        w.read_everything().await;
        w.merge().await;
        let held = w.run_comment().await;
        w.read_everything().await;
        assert_eq!(w.unifi.record("nas.internal.lan", "A"), ["192.168.1.50"]);
        let command = held.split('`').find(|code| code.starts_with("/apply ")).unwrap();
        w.comment(command);
        assert_snapshot!(w.outcome().await, @"✅ Applied to production (`commit-4`): 1 updated");
        w.read_everything().await;
    })
    .await;
}

#[tokio::test]
async fn a_label_that_went_without_a_word_is_found_to_be_gone() {
    world(async |w| {
        planned(w, "192.168.1.51").await;
        w.repo.label(w.number(), "landfall:hold", ALICE).unwrap();
        w.read_everything().await;
        w.merge().await;
        w.read_everything().await;
        w.github
            .hooks()
            .fate(OnDelivery::event("pull_request").action("unlabeled"), Fate::NeverSent);
        w.repo.unlabel(w.number(), "landfall:hold", ALICE).unwrap();
        w.assert_silence().await;
        w.compare().await;
        assert!(w.outcome().await.starts_with("✅ Applied to production"));
        w.read_everything().await;
    })
    .await;
}

#[tokio::test]
async fn one_whose_fork_was_deleted_is_checked_as_before() {
    world(async |w| {
        w.bootstrap().await;
        let fork = w.repo.fork("mallory").await.unwrap();
        fork.push("move", "mallory", "Move the NAS", nas_at("192.168.1.51")).await.unwrap();
        w.open(NewPull::from("move").of_fork(&fork).by("mallory")).await;
        let before = w.plan_comment().await;
        fork.delete();
        w.comment("/plan");
        assert!(w.answer().await.contains("so it was checked from its data alone"));
        assert!(before.contains("is not planned: this comes from a fork"));
        assert_snapshot!(w.check(CHECK).await, @"neutral: Not planned: this comes from a fork, and planning needs credentials. Below is what its files change.");
    })
    .await;
}

/// `services/nas.yaml` with two names far enough apart for git to merge changes of both.
fn two(first: &str, second: &str) -> [(&'static str, String); 1] {
    let between = "  # The second one is in the cellar.\n".repeat(8);
    let text = format!(
        "unifi_dns:\n  \"nas${{suffix}}.internal.lan\": {{ a: {first} }}\n{between}  \"nas2${{suffix}}.internal.lan\": {{ a: {second} }}\n"
    );
    [("services/nas.yaml", text)]
}

#[tokio::test]
async fn what_lands_meanwhile_has_only_those_planned_anew_that_it_concerns() {
    let files = two("192.168.1.50", "192.168.1.58").map(|(path, text)| (path.to_owned(), text));
    world_with(Setting { files: files.into(), ..Setting::default() }, async |w| {
        w.bootstrap().await;
        let moves = w.pull("move", two("192.168.1.51", "192.168.1.58")).await;
        let other = w.pull("other", two("192.168.1.50", "192.168.1.59")).await;
        let plex = w.pull("plex", [("services/plex.yaml", PLEX)]).await;
        w.read_everything().await;
        let before = told(w);
        w.on(moves).merge().await;
        // Its own line while it runs and at its end, and the plan of the one that changes the same unit.
        assert_snapshot!(w.on(other).plan_comment().await, @"
        ### Landfall plan for `commit-4`

        | Environment | Plan | Digest |
        |---|---|---|
        | **production** (`main`) | 1 to update | `cdf12bc2` |

        <details open>
        <summary><b>nas</b> in <b>production</b>: 1 to update</summary>

        ```diff
        @@ unifi_dns @@
        ! update A nas2.internal.lan
        -     values: 192.168.1.58
        +     values: 192.168.1.59
        ```

        </details>

        ---
        **Next:** Merge to apply to **production**.
        ");
        assert!(told(w) - before <= 3, "{} comments were changed", told(w) - before);
        assert!(w.on(moves).outcome().await.starts_with("✅ Applied to production"));
        w.assert_silence().await;

        // What the other two say is what happens.
        for number in [plex, other] {
            w.on(number).merge().await;
            assert!(w.outcome().await.starts_with("✅ Applied to production"));
        }
        w.assert_silence().await;
    })
    .await;
}

#[tokio::test]
async fn a_revert_is_planned_and_applied_like_any_other() {
    world(async |w| {
        planned(w, "192.168.1.51").await;
        w.merge().await;
        w.read_everything().await;
        w.pull("revert-move", nas_at("192.168.1.50")).await;
        assert_snapshot!(w.plan_comment().await, @"
        ### Landfall plan for `commit-5`

        | Environment | Plan | Digest |
        |---|---|---|
        | **production** (`main`) | 1 to update | `72ce3102` |

        <details open>
        <summary><b>nas</b> in <b>production</b>: 1 to update</summary>

        ```diff
        @@ unifi_dns @@
        ! update A nas.internal.lan
        -     values: 192.168.1.51
        +     values: 192.168.1.50
        ```

        `jellyfin.example.com` → `tunnel media` → `nas.internal.lan` *changed* → `192.168.1.50` *changed*

        </details>

        ---
        **Next:** Merge to apply to **production**.
        ");
        w.merge().await;
        assert_snapshot!(w.outcome().await, @"✅ Applied to production (`commit-6`): 1 updated");
        assert_eq!(w.unifi.record("nas.internal.lan", "A"), ["192.168.1.50"]);
    })
    .await;
}

#[tokio::test]
async fn more_files_than_github_lists_hide_nothing() {
    world(async |w| {
        w.bootstrap().await;
        let docs = (0..3_100).map(|n| edit(format!("docs/{n:04}.md"), format!("# {n}\n")));
        let nas = nas_at("192.168.1.51").map(Into::into);
        w.pull("many", docs.chain(nas)).await;
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
        let listed = w.exchanges().count(|exchange| exchange.path.ends_with("/files"));
        assert_eq!(listed, 0, "the trees are read, not GitHub's list");
    })
    .await;
}

//! Runs that wait for more than a second look: limits that a plan passes, and a branch that is not
//! where it was.

use insta::assert_snapshot;
use landfall_sim::github::remove;
use landfall_tests::world::{ALICE, CONFIG, NAS, Setting, World, world, world_with};

/// `services/farm.yaml`: six names, all of which go at once when the file is removed.
fn farm() -> String {
    let names =
        (1..=6).map(|n| format!("  farm-{n}.internal.lan: {{ a: 192.168.1.{} }}\n", 90 + n));
    format!("only: [production]\nunifi_dns:\n{}", names.collect::<String>())
}

/// Production has the farm, and may lose `percent` of what it owns at once.
async fn with_farm(w: &mut World) {
    w.bootstrap().await;
    w.pull("farm", [("services/farm.yaml", farm())]).await;
    w.settle().await;
    w.merge().await;
    w.read_everything().await;
    assert_eq!(w.unifi.record("farm-6.internal.lan", "A"), ["192.168.1.96"]);
}

fn allowing(percent: u8) -> String {
    let limit = format!("    guardrails: {{ max_deletes: {percent}% }}\n    branches: [main]\n");
    CONFIG.replacen("    branches: [main]\n", &limit, 1)
}

#[tokio::test]
async fn no_word_passes_a_guardrail_and_no_merge_is_judged_by_the_rules_alone_that_it_brings() {
    world(async |w| {
        with_farm(w).await;
        w.pull("no-farm", [remove("services/farm.yaml")]).await;
        assert_snapshot!(w.plan_comment().await, @"
        ### Landfall plan for `commit-5`

        > [!CAUTION]
        > A guardrail of **production** is passed, so a run would wait:
        > - 6 of 9 resources would be deleted; `max_deletes` allows 30 %

        | Environment | Plan | Digest |
        |---|---|---|
        | **production** (`main`) | 6 to delete | `5c5f58ae` |

        <details open>
        <summary><b>farm</b> in <b>production</b>: 6 to delete</summary>

        ```diff
        @@ unifi_dns @@
        - delete A farm-1.internal.lan = 192.168.1.91
        - delete A farm-2.internal.lan = 192.168.1.92
        - delete A farm-3.internal.lan = 192.168.1.93
        - delete A farm-4.internal.lan = 192.168.1.94
        - delete A farm-5.internal.lan = 192.168.1.95
        - delete A farm-6.internal.lan = 192.168.1.96
        ```

        </details>

        ---
        **Next:** Merging applies nothing to **production** until `guardrails` in `landfall.yaml` allow it.
        ");
        assert_snapshot!(w.check("landfall / production (main)").await, @"action_required: 6 to delete; a guardrail is passed");
        w.merge().await;
        assert_snapshot!(w.run_comment().await, @"
        ### ⏸️ production waits: a guardrail is passed

        `commit-6` on `main`, plan `5c5f58ae`: 6 to delete

        > 6 of 9 resources would be deleted; `max_deletes` allows 30 %

        ```diff
        @@ farm/unifi_dns @@
        - delete A farm-1.internal.lan = 192.168.1.91
        - delete A farm-2.internal.lan = 192.168.1.92
        - delete A farm-3.internal.lan = 192.168.1.93
        - delete A farm-4.internal.lan = 192.168.1.94
        - delete A farm-5.internal.lan = 192.168.1.95
        - delete A farm-6.internal.lan = 192.168.1.96
        ```

        ---
        **Next:**

        - `/cancel production` drops this run
        ");
        w.read_everything().await;

        let word = w.comment("/apply");
        assert_eq!(w.reactions(word).await, "eyes confused");
        assert_snapshot!(w.answer().await, @"
        `alice`: `/apply` was not carried out. production waits: a guardrail is passed. Naming a digest does not change that.

        The run looks again now. To allow it, change `guardrails` in `landfall.yaml` by a pull request of its own: a merge is also judged by the rules that were applied last.
        ");

        let held = w.number();
        w.pull("allow", [("landfall.yaml", allowing(90))]).await;
        w.read_everything().await;
        w.merge().await;
        w.read_everything().await;
        w.on(held);
        assert_snapshot!(w.run_comment().await, @"
        ### ⏸️ production waits: a guardrail is passed that held when it was applied last

        `commit-8` on `main`, plan `5c5f58ae`: 6 to delete

        > 6 of 9 resources would be deleted; `max_deletes` allows 30 %

        ```diff
        @@ farm/unifi_dns @@
        - delete A farm-1.internal.lan = 192.168.1.91
        - delete A farm-2.internal.lan = 192.168.1.92
        - delete A farm-3.internal.lan = 192.168.1.93
        - delete A farm-4.internal.lan = 192.168.1.94
        - delete A farm-5.internal.lan = 192.168.1.95
        - delete A farm-6.internal.lan = 192.168.1.96
        ```

        ---
        **Next:**

        - `/apply production 5c5f58ae` applies exactly what is shown here
        - `/cancel production` drops this run
        ");
        assert_eq!(w.unifi.record("farm-1.internal.lan", "A"), ["192.168.1.91"]);
        let digest = shown_digest(&w.run_comment().await);
        w.comment(&format!("/apply production {digest}"));
        assert!(w.outcome().await.starts_with("✅ Applied to production"));
        w.read_everything().await;
        assert!(w.unifi.record("farm-1.internal.lan", "A").is_empty());
    })
    .await;
}

/// The digits that a held run's comment offers.
fn shown_digest(comment: &str) -> String {
    let (_, rest) = comment.rsplit_once("`/apply production ").expect("a digest is offered");
    rest.chars().take_while(char::is_ascii_hexdigit).collect()
}

/// The `CONFIG` with a second branch that production may follow.
fn two_branches() -> Setting {
    let config = CONFIG.replace("branches: [main]", "branches: [main, release]");
    Setting { config, ..Setting::default() }
}

#[tokio::test]
async fn a_push_to_another_branch_waits_and_says_what_it_would_take_back() {
    world_with(two_branches(), async |w| {
        w.bootstrap().await;
        let main = w.repo.head("main").await.unwrap().unwrap();
        w.repo.point_branch("release", &main, ALICE).await.unwrap();
        w.pull("wiki", [("services/wiki.yaml", "unifi_dns:\n  \"wiki${suffix}.internal.lan\": { a: 192.168.1.53 }\n")])
            .await;
        w.settle().await;
        w.merge().await;
        w.read_everything().await;
        assert_eq!(w.unifi.record("wiki.internal.lan", "A"), ["192.168.1.53"]);

        let nas = NAS.replace("192.168.1.50", "192.168.1.51");
        w.pull_into("release", "move", [("services/nas.yaml", nas)]).await;
        assert_snapshot!(w.outcome().await, @"**Next:** Merge. The run on **production** then waits for you, because it follows main, and would follow release. Release it with `/apply production 68c83734`.");
        w.merge().await;
        assert_snapshot!(w.run_comment().await, @"
        ### ⏸️ production waits: it follows main, and would follow release

        `commit-6` on `release`, plan `68c83734`: 1 to update, 1 to delete

        ```diff
        @@ nas/unifi_dns @@
        ! update A nas.internal.lan
        -     values: 192.168.1.50
        +     values: 192.168.1.51
        @@ wiki/unifi_dns @@
        - delete A wiki.internal.lan = 192.168.1.53
        ```

        ---
        **Next:**

        - `/apply production 68c83734` applies exactly what is shown here
        - `/cancel production` drops this run
        ");
        w.read_everything().await;
        assert_eq!(w.unifi.record("wiki.internal.lan", "A"), ["192.168.1.53"], "nothing is taken back");

        let digest = shown_digest(&w.run_comment().await);
        w.comment(&format!("/apply production {digest}"));
        assert!(w.outcome().await.starts_with("✅ Applied to production"));
        w.read_everything().await;
        assert!(w.unifi.record("wiki.internal.lan", "A").is_empty());
        assert_eq!(w.unifi.record("nas.internal.lan", "A"), ["192.168.1.51"]);

        let tv = "unifi_dns:\n  \"tv${suffix}.internal.lan\": { a: 192.168.1.61 }\n";
        w.pull_into("release", "tv", [("services/tv.yaml", tv)]).await;
        w.settle().await;
        w.merge().await;
        assert!(w.outcome().await.starts_with("✅ Applied to production"), "it follows release now");
        w.read_everything().await;
    })
    .await;
}

#[tokio::test]
async fn a_branch_that_was_forced_back_waits_with_what_that_would_do() {
    world(async |w| {
        w.bootstrap().await;
        let before = w.repo.head("main").await.unwrap().unwrap();
        let wiki = "unifi_dns:\n  \"wiki${suffix}.internal.lan\": { a: 192.168.1.53 }\n";
        let pull = w.pull("wiki", [("services/wiki.yaml", wiki)]).await;
        w.settle().await;
        w.merge().await;
        w.read_everything().await;

        w.force_push("main", &before, [("about.md", "# Forced\n")]).await;
        w.read_everything().await;
        assert_snapshot!(w.run_check("production").await, @"action_required: production waits: main was forced away from commit-4");
        assert_eq!(w.unifi.record("wiki.internal.lan", "A"), ["192.168.1.53"]);

        w.on(pull).comment("/status");
        assert_snapshot!(w.answers().await, @"
        <details open>
        <summary><code>/status</code> at THEN, asked for by <b>alice</b></summary>

        | Environment | Live | Waits |
        |---|---|---|
        | **production** | `commit-4` | held at `commit-5`: main was forced away from commit-4 |

        </details>
        ");
    })
    .await;
}

#[tokio::test]
async fn a_branch_that_is_gone_leaves_its_environment_where_it_is() {
    let config = CONFIG.replace("branches: [main]", "branches: [live, release]");
    world_with(Setting { config, ..Setting::default() }, async |w| {
        let main = w.repo.head("main").await.unwrap().unwrap();
        for branch in ["live", "release"] {
            w.repo.point_branch(branch, &main, ALICE).await.unwrap();
        }
        w.bootstrap_branch("live").await;
        let before = w.writes();
        w.repo.delete_branch("live", ALICE).await.unwrap();
        w.push("main", [("about.md", "# About\n")]).await;
        w.read_everything().await;
        assert_eq!(w.writes(), before);

        let nas = NAS.replace("192.168.1.50", "192.168.1.51");
        w.push("release", [("services/nas.yaml", nas)]).await;
        w.read_everything().await;
        assert_eq!(w.writes(), before);
        assert_snapshot!(w.run_check("production").await, @"action_required: production waits: it follows live, and would follow release");
    })
    .await;
}

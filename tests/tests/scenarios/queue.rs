//! The merge queue: groups of pull requests that are planned as they will be merged, and one push that
//! lands them all.

use insta::assert_snapshot;
use landfall_sim::exchange::Wire;
use landfall_sim::fault::{Answer, Fault, On};
use landfall_sim::github::{Fate, Group, OnDelivery};
use landfall_tests::world::{ALICE, CONFIG, Setting, World, world, world_with};

use crate::nas::nas_at;

const CHECK: &str = "landfall / production (main)";

/// `services/plex.yaml`
const PLEX: &str = r#"unifi_dns:
  "plex${suffix}.internal.lan": { a: 192.168.1.60 }
"#;

/// Production runs, and two pull requests that were planned.
async fn two_pulls(w: &mut World) -> [u64; 2] {
    w.bootstrap().await;
    let moves = w.pull("move", nas_at("192.168.1.51")).await;
    let plex = w.pull("plex", [("services/plex.yaml", PLEX)]).await;
    w.read_everything().await;
    [moves, plex]
}

/// Queues them as one group, and returns it once nothing is left to do.
async fn queued(w: &mut World, pulls: &[u64]) -> Group {
    let group = w.repo.queue("main", pulls, ALICE).await.unwrap();
    w.knows(&group.head_sha);
    w.settle().await;
    group
}

#[tokio::test]
async fn a_group_is_planned_as_it_will_be_merged_and_its_check_stands_on_its_commit() {
    world(async |w| {
        let pulls = two_pulls(w).await;
        let group = queued(w, &pulls).await;
        assert_eq!(w.newest_check(CHECK).await.head_sha, group.head_sha);
        assert_snapshot!(w.check_on(&group.head_sha, CHECK).await, @"success: 1 to create, 1 to update");
        assert_snapshot!(w.check_summary(CHECK).await, @"
        ### Landfall plan for `commit-5`

        | Environment | Plan | Digest |
        |---|---|---|
        | **production** (`main`) | 1 to create, 1 to update | `2eec8fba` |

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

        <details open>
        <summary><b>plex</b> in <b>production</b>: 1 to create</summary>

        ```diff
        @@ unifi_dns @@
        + create A plex.internal.lan = 192.168.1.60
        ```

        </details>

        ---
        **Next:** Merge to apply to **production**.
        ");
        w.assert_silence().await;
        assert!(!w.deployments().await.contains("pending"), "no run of the queue's branch");

        w.repo.land(&group, ALICE).await.unwrap();
        assert_snapshot!(w.on(pulls[0]).outcome().await, @"✅ Applied to production (`commit-5`): 1 updated here; 1 created, 1 updated in all");
        assert_snapshot!(w.on(pulls[1]).outcome().await, @"✅ Applied to production (`commit-5`): 1 created here; 1 created, 1 updated in all");
        assert_snapshot!(w.deployments().await, @"
        production at commit-2: inactive
        production at commit-5: success
        ");
        assert_eq!(w.unifi.record("nas.internal.lan", "A"), ["192.168.1.51"]);
        assert_eq!(w.unifi.record("plex.internal.lan", "A"), ["192.168.1.60"]);
    })
    .await;
}

#[tokio::test]
async fn pull_requests_that_do_not_go_together_stop_their_group() {
    world(async |w| {
        w.bootstrap().await;
        let one = w.pull("one", [("services/plex.yaml", PLEX)]).await;
        let other = w.pull("other", [("services/tv.yaml", PLEX)]).await;
        w.read_everything().await;
        assert_eq!(w.on(one).check(CHECK).await, "success: 1 to create");
        assert_eq!(w.on(other).check(CHECK).await, "success: 1 to create");
        let group = queued(w, &[one, other]).await;
        assert_snapshot!(w.check_on(&group.head_sha, CHECK).await, @"
        failure: 2 errors in the configuration
        services/tv.yaml:2:3 failure name-declared-twice: A plex-staging.internal.lan is declared by another service too
        declare it in one service, and let the other one need it
        services/tv.yaml:2:3 failure name-declared-twice: A plex.internal.lan is declared by another service too
        declare it in one service, and let the other one need it
        ");
        // GitHub says on each of them that this check failed, and leads there: one word is enough.
        let asked = w.exchanges().count(|exchange| exchange.wire == Wire::GitHub);
        w.repo.fail(&group, ALICE).await.unwrap();
        w.assert_silence().await;
        assert_eq!(w.exchanges().count(|exchange| exchange.wire == Wire::GitHub), asked);
        assert_eq!(w.on(one).check(CHECK).await, "success: 1 to create");
    })
    .await;
}

#[tokio::test]
async fn a_group_that_changes_no_service_passes_at_once() {
    world(async |w| {
        w.bootstrap().await;
        let readme = w.pull("readme", [("README.md", "# Homelab\n")]).await;
        let group = queued(w, &[readme]).await;
        assert_snapshot!(w.check_on(&group.head_sha, CHECK).await, @"success: No service changes");
    })
    .await;
}

#[tokio::test]
async fn a_group_that_is_gone_before_its_turn_is_let_go() {
    world(async |w| {
        let pulls = two_pulls(w).await;
        w.github
            .hooks()
            .fate(OnDelivery::event("merge_group").action("checks_requested"), Fate::Held);
        let group = w.repo.queue("main", &pulls, ALICE).await.unwrap();
        w.repo.unqueue(&group, ALICE).await.unwrap();
        w.github.hooks().release();
        w.assert_silence().await;
        assert!(w.repo.check_runs(&group.head_sha).is_empty());
    })
    .await;
}

#[tokio::test]
async fn a_group_that_nobody_told_of_is_found_and_one_is_planned_again_by_a_re_run() {
    world(async |w| {
        let pulls = two_pulls(w).await;
        w.compare().await;
        w.settle().await;
        for event in ["merge_group", "push"] {
            w.github.hooks().fate(OnDelivery::event(event), Fate::NeverSent);
        }
        let group = queued(w, &pulls).await;
        assert!(w.repo.check_runs(&group.head_sha).is_empty());
        w.compare().await;
        assert_snapshot!(w.check_on(&group.head_sha, CHECK).await, @"success: 1 to create, 1 to update");

        w.unifi.default_site().edit("nas.internal.lan", |record| {
            record.value = landfall_sim::unifi::RecordValue::A("192.168.1.99".parse().unwrap());
        });
        let check = w.newest_check(CHECK).await;
        w.repo.rerequest(check.id, ALICE).unwrap();
        assert!(w.check_summary(CHECK).await.contains("-     values: 192.168.1.99"));
    })
    .await;
}

#[tokio::test]
async fn a_group_that_brings_the_first_rules_that_can_be_read_may_pass() {
    let broken = Setting { config: "version: 1\n".to_owned(), ..Setting::default() };
    world_with(broken, async |w| {
        let mend = w.pull("mend", [("landfall.yaml", CONFIG)]).await;
        w.read_everything().await;
        let group = queued(w, &[mend]).await;
        assert_snapshot!(w.check_on(&group.head_sha, CHECK).await, @"neutral: Not planned: the rules on the default branch cannot be read");
    })
    .await;
}

/// What stopped the plan is not to stop the merge.
#[tokio::test]
async fn a_group_of_skipped_pull_requests_alone_passes_as_they_did() {
    world(async |w| {
        let [moves, plex] = two_pulls(w).await;
        w.unifi.faults().inject(On::get("/**").always(), Fault::Instead(Answer::new(401, "")));
        w.repo.label(moves, "landfall:skip", ALICE).unwrap();
        w.read_everything().await;
        let group = queued(w, &[moves]).await;
        assert_snapshot!(w.check_on(&group.head_sha, CHECK).await, @"success: Not planned: all of it has the label landfall:skip");
        assert_snapshot!(w.check_summary(CHECK).await, @"Each pull request of this group has the label `landfall:skip`, so nothing is planned. What they change waits for `/apply` after the merge.");
        w.repo.unqueue(&group, ALICE).await.unwrap();
        w.settle().await;

        // With one that is not, what is merged is one tree, and that is planned.
        let group = queued(w, &[moves, plex]).await;
        let planned = w.check_on(&group.head_sha, CHECK).await;
        assert!(planned.starts_with("failure: what answers at"), "{planned}");
        w.repo.unqueue(&group, ALICE).await.unwrap();
        w.repo.label(plex, "landfall:skip", ALICE).unwrap();
        w.read_everything().await;
        let group = queued(w, &[plex, moves]).await;
        assert_snapshot!(w.check_on(&group.head_sha, CHECK).await, @"success: Not planned: all of it has the label landfall:skip");
    })
    .await;
}

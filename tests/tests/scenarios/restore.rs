//! An old backup is restored: the store knows less than the world, and asks.

use insta::assert_snapshot;
use jiff::{SignedDuration, Timestamp};
use landfall_sim::clock::Clock;
use landfall_sim::github;
use landfall_tests::world::{CONFIG, Setting, world, world_with};

const TV: &str = "unifi_dns:\n  \"tv${suffix}.internal.lan\": { a: 192.168.1.71 }\n";
const TV_MOVED: &str = "unifi_dns:\n  \"tv${suffix}.internal.lan\": { a: 192.168.1.72 }\n";
const NAS_MOVED: &str = "unifi_dns:\n  \"nas${suffix}.internal.lan\": { a: 192.168.1.51 }\n";

/// A world where GitHub's clock is ahead, so that what is said after a restore is seen to be.
fn setting() -> Setting {
    let clock = Clock::standing_at(Timestamp::now() + SignedDuration::from_hours(1));
    Setting {
        github: github::Settings { clock, ..github::Settings::default() },
        ..Setting::default()
    }
}

#[tokio::test]
async fn what_was_applied_since_the_backup_is_neither_done_twice_nor_believed() {
    world_with(setting(), async |w| {
        w.bootstrap().await;
        let backup = w.server.back_up().await;
        // A resource is made, one is changed, and both are reviewed, applied and told.
        w.pull("tv", [("services/tv.yaml", TV)]).await;
        w.settle().await;
        w.merge().await;
        w.settle().await;
        w.pull("move", [("services/nas.yaml", NAS_MOVED)]).await;
        w.settle().await;
        w.merge().await;
        w.read_everything().await;
        assert_eq!(w.unifi.record("tv.internal.lan", "A"), ["192.168.1.71"]);
        assert_eq!(w.unifi.record("nas.internal.lan", "A"), ["192.168.1.51"]);
        let writes = w.writes();

        w.restore(&backup).await;
        assert_snapshot!(w.run_check("production").await, @"action_required: production waits: Landfall was restored from a backup, and what was reviewed before does not count");
        assert_snapshot!(w.run_comment().await, @"
        ### ⏸️ production waits: Landfall was restored from a backup, and what was reviewed before does not count

        `commit-6` on `main`, plan `0bb836e6`: 1 to adopt

        ```diff
        @@ tv/unifi_dns @@
        ! adopt A tv.internal.lan = 192.168.1.71
        ```

        ---
        **Next:**

        - `/apply production 0bb836e6` applies exactly what is shown here
        - `/cancel production` drops this run
        ");
        w.read_everything().await;
        assert_eq!(w.writes(), writes, "nothing is sent before somebody says so");

        w.comment("/apply");
        assert_snapshot!(w.run_comment().await, @"
        ### ✅ Applied to production

        `commit-6` on `main`, plan `0bb836e6`: 1 adopted

        <details>
        <summary>1 step</summary>

        | Step | Result | Change |
        |---|---|---|
        | 1 | done | `adopt A tv.internal.lan 192.168.1.71` |

        </details>
        ");
        w.read_everything().await;
        assert_eq!(w.writes(), writes, "what lives was taken over as it is");
        assert_eq!(w.unifi.record("tv.internal.lan", "A"), ["192.168.1.71"]);
        assert_eq!(w.unifi.record("nas.internal.lan", "A"), ["192.168.1.51"]);

        // From here on it is as it was: what is reviewed is applied.
        w.pull("tv-moves", [("services/tv.yaml", TV_MOVED)]).await;
        assert_snapshot!(w.plan_comment().await, @"
        ### Landfall plan for `commit-7`

        | Environment | Plan | Digest |
        |---|---|---|
        | **production** (`main`) | 1 to update | `5ff9e8af` |

        <details open>
        <summary><b>tv</b> in <b>production</b>: 1 to update</summary>

        ```diff
        @@ unifi_dns @@
        ! update A tv.internal.lan
        -     values: 192.168.1.71
        +     values: 192.168.1.72
        ```

        </details>

        ---
        **Next:** Merge to apply to **production**.
        ");
        w.merge().await;
        assert_snapshot!(w.outcome().await, @"✅ Applied to production (`commit-8`): 1 updated");
        assert_eq!(w.unifi.record("tv.internal.lan", "A"), ["192.168.1.72"]);
    })
    .await;
}

#[tokio::test]
async fn a_plan_that_was_reviewed_before_the_backup_waits_for_a_new_word() {
    let config =
        CONFIG.replace("vars: { suffix: \"\" }", "vars: { suffix: \"\" }\n    plan_changed: apply");
    world_with(Setting { config, ..setting() }, async |w| {
        w.bootstrap().await;
        w.pull("tv", [("services/tv.yaml", TV)]).await;
        w.read_everything().await;
        let backup = w.server.back_up().await;
        w.merge().await;
        w.read_everything().await;
        // Then somebody takes it away by hand: a plan that is believed would make it again.
        w.unifi.default_site().remove("tv.internal.lan");
        let writes = w.writes();

        w.restore(&backup).await;
        assert_snapshot!(w.run_comment().await, @"
        ### ⏸️ production waits: Landfall was restored from a backup, and what was reviewed before does not count

        `commit-4` on `main`, plan `87586c27`: 1 to create

        ```diff
        @@ tv/unifi_dns @@
        + create A tv.internal.lan = 192.168.1.71
        ```

        ---
        **Next:**

        - `/apply production 87586c27` applies exactly what is shown here
        - `/cancel production` drops this run
        ");
        w.read_everything().await;
        assert_eq!(w.writes(), writes);
        assert!(w.unifi.record("tv.internal.lan", "A").is_empty());

        w.comment("/apply");
        w.read_everything().await;
        assert_eq!(w.unifi.record("tv.internal.lan", "A"), ["192.168.1.71"]);
        assert_eq!(w.writes(), writes + 1);
    })
    .await;
}

#[tokio::test]
async fn a_word_for_a_held_run_counts_for_what_was_held_then() {
    world_with(setting(), async |w| {
        w.pull("readme", [("README.md", "# Homelab\n")]).await;
        w.settle().await;
        w.merge().await;
        w.read_everything().await;
        let backup = w.server.back_up().await;
        w.comment("/apply");
        w.read_everything().await;
        let writes = w.writes();

        w.restore(&backup).await;
        assert_snapshot!(w.run_comment().await, @"
        ### ⏸️ production waits: Landfall was restored from a backup, and what was reviewed before does not count

        `commit-2` on `main`, plan `a0684081`: 3 to adopt

        ```diff
        @@ jellyfin/cloudflare_tunnel @@
        ! adopt CNAME jellyfin.example.com = tunnel media (proxied)
        ! adopt rule jellyfin.example.com = http://nas.internal.lan:8096
        @@ nas/unifi_dns @@
        ! adopt A nas.internal.lan = 192.168.1.50
        ```

        ---
        **Next:**

        - `/apply production a0684081` applies exactly what is shown here
        - `/cancel production` drops this run
        ");
        w.read_everything().await;
        assert_eq!(w.writes(), writes, "everything that lives is as it should be");
    })
    .await;
}

#[tokio::test]
async fn a_pull_request_that_was_open_is_planned_anew_in_its_one_comment() {
    world_with(setting(), async |w| {
        w.bootstrap().await;
        w.pull("tv", [("services/tv.yaml", TV)]).await;
        w.settle().await;
        let backup = w.server.back_up().await;
        w.push("tv", [("services/tv.yaml", TV_MOVED)]).await;
        assert_snapshot!(w.plan_comment().await, @"
        ### Landfall plan for `commit-4`

        | Environment | Plan | Digest |
        |---|---|---|
        | **production** (`main`) | 1 to create | `feb833f9` |

        <details open>
        <summary><b>tv</b> in <b>production</b>: 1 to create</summary>

        ```diff
        @@ unifi_dns @@
        + create A tv.internal.lan = 192.168.1.72
        ```

        </details>

        ---
        **Next:** Merge to apply to **production**.
        ");
        w.restore(&backup).await;
        w.settle().await;
        w.assert_silence().await;
        assert_eq!(w.repo.comments(w.number()).len(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_word_from_before_the_restore_is_not_heeded() {
    // GitHub's clock stands in the past, so whatever is said was said before the restore.
    world(async |w| {
        w.bootstrap().await;
        let backup = w.server.back_up().await;
        w.pull("tv", [("services/tv.yaml", TV)]).await;
        w.settle().await;
        w.merge().await;
        w.read_everything().await;
        w.restore(&backup).await;
        w.read_everything().await;
        let writes = w.writes();

        let word = w.comment("/apply");
        let answer = w.answer().await;
        assert_snapshot!(answer, @"
        `alice`: `/apply` was not carried out. It was said before Landfall was restored from a backup of THEN.

        Look at the run that waits now, and say it again if you mean that.
        ");
        assert_eq!(w.reactions(word).await, "eyes confused");
        assert_eq!(w.writes(), writes);
    })
    .await;
}

//! From the pull request to what is live: however it is merged, what was reviewed is applied, and
//! what was not waits.

use insta::assert_snapshot;
use landfall_sim::github::{MergeMethod, NewPull};
use landfall_sim::unifi::RecordValue;
use landfall_tests::world::{World, world};

use crate::nas::nas_at;

async fn is_applied_when_merged_by(w: &mut World, method: MergeMethod) {
    w.bootstrap().await;
    w.pull("move", nas_at("192.168.1.51")).await;
    w.push("move", nas_at("192.168.1.52")).await;
    w.plan_comment().await;
    w.merge_by(method).await;
    assert!(w.outcome().await.starts_with("✅ Applied to production"));
    assert_eq!(w.unifi.record("nas.internal.lan", "A"), ["192.168.1.52"]);
}

#[tokio::test]
async fn a_merge_commit_applies_what_was_reviewed() {
    world(async |w| is_applied_when_merged_by(w, MergeMethod::Merge).await).await;
}

#[tokio::test]
async fn a_squashed_commit_applies_what_was_reviewed() {
    world(async |w| is_applied_when_merged_by(w, MergeMethod::Squash).await).await;
}

#[tokio::test]
async fn rebased_commits_apply_what_was_reviewed() {
    world(async |w| is_applied_when_merged_by(w, MergeMethod::Rebase).await).await;
}

#[tokio::test]
async fn a_conflict_with_the_base_is_said_and_gone_once_it_is_resolved() {
    world(async |w| {
        w.bootstrap().await;
        let first = w.pull("one", nas_at("192.168.1.51")).await;
        let second = w.pull("two", nas_at("192.168.1.52")).await;
        w.read_everything().await;
        w.on(first).merge().await;
        w.read_everything().await;
        w.on(second).comment("/plan");
        assert_snapshot!(w.plan_comment().await, @"
        ### Landfall for `commit-4`

        > [!WARNING]
        > This pull request conflicts with `main`, so there is no merged tree to plan.

        - `services/nas.yaml`
        ");
        assert_snapshot!(w.check("landfall / production (main)").await, @"failure: Conflicts with main");

        let main = w.repo.head("main").await.unwrap().unwrap();
        w.force_push("two", &main, nas_at("192.168.1.52")).await;
        assert!(w.plan_comment().await.contains("1 to update"));
        assert_snapshot!(w.check("landfall / production (main)").await, @"success: 1 to update");
    })
    .await;
}

#[tokio::test]
async fn a_direct_push_to_a_mapped_branch_waits() {
    world(async |w| {
        w.bootstrap().await;
        w.push("main", nas_at("192.168.1.51")).await;
        assert_snapshot!(w.run_check("production").await, @"action_required: production waits: this was pushed without a pull request");
        assert_snapshot!(w.deployments().await, @"
        production at commit-2: success
        production at commit-3: pending
        ");
        assert_eq!(w.unifi.record("nas.internal.lan", "A"), ["192.168.1.50"]);

        // The next pull request shows what waits, and its merge brings both.
        w.pull("note", [("README.md", "# Moved\n")]).await;
        assert_snapshot!(w.plan_comment().await, @"
        ### Landfall plan for `commit-4`

        | Environment | Plan | Digest |
        |---|---|---|
        | **production** (`main`) | 1 to update | `2f488bee` |

        <details open>
        <summary><b>nas</b> in <b>production</b>: 1 to update (not from this pull request)</summary>

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
        w.merge().await;
        assert_snapshot!(w.outcome().await, @"✅ Applied to production (`commit-5`): 1 updated");
        assert_eq!(w.unifi.record("nas.internal.lan", "A"), ["192.168.1.51"]);
    })
    .await;
}

#[tokio::test]
async fn a_record_that_changed_between_plan_and_merge_holds_the_run_until_its_digest_is_named() {
    world(async |w| {
        w.bootstrap().await;
        w.pull("move", nas_at("192.168.1.51")).await;
        w.plan_comment().await;
        w.unifi.default_site().edit("nas.internal.lan", |record| {
            record.value = RecordValue::A("192.168.1.99".parse().unwrap());
        });

        w.merge().await;
        let held = w.run_comment().await;
        assert_snapshot!(held, @"
        ### ⏸️ production waits: what would happen is not what was reviewed

        `commit-4` on `main`, plan `258ddfef`: 1 to update

        **Was reviewed:**

        ```diff
        @@ nas/unifi_dns @@
        ! update A nas.internal.lan
        -     values: 192.168.1.50
        +     values: 192.168.1.51
        ```

        **Would happen now:**

        ```diff
        @@ nas/unifi_dns @@
        ! update A nas.internal.lan
        -     values: 192.168.1.99
        +     values: 192.168.1.51
        ```

        ---
        **Next:**

        - `/apply production 258ddfef` applies exactly what is shown here
        - `/cancel production` drops this run
        ");
        assert_snapshot!(w.outcome().await, @"⏸️ production waits: what would happen is not what was reviewed (`commit-4`)");
        assert_eq!(w.unifi.record("nas.internal.lan", "A"), ["192.168.1.99"]);

        // Two plans were shown, so the word alone does not say which.
        w.comment("/apply");
        assert_snapshot!(w.answer().await, @"
        `alice`: `/apply` was not carried out. More than one plan for production was shown here.

        Name the one you saw: `/apply production 258ddfef`.
        ");
        let command = held.split('`').find(|code| code.starts_with("/apply ")).unwrap();
        w.comment(command);
        assert_snapshot!(w.run_comment().await, @"
        ### ✅ Applied to production

        `commit-4` on `main`, plan `258ddfef`: 1 updated

        <details>
        <summary>1 step</summary>

        | Step | Result | Change |
        |---|---|---|
        | 1 | done | `update A nas.internal.lan 192.168.1.99 → 192.168.1.51` |

        </details>
        ");
        assert_snapshot!(w.outcome().await, @"✅ Applied to production (`commit-4`): 1 updated");
        assert_eq!(w.unifi.record("nas.internal.lan", "A"), ["192.168.1.51"]);
    })
    .await;
}

#[tokio::test]
async fn what_is_on_develop_goes_to_staging_and_what_is_on_main_to_production() {
    world(async |w| {
        w.bootstrap_branch("develop").await;
        w.bootstrap_branch("main").await;

        let feature = w.pull_into("develop", "move", nas_at("192.168.1.51")).await;
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
        w.merge().await;
        assert_snapshot!(w.outcome().await, @"✅ Applied to staging (`commit-6`): 1 updated");
        assert_eq!(w.unifi.record("nas-staging.internal.lan", "A"), ["192.168.1.51"]);
        assert_eq!(w.unifi.record("nas.internal.lan", "A"), ["192.168.1.50"]);

        w.open(NewPull::from("develop").into("main")).await;
        assert_snapshot!(w.plan_comment().await, @"
        ### Landfall plan for `commit-6`

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
        w.merge().await;
        assert_snapshot!(w.outcome().await, @"✅ Applied to production (`commit-7`): 1 updated");
        assert_eq!(w.unifi.record("nas.internal.lan", "A"), ["192.168.1.51"]);

        // Who opened the first of the two learns of it as well.
        assert_snapshot!(w.on(feature).outcome().await, @"
        ✅ Applied to production (`commit-7`): 1 updated<br>
        ✅ Applied to staging (`commit-6`): 1 updated
        ");
        w.read_everything().await;
    })
    .await;
}

//! What people say to Landfall in a comment, and what it answers.

use insta::assert_snapshot;
use landfall_sim::unifi::RecordValue;
use landfall_tests::world::{BOB, EVE, NAS, world};

#[tokio::test]
async fn help_lists_what_there_is() {
    world(async |w| {
        w.bootstrap().await;
        w.comment_as(EVE, "/help");
        assert_snapshot!(w.answer().await, @"
        | Command | What it does |
        |---|---|
        | `/help` | shows this list |
        | `/plan [environment]` | plans again |
        | `/apply [environment] [digest]` | on a merged pull request: releases a run that is held, or retries one that failed |
        | `/status` | shows what is live and what waits |
        | `/unlock [environment]` | cancels a held run, or gives up steps whose outcome nobody knows, after you looked |

        `/landfall plan` works too.
        ");
        w.comment("/landfall help");
        w.answer().await;
        // It may be another bot's.
        w.comment("/aply");
        w.assert_silence().await;
        w.comment("/landfall aply");
        assert_snapshot!(w.answer().await, @"
        `alice`: `/landfall aply` was not carried out. `aply` is not a command; did you mean `/apply`?

        `/help` lists what there is.
        ");
    })
    .await;
}

#[tokio::test]
async fn status_tells_what_is_live_and_what_waits() {
    world(async |w| {
        w.bootstrap().await;
        w.push("main", [("services/nas.yaml", NAS.replace(".50", ".51"))]).await;
        w.settle().await;
        w.comment_as(EVE, "/status");
        assert_snapshot!(w.answer().await, @"
        | Environment | Live | Waits |
        |---|---|---|
        | **production** | `commit-2` | held at `commit-3`: this was pushed without a pull request |
        ");
    })
    .await;
}

#[tokio::test]
async fn status_before_anything_ran_says_so() {
    world(async |w| {
        w.pull("readme", [("README.md", "# Homelab\n")]).await;
        w.read_everything().await;
        let word = w.comment("/status");
        assert_snapshot!(w.answer().await, @"Nothing was ever applied from this repository.");
        assert_eq!(w.reactions(word).await, "");
    })
    .await;
}

#[tokio::test]
async fn apply_on_an_open_pull_request_says_that_merging_applies() {
    world(async |w| {
        w.bootstrap().await;
        w.pull("move", [("services/nas.yaml", NAS.replace(".50", ".51"))]).await;
        w.plan_comment().await;
        w.comment("/apply");
        assert_snapshot!(w.answer().await, @"
        `alice`: `/apply` was not carried out. This pull request is open.

        Merging it applies it; there is nothing to release before.
        ");
    })
    .await;
}

#[tokio::test]
async fn plan_plans_again_what_changed_outside() {
    world(async |w| {
        w.bootstrap().await;
        w.pull("move", [("services/nas.yaml", NAS.replace(".50", ".51"))]).await;
        w.plan_comment().await;
        w.unifi.default_site().edit("nas.internal.lan", |record| {
            record.value = RecordValue::A("192.168.1.99".parse().unwrap());
        });
        let word = w.comment_as(BOB, "/plan");
        assert!(w.plan_comment().await.contains("-     values: 192.168.1.99"));
        assert_eq!(w.reactions(word).await, "eyes");
        w.merge().await;
        assert_snapshot!(w.outcome().await, @"✅ Applied to production (`commit-4`): 1 updated");
    })
    .await;
}

#[tokio::test]
async fn unlock_gives_up_a_run_that_waits() {
    world(async |w| {
        w.pull("readme", [("README.md", "# Homelab\n")]).await;
        w.settle().await;
        w.merge().await;
        w.read_everything().await;
        let word = w.comment("/unlock production");
        assert_snapshot!(w.run_comment().await, @"
        ### ⏹️ The run on production was cancelled

        `commit-2` on `main`, plan `c1005935`: 3 to create

        > unlocked by alice
        ");
        assert_snapshot!(w.outcome().await, @"⏹️ The run on production was cancelled (`commit-2`)");
        assert_eq!(w.reactions(word).await, "rocket");
        assert_eq!(w.writes(), 0);
    })
    .await;
}

//! Deployments: what the environment's page at GitHub shows, and workflows that wait before they deploy
//! there too.

use insta::assert_snapshot;
use landfall_sim::fault::{Answer, Fault, On};
use landfall_sim::github::{Fate, OnDelivery};
use landfall_tests::world::{ALICE, World, world};

use crate::nas::{nas_at, planned};

/// What a workflow was answered: `approved: …`.
async fn answered(w: &mut World, workflow_run: u64) -> String {
    w.settle().await;
    let answer = w.repo.answered(workflow_run);
    let told = answer.map_or("it waits".to_owned(), |(state, why)| format!("{state}: {why}"));
    w.read(&told)
}

#[tokio::test]
async fn the_page_of_an_environment_shows_what_is_live_and_leads_to_what_it_did() {
    world(async |w| {
        planned(w, "192.168.1.51").await;
        w.merge().await;
        w.read_everything().await;
        assert_snapshot!(w.deployments().await, @"
        production at commit-2: inactive
        production at commit-4: success
        ");

        let check = w.newest_check("landfall / production").await;
        let live = w.repo.deployments().pop().unwrap();
        let status = live.statuses.last().unwrap();
        let log = format!("{}/acme/homelab/runs/{}", w.github.url(), check.id);
        assert_eq!(status.log_url, log);
        assert_snapshot!(status.description, @"Applied to production");

        // What changes nothing leaves no trace there, and what comes next takes the place of what is live.
        w.push("main", [("README.md", "# Homelab\n")]).await;
        w.pull("back", nas_at("192.168.1.50")).await;
        w.read_everything().await;
        w.merge().await;
        w.read_everything().await;
        assert_snapshot!(w.deployments().await, @"
        production at commit-2: inactive
        production at commit-4: inactive
        production at commit-7: success
        ");
    })
    .await;
}

#[tokio::test]
async fn a_workflow_waits_for_the_run_that_brings_its_commit() {
    world(async |w| {
        planned(w, "192.168.1.51").await;
        w.repo.label(w.number(), "landfall:hold", ALICE).unwrap();
        w.read_everything().await;
        let commit = w.merge().await;
        let asks = w.repo.ask_to_deploy("production", &commit, ALICE).unwrap();
        w.read_everything().await;
        assert_snapshot!(answered(w, asks).await, @"it waits");

        w.repo.unlabel(w.number(), "landfall:hold", ALICE).unwrap();
        w.read_everything().await;
        assert_snapshot!(answered(w, asks).await, @"approved: Everything that `commit-4` declares for `production` is applied.");

        // One that comes later need not wait.
        let later = w.repo.ask_to_deploy("production", &commit, ALICE).unwrap();
        assert_snapshot!(answered(w, later).await, @"approved: Everything that `commit-4` declares for `production` is applied.");
    })
    .await;
}

#[tokio::test]
async fn a_workflow_that_comes_before_the_push_is_heard_of_waits_too() {
    world(async |w| {
        planned(w, "192.168.1.51").await;
        w.github.hooks().fate(OnDelivery::event("push"), Fate::Held);
        let commit = w.merge().await;
        let asks = w.repo.ask_to_deploy("production", &commit, ALICE).unwrap();
        assert_snapshot!(answered(w, asks).await, @"it waits");
        w.github.hooks().release();
        w.read_everything().await;
        assert_snapshot!(answered(w, asks).await, @"approved: Everything that `commit-4` declares for `production` is applied.");
    })
    .await;
}

#[tokio::test]
async fn a_workflow_is_stopped_when_its_run_does_not_succeed() {
    world(async |w| {
        planned(w, "192.168.1.51").await;
        w.repo.label(w.number(), "landfall:hold", ALICE).unwrap();
        w.read_everything().await;
        let commit = w.merge().await;
        let asks = w.repo.ask_to_deploy("production", &commit, ALICE).unwrap();
        w.read_everything().await;
        w.click("landfall / production", "Cancel").await;
        w.read_everything().await;
        assert_snapshot!(answered(w, asks).await, @"rejected: The run on `production` at `commit-4` did not succeed: cancelled.");
    })
    .await;
}

#[tokio::test]
async fn a_workflow_for_what_landfall_does_not_look_after_is_told_so() {
    world(async |w| {
        w.bootstrap().await;
        let main = w.repo.head("main").await.unwrap().unwrap();
        let elsewhere = w.repo.ask_to_deploy("pages", &main, ALICE).unwrap();
        assert_snapshot!(answered(w, elsewhere).await, @"rejected: Landfall looks after no environment `pages`: here there are `production`, `staging`. Have the workflow deploy to one of these, or take Landfall off the protection rules of that environment: Settings, Environments of the repository.");
        let named = w.repo.ask_to_deploy("Prod / `EU` west", &main, ALICE).unwrap();
        let told = answered(w, named).await;
        assert!(told.contains("no environment ``Prod / `EU` west``: here there are"), "{told}");
        let branch = w.push("feature", [("README.md", "# Homelab\n")]).await;
        let asks = w.repo.ask_to_deploy("production", &branch, ALICE).unwrap();
        assert_snapshot!(answered(w, asks).await, @"rejected: `commit-3` is not on the branch that `production` follows.");
    })
    .await;
}

/// GitHub's environments are called as people like, and are not case sensitive.
#[tokio::test]
async fn a_workflow_may_write_the_environment_with_capitals() {
    world(async |w| {
        planned(w, "192.168.1.51").await;
        w.github.hooks().fate(OnDelivery::event("push"), Fate::Held);
        let commit = w.merge().await;
        let asks = w.repo.ask_to_deploy("Production", &commit, ALICE).unwrap();
        assert_snapshot!(answered(w, asks).await, @"it waits");
        w.github.hooks().release();
        w.read_everything().await;
        assert_snapshot!(answered(w, asks).await, @"approved: Everything that `commit-4` declares for `production` is applied.");
    })
    .await;
}

/// It has the number that it had before, and asks for another deployment.
#[tokio::test]
async fn a_workflow_that_is_run_again_is_answered_again() {
    world(async |w| {
        planned(w, "192.168.1.51").await;
        w.repo.label(w.number(), "landfall:hold", ALICE).unwrap();
        w.read_everything().await;
        let commit = w.merge().await;
        let asks = w.repo.ask_to_deploy("production", &commit, ALICE).unwrap();
        w.read_everything().await;
        w.click("landfall / production", "Cancel").await;
        w.read_everything().await;
        let stopped = answered(w, asks).await;
        assert_snapshot!(stopped, @"rejected: The run on `production` at `commit-4` did not succeed: cancelled.");
        w.repo.run_again(asks, &commit, ALICE).unwrap();
        assert_eq!(answered(w, asks).await, stopped);

        w.comment("/apply production");
        w.read_everything().await;
        w.repo.run_again(asks, &commit, ALICE).unwrap();
        assert_snapshot!(answered(w, asks).await, @"it waits");
        w.repo.unlabel(w.number(), "landfall:hold", ALICE).unwrap();
        w.read_everything().await;
        assert_snapshot!(answered(w, asks).await, @"approved: Everything that `commit-4` declares for `production` is applied.");
    })
    .await;
}

#[tokio::test]
async fn a_workflow_about_which_nothing_can_be_found_out_is_stopped() {
    world(async |w| {
        w.bootstrap().await;
        let main = w.repo.head("main").await.unwrap().unwrap();
        let broken = Fault::Instead(Answer::new(500, "broken"));
        w.github.git_faults().inject(On::any("/**").always(), broken);
        let asks = w.repo.ask_to_deploy("production", &main, ALICE).unwrap();
        assert_eq!(w.given_up().await.len(), 1);
        assert_snapshot!(answered(w, asks).await, @"rejected: Whether `production` is at `commit-2` could not be found out, and Landfall has stopped trying after 12 attempts: `git could not fetch or read the repository; the server's log says more`. Run this job again once that is mended.");
    })
    .await;
}

//! Checks that a branch may require: whatever goes wrong, none of them is missing for ever, and none
//! stays red because of what was mended.

use std::sync::atomic::{AtomicBool, Ordering};

use insta::assert_snapshot;
use landfall_sim::fault::{Answer, Fault, On};
use landfall_sim::github::{NewPull, remove};
use landfall_tests::world::{ALICE, CONFIG, Setting, World, world, world_with};
use secrecy::SecretString;

use crate::nas::nas_at;

const CHECK: &str = "landfall / production (main)";
/// Where nobody can say which environments there are.
const ALL: &str = "landfall (main)";

/// A `landfall.yaml` that cannot be used.
const BROKEN: &str = "version: 1\n";

/// The names of the checks on the head of the pull request that is meant.
async fn names(w: &mut World) -> Vec<String> {
    w.read_everything().await;
    let head = w.repo.pull(w.number()).unwrap().head_sha;
    w.repo.check_runs(&head).into_iter().map(|run| run.name).collect()
}

#[tokio::test]
async fn rules_that_were_never_readable_fail_one_check_until_they_are_mended() {
    let broken = Setting { config: BROKEN.to_owned(), ..Setting::default() };
    world_with(broken, async |w| {
        let pull = w.pull("move", nas_at("192.168.1.51")).await;
        w.plan_comment().await;
        assert_snapshot!(w.check(ALL).await, @"
        failure: 1 error in the configuration
        landfall.yaml:1:1 failure missing-key: the key `environments` is missing
        for example `environments: { production: { branches: [main] } }`
        ");
        w.push("main", [("landfall.yaml", CONFIG)]).await;
        assert!(w.on(pull).plan_comment().await.contains("| **production** (`main`) |"));
        assert_snapshot!(w.check(CHECK).await, @"success: 3 to create; waits for /apply after the merge");
        assert_snapshot!(w.check(ALL).await, @"neutral: Each environment has a check of its own now");
        w.read_everything().await;
    })
    .await;
}

#[tokio::test]
async fn rules_that_broke_fail_the_checks_that_there_were_and_let_those_pass_that_mend_them() {
    world(async |w| {
        w.bootstrap().await;
        w.push("main", [("landfall.yaml", BROKEN)]).await;
        let pull = w.pull("move", nas_at("192.168.1.51")).await;
        w.plan_comment().await;
        assert_snapshot!(w.check(CHECK).await, @"
        failure: 1 error in the configuration
        landfall.yaml:1:1 failure missing-key: the key `environments` is missing
        for example `environments: { production: { branches: [main] } }`
        ");
        w.repo.label(pull, "landfall:skip", ALICE).unwrap();
        w.read_everything().await;
        assert_snapshot!(w.check(CHECK).await, @"success: Not planned: it has the label landfall:skip");
        w.repo.unlabel(pull, "landfall:skip", ALICE).unwrap();
        w.read_everything().await;

        w.pull("mend", [("landfall.yaml", CONFIG)]).await;
        w.plan_comment().await;
        assert_snapshot!(w.check(CHECK).await, @"neutral: Not planned: the rules on the default branch cannot be read");
        assert_snapshot!(w.check_summary(CHECK).await, @"`landfall.yaml:1:1` on `main` cannot be used: the key `environments` is missing. Planning goes on once it is fixed there.");
        w.merge().await;
        w.read_everything().await;
        assert_snapshot!(w.on(pull).check(CHECK).await, @"success: 1 to update");
    })
    .await;
}

#[tokio::test]
async fn rules_that_were_removed_stop_nobody_and_where_there_never_were_any_nobody_hears_of_us() {
    world(async |w| {
        w.bootstrap().await;
        w.push("main", [remove("landfall.yaml")]).await;
        w.pull("readme", [("README.md", "# Homelab\n")]).await;
        assert_snapshot!(w.plan_comment().await, @"
        ### Landfall for `commit-4`

        > [!NOTE]
        > There is no `landfall.yaml` on `main` yet; planning starts once it is merged.
        ");
        assert_snapshot!(w.check(CHECK).await, @"neutral: Not planned: the rules on the default branch cannot be read");
    })
    .await;
    let bare = Setting { config: String::new(), ..Setting::default() };
    world_with(bare, async |w| {
        w.pull("readme", [("README.md", "# Homelab\n")]).await;
        w.assert_silence().await;
        assert!(names(w).await.is_empty());
        w.pull("first", [("landfall.yaml", CONFIG)]).await;
        assert_eq!(names(w).await, [CHECK]);
        assert_snapshot!(w.check(CHECK).await, @"neutral: Not planned: the rules on the default branch cannot be read");
        w.pull("typo", [("landfall.yaml", BROKEN)]).await;
        assert_eq!(names(w).await, [ALL]);
        assert_snapshot!(w.check(ALL).await, @"
        failure: 1 error in the configuration
        landfall.yaml:1:1 failure missing-key: the key `environments` is missing
        for example `environments: { production: { branches: [main] } }`
        ");
    })
    .await;
}

/// The secrets are there, until somebody breaks the secret store.
fn breaks(name: &str) -> Option<SecretString> {
    match BROKEN_STORE.load(Ordering::Relaxed) {
        true => panic!("the token is hunter2"),
        false => (Setting::default().secret)(name),
    }
}

static BROKEN_STORE: AtomicBool = AtomicBool::new(false);

#[tokio::test]
async fn the_very_first_plan_that_is_given_up_fails_the_checks_that_its_rules_name() {
    world_with(Setting { secret: breaks, ..Setting::default() }, async |w| {
        BROKEN_STORE.store(true, Ordering::Relaxed);
        w.pull("move", nas_at("192.168.1.51")).await;
        assert_eq!(w.given_up().await.len(), 1);
        w.answer().await;
        assert_eq!(names(w).await, [CHECK]);
        assert_snapshot!(w.check(CHECK).await, @"failure: No plan could be made");
        BROKEN_STORE.store(false, Ordering::Relaxed);
        w.click(CHECK, "Plan again").await;
        w.plan_comment().await;
        assert_snapshot!(w.check(CHECK).await, @"success: 3 to create; waits for /apply after the merge");
    })
    .await;
}

#[tokio::test]
async fn a_head_that_cannot_be_fetched_fails_the_checks_that_the_rules_named_last() {
    world(async |w| {
        let away = Fault::Instead(Answer::new(500, "").with("content-type", "text/plain"));
        w.github.git_faults().inject(On::any("/**").always(), away);
        w.pull("move", nas_at("192.168.1.51")).await;
        assert!(!w.given_up().await.is_empty());
        w.read_everything().await;
        assert_snapshot!(w.check(CHECK).await, @"failure: No plan could be made");
    })
    .await;
}

#[tokio::test]
async fn where_nothing_was_ever_fetched_one_check_fails_for_all_and_is_let_go_by_the_next_plan() {
    world(async |w| {
        let away = Fault::Instead(Answer::new(500, "").with("content-type", "text/plain"));
        w.github.git_faults().inject(On::any("/**").always(), away);
        w.restart_afresh().await;
        w.pull("move", nas_at("192.168.1.51")).await;
        assert!(!w.given_up().await.is_empty());
        w.read_everything().await;
        assert_eq!(names(w).await, [ALL]);
        assert_snapshot!(w.check(ALL).await, @"failure: No plan could be made");
        w.github.git_faults().clear();
        w.click(ALL, "Plan again").await;
        w.read_everything().await;
        assert_snapshot!(w.check(CHECK).await, @"success: 3 to create; waits for /apply after the merge");
        assert_snapshot!(w.check(ALL).await, @"neutral: Each environment has a check of its own now");
    })
    .await;
}

#[tokio::test]
async fn one_that_is_closed_and_opened_again_has_its_check_and_one_for_another_branch_has_none() {
    world(async |w| {
        w.bootstrap().await;
        let pull = w.pull("move", nas_at("192.168.1.51")).await;
        w.read_everything().await;
        w.repo.close(pull, ALICE).unwrap();
        w.read_everything().await;
        w.repo.reopen(pull, ALICE).unwrap();
        w.read_everything().await;
        assert_snapshot!(w.check(CHECK).await, @"success: 1 to update");

        let main = w.repo.head("main").await.unwrap().unwrap();
        w.repo.point_branch("other", &main, ALICE).await.unwrap();
        w.repo.point_branch("tv", &main, ALICE).await.unwrap();
        w.push("tv", nas_at("192.168.1.53")).await;
        w.open(NewPull::from("tv").into("other")).await;
        assert!(names(w).await.is_empty());
    })
    .await;
}

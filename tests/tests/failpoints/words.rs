//! The server ends while it carries a command out: before it is done, after it was, after it was told of.
//! Once it is back, the command was done once, is told of once, and stands once in the audit log.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use fail::FailScenario;
use landfall_core::name::{EnvironmentName, RepositoryId};
use landfall_sim::fault::{Fault, Gate, On};
use landfall_store::RunState;
use landfall_tests::world::{BOB, World, world};

/// `services/plex.yaml`
const PLEX: &str = "unifi_dns:\n  \"plex${suffix}.internal.lan\": { a: 192.168.1.60 }\n";

/// What is meant is noted, it is done, all that follows from it is, and it was told of.
const POINTS: [&str; 4] = ["command::meant", "command::acted", "command::done", "command::told"];

/// Has the process end once at `point`. What is returned says whether it did.
fn cut_off_at(point: &str) -> Arc<AtomicBool> {
    let ended = Arc::new(AtomicBool::new(false));
    let once = Arc::clone(&ended);
    let end = move || assert!(once.swap(true, Ordering::SeqCst), "the process ends here");
    fail::cfg_callback(point, end).expect("a point");
    ended
}

/// Says `words`, is cut off at `point`, and returns what was noted of it in the audit log.
async fn said(w: &mut World, words: &str, point: &str) -> Vec<String> {
    let ended = cut_off_at(point);
    let word = w.comment(words);
    assert!(w.given_up().await.is_empty());
    assert!(ended.load(Ordering::SeqCst), "{words} does not come to {point}");
    fail::remove(point);
    assert_eq!(w.reactions(word).await, "eyes rocket", "{words}, cut off at {point}");
    let audit =
        w.server.store().audit(RepositoryId(w.repo.id()), 100).await.expect("the store answers");
    let of_it = audit.into_iter().map(|row| row.entry).filter(|entry| entry.why.starts_with(words));
    of_it.map(|entry| entry.what).collect()
}

/// The states of the environment's runs, the newest first.
async fn runs(w: &World) -> Vec<RunState> {
    let production: EnvironmentName = "production".parse().expect("a name");
    let repository = RepositoryId(w.repo.id());
    let runs =
        w.server.store().recent_runs(repository, &production, 10).await.expect("the store answers");
    runs.iter().map(|run| run.state).collect()
}

/// Merges a first pull request, whose run waits for a word.
async fn held(w: &mut World) {
    w.pull("readme", [("README.md", "# Homelab\n")]).await;
    w.settle().await;
    w.merge().await;
    w.read_everything().await;
    assert_eq!(runs(w).await, [RunState::Held]);
}

#[tokio::test]
async fn a_lock_is_put_on_and_taken_off_once() {
    for point in POINTS {
        let scenario = FailScenario::setup();
        world(async |w| {
            w.bootstrap().await;
            w.pull("plex", [("services/plex.yaml", PLEX)]).await;
            w.read_everything().await;
            // It says itself what it means.
            match point {
                "command::meant" => drop(w.comment("/lock production mine")),
                _ => assert_eq!(said(w, "/lock production mine", point).await, ["lock"]),
            }
            assert!(w.outcome().await.contains("locked by alice (mine)"));
            assert_eq!(said(w, "/unlock production", point).await, ["unlock"]);
            assert_eq!(w.outcome().await, "**Next:** Merge to apply to **production**.");
        })
        .await;
        scenario.teardown();
    }
}

#[tokio::test]
async fn a_run_is_cancelled_once_and_no_other_one() {
    for point in POINTS {
        let scenario = FailScenario::setup();
        world(async |w| {
            held(w).await;
            assert_eq!(said(w, "/cancel production", point).await, ["cancel"]);
            assert_eq!(runs(w).await, [RunState::Cancelled]);
            let told = w.comments().await;
            assert_eq!(told.len(), 2, "{told:#?}");
            assert!(told[0].contains("⏹️ The run on production was cancelled"));
            assert!(told[1].contains("> cancelled by alice"));
        })
        .await;
        scenario.teardown();
    }
}

/// The lock is on when the process ends. Before it goes on, somebody else takes it off.
#[tokio::test]
async fn a_lock_that_was_taken_off_meanwhile_is_not_put_on_again() {
    let scenario = FailScenario::setup();
    world(async |w| {
        w.bootstrap().await;
        let other = w.pull("readme", [("README.md", "# Homelab\n")]).await;
        let pull = w.pull("plex", [("services/plex.yaml", PLEX)]).await;
        w.read_everything().await;
        let (ended, again) = (cut_off_at("command::acted"), Gate::closed());
        // The first attempt asks GitHub for the pull request, the second one is kept from it.
        let asked = On::get(&format!("/repos/*/*/pulls/{pull}")).skipping(1);
        w.github.faults().inject(asked, Fault::Hold(again.clone()));
        let word = w.on(pull).comment("/lock production mine");
        w.github.hooks().deliver_all().await;
        again.arrival().await;
        assert!(ended.load(Ordering::SeqCst));
        fail::remove("command::acted");
        w.on(other).comment_as(BOB, "/unlock production");
        w.github.hooks().deliver_all().await;
        while locked(w).await {
            tokio::task::yield_now().await;
        }
        again.open();
        assert!(w.given_up().await.is_empty());
        w.read_everything().await;
        assert_eq!(w.reactions(word).await, "eyes rocket");
        assert!(!locked(w).await, "it was taken off");
    })
    .await;
    scenario.teardown();
}

/// Whether production is locked.
async fn locked(w: &World) -> bool {
    let production: EnvironmentName = "production".parse().expect("a name");
    let store = w.server.store();
    let lock = store.lock_on(RepositoryId(w.repo.id()), &production).await;
    lock.expect("the store answers").is_some()
}

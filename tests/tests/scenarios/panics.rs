//! Faults of Landfall itself: a panic costs the piece of work that it happens in, or the process,
//! and nothing is lost by either.

use std::sync::atomic::{AtomicBool, Ordering};

use insta::assert_snapshot;
use jiff::Timestamp;
use landfall_sim::github::{Fate, OnDelivery};
use landfall_tests::world::{Setting, World, world_with};
use secrecy::SecretString;

/// What is said of a panic, wherever it is said.
const FAULT: &str = "a fault in Landfall itself: the log says where";

/// `services/nas.yaml` with another address.
const MOVED: &str = r#"unifi_dns:
  "nas${suffix}.internal.lan": { a: 192.168.1.9 }
"#;

/// A secret store that panics with what it knows.
fn panics(_: &str) -> Option<SecretString> {
    panic!("the token is hunter2")
}

#[tokio::test]
async fn a_pull_request_that_makes_the_server_panic_is_given_up_and_harms_no_other() {
    world_with(Setting { secret: panics, ..Setting::default() }, async |w| {
        w.pull("readme", [("README.md", "# Homelab\n")]).await;
        let given_up = w.given_up().await;
        let told: Vec<_> = given_up.iter().map(|job| (job.attempt, job.error.as_str())).collect();
        assert_eq!(told, [(13, FAULT)], "twelve attempts, and one to say so");
        assert_snapshot!(w.answer().await, @r"
        ⚠️ Landfall could not do its work on this pull request, and has stopped trying after 12 attempts:

        > a fault in Landfall itself: the log says where

        Push a commit or comment `/plan` to try again.
        ");

        // It is read until there is a plan, and again when it is true again.
        let folded = |w: &World| {
            let mut comments = w.repo.comments(1).into_iter();
            comments.find(|comment| comment.body.contains("has stopped trying")).unwrap().outdated
        };
        assert!(!folded(w));
        w.push("readme", [("services/nas.yaml", "unifi_dns: [")]).await;
        w.plan_comment().await;
        assert!(folded(w));
        w.push("readme", [("services/nas.yaml", MOVED)]).await;
        w.given_up().await;
        assert!(!folded(w));
        w.read_everything().await;

        // Nothing is looked up for this one.
        w.pull("typo", [("services/nas.yaml", "unifi_dns: [")]).await;
        let plan = w.plan_comment().await;
        assert!(plan.contains("services/nas.yaml"), "{plan}");
    })
    .await;
}

/// The secrets are there, until somebody breaks the secret store.
fn breaks(name: &str) -> Option<SecretString> {
    match BROKEN_STORE.load(Ordering::Relaxed) {
        true => panics(name),
        false => (Setting::default().secret)(name),
    }
}

static BROKEN_STORE: AtomicBool = AtomicBool::new(false);

#[tokio::test]
async fn a_run_that_makes_the_server_panic_is_given_up_and_goes_on_when_somebody_says_so() {
    world_with(Setting { secret: breaks, ..Setting::default() }, async |w| {
        w.bootstrap().await;
        w.pull("nas", [("services/nas.yaml", MOVED)]).await;
        w.plan_comment().await;
        BROKEN_STORE.store(true, Ordering::Relaxed);
        w.merge().await;
        assert_eq!(w.given_up().await.len(), 1);
        assert_snapshot!(w.run_comment().await, @r"
        ### ❌ Nothing could be applied to production

        `commit-4` on `main`

        > a fault in Landfall itself: the log says where

        ---
        **Next:**

        - `/apply production` tries again
        ");
        assert_snapshot!(w.run_check("production").await, @"failure: Nothing could be applied to production");
        assert_snapshot!(w.outcome().await, @"❌ Nothing could be applied to production (`commit-4`)");

        BROKEN_STORE.store(false, Ordering::Relaxed);
        w.comment("/apply");
        assert_snapshot!(w.outcome().await, @"✅ Applied to production (`commit-4`): 1 updated");
        w.read_everything().await;
        assert_eq!(w.unifi.record("nas.internal.lan", "A"), ["192.168.1.9"]);
    })
    .await;
}

#[tokio::test]
async fn every_pull_request_that_a_run_brings_hears_that_it_was_given_up() {
    static BROKEN: AtomicBool = AtomicBool::new(false);
    let secret = |name: &str| match BROKEN.load(Ordering::Relaxed) {
        true => panics(name),
        false => (Setting::default().secret)(name),
    };
    world_with(Setting { secret, ..Setting::default() }, async |w| {
        w.bootstrap().await;
        let nas = w.pull("nas", [("services/nas.yaml", MOVED)]).await;
        let readme = w.pull("readme", [("README.md", "# Homelab\n")]).await;
        w.read_everything().await;
        BROKEN.store(true, Ordering::Relaxed);
        w.github.hooks().fate(OnDelivery::event("push"), Fate::NeverSent);
        w.on(nas).merge().await;
        w.on(readme).merge().await;
        assert_eq!(w.given_up().await.len(), 1);
        for pull in [nas, readme] {
            let told = w.on(pull).run_comment().await;
            assert!(told.starts_with("### ❌ Nothing could be applied to production"), "{told}");
        }
        w.read_everything().await;
    })
    .await;
}

#[tokio::test]
#[should_panic(expected = "the server panicked: its log says where")]
async fn a_panic_that_the_server_survives_fails_a_story() {
    world_with(Setting { secret: panics, ..Setting::default() }, async |w| {
        w.pull("readme", [("README.md", "# Homelab\n")]).await;
        w.settle().await;
    })
    .await;
}

#[tokio::test]
async fn a_worker_that_panics_ends_the_server_and_the_next_server_goes_on() {
    static BROKEN: AtomicBool = AtomicBool::new(false);
    let clock = || match BROKEN.load(Ordering::Relaxed) {
        true => panic!("the token is hunter2"),
        false => Timestamp::now(),
    };
    world_with(Setting { clock, ..Setting::default() }, async |w| {
        BROKEN.store(true, Ordering::Relaxed);
        assert_eq!(w.server.ends().await, FAULT);
        BROKEN.store(false, Ordering::Relaxed);
        w.restart().await;
        w.pull("readme", [("README.md", "# Homelab\n")]).await;
        w.plan_comment().await;
    })
    .await;
}

//! Who writes comments, or has a program write them.

use std::sync::atomic::{AtomicI64, Ordering};

use insta::assert_snapshot;
use jiff::{SignedDuration, Timestamp};
use landfall_sim::exchange::Wire;
use landfall_sim::fault::{Answer, Fault, On};
use landfall_sim::github::{Fate, OnDelivery};
use landfall_tests::world::{ALICE, BOB, Delivery, EVE, Setting, World, world, world_with};
use serde_json::json;

use crate::nas::{nas_at, planned};

/// The commit is known to GitHub and to the mirror, and on no branch any more.
#[tokio::test]
async fn a_word_on_a_merge_that_was_forced_away_brings_it_back() {
    world(async |w| {
        w.bootstrap().await;
        let main = w.repo.head("main").await.unwrap().unwrap();
        let pull = w.pull("move", nas_at("192.168.1.51")).await;
        w.read_everything().await;
        w.github.hooks().fate(OnDelivery::event("push"), Fate::NeverSent);
        w.merge().await;
        w.read_everything().await;
        w.force_push("main", &main, [("about.md", "# Forced\n")]).await;
        w.read_everything().await;
        let word = w.on(pull).comment("/apply");
        w.read_everything().await;
        assert_eq!(w.reactions(word).await, "eyes confused");
        assert_eq!(w.unifi.record("nas.internal.lan", "A"), ["192.168.1.50"]);
    })
    .await;
}

#[tokio::test]
async fn somebody_commands_where_nothing_can_be_planned_any_more() {
    world(async |w| {
        w.bootstrap().await;
        let pull = w.pull("move", nas_at("192.168.1.51")).await;
        w.read_everything().await;
        w.repo.close(pull, ALICE).unwrap();
        for words in ["/plan", "/apply"] {
            let word = w.comment(words);
            w.read_everything().await;
            assert_eq!(w.reactions(word).await, "eyes confused", "{words}");
        }
        assert_eq!(w.unifi.record("nas.internal.lan", "A"), ["192.168.1.50"]);
    })
    .await;
}

/// Where nothing is planned, nobody is answered.
#[tokio::test]
async fn somebody_commands_on_an_issue_that_is_no_pull_request() {
    world(async |w| {
        planned(w, "192.168.1.51").await;
        let issue = w.repo.open_issue(ALICE, "Move the NAS", "Please.").unwrap();
        w.exchanges().clear();
        for words in ["/apply", "/plan", "/landfall unlock production"] {
            let word = w.repo.comment(issue, ALICE, words).unwrap();
            assert_eq!(w.reactions(word).await, "", "{words}");
        }
        w.assert_silence().await;
        assert_eq!(w.repo.comments(issue).len(), 3);
        let asked = w.exchanges().count(|said| said.wire != Wire::Webhook);
        assert_eq!(asked, 0);
    })
    .await;
}

/// Who may only read cannot comment there any more, and neither can an App. What it has to say stands on
/// the check, and what nobody could read is not applied.
#[tokio::test]
async fn somebody_locks_the_conversation_so_that_nobody_reads_the_plan() {
    world(async |w| {
        w.bootstrap().await;
        let pull = w.pull("move", [("README.md", "# Homelab\n")]).await;
        w.settle().await;
        w.repo.lock(pull, ALICE).unwrap();
        w.push("move", nas_at("192.168.1.51")).await;
        w.assert_silence().await;
        let check = "landfall / production (main)";
        assert_eq!(w.check(check).await, "success: 1 to update");
        assert!(w.check_summary(check).await.contains("192.168.1.51"));
        assert!(w.repo.comment(pull, EVE, "/plan").is_err());
        let word = w.comment_as(BOB, "/plan fresh");
        assert_eq!(w.reactions(word).await, "eyes rocket", "who may write is heard still");

        w.merge().await;
        assert_snapshot!(w.run_check("production").await, @"action_required: production waits: no plan was published before this was merged");
        assert_eq!(w.unifi.record("nas.internal.lan", "A"), ["192.168.1.50"]);
        w.assert_silence().await;
        w.repo.unlock(pull, ALICE).unwrap();
        w.compare().await;
        assert!(w.run_comment().await.contains("192.168.1.51"));
        w.read_everything().await;
    })
    .await;
}

/// How far the clock of the story of a loop is ahead, in seconds.
static AHEAD: AtomicI64 = AtomicI64::new(0);

/// A program with the account of a person reads what is said and says it again.
#[tokio::test]
async fn a_loop_of_commands_has_us_talk_for_ever() {
    let clock = || Timestamp::now() + SignedDuration::from_secs(AHEAD.load(Ordering::SeqCst));
    world_with(Setting { clock, ..Setting::default() }, async |w| {
        w.pull("move", nas_at("192.168.1.51")).await;
        w.read_everything().await;
        let burst = |w: &mut World| [0; 2].map(|_| w.comment_as(EVE, &"/plan\n".repeat(9)));
        let mut said = Vec::from(burst(w));
        let told = w.comments().await;
        assert_eq!(told.len(), 16);
        assert_snapshot!(told[14], @"`eve`: `/plan` was not carried out. You need write permission here.");
        assert_snapshot!(told[15], @"
        `eve`: `/plan` was not carried out. More than 15 commands of yours came within a minute.

        Say it again after a minute without any.
        ");
        // As long as it goes on, nothing more is said.
        for _ in 0..2 {
            AHEAD.fetch_add(40, Ordering::SeqCst);
            said.extend(burst(w));
            w.assert_silence().await;
        }
        for comment in said {
            assert_eq!(w.reactions(comment).await, "eyes confused");
        }
        // The others are heard, and it is too once it has been quiet.
        let word = w.comment_as(BOB, "/plan");
        assert_eq!(w.reactions(word).await, "eyes rocket");
        AHEAD.fetch_add(61, Ordering::SeqCst);
        w.comment_as(EVE, "/status");
        assert!(w.answers().await.contains("asked for by <b>eve</b>"));
    })
    .await;
}

/// Whoever has us repeat a command would give it with our rights.
#[tokio::test]
async fn what_an_app_says_is_a_command() {
    world(async |w| {
        w.pull("readme", [("README.md", "# Homelab\n")]).await;
        w.read_everything().await;
        w.merge().await;
        w.read_everything().await;
        let ours = w.comment_as("landfall[bot]", "<!-- landfall:run -->\n/apply");
        let theirs = w.comment_as("renovate[bot]", "/apply");
        w.read_everything().await;
        // An App may speak in the name of a person.
        w.github.hooks().fate(OnDelivery::event("issue_comment"), Fate::Held);
        let named = w.comment_as(ALICE, "/apply");
        w.settle().await;
        let mut payload = w.github.hooks().held().pop().expect("it is held back");
        payload["comment"]["performed_via_github_app"] = json!({ "id": 4242 });
        assert_eq!(
            w.deliver(Delivery::signed("issue_comment", 1, payload.to_string())).await.0,
            202
        );
        w.assert_silence().await;
        for comment in [ours, theirs, named] {
            assert_eq!(w.reactions(comment).await, "");
        }
        assert_eq!(w.writes(), 0);
    })
    .await;
}

/// GitHub does not say who somebody is: then they may nothing.
#[tokio::test]
async fn a_person_whom_github_does_not_know_commands() {
    world(async |w| {
        w.pull("readme", [("README.md", "# Homelab\n")]).await;
        w.read_everything().await;
        w.merge().await;
        w.read_everything().await;
        let gone = Fault::Instead(
            Answer::new(404, r#"{"message":"Not Found","documentation_url":"x","status":"404"}"#)
                .with("content-type", "application/json"),
        );
        w.github.faults().inject(On::get("/repos/*/*/collaborators/*/permission"), gone);
        let word = w.comment_as(BOB, "/apply");
        w.read_everything().await;
        assert_eq!(w.reactions(word).await, "eyes confused");
        assert_eq!(w.writes(), 0);
    })
    .await;
}

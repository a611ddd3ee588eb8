//! What GitHub accepted without our knowing is found and not made again: the answer was lost, or the
//! server that would have read it.

use std::sync::atomic::{AtomicI64, Ordering};

use jiff::{SignedDuration, Timestamp};
use landfall_sim::fault::{Answer, Fault, Gate, On};
use landfall_sim::github::Edit;
use landfall_tests::world::{Setting, World, world, world_with};

const COMMENTS: &str = "/repos/*/*/issues/*/comments";
const CHECKS: &str = "/repos/*/*/check-runs";
const DEPLOYMENTS: &str = "/repos/*/*/deployments";
const STATUSES: &str = "/repos/*/*/deployments/*/statuses";
const REACTIONS: &str = "/repos/*/*/issues/comments/*/reactions";

/// The request is carried out, and its answer is lost.
fn lost() -> Fault {
    Fault::AfterCommit(Answer::bad_gateway())
}

#[tokio::test]
async fn what_was_stored_without_our_knowing_is_not_made_again() {
    for place in [COMMENTS, CHECKS, DEPLOYMENTS, STATUSES, REACTIONS] {
        world(async |w| {
            w.github.faults().inject(On::post(place), lost());
            w.pull("readme", [("README.md", "# Homelab\n")]).await;
            w.read_everything().await;
            w.merge().await;
            w.read_everything().await;
            w.comment("/apply");
            w.read_everything().await;
            assert!(w.github.faults().is_used_up(), "{place} was not asked for");
            assert_each_is_there_once(w, place);
        })
        .await;
    }
}

/// One plan and one comment about the run, one check for each of what there is to check, one
/// deployment, one reaction of each kind.
fn assert_each_is_there_once(w: &World, place: &str) {
    let comments = w.repo.comments(w.number());
    let ours = comments.iter().filter(|comment| comment.author == "landfall[bot]");
    let mut markers: Vec<&str> = ours.filter_map(|comment| comment.body.lines().next()).collect();
    assert_eq!(markers.len(), 2, "{place}: {markers:#?}");
    once(&mut markers, place);
    let checks = w.repo.all_check_runs();
    once(&mut checks.iter().map(|check| (&check.name, &check.head_sha)).collect(), place);
    let deployments = w.repo.deployments();
    assert_eq!(deployments.len(), 1, "{place}: {deployments:#?}");
    let word = comments.iter().find(|comment| comment.body == "/apply").unwrap();
    let reactions = w.repo.reactions(word.id);
    once(&mut reactions.iter().map(|reaction| &reaction.content).collect(), place);
}

fn once<T: Ord + std::fmt::Debug>(things: &mut Vec<T>, place: &str) {
    things.sort();
    let all = things.len();
    things.dedup();
    assert_eq!(things.len(), all, "{place}: something is there twice: {things:#?}");
}

/// Long enough for more than two comments.
fn racks() -> Vec<Edit> {
    let rack = |number: usize| {
        let name = |host: usize| {
            format!(
                "  \"server-{host}-of-the-rack-number-{number}${{suffix}}.internal.lan\": {{ a: 10.{number}.0.{host} }}\n"
            )
        };
        let names: String = (1..=60).map(name).collect();
        (format!("services/rack-{number}.yaml"), format!("unifi_dns:\n{names}")).into()
    };
    (1..=44).map(rack).collect()
}

#[tokio::test]
async fn each_part_of_a_long_comment_is_found_when_its_answer_is_lost() {
    let mut parts = 0;
    world(async |w| parts = long_comment(w).await.len()).await;
    assert!(parts > 2, "{parts} parts");
    for part in 0..parts {
        world(async |w| {
            w.github.faults().inject(On::post(COMMENTS).skipping(part), lost());
            let there = long_comment(w).await;
            assert!(w.github.faults().is_used_up());
            assert_eq!(there.len(), parts, "the answer to part {part} was lost");
        })
        .await;
    }
}

/// The markers of a plan's comments, each of which is there once.
async fn long_comment(w: &mut World) -> Vec<String> {
    w.pull("racks", racks()).await;
    w.read_everything().await;
    let comments = w.repo.comments(w.number()).into_iter();
    let mut markers: Vec<String> =
        comments.filter_map(|comment| Some(comment.body.lines().next()?.to_owned())).collect();
    once(&mut markers, "a part");
    markers
}

/// How far the clock of the killed server's story is ahead, in seconds.
static AHEAD: AtomicI64 = AtomicI64::new(0);

fn clock() -> Timestamp {
    Timestamp::now() + SignedDuration::from_secs(AHEAD.load(Ordering::SeqCst))
}

#[tokio::test]
async fn what_github_accepted_right_before_the_server_was_killed_is_not_made_again() {
    for place in [COMMENTS, CHECKS, DEPLOYMENTS, STATUSES, REACTIONS] {
        world_with(Setting { clock, ..Setting::default() }, async |w| {
            let gate = Gate::closed();
            w.github.faults().inject(On::post(place), Fault::HoldAfterCommit(gate.clone()));
            w.pull("readme", [("README.md", "# Homelab\n")]).await;
            if place != COMMENTS && place != CHECKS {
                w.plan_comment().await;
                w.merge().await;
            }
            if place == REACTIONS {
                w.run_comment().await;
                w.comment("/apply");
            }
            gate.arrival().await;
            w.server.kill().await;
            gate.open();
            // Nobody renews the dead server's claims.
            AHEAD.fetch_add(600, Ordering::SeqCst);
            w.restart().await;
            w.read_everything().await;
            if place == COMMENTS || place == CHECKS {
                w.merge().await;
                w.read_everything().await;
            }
            if place != REACTIONS {
                w.comment("/apply");
            }
            w.read_everything().await;
            assert_each_is_there_once(w, place);
        })
        .await;
    }
}

//! Payloads that GitHub really sent, payloads that it never sends, and those of a shape that the
//! collection lacks (synthetic: written by us).

use std::path::PathBuf;
use std::sync::LazyLock;

use jiff::Timestamp;
use landfall_core::name::{BranchName, CommitSha, InstallationId, PullNumber};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::{PullState, UserKind};

/// The collection of real payloads, in the folder `webhooks` beside the vendors' descriptions: not a
/// part of Landfall, so it has to be there.
fn samples() -> &'static [(String, Value)] {
    static SAMPLES: LazyLock<Vec<(String, Value)>> = LazyLock::new(read_samples);
    &SAMPLES
}

fn read_samples() -> Vec<(String, Value)> {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/specs");
    let specs = std::env::var_os("LANDFALL_SPECS").filter(|folder| !folder.is_empty());
    let specs = specs.map_or_else(|| PathBuf::from(beside), PathBuf::from);
    let folder = specs.with_file_name("webhooks");
    let files = std::fs::read_dir(&folder).unwrap_or_else(|error| {
        panic!(
            "the tests need payloads that GitHub sent, in {}: {error}; set LANDFALL_SPECS to the folder that has them beside it",
            folder.display()
        )
    });
    let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
    let json = names.filter(|name| name.ends_with(".json") && name != "MANIFEST.json");
    let read = |name: String| {
        let text = std::fs::read(folder.join(&name)).unwrap();
        (name, serde_json::from_slice(&text).unwrap())
    };
    json.map(read).collect()
}

fn parse(event: &str, payload: &Value) -> Event {
    Event::parse(event, payload.to_string().as_bytes()).unwrap()
}

fn sample(name: &str) -> Value {
    let mut payload = samples().iter().find(|(found, _)| found == name).unwrap().1.clone();
    payload["installation"] = json!({ "id": 5 });
    payload
}

#[test]
fn every_real_payload_is_read_or_left_alone() {
    let samples = samples();
    assert_eq!(samples.len(), 129);
    for (name, payload) in samples {
        let event = name.split('.').next().unwrap();
        Event::parse(event, payload.to_string().as_bytes())
            .unwrap_or_else(|error| panic!("{name}: {error}"));
    }
}

#[test]
fn every_real_payload_of_a_known_action_is_read_when_it_comes_through_an_installation() {
    let mut read = 0;
    for (name, payload) in samples() {
        let event = name.split('.').next().unwrap();
        let mut payload = payload.clone();
        payload["installation"]["id"] = json!(5);
        let known = match event {
            "push" | "ping" | "installation" | "installation_repositories" | "issue_comment" => {
                true
            }
            "pull_request" => [
                "opened",
                "synchronize",
                "reopened",
                "ready_for_review",
                "converted_to_draft",
                "closed",
                "labeled",
                "unlabeled",
            ]
            .contains(&payload["action"].as_str().unwrap()),
            "check_run" => {
                ["rerequested", "requested_action"].contains(&payload["action"].as_str().unwrap())
            }
            "check_suite" => payload["action"] == "rerequested",
            "merge_group" => true,
            "repository" => {
                ["renamed", "transferred", "edited"].contains(&payload["action"].as_str().unwrap())
            }
            _ => false,
        };
        let left_alone = matches!(parse(event, &payload), Event::Other { .. });
        assert_eq!(left_alone, !known, "{name}");
        // Nothing comes of a ping, of what was done to a comment later, and of what is left alone.
        let action = payload["action"].as_str();
        let later = event == "issue_comment" && matches!(action, Some("edited" | "deleted"));
        let matters = known && event != "ping" && !later;
        assert_eq!(Event::matters(event, action), matters, "{name}");
        read += usize::from(known);
    }
    assert_eq!(read, 62);
}

#[test]
fn an_unknown_event_and_an_unknown_action_are_left_alone() {
    let event = parse("sponsorship", &json!({ "action": "created" }));
    let action = Some("created".to_owned());
    assert_eq!(event, Event::Other { event: "sponsorship".into(), action });
    let mut payload = sample("pull_request.opened.1.json");
    payload["action"] = json!("beamed_up");
    assert!(matches!(parse("pull_request", &payload), Event::Other { .. }));
}

#[test]
fn a_known_event_that_lacks_something_is_an_error_that_does_not_repeat_it() {
    let mut payload = sample("pull_request.opened.1.json");
    payload["pull_request"]["head"]["sha"] = json!("x; rm -rf /".repeat(50));
    let error = Event::parse("pull_request", payload.to_string().as_bytes()).unwrap_err();
    assert!(error.to_string().starts_with("a payload of `pull_request` that cannot be read"));
    assert!(error.to_string().len() < 400, "{error}");
}

#[test]
fn a_merged_pull_request_says_as_what_when_and_by_whom() {
    let mut payload = sample("pull_request.closed.1.json");
    let commit = "b".repeat(40);
    payload["pull_request"]["merged"] = json!(true);
    payload["pull_request"]["merged_at"] = json!("2026-03-01T10:00:00Z");
    payload["pull_request"]["merge_commit_sha"] = json!(commit);
    payload["pull_request"]["merged_by"] = payload["sender"].clone();
    let Event::PullRequest(event) = parse("pull_request", &payload) else { panic!() };
    assert_eq!(event.action, PullAction::Closed);
    assert_eq!(event.on.installation, InstallationId(5));
    let PullState::Merged { at, commit: found, by } = &event.pull.state else { panic!() };
    assert_eq!(*at, "2026-03-01T10:00:00Z".parse::<Timestamp>().unwrap());
    assert_eq!(found.as_ref().unwrap(), &CommitSha::new(commit).unwrap());
    assert_eq!(by.as_ref().unwrap().login, "Codertocat");
}

#[test]
fn the_test_merge_of_an_open_pull_request_is_no_merge() {
    let mut payload = sample("pull_request.synchronize.1.json");
    payload["pull_request"]["merge_commit_sha"] = json!("c".repeat(40));
    let Event::PullRequest(event) = parse("pull_request", &payload) else { panic!() };
    assert_eq!(event.pull.state, PullState::Open);
    assert_eq!(event.pull.merge_commit(), None);
}

#[test]
fn a_head_elsewhere_or_nowhere_is_a_fork() {
    let mut payload = sample("pull_request.opened.1.json");
    let is_fork = |payload: &Value| {
        let Event::PullRequest(event) = parse("pull_request", payload) else { panic!() };
        event.pull.is_fork()
    };
    assert!(!is_fork(&payload));
    payload["pull_request"]["head"]["repo"]["id"] = json!(99);
    assert!(is_fork(&payload));
    payload["pull_request"]["head"]["repo"] = Value::Null;
    assert!(is_fork(&payload));
}

#[test]
fn an_edit_says_whether_the_base_changed() {
    let mut payload = sample("pull_request.opened.1.json");
    payload["action"] = json!("edited");
    payload["changes"] = json!({ "title": { "from": "x" } });
    let action = |payload: &Value| {
        let Event::PullRequest(event) = parse("pull_request", payload) else { panic!() };
        event.action
    };
    assert_eq!(action(&payload), PullAction::Edited { base_was: None });
    payload["changes"] = json!({ "base": { "ref": { "from": "develop" }, "sha": { "from": "" } } });
    let base_was = Some(BranchName::new("develop").unwrap());
    assert_eq!(action(&payload), PullAction::Edited { base_was });
}

#[test]
fn a_push_says_what_moved_and_how() {
    let mut payload = sample("push.5.json");
    let push = |payload: &Value| {
        let Event::Push(push) = parse("push", payload) else { panic!() };
        push
    };
    let created = push(&payload);
    assert!(matches!(created.change, RefChange::Created { .. }));
    assert_eq!(created.reference, PushedRef::Branch(BranchName::new("master").unwrap()));
    let (before, after) = ("1".repeat(40), "2".repeat(40));
    payload["created"] = json!(false);
    payload["forced"] = json!(true);
    payload["before"] = json!(before);
    payload["after"] = json!(after);
    payload["commits"] = json!([{ "id": after }]);
    let moved = push(&payload);
    let (before, after) = (CommitSha::new(before).unwrap(), CommitSha::new(after).unwrap());
    assert_eq!(moved.commits, std::slice::from_ref(&after));
    assert_eq!(moved.change, RefChange::Moved { before, after, forced: true });
    let tag = push(&sample("push.2.json"));
    assert_eq!(tag.reference, PushedRef::Other("refs/tags/simple-tag".into()));
    assert!(matches!(tag.change, RefChange::Deleted { .. }));
}

#[test]
fn a_comment_on_a_pull_request_is_told_from_one_on_an_issue() {
    let mut payload = sample("issue_comment.created.1.json");
    let comment = |payload: &Value| {
        let Event::IssueComment(event) = parse("issue_comment", payload) else { panic!() };
        event
    };
    assert_eq!(comment(&payload).commented_on, CommentedOn::Issue);
    payload["issue"]["pull_request"] = json!({ "url": "https://example.com" });
    payload["comment"]["performed_via_github_app"] = json!({ "id": 29310, "slug": "landfall" });
    let event = comment(&payload);
    assert_eq!(event.commented_on, CommentedOn::Pull { number: PullNumber(1), open: true });
    assert_eq!(event.comment.app.unwrap().id, crate::AppId(29310));
    assert_eq!(event.comment.user.unwrap().kind, UserKind::User);
}

proptest! {
    #[test]
    fn no_bytes_make_reading_panic(body in prop::collection::vec(any::<u8>(), 0..400)) {
        for event in ["push", "pull_request", "issue_comment", "ping", "installation", ""] {
            let _ = Event::parse(event, &body);
        }
    }

    #[test]
    fn no_damaged_payload_makes_reading_panic(at in 0_usize..6_000, byte in any::<u8>()) {
        let mut body = sample("issue_comment.created.1.json").to_string().into_bytes();
        let at = at % body.len();
        body[at] = byte;
        let _ = Event::parse("issue_comment", &body);
        let _ = Event::parse("issue_comment", &body[..at]);
    }

    #[test]
    fn deep_nesting_is_an_error(depth in 1_000_usize..5_000) {
        let body = format!("{{\"action\":{}", "[".repeat(depth));
        prop_assert!(Event::parse("push", body.as_bytes()).is_err());
    }
}

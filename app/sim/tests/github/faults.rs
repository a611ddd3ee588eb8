//! Faults by knobs, and the log of what was said.

use std::time::Duration;

use landfall_os::http::{HttpError, Method, Unknown};
use landfall_sim::exchange::Wire;
use landfall_sim::fault::{Answer, Fault, Gate, On};
use landfall_sim::github::secondary_limit;
use serde_json::json;

use crate::world::{World, client, json_of};

const COMMENTS: &str = "/repos/*/*/issues/*/comments";

#[tokio::test]
async fn a_502_after_the_commit_leaves_the_comment_and_one_before_does_not() {
    let world = World::new().await;
    let path = format!("/repos/acme/homelab/issues/{}/comments", world.pull("plex").await);
    let faults = world.github.faults();
    faults.inject(On::post(COMMENTS), Fault::Instead(Answer::bad_gateway()));
    faults.inject(On::post(COMMENTS), Fault::AfterCommit(Answer::bad_gateway()));
    for there in [0, 1, 2] {
        let status = world.post(&path, json!({ "body": "plan" })).await.status;
        assert_eq!(status, if there == 2 { 201 } else { 502 });
        assert_eq!(world.repo.comments(1).len(), there);
    }
    assert!(faults.is_used_up());
}

#[tokio::test]
async fn a_secondary_limit_says_when_to_come_back() {
    let world = World::new().await;
    let fault = Fault::Instead(secondary_limit(403, 60));
    world.github.faults().inject(On::get("/repos/*/*"), fault);
    let refused = world.get("/repos/acme/homelab").await;
    assert_eq!((refused.status, refused.header("retry-after")), (403, Some("60")));
    let message = json_of(&refused)["message"].as_str().unwrap().to_owned();
    assert!(message.contains("secondary rate limit"));
    assert_eq!(world.get("/repos/acme/homelab").await.status, 200);
}

#[tokio::test]
async fn a_reset_breaks_the_connection_without_an_answer() {
    let world = World::new().await;
    let path = format!("/repos/acme/homelab/issues/{}/comments", world.pull("plex").await);
    let token = world.token().await;
    world.github.faults().inject(On::post(COMMENTS), Fault::ResetAfterCommit);
    let broken = client(&world.github.api_url())
        .request(Method::POST, path.split('/').filter(|part| !part.is_empty()))
        .bearer(&token.into())
        .json(&json!({ "body": "plan" }))
        .send()
        .await;
    assert!(matches!(broken, Err(HttpError::Unknown(Unknown::Cut { .. }))), "{broken:?}");
    assert_eq!(world.repo.comments(1).len(), 1);
    let last = world.github.exchanges().all().last().unwrap().clone();
    assert_eq!((last.status, last.faulted), (None, true));
}

#[tokio::test]
async fn a_body_in_pieces_is_still_the_whole_body() {
    let world = World::new().await;
    let fault = Fault::SlowBody { chunk: 700, pause: Duration::from_millis(1) };
    world.github.faults().inject(On::get("/repos/*/*"), fault);
    assert_eq!(json_of(&world.get("/repos/acme/homelab").await)["name"], "homelab");
}

#[tokio::test]
async fn a_request_waits_at_a_gate_while_the_world_goes_on() {
    let world = World::new().await;
    let pull = world.pull("plex").await;
    let gate = Gate::closed();
    world.github.faults().inject(On::get("/repos/*/*/pulls/*"), Fault::Hold(gate.clone()));
    let path = format!("/repos/acme/homelab/pulls/{pull}");
    let meanwhile = async {
        gate.arrival().await;
        let sha = world.repo.push("plex", "alice", "Newer", [("n", "1")]).await.unwrap();
        gate.open();
        sha
    };
    let (answer, sha) = tokio::join!(world.get(&path), meanwhile);
    assert_eq!(json_of(&answer)["head"]["sha"], sha.as_str());
}

#[tokio::test]
async fn what_was_said_is_logged_without_credentials() {
    let world = World::new().await;
    world.get("/repos/acme/homelab").await;
    let log = world.github.exchanges();
    assert_eq!(log.count(|e| e.wire == Wire::GitHub && e.path == "/repos/acme/homelab"), 1);
    let all = log.all();
    let last = all.last().unwrap();
    assert_eq!(last.request_header("authorization"), Some("Bearer ***"));
    assert_eq!(last.response_json().unwrap()["name"], "homelab");
    assert_eq!(last.response_header("x-ratelimit-limit"), Some("5000"));
}

//! Writes: sent once, and told apart when their outcome is not known.

use jiff::Timestamp;
use landfall_core::name::{CommitSha, PullNumber};
use landfall_github::check::{Annotation, CheckRun, CheckRunId, CheckStatus, Conclusion, Level};
use landfall_github::comment::CommentId;
use landfall_github::deployment::{DeploymentId, DeploymentState, DeploymentStatus};
use landfall_github::{Failure, Reaction};
use serde_json::json;

use crate::server::{Reply, Server, homelab, ok, status};

fn check(findings: usize) -> CheckRun {
    let place = [3, 1, 3, 4];
    let finding =
        Annotation::new("services/nas.yaml", place, Level::Failure, "unknown-key", "no such key");
    CheckRun {
        name: "landfall / production (main)".into(),
        head_sha: CommitSha::new("a".repeat(40)).unwrap(),
        status: CheckStatus::Completed {
            conclusion: Conclusion::Failure,
            completed_at: "2026-03-01T10:00:00.123Z".parse().unwrap(),
        },
        title: "1 error".into(),
        summary: "s".into(),
        text: None,
        annotations: vec![finding; findings],
        external_id: "plan-7".into(),
        details_url: Some("https://landfall.example.com/runs/7".into()),
        actions: Vec::new(),
    }
}

#[tokio::test]
async fn a_write_that_gets_502_is_sent_once_and_its_outcome_is_unknown() {
    let server = Server::start().await;
    server.reply([status(502)]);
    let writer = server.app.writer(homelab());
    let error = writer.create_comment(PullNumber(7), "x").await.unwrap_err();
    assert!(matches!(error.failure, Failure::Unknown { .. }), "{error}");
    assert_eq!(server.calls().len(), 1);
}

#[tokio::test]
async fn a_comment_has_githubs_time_and_a_deleted_one_is_gone() {
    let server = Server::start().await;
    let comment = json!({
        "id": 11, "node_id": "IC_11", "body": "x", "user": null,
        "created_at": "2026-03-01T09:00:00Z", "updated_at": "2026-03-01T09:00:01Z",
    });
    let created = Reply::Json(201, Vec::new(), comment);
    let deleted = Reply::Json(204, Vec::new(), json!(null));
    server.reply([created, status(404), status(404), deleted, status(404)]);
    let writer = server.app.writer(homelab());
    let comment = writer.create_comment(PullNumber(7), "x").await.unwrap();
    assert_eq!(comment.created_at, "2026-03-01T09:00:00Z".parse::<Timestamp>().unwrap());
    let id = CommentId(11);
    assert_eq!(writer.update_comment(id, "y").await.unwrap_err().failure, Failure::Gone);
    writer.delete_comment(id).await.unwrap();
    writer.delete_comment(id).await.unwrap();
    assert_eq!(writer.react(id, Reaction::Eyes).await.unwrap_err().failure, Failure::Gone);
    assert_eq!(server.calls()[1].body, json!({ "body": "y" }));
    assert_eq!(server.calls()[4].body, json!({ "content": "eyes" }));
}

#[tokio::test]
async fn a_check_with_many_findings_is_created_once_and_added_to() {
    let server = Server::start().await;
    server.reply([Reply::Json(201, Vec::new(), json!({ "id": 5 })), ok(json!({})), ok(json!({}))]);
    let id = server.app.writer(homelab()).create_check(&check(120)).await.unwrap();
    assert_eq!(id, CheckRunId(5));
    let calls = server.calls();
    let sizes: Vec<_> = calls
        .iter()
        .map(|call| call.body["output"]["annotations"].as_array().unwrap().len())
        .collect();
    assert_eq!(sizes, [50, 50, 20]);
    assert_eq!(calls[0].body["status"], "completed");
    assert_eq!(calls[0].body["completed_at"], "2026-03-01T10:00:00Z");
    assert_eq!(calls[0].method, "POST");
    assert!(calls[1].uri.ends_with("/repos/acme/homelab/check-runs/5"));
    assert_eq!(calls[1].method, "PATCH");
}

#[tokio::test]
async fn a_check_that_was_created_but_not_completed_is_looked_for_first() {
    let server = Server::start().await;
    server.reply([Reply::Json(201, Vec::new(), json!({ "id": 5 })), status(403)]);
    let error = server.app.writer(homelab()).create_check(&check(51)).await.unwrap_err();
    assert!(matches!(error.failure, Failure::Unknown { .. }), "{error}");
}

#[tokio::test]
async fn a_check_run_is_changed_without_naming_its_commit() {
    let server = Server::start().await;
    server.reply([ok(json!({}))]);
    server.app.writer(homelab()).update_check(CheckRunId(5), &check(1)).await.unwrap();
    assert_eq!(server.calls()[0].body.get("head_sha"), None);
}

#[tokio::test]
async fn a_deployment_goes_on_with_a_short_line() {
    let server = Server::start().await;
    server.reply([Reply::Json(201, Vec::new(), json!({ "id": 1 }))]);
    let status = DeploymentStatus {
        state: DeploymentState::InProgress,
        description: "x".repeat(300),
        log_url: None,
    };
    let writer = server.app.writer(homelab());
    writer.create_deployment_status(DeploymentId(9), &status).await.unwrap();
    let body = &server.calls()[0].body;
    assert_eq!(body["state"], "in_progress");
    assert_eq!(body["description"].as_str().unwrap().chars().count(), 140);
}

//! What is asked as the App itself: its delivery log, its installations.

use landfall_core::name::{InstallationId, RepositoryId};
use landfall_github::Failure;
use serde_json::{Value, json};

use crate::server::{PREFIX, Reply, Server, ok, status};

fn attempt(id: u64) -> Value {
    json!({
        "id": id, "guid": "0b989ba4-242f-11e5-81e1-c7b6966d2516", "redelivery": false,
        "delivered_at": "2026-01-05T09:00:00Z", "status": "timed out", "status_code": 504, "duration": 10.0,
        "event": "pull_request", "action": "opened", "installation_id": 5, "repository_id": null,
    })
}

#[tokio::test]
async fn the_log_is_read_on_at_our_server_wherever_its_link_leads() {
    let server = Server::start().await;
    let link = "<https://elsewhere.example.com/app/hook/deliveries?per_page=100&cursor=v1_8>; rel=\"next\"";
    let first = json!([attempt(9)]);
    server
        .reply([Reply::Json(200, vec![("link", link.to_owned())], first), ok(json!([attempt(8)]))]);
    let page = server.app.deliveries(None).await.unwrap();
    let told = &page.attempts[0];
    assert_eq!(
        (told.id, told.event.as_str(), told.action.as_deref()),
        (9, "pull_request", Some("opened"))
    );
    assert_eq!((told.installation, told.repository), (Some(InstallationId(5)), None));
    let older = server.app.deliveries(page.older.as_ref()).await.unwrap();
    assert_eq!((older.attempts[0].id, older.older), (8, None));
    let asked: Vec<String> = server.calls().into_iter().map(|call| call.uri).collect();
    let log = format!("{PREFIX}/app/hook/deliveries?per_page=100");
    assert_eq!(asked, [log.clone(), format!("{log}&cursor=v1_8")]);
    assert!(server.asked().iter().all(|call| call.authorization.starts_with("Bearer eyJ")));
}

#[tokio::test]
async fn a_payload_is_had_as_json_and_one_that_is_gone_is_not_found() {
    let server = Server::start().await;
    let mut whole = attempt(9);
    whole["request"] = json!({ "headers": {}, "payload": { "action": "opened", "number": 7 } });
    server.reply([ok(whole), status(404)]);
    let payload: Value = serde_json::from_slice(&server.app.payload(9).await.unwrap()).unwrap();
    assert_eq!(payload, json!({ "action": "opened", "number": 7 }));
    let gone = server.app.payload(8).await.unwrap_err();
    assert_eq!(gone.to_string(), "GitHub, GET /app/hook/deliveries/8: not found");
}

#[tokio::test]
async fn the_token_that_lists_repositories_sees_nothing_in_them() {
    let server = Server::start().await;
    let repository = json!({ "id": 42, "full_name": "acme/homelab", "default_branch": "main", "archived": true });
    server.reply([ok(json!({ "total_count": 1, "repositories": [repository] }))]);
    let listed = server.app.repositories(InstallationId(5)).await.unwrap();
    assert_eq!((listed[0].id, listed[0].archived), (RepositoryId(42), true));
    let minted = &server.asked()[0];
    assert_eq!(minted.uri, format!("{PREFIX}/app/installations/5/access_tokens"));
    assert_eq!(minted.body, json!({ "permissions": { "metadata": "read" } }));
}

#[tokio::test]
async fn an_installation_that_is_gone_is_told_from_one_that_fails() {
    let server = Server::start().await;
    server.refuse_tokens([status(404)]);
    let gone = server.app.repositories(InstallationId(5)).await.unwrap_err();
    assert_eq!(gone.failure, Failure::NotInstalled);
    server.reply([ok(json!([{ "id": 5, "suspended_at": "2026-01-05T09:00:00Z" }, { "id": 6, "suspended_at": null }]))]);
    let listed = server.app.installations().await.unwrap();
    let suspended: Vec<_> = listed.iter().map(|it| (it.id.0, it.suspended_at.is_some())).collect();
    assert_eq!(suspended, [(5, true), (6, false)]);
}

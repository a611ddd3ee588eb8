//! Installation tokens: one request for many callers, none outlives its end, least permissions.

use landfall_core::name::{PullNumber, RepositoryId};
use landfall_github::{Failure, InstalledRepository};
use serde_json::json;

use crate::server::{Reply, Server, homelab, ok, status};

fn repository() -> Reply {
    ok(json!({ "id": 42, "full_name": "acme/homelab", "default_branch": "main" }))
}

#[tokio::test]
async fn ten_callers_at_once_mint_one_token() {
    let server = Server::start().await;
    // The first token of this server is short-lived: it is used up before the ten come.
    server
        .app
        .writer(homelab())
        .react(landfall_github::comment::CommentId(1), landfall_github::Reaction::Eyes)
        .await
        .unwrap_err();
    server.reply(std::iter::repeat_with(repository).take(10));
    let readers = (0..10).map(|_| {
        let reader = server.app.reader(homelab());
        tokio::spawn(async move { reader.repository().await })
    });
    for reader in readers.collect::<Vec<_>>() {
        reader.await.unwrap().unwrap();
    }
    let reading = |asked: &&crate::server::Asked| asked.body["permissions"]["contents"] == "read";
    assert_eq!(server.asked().iter().filter(reading).count(), 1);
}

#[tokio::test]
async fn a_token_is_replaced_five_minutes_before_its_end_and_then_kept() {
    let server = Server::start().await;
    server.reply([repository(), repository(), repository()]);
    let reader = server.app.reader(homelab());
    for _ in 0..3 {
        reader.repository().await.unwrap();
    }
    let tokens: Vec<_> = server.calls().into_iter().map(|call| call.authorization).collect();
    let token = |n| format!("Bearer ghs_29310_{n}.made.up");
    assert_eq!(tokens, [token(1), token(2), token(2)]);
}

#[tokio::test]
async fn a_token_is_for_one_repository_and_its_use_and_the_redactor_knows_it() {
    let server = Server::start().await;
    server.reply([repository(), ok(json!(null))]);
    let other = InstalledRepository { id: RepositoryId(43), ..homelab() };
    server.app.reader(homelab()).repository().await.unwrap();
    let _ = server.app.writer(other).create_comment(PullNumber(1), "x").await;
    let asked = server.asked();
    assert_eq!(asked[0].uri, "/api/v3/app/installations/5/access_tokens");
    assert_eq!(asked[0].body["repository_ids"], json!([42]));
    let levels = asked[0].body["permissions"].as_object().unwrap();
    assert!(levels.values().all(|level| level == "read"));
    assert_eq!(asked[2].body["repository_ids"], json!([43]));
    assert_eq!(asked[2].body["permissions"]["pull_requests"], "write");
    assert!(server.learnt().contains(&"ghs_29310_1.made.up".to_owned()));
    assert!(server.learnt()[0].contains("PRIVATE KEY"));
}

#[tokio::test]
async fn the_app_signs_who_it_is_from_a_minute_ago_for_nine_minutes() {
    let server = Server::start().await;
    server.reply([repository()]);
    server.app.reader(homelab()).repository().await.unwrap();
    let jwt = server.asked()[0].authorization.strip_prefix("Bearer ").unwrap().to_owned();
    let parts: Vec<_> = jwt.split('.').map(decoded).collect();
    assert_eq!(parts[0]["alg"], "RS256");
    assert_eq!(parts[1]["iss"], 29310);
    let lifetime = parts[1]["exp"].as_i64().unwrap() - parts[1]["iat"].as_i64().unwrap();
    assert_eq!(lifetime, 600);
}

/// A part of a JWT: base64url without padding.
fn decoded(part: &str) -> serde_json::Value {
    let value = |c: u8| match c {
        b'A'..=b'Z' => c - b'A',
        b'a'..=b'z' => c - b'a' + 26,
        b'0'..=b'9' => c - b'0' + 52,
        b'-' => 62,
        _ => 63,
    };
    let bits = part.bytes().fold((Vec::new(), 0_u32, 0), |(mut bytes, bits, n), c| {
        let (bits, n) = (bits << 6 | u32::from(value(c)), n + 6);
        if n >= 8 {
            bytes.push(u8::try_from(bits >> (n - 8) & 0xff).unwrap());
        }
        (bytes, bits & 0xffff, if n >= 8 { n - 8 } else { n })
    });
    serde_json::from_slice(&bits.0).unwrap_or_default()
}

#[tokio::test]
async fn a_refused_token_is_replaced_once() {
    let server = Server::start().await;
    server.reply([status(401), repository()]);
    server.app.reader(homelab()).repository().await.unwrap();
    let calls = server.calls();
    assert_ne!(calls[0].authorization, calls[1].authorization);

    server.reply([status(401), status(401), repository()]);
    let error = server.app.reader(homelab()).repository().await.unwrap_err();
    assert!(matches!(error.failure, Failure::Denied { .. }), "{error}");
    assert_eq!(server.calls().len(), 4);
}

#[tokio::test]
async fn what_was_not_granted_is_not_asked_for_again() {
    let server = Server::start().await;
    server.refuse_tokens([status(422)]);
    let granted = json!({ "permissions": { "contents": "read", "metadata": "read" } });
    server.reply([ok(granted), repository()]);
    server.app.reader(homelab()).repository().await.unwrap();
    let asked = server.asked();
    assert_eq!(asked[1].uri, "/api/v3/app/installations/5");
    assert_eq!(asked[2].body["permissions"], json!({ "contents": "read", "metadata": "read" }));
}

#[tokio::test]
async fn a_suspended_installation_is_refused_and_a_removed_one_is_gone() {
    let server = Server::start().await;
    server.refuse_tokens([status(403), status(404)]);
    let reader = server.app.reader(homelab());
    let error = reader.repository().await.unwrap_err();
    assert!(matches!(error.failure, Failure::Denied { .. }), "{error}");
    assert_eq!(reader.repository().await.unwrap_err().failure, Failure::NotInstalled);
}

#[tokio::test]
async fn git_gets_a_reading_token_beside_the_address() {
    let server = Server::start().await;
    let git = server.app.reader(homelab()).git_credentials().await.unwrap();
    assert_eq!(git.url.as_str(), "https://github.example.com/acme/homelab.git");
    assert_eq!(git.user, "x-access-token");
    assert!(!format!("{git:?}").contains("ghs_"));
}

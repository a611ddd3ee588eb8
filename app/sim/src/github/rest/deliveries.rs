//! The hook: its settings, and the log of its deliveries.

use axum::Json;
use axum::extract::{Path, State};
use axum::response::Response;
use http::StatusCode;
use jiff::SignedDuration;
use serde_json::{Value, json};

use super::Sim;
use super::access::{AsApp, Body};
use super::paging::{Page, with_link};
use super::reply::{Refusal, Reply};
use crate::github::hooks::Attempt;

/// Deliveries older than this are forgotten, and cannot be repeated.
const MEMORY: SignedDuration = SignedDuration::from_hours(72);

pub(super) async fn config(State(shared): Sim, _: AsApp) -> Json<Value> {
    Json(shared.hooks.config().shown())
}

pub(super) async fn configure(State(shared): Sim, _: AsApp, body: Body) -> Json<Value> {
    shared.hooks.configure(|config| {
        let text = |field: &str| body.text(field).map(str::to_owned);
        config.url = text("url").or(config.url.take());
        config.secret = text("secret").or(config.secret.take());
        if let Some(content_type) = text("content_type") {
            config.content_type = content_type;
        }
    });
    Json(shared.hooks.config().shown())
}

/// Newest first, paged by a cursor: the id of the first one on the page.
pub(super) async fn list(State(shared): Sim, _: AsApp, page: Page) -> Reply<Response> {
    let cursor = page.param("cursor").map(|cursor| {
        cursor
            .trim_start_matches("v1_")
            .parse::<u64>()
            .map_err(|_| Refusal::new(StatusCode::BAD_REQUEST, "Invalid cursor"))
    });
    let cursor = cursor.transpose()?;
    let now = shared.world().clock.now();
    let mut log = shared.hooks.log();
    log.reverse();
    log.retain(|attempt| {
        attempt.delivered_at + MEMORY > now
            && cursor.is_none_or(|cursor| attempt.id <= cursor)
            && match page.param("status") {
                Some("success") => (200..400).contains(&attempt.status_code),
                Some("failure") => attempt.status_code >= 400,
                _ => true,
            }
    });
    let next = log.get(page.size()).map(|attempt| {
        let (api, size) = (&shared.urls().api, page.size());
        format!(
            "<{api}/app/hook/deliveries?per_page={size}&cursor=v1_{}>; rel=\"next\"",
            attempt.id
        )
    });
    let shown = log.iter().take(page.size()).map(|attempt| summary(attempt)).collect();
    Ok(with_link(next, Value::Array(shown)))
}

pub(super) async fn one(State(shared): Sim, _: AsApp, Path(id): Path<u64>) -> Reply {
    let log = shared.hooks.log();
    let attempt = log.iter().find(|attempt| attempt.id == id).ok_or_else(Refusal::not_found)?;
    let mut shown = summary(attempt);
    shown["url"] = shared.hooks.config().url.unwrap_or_default().into();
    shown["request"] = json!({ "headers": attempt.request_headers, "payload": attempt.payload });
    shown["response"] = json!({ "headers": {}, "payload": attempt.response_body });
    Ok(Json(shown))
}

pub(super) async fn redeliver(
    State(shared): Sim,
    _: AsApp,
    Path(id): Path<u64>,
) -> Reply<(StatusCode, Json<Value>)> {
    shared.hooks.redeliver(id).ok_or_else(Refusal::not_found)?;
    Ok((StatusCode::ACCEPTED, Json(json!({}))))
}

fn summary(attempt: &Attempt) -> Value {
    json!({
        "id": attempt.id,
        "guid": attempt.guid,
        "delivered_at": attempt.delivered_at,
        "redelivery": attempt.redelivery,
        "duration": 0.05,
        "status": attempt.status,
        "status_code": attempt.status_code,
        "event": attempt.event,
        "action": attempt.action,
        "installation_id": attempt.installation,
        "repository_id": attempt.repository,
        "throttled_at": null,
    })
}

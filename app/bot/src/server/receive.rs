//! Receiving webhooks.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use landfall_github::webhook::{Event, HeaderError, Headers};
use landfall_store::{DeliveryId, NewDelivery};

use super::{Shared, body};

/// GitHub sends at most 25 MB.
const LARGEST_DELIVERY: usize = 25 << 20;

/// Verifies, stores, answers.
pub(super) async fn receive(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    match body::read(body, LARGEST_DELIVERY, shared.house.timing.request_body).await {
        Ok(body) => stored(&shared, &headers, &body).await.into_response(),
        Err(unread) => {
            tracing::warn!(reason = %unread, "a delivery that was not read");
            unread.into_response()
        }
    }
}

async fn stored(shared: &Shared, headers: &HeaderMap, body: &Bytes) -> (StatusCode, &'static str) {
    let Some(verifier) = &shared.verifier else { return (StatusCode::NOT_FOUND, "no") };
    if let Err(error) = verifier.verify(signature(headers), body) {
        tracing::warn!(reason = %error, "a delivery that is not believed");
        return (StatusCode::UNAUTHORIZED, "no");
    }
    let read = match Headers::read(headers) {
        Ok(read) => read,
        Err(error @ HeaderError::NotJson) => {
            tracing::warn!(reason = %error, "set the hook's content type to application/json");
            return (
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "the hook's content type has to be application/json",
            );
        }
        Err(error) => {
            tracing::warn!(reason = %error, "a delivery without its headers");
            return (StatusCode::BAD_REQUEST, "headers are missing");
        }
    };
    if read.target.is_some_and(|target| target != shared.house.github.id()) {
        tracing::warn!(delivery = %read.delivery, "a delivery for another App");
        return (StatusCode::UNAUTHORIZED, "no");
    }
    if read.event == "ping" {
        return (StatusCode::OK, "pong");
    }
    match keep(shared, &read, body).await {
        Ok(()) => (StatusCode::ACCEPTED, "stored"),
        Err(error) => {
            // GitHub keeps the delivery as failed, so it can be had again.
            tracing::error!(delivery = %read.delivery, error = format!("{error:#}"), "a delivery could not be stored");
            (StatusCode::SERVICE_UNAVAILABLE, "the store cannot be written to")
        }
    }
}

async fn keep(shared: &Shared, headers: &Headers, body: &Bytes) -> anyhow::Result<()> {
    let store = &shared.house.store;
    let event = Event::parse(&headers.event, body).ok();
    let delivery = NewDelivery {
        id: DeliveryId(headers.delivery),
        event: headers.event.clone(),
        action: None,
        installation: event.as_ref().and_then(Event::installation),
        repository: event.as_ref().and_then(Event::repository).map(|repository| repository.id),
        body: body.to_vec(),
        received_at: store.now().await?,
    };
    let inserted = store.insert_delivery(&delivery).await?;
    tracing::debug!(delivery = %delivery.id, event = %delivery.event, outcome = ?inserted, "delivery stored");
    Ok(())
}

fn signature(headers: &HeaderMap) -> Option<&str> {
    headers.get("x-hub-signature-256").and_then(|value| value.to_str().ok())
}

//! Receiving webhooks: what is signed is stored and answered, and nothing more happens here.
//!
//! Who sends something else costs little and learns nothing. Of a delivery whose signature has not the form
//! of one, no body is read; all bodies together have a bound, and each of them one in time
//! ([`body`](super::body)); a wrong signature is answered with 401 and no reason; no body is ever logged.
//! There is no count of failures by address: a server mostly stands behind a proxy, where everybody has the
//! proxy's address, so whoever fails often would have GitHub refused with them. GitHub does not deliver
//! again by itself. Such a limit belongs in front, where addresses are real.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use landfall_github::webhook::{Event, HeaderError, Headers, Signature, SignatureError};
use landfall_store::{DeliveryId, NewDelivery};

use super::Shared;
use super::body::Room;

/// GitHub sends at most 25 MB.
const LARGEST_DELIVERY: usize = 25 << 20;

/// All that is being received at once. Usual deliveries have 10 to 100 kB, so that is hundreds of them.
pub(super) const ALL_DELIVERIES: usize = 3 * LARGEST_DELIVERY;

/// Verifies, stores, answers.
pub(super) async fn receive(
    State((shared, room)): State<(Arc<Shared>, Room)>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    // Of what cannot be believed whatever it says, nothing is read.
    let signature = match Signature::read(&headers) {
        Ok(signature) => signature,
        Err(error) => return not_believed(&error).into_response(),
    };
    match room.read(body, LARGEST_DELIVERY, shared.house.timing.request_body).await {
        Ok(held) => stored(&shared, &headers, &signature, &held.bytes).await.into_response(),
        Err(unread) => {
            tracing::warn!(reason = %unread, "a delivery that was not read");
            unread.into_response()
        }
    }
}

fn not_believed(error: &SignatureError) -> (StatusCode, &'static str) {
    tracing::warn!(reason = %error, "a delivery that is not believed");
    (StatusCode::UNAUTHORIZED, "no")
}

async fn stored(
    shared: &Shared,
    headers: &HeaderMap,
    signature: &Signature,
    body: &Bytes,
) -> (StatusCode, &'static str) {
    let Some(verifier) = &shared.verifier else { return (StatusCode::NOT_FOUND, "no") };
    if let Err(error) = verifier.verify(signature, body) {
        return not_believed(&error);
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

//! What operators and load balancers ask. Readiness never depends on GitHub: a server that cannot
//! reach it still has to take deliveries.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;

use super::Shared;

/// The process answers.
pub(super) async fn live() -> &'static str {
    "alive\n"
}

/// Deliveries can be kept: the store can be written to.
pub(super) async fn ready(State(shared): State<Arc<Shared>>) -> (StatusCode, &'static str) {
    match shared.house.store.ready().await {
        Ok(()) => (StatusCode::OK, "ready\n"),
        Err(error) => {
            tracing::warn!(error = %error, "not ready");
            (StatusCode::SERVICE_UNAVAILABLE, "the store cannot be written to\n")
        }
    }
}

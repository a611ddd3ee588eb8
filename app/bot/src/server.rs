//! The server: the webhook route and what operators ask.
//!
//! A delivery is verified over its raw bytes, put on disk, and answered; nothing else happens while
//! GitHub waits. Who sends something that is not believed is told nothing but "no".
//!
//! A request that makes the server panic is answered like any other. When something panics that
//! carries no single piece of work (a worker's loop, the listener), no work is taken any more, what
//! is under way is finished, and the server ends with an error: whoever supervises the process
//! starts it again, and it goes on from what is on disk.

mod body;
mod connections;
mod health;
mod receive;
pub mod setup;

use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use body::Room;
use landfall_github::webhook::Verifier;
use tokio::net::TcpListener;
use tokio::task::{JoinError, JoinHandle};

use crate::house::{House, Timing};
use crate::panics::{Panicked, Panics};
use crate::worker::{self, Stop};

/// What the routes share.
#[derive(Debug)]
pub struct Shared {
    /// The house.
    pub house: Arc<House>,
    /// Whom to believe; none where nothing is received.
    pub verifier: Option<Verifier>,
}

/// All routes. Without a secret there is none for webhooks: nobody could be believed.
pub fn router(shared: Arc<Shared>) -> Router {
    let panics = shared.house.panics.clone();
    let mut routes =
        Router::new().route("/livez", get(health::live)).route("/readyz", get(health::ready));
    if shared.verifier.is_some() {
        let state = (Arc::clone(&shared), Room::of(receive::ALL_DELIVERIES));
        routes = routes.route("/webhook", post(receive::receive).with_state(state));
    }
    answering_panics(routes.with_state(shared), panics)
}

/// The routes, which answer also when they panic.
fn answering_panics(routes: Router, panics: Panics) -> Router {
    let answer = async |State(panics): State<Panics>, request: Request, next: Next| -> Response {
        match panics.caught(next.run(request)).await {
            Ok(response) => response,
            Err(panicked) => {
                (StatusCode::INTERNAL_SERVER_ERROR, panicked.to_string()).into_response()
            }
        }
    };
    routes.layer(middleware::from_fn_with_state(panics, answer))
}

/// A server that runs.
#[derive(Debug)]
pub struct Running {
    /// Where it listens.
    pub address: SocketAddr,
    stop: Stop,
    all: JoinHandle<Result<(), Panicked>>,
}

impl Running {
    /// Starts a server on `listener`, with its workers.
    ///
    /// # Errors
    /// The address of the listener cannot be told.
    pub fn start(shared: Shared, listener: TcpListener) -> anyhow::Result<Self> {
        let address = listener.local_addr()?;
        let stop = Stop::default();
        let all = tokio::spawn(serve(shared, listener, stop.clone()));
        Ok(Self { address, stop, all })
    }

    /// Takes no more work, finishes what is under way or puts it back after a while, and ends.
    ///
    /// # Errors
    /// Something panicked, and was not only a piece of work.
    pub async fn stop(self) -> anyhow::Result<()> {
        self.stop.closing.cancel();
        Ok(unless_panicked(self.all.await)??)
    }

    /// Ends at once, as when the process dies: nothing that is under way is finished or noted.
    pub async fn kill(self) {
        self.all.abort();
        let _ = self.all.await;
    }

    /// Waits until it ends by itself, which it does only when it fails.
    ///
    /// # Errors
    /// Why it failed.
    pub async fn failed(&mut self) -> anyhow::Result<()> {
        Ok(unless_panicked((&mut self.all).await)??)
    }
}

/// Serves until it is stopped or something panics. Everything that was begun is ended either way, or
/// put back when it takes too long.
async fn serve(shared: Shared, listener: TcpListener, stop: Stop) -> Result<(), Panicked> {
    let shared = Arc::new(shared);
    let mut tasks = worker::start(&shared.house, &stop);
    let (router, head) = (router(Arc::clone(&shared)), shared.house.timing.request_head);
    let connections = connections::serve(listener, router, head, stop.closing.clone());
    let over = stop.over.clone();
    tasks.spawn(async move { over.run_until_cancelled_owned(connections).await.unwrap_or(()) });
    let timing = &shared.house.timing;
    let mut clock = pin!(run_out(&stop, timing));
    let mut outcome = Ok(());
    loop {
        tokio::select! {
            ended = tasks.join_next() => match ended {
                // None ends before all are told to, unless it panics; then nothing may look as if
                // it went on.
                Some(ended) => {
                    outcome = outcome.and(unless_panicked(ended));
                    stop.closing.cancel();
                }
                None => break,
            },
            () = &mut clock => {
                tracing::warn!("not everything could be put back: its leases have to run out first");
                return outcome;
            }
        }
    }
    let closed = tokio::time::timeout(timing.closing, shared.house.store.close());
    closed.await.unwrap_or_else(|_| tracing::warn!("the store could not be closed"));
    outcome
}

/// From the moment at which nothing more is taken: says when what is left has to be put back, and
/// returns when that took too long too.
async fn run_out(stop: &Stop, timing: &Timing) {
    stop.closing.cancelled().await;
    tokio::time::sleep(timing.shutdown).await;
    stop.over.cancel();
    tokio::time::sleep(timing.closing).await;
}

/// What a task came to. What it panicked with is not passed on: see [`crate::panics`].
fn unless_panicked<T>(ended: Result<T, JoinError>) -> Result<T, Panicked> {
    ended.map_err(|_| Panicked)
}

#[cfg(test)]
mod tests;

//! The server: the webhook route and what operators ask.
//!
//! A delivery is verified over its raw bytes, put on disk, and answered; nothing else happens while
//! GitHub waits. Who sends something that is not believed is told nothing but "no".

mod body;
mod connections;
mod health;
mod receive;

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};
use landfall_github::webhook::Verifier;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::house::House;
use crate::worker;

/// What the routes share.
#[derive(Debug)]
pub struct Shared {
    /// The house.
    pub house: Arc<House>,
    /// Whom to believe.
    pub verifier: Verifier,
}

/// All routes.
pub fn router(shared: Arc<Shared>) -> Router {
    Router::new()
        .route("/webhook", post(receive::receive))
        .route("/livez", get(health::live))
        .route("/readyz", get(health::ready))
        .with_state(shared)
}

/// A server that runs.
#[derive(Debug)]
pub struct Running {
    /// Where it listens.
    pub address: SocketAddr,
    stop: CancellationToken,
    all: tokio::task::JoinHandle<anyhow::Result<()>>,
}

impl Running {
    /// Starts a server on `listener`, with its workers.
    ///
    /// # Errors
    /// The address of the listener cannot be told.
    pub fn start(shared: Shared, listener: TcpListener) -> anyhow::Result<Self> {
        let address = listener.local_addr()?;
        let stop = CancellationToken::new();
        let token = stop.clone();
        let all = tokio::spawn(serve(shared, listener, token));
        Ok(Self { address, stop, all })
    }

    /// Takes no more work, finishes what is under way, and ends.
    ///
    /// # Errors
    /// The server failed, or a worker panicked.
    pub async fn stop(self) -> anyhow::Result<()> {
        self.stop.cancel();
        self.all.await?
    }

    /// Waits until it ends by itself, which it does only when it fails.
    ///
    /// # Errors
    /// Why it failed.
    pub async fn failed(&mut self) -> anyhow::Result<()> {
        (&mut self.all).await?
    }
}

async fn serve(
    shared: Shared,
    listener: TcpListener,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    let shared = Arc::new(shared);
    let mut workers = worker::start(&shared.house, &stop);
    let token = stop.clone();
    let head = shared.house.timing.request_head;
    let mut served =
        tokio::spawn(connections::serve(listener, router(Arc::clone(&shared)), head, token));
    tokio::select! {
        outcome = &mut served => {
            stop.cancel();
            outcome?;
        }
        // A worker only ends early by a panic: then nothing may look as if it went on.
        Some(ended) = workers.join_next() => {
            stop.cancel();
            ended?;
        }
    }
    while let Some(ended) = workers.join_next().await {
        ended?;
    }
    if !served.is_finished() {
        served.await?;
    }
    shared.house.store.close().await;
    Ok(())
}

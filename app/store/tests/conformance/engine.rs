//! The engines that the suite runs on.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use landfall_cluster::Cluster;
use landfall_store::{ManualClock, Store};
use tempfile::TempDir;

/// An engine with an empty store, and the clock that it goes by.
pub(crate) struct Engine {
    pub(crate) store: Arc<dyn Store>,
    clock: Arc<ManualClock>,
    url: String,
    /// Where the file is, for an engine that has one. It has to outlive the store.
    folder: Option<TempDir>,
}

impl Engine {
    /// Lets time pass.
    pub(crate) fn pass(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    /// The store's time, `seconds` from now.
    pub(crate) async fn later(&self, seconds: i64) -> Timestamp {
        self.store.now().await.unwrap() + jiff::SignedDuration::from_secs(seconds)
    }

    /// The store as servers have it open that share it, by one clock: a file is for one server, a
    /// database for any number.
    pub(crate) async fn servers(&self) -> Vec<Arc<dyn Store>> {
        let one = Arc::clone(&self.store);
        match self.folder {
            Some(_) => vec![one],
            None => vec![one, landfall_store::open(&self.url, self.clock.clone()).await.unwrap()],
        }
    }

    /// Where the store is.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// What it goes by.
    pub(crate) fn clock(&self) -> Arc<ManualClock> {
        self.clock.clone()
    }

    /// Whether several servers may have it open.
    pub(crate) fn is_shared(&self) -> bool {
        self.folder.is_none()
    }

    /// Closes the store and opens it again, as a restart does.
    pub(crate) async fn reopen(&self) -> Arc<dyn Store> {
        self.store.close().await;
        landfall_store::open(&self.url, self.clock.clone()).await.unwrap()
    }
}

/// SQLite in a fresh file.
pub(crate) async fn sqlite() -> Engine {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().join("landfall.db").display());
    open(url, Some(folder)).await
}

/// PostgreSQL with a fresh database, on this process's cluster.
pub(crate) async fn postgres() -> Engine {
    open(Cluster::of_process().database(), None).await
}

async fn open(url: String, folder: Option<TempDir>) -> Engine {
    let clock = Arc::new(ManualClock::new("2026-01-05T09:00:00Z".parse().unwrap()));
    let store = landfall_store::open(&url, clock.clone()).await.unwrap();
    Engine { store, clock, url, folder }
}

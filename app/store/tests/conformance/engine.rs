//! The engines that the suite runs on.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use landfall_store::{ManualClock, Store};

/// An engine with an empty store, and the clock that it goes by.
pub(crate) struct Engine {
    pub(crate) store: Arc<dyn Store>,
    clock: Arc<ManualClock>,
    url: String,
    /// What has to outlive the store: a folder, a database.
    _keep: tempfile::TempDir,
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

    /// Closes the store and opens it again, as a restart does.
    pub(crate) async fn reopen(&self) -> Arc<dyn Store> {
        self.store.close().await;
        landfall_store::open(&self.url, self.clock.clone()).await.unwrap()
    }
}

/// SQLite in a fresh file.
pub(crate) async fn sqlite() -> Engine {
    let keep = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", keep.path().join("landfall.db").display());
    let clock = Arc::new(ManualClock::new("2026-01-05T09:00:00Z".parse().unwrap()));
    let store = landfall_store::open(&url, clock.clone()).await.unwrap();
    Engine { store, clock, url, _keep: keep }
}

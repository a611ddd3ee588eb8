//! S3-compatible storage as it behaves: buckets of objects, read by range, listed by prefix, written
//! whole or in parts.
//!
//! [`S3Sim::start`] begins to listen; the clones of what it gives look into the buckets. Addresses
//! are path-style, as `AWS_ENDPOINT_URL` leads to (`/bucket/key`). A request has to carry a SigV4
//! `Authorization` of the one access key there is and the digest of its body; the signature itself
//! is not computed again.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::extract::DefaultBodyLimit;
use bytes::Bytes;

use crate::exchange::{ExchangeLog, Wire};
use crate::fault::Faults;
use crate::serve::{Observed, Server};

mod list;
mod parts;
mod route;

/// The access key that the simulator knows.
pub const TEST_ACCESS_KEY: &str = "AKIASIMULATED";
/// Its secret.
pub const TEST_SECRET_KEY: &str = "simulated-s3-secret";

/// A running storage. It stops when the last clone is dropped.
#[derive(Clone)]
pub struct S3Sim {
    storage: Arc<Mutex<Storage>>,
    faults: Faults,
    exchanges: ExchangeLog,
    server: Server,
}

/// Every bucket by its name, with its objects by their keys.
#[derive(Default)]
struct Storage {
    buckets: BTreeMap<String, BTreeMap<String, Bytes>>,
    uploads: BTreeMap<String, parts::Upload>,
    begun: u64,
}

impl S3Sim {
    /// Begins to listen on 127.0.0.1, with these empty buckets.
    ///
    /// # Errors
    /// There is no free port.
    pub async fn start(buckets: &[&str], exchanges: ExchangeLog) -> anyhow::Result<Self> {
        let empty = buckets.iter().map(|name| ((*name).to_owned(), BTreeMap::new()));
        let storage = Storage { buckets: empty.collect(), ..Storage::default() };
        let storage = Arc::new(Mutex::new(storage));
        let faults = Faults::default();
        let router = Router::new()
            .fallback(route::answer)
            .layer(DefaultBodyLimit::disable())
            .with_state(storage.clone());
        let observed =
            Observed { wire: |_| Wire::S3, faults: faults.clone(), exchanges: exchanges.clone() };
        let server = Server::start(router, observed, None).await?;
        Ok(Self { storage, faults, exchanges, server })
    }

    /// What `AWS_ENDPOINT_URL` is set to.
    pub fn url(&self) -> String {
        self.server.url()
    }

    /// What goes wrong, by rules on methods and paths. Paths begin with the bucket.
    pub fn faults(&self) -> &Faults {
        &self.faults
    }

    /// What was said.
    pub fn exchanges(&self) -> &ExchangeLog {
        &self.exchanges
    }

    /// The keys of a bucket, in order.
    pub fn keys(&self, bucket: &str) -> Vec<String> {
        self.lock().buckets.get(bucket).map(|all| all.keys().cloned().collect()).unwrap_or_default()
    }

    /// An object's content.
    pub fn object(&self, bucket: &str, key: &str) -> Option<Bytes> {
        self.lock().buckets.get(bucket)?.get(key).cloned()
    }

    /// Puts an object behind every client's back.
    pub fn put(&self, bucket: &str, key: &str, content: impl Into<Bytes>) {
        let mut storage = self.lock();
        storage
            .buckets
            .entry(bucket.to_owned())
            .or_default()
            .insert(key.to_owned(), content.into());
    }

    /// How many uploads in parts were begun and neither completed nor given up.
    pub fn open_uploads(&self) -> usize {
        self.lock().uploads.len()
    }

    fn lock(&self) -> MutexGuard<'_, Storage> {
        self.storage.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for S3Sim {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("S3Sim").field("url", &self.url()).finish_non_exhaustive()
    }
}

//! Where a measured server keeps what it must not forget.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use landfall_cluster::{Cluster, Disk};
use landfall_store::{Store, SystemClock};

/// An engine of the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Engine {
    /// A file in the server's folder.
    Sqlite,
    /// A cluster of its own, which waits for the disk as one that is to be trusted.
    Postgres,
}

impl fmt::Display for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sqlite => "SQLite",
            Self::Postgres => "PostgreSQL",
        })
    }
}

/// A place for one store, until it is dropped.
#[derive(Debug)]
pub(crate) struct Database {
    /// What `LANDFALL_DATABASE_URL` is.
    pub(crate) url: String,
    _cluster: Option<Cluster>,
}

impl Database {
    /// An empty one; a file is in `folder`.
    ///
    /// # Errors
    /// No cluster can be started.
    pub(crate) fn new(engine: Engine, folder: &Path) -> anyhow::Result<Self> {
        Ok(match engine {
            Engine::Sqlite => {
                let url = format!("sqlite:{}", folder.join("landfall.db").display());
                Self { url, _cluster: None }
            }
            Engine::Postgres => {
                let cluster = Cluster::start(Disk::Synced)?;
                Self { url: cluster.database(), _cluster: Some(cluster) }
            }
        })
    }

    /// Opens it beside whoever uses it.
    ///
    /// # Errors
    /// It cannot be opened.
    pub(crate) async fn open(&self) -> anyhow::Result<Arc<dyn Store>> {
        Ok(landfall_store::open(&self.url, Arc::new(SystemClock)).await?)
    }
}

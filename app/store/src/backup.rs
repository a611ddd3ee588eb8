//! Backing up: everything in the store, as it is at one moment, into an archive.
//!
//! It is read through a connection of its own, so that a server need not stop and none of its
//! connections is taken: SQLite's readers see the last commit before they began whatever is written
//! meanwhile, PostgreSQL is read `repeatable read`. Nothing is brought up to date first: another
//! version's server may be at work.

use std::sync::Arc;

use futures::StreamExt as _;
use tokio::io::AsyncWrite;

use crate::archive::write::Writer;
use crate::archive::{Header, SCHEMA, Snapshot, TABLES, Table};
use crate::{Clock, Result, StoreError, postgres, sqlite};

/// What a backup or a restore came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contents {
    /// What the archive says of itself.
    pub header: Header,
    /// How many rows are in it.
    pub rows: u64,
}

/// Writes everything in the store behind `url` to `archive`, and its end last. The caller makes it
/// last: a file is not on disk because it was written.
///
/// # Errors
/// There is no store, it is of another version, it cannot be read, or `archive` not be written.
pub async fn back_up(
    url: &str,
    clock: Arc<dyn Clock>,
    archive: &mut (dyn AsyncWrite + Send + Unpin),
) -> Result<Contents> {
    match url.split_once(':') {
        Some(("sqlite", _)) => {
            let mut snapshot = sqlite::snapshot(url).await?;
            let taken_at = clock.now();
            write(&mut snapshot, header("SQLite", taken_at), archive).await
        }
        Some(("postgres" | "postgresql", _)) => {
            let (mut snapshot, server) = postgres::snapshot(url).await?;
            let taken_at = clock.beside(server);
            write(&mut snapshot, header("PostgreSQL", taken_at), archive).await
        }
        _ => Err(StoreError::Address),
    }
}

fn header(engine: &str, taken_at: jiff::Timestamp) -> Header {
    Header {
        schema: SCHEMA,
        landfall: env!("CARGO_PKG_VERSION").to_owned(),
        engine: engine.to_owned(),
        taken_at,
    }
}

async fn write(
    snapshot: &mut impl Snapshot,
    header: Header,
    archive: &mut (dyn AsyncWrite + Send + Unpin),
) -> Result<Contents> {
    let mut writer = Writer::begin(archive, &header).await?;
    for name in TABLES {
        let table = Table { name: name.to_owned(), columns: snapshot.columns(name).await? };
        writer.table(&table).await?;
        let mut rows = snapshot.rows(&table);
        while let Some(row) = rows.next().await {
            writer.row(&row?).await?;
        }
    }
    Ok(Contents { header, rows: writer.finish().await? })
}

/// An error unless a database's tables are those that this version knows. `found` is the number of
/// its last migration.
pub(crate) fn check_schema(found: i64) -> Result<()> {
    if found == SCHEMA { Ok(()) } else { Err(StoreError::Tables { found, known: SCHEMA }) }
}

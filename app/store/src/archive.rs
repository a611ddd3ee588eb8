//! The archive: what a backup consists of, the same whichever engine wrote it.
//!
//! A line of text that says what it is, then a zstd frame of lines of JSON: the [`Header`]; for each
//! table its name and columns and then its rows, one array each; the end with the number of rows and
//! the SHA-256 of all lines before it. So a homelab's SQLite can be restored into the PostgreSQL of
//! several servers and back, and a person can read it: `tail -n +2 FILE | zstd -d`.
//!
//! An archive that was cut off has no end; one that was damaged fails zstd's checksum, or the one at
//! the end. Nothing of a restore is
//! kept before [`read::Piece::End`] came.
//!
//! Neither side holds more than a few rows in memory. Where rows come from and go to is the engine's
//! ([`Snapshot`], [`Refill`]).

use async_trait::async_trait;
use futures::stream::BoxStream;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::Result;

pub(crate) mod cell;
pub(crate) mod read;
pub(crate) mod write;

pub(crate) use cell::{Cell, Form};

/// How every archive begins, with the version of its form behind it.
const MAGIC: &str = "landfall backup";

/// The version of the form that this module reads and writes.
const FORMAT: u32 = 1;

/// The version of the tables: the number of the last migration of both engines.
pub(crate) const SCHEMA: i64 = 1;

/// Everything that is kept, in an order in which each row comes after those that it refers to.
pub(crate) const TABLES: [&str; 26] = [
    "restore",
    "repository",
    "environment",
    "environment_lock",
    "pushed",
    "pull",
    "allowed_head",
    "delivery",
    "delivery_body",
    "delivery_log",
    "command",
    "chore",
    "job",
    "recurring",
    "turn",
    "target_lease",
    "plan",
    "run",
    "approval",
    "step",
    "proven_change",
    "resource",
    "unit",
    "outbox",
    "write_lane",
    "audit",
];

/// What is in no archive: what readiness writes to, and which migrations a database has seen.
#[cfg(test)]
pub(crate) const LEFT_OUT: [&str; 2] = ["pulse", "_sqlx_migrations"];

/// What an archive says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// The version of the tables.
    pub schema: i64,
    /// The version of Landfall that took the backup.
    pub landfall: String,
    /// Which engine the rows come from: `SQLite`.
    pub engine: String,
    /// When the backup was taken, by the store's clock.
    pub taken_at: Timestamp,
}

/// A column, by the form that its values have in an archive.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Column {
    pub(crate) name: String,
    pub(crate) form: Form,
}

/// The head of a table's rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Table {
    pub(crate) name: String,
    pub(crate) columns: Vec<Column>,
}

impl Table {
    /// The columns, as they stand in a statement.
    pub(crate) fn names(&self) -> String {
        let names: Vec<String> =
            self.columns.iter().map(|column| format!("\"{}\"", column.name)).collect();
        names.join(", ")
    }
}

/// How many rows came, and the SHA-256 of every line before this one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct End {
    rows: u64,
    sha256: String,
}

/// A line that is not a row.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Mark {
    Backup(Header),
    Table(Table),
    End(End),
}

/// Why an archive is refused.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// It is something else.
    #[error("it is no backup of Landfall")]
    NotOne,
    /// A newer version made it.
    #[error("it was made by a newer Landfall{0}; restore it with that version")]
    Newer(String),
    /// It ends before its end.
    #[error("it is cut off: its end is missing")]
    Cut,
    /// What it says cannot be what was written.
    #[error("it is damaged: {0}")]
    Damaged(String),
    /// It could not be read or written.
    #[error("it could not be read or written")]
    Io(#[source] std::io::Error),
}

/// What a backup is taken from: a database as it is at one moment, whatever is written meanwhile.
#[async_trait]
pub(crate) trait Snapshot: Send {
    /// The columns of a table.
    async fn columns(&mut self, table: &str) -> Result<Vec<Column>>;

    /// The rows of a table, a few at a time.
    fn rows<'a>(&'a mut self, table: &'a Table) -> BoxStream<'a, Result<Vec<Cell>>>;
}

/// What a restore fills: the tables of a database, in a transaction that nobody sees before it is
/// committed.
#[async_trait]
pub(crate) trait Refill: Send {
    /// The columns of a table.
    async fn columns(&mut self, table: &str) -> Result<Vec<Column>>;

    /// Adds rows.
    async fn insert(&mut self, table: &Table, rows: Vec<Vec<Cell>>) -> Result<()>;

    /// Carries out one statement, of which `$1` is the first number.
    async fn revise(&mut self, statement: &'static str, numbers: &[i64]) -> Result<()>;
}

/// All tables but those that are left out on purpose, in order: what an engine must have.
#[cfg(test)]
pub(crate) fn expected_tables() -> Vec<&'static str> {
    let mut expected: Vec<&str> = TABLES.into_iter().chain(LEFT_OUT).collect();
    expected.sort_unstable();
    expected
}

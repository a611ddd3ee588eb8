//! The versions of the tables: which ones a database has, and how it gets those of today.

use sqlx::SqlStr;
use sqlx::migrate::{MigrateError, Migration, MigrationType, Migrator};

use crate::archive::SCHEMA;
use crate::{Result, StoreError, postgres, sqlite};

/// What a database has of Landfall's tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tables {
    /// None: it is empty, or not there yet. [`open`](crate::open) makes them.
    None,
    /// Those of an older Landfall. [`open`](crate::open) brings them up to date.
    Older,
    /// Those that this Landfall works with.
    Current,
    /// Those of a newer Landfall, which this one does not touch.
    Newer,
}

impl Tables {
    fn of(version: Option<i64>) -> Self {
        match version {
            None => Self::None,
            Some(version) if version < SCHEMA => Self::Older,
            Some(version) if version > SCHEMA => Self::Newer,
            Some(_) => Self::Current,
        }
    }
}

/// Looks at the database behind `url`, which is of a form that [`open`](crate::open) takes. Nothing is made or
/// changed there.
///
/// # Errors
/// The URL names no engine that there is, or the database cannot be reached or read.
pub async fn tables(url: &str) -> Result<Tables> {
    let version = match url.split_once(':') {
        Some(("sqlite", _)) => sqlite::tables_version(url).await?,
        Some(("postgres" | "postgresql", _)) => postgres::tables_version(url).await?,
        _ => return Err(StoreError::Address),
    };
    Ok(Tables::of(version))
}

/// What brings tables of any earlier version up to date.
pub(crate) fn migrations(first: &'static str) -> Migrator {
    let first = SqlStr::from_static(first);
    Migrator::with_migrations(vec![Migration::new(
        1,
        "first".into(),
        MigrationType::Simple,
        first,
        false,
    )])
}

pub(crate) fn not_migrated(error: MigrateError) -> StoreError {
    match error {
        MigrateError::VersionMissing(found) => StoreError::Tables { found, known: SCHEMA },
        other => StoreError::Database(Box::new(other)),
    }
}

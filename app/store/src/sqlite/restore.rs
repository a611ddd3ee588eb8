//! Filling a new file with a backup, and putting it in the place of the one that is there.
//!
//! The new file is complete and on disk before anything is renamed, so whatever goes wrong leaves the
//! old one where it was. A server keeps a lock on its file for as long as it has it open in WAL mode
//! (<https://sqlite.org/walformat.html>, "Locks On The Database File"), so leaving that mode succeeds
//! only when nobody has; from then until the renaming the old file is locked against servers
//! that start.

use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::str::FromStr as _;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteSynchronous};
use sqlx::{Connection as _, QueryBuilder};
use tokio::io::AsyncRead;

use super::backup::columns;
use super::open;
use crate::archive::{Cell, Column, Refill, TABLES, Table};
use crate::restore::refill;
use crate::{Clock, Contents, Occupied, Refilled, Result, StoreError};

/// How long a server that is just being stopped is waited for.
const PATIENCE: Duration = Duration::from_secs(1);

/// Restores into the file behind `url`.
pub(crate) async fn restore(
    url: &str,
    clock: Arc<dyn Clock>,
    occupied: Occupied,
    archive: &mut (dyn AsyncRead + Send + Unpin),
) -> Result<Refilled> {
    let options = SqliteConnectOptions::from_str(url).map_err(|_| StoreError::Address)?;
    let path = options.get_filename().to_owned();
    if path.as_os_str().is_empty() || url.contains(":memory:") {
        return Err(StoreError::Address);
    }
    let old = Old::lock(&path, occupied).await?;
    let new = beside(&path, "restoring");
    let now = clock.now();
    let contents = match fill(&new, archive, now).await {
        Ok(contents) => contents,
        Err(error) => {
            remove(&new);
            return Err(error);
        }
    };
    let aside = old.move_aside(now).await?;
    std::fs::rename(&new, &path).map_err(failed)?;
    sync_folder(&path)?;
    Ok(Refilled { contents, aside })
}

/// The file that is there, if there is one.
struct Old {
    path: PathBuf,
    /// Holds the lock. None for a file that is no database any more, and for none at all.
    locked: Option<SqliteConnection>,
}

impl Old {
    async fn lock(path: &Path, occupied: Occupied) -> Result<Self> {
        let path = path.to_owned();
        if !path.exists() {
            return Ok(Self { path, locked: None });
        }
        match locked(&path).await {
            Ok(mut conn) => {
                if occupied == Occupied::Refuse && !is_empty(&mut conn).await? {
                    return Err(StoreError::NotEmpty);
                }
                Ok(Self { path, locked: Some(conn) })
            }
            Err(error) if is_busy(&error) => Err(StoreError::InUse),
            // It is damaged, which is why it is to be replaced.
            Err(_) if occupied == Occupied::Replace => Ok(Self { path, locked: None }),
            Err(error) => Err(error.into()),
        }
    }

    /// Renames it, and says to what.
    async fn move_aside(self, now: Timestamp) -> Result<Option<PathBuf>> {
        if !self.path.exists() {
            return Ok(None);
        }
        let aside = beside(&self.path, &now.strftime("before-%Y%m%dT%H%M%SZ").to_string());
        std::fs::rename(&self.path, &aside).map_err(failed)?;
        // What a damaged one leaves beside it would be taken for the new one's.
        for rest in ["-wal", "-shm"] {
            let (from, to) = (with_suffix(&self.path, rest), with_suffix(&aside, rest));
            if from.exists() {
                std::fs::rename(from, to).map_err(failed)?;
            }
        }
        if let Some(conn) = self.locked {
            conn.close().await?;
        }
        Ok(Some(aside))
    }
}

/// Opens a file as the only one who has it open, and keeps it so.
async fn locked(path: &Path) -> std::result::Result<SqliteConnection, sqlx::Error> {
    let options = SqliteConnectOptions::new().filename(path).busy_timeout(PATIENCE);
    let mut conn = SqliteConnection::connect_with(&options).await?;
    sqlx::query("pragma journal_mode = delete").execute(&mut conn).await?;
    sqlx::query("begin exclusive").execute(&mut conn).await?;
    Ok(conn)
}

fn is_busy(error: &sqlx::Error) -> bool {
    // SQLITE_BUSY is 5 in the last byte of every extended code.
    let code = error.as_database_error().and_then(|error| error.code()?.parse::<u32>().ok());
    code.is_some_and(|code| code & 0xff == 5)
}

/// Whether nothing was ever kept in it.
async fn is_empty(conn: &mut SqliteConnection) -> Result<bool> {
    for table in TABLES {
        let query = format!("select exists (select 1 from \"{table}\")");
        if sqlx::query_scalar(sqlx::AssertSqlSafe(query)).fetch_one(&mut *conn).await? {
            return Ok(false);
        }
    }
    Ok(true)
}

async fn fill(
    path: &Path,
    archive: &mut (dyn AsyncRead + Send + Unpin),
    now: Timestamp,
) -> Result<Contents> {
    remove(path);
    std::fs::create_dir_all(folder_of(path)).map_err(failed)?;
    // It holds who said what and whom deliveries are from: for its owner alone.
    let file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    drop(file.map_err(failed)?);
    let options = SqliteConnectOptions::new()
        .filename(path)
        .journal_mode(SqliteJournalMode::Delete)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true);
    let pool = open::pool(1).connect_with(options).await?;
    open::migrate(&pool).await?;
    let mut tables = Tables { tx: pool.begin().await? };
    let contents = refill(&mut tables, archive, now).await?;
    tables.raise_numbers(now).await?;
    tables.tx.commit().await?;
    pool.close().await;
    Ok(contents)
}

struct Tables {
    tx: sqlx::Transaction<'static, sqlx::Sqlite>,
}

impl Tables {
    /// New jobs and items get numbers that nobody was given before.
    async fn raise_numbers(&mut self, now: Timestamp) -> Result<()> {
        for table in ["job", "outbox"] {
            let least = now.as_millisecond();
            sqlx::query(
                "insert into sqlite_sequence (name, seq) select ?1, 0
                 where not exists (select 1 from sqlite_sequence where name = ?1)",
            )
            .bind(table)
            .execute(&mut *self.tx)
            .await?;
            sqlx::query("update sqlite_sequence set seq = max(seq, ?) where name = ?")
                .bind(least)
                .bind(table)
                .execute(&mut *self.tx)
                .await?;
        }
        Ok(())
    }
}

#[async_trait]
impl Refill for Tables {
    async fn columns(&mut self, table: &str) -> Result<Vec<Column>> {
        columns(&mut self.tx, table).await
    }

    async fn insert(&mut self, table: &Table, rows: Vec<Vec<Cell>>) -> Result<()> {
        let into = format!("insert into \"{}\" ({}) ", table.name, table.names());
        let mut query = QueryBuilder::new(into);
        query.push_values(rows, |mut values, row| {
            for cell in row {
                match cell {
                    Cell::Null => values.push_bind(None::<i64>),
                    Cell::Whole(number) => values.push_bind(number),
                    Cell::Text(text) => values.push_bind(text),
                    Cell::Bytes(bytes) => values.push_bind(bytes),
                };
            }
        });
        query.build().persistent(false).execute(&mut *self.tx).await?;
        Ok(())
    }

    async fn revise(&mut self, statement: &'static str, numbers: &[i64]) -> Result<()> {
        let query = numbers.iter().fold(sqlx::query(statement), |query, number| query.bind(number));
        query.execute(&mut *self.tx).await?;
        Ok(())
    }
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    with_suffix(path, &format!(".{suffix}"))
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// Removes a file that was begun, with what SQLite left beside it.
fn remove(path: &Path) {
    for suffix in ["", "-journal", "-wal", "-shm"] {
        // What is not there need not be removed; what cannot be is in the way of the next attempt,
        // which then says so.
        drop(std::fs::remove_file(with_suffix(path, suffix)));
    }
}

/// Renamed is what the folder on disk says.
fn sync_folder(path: &Path) -> Result<()> {
    let folder = std::fs::File::open(folder_of(path));
    folder.and_then(|folder| folder.sync_all()).map_err(failed)
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn failed(error: std::io::Error) -> StoreError {
    StoreError::Database(Box::new(error))
}

//! Opening the file: settings, the engine's version, the tables.
//!
//! Checkpoints are left to SQLite: one at the end of a commit when a thousand pages wait. On a
//! connection of its own a checkpoint keeps commits waiting all the same, for they share the disk.

use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::AtomicI64;
use std::time::Duration;

use sqlx::Connection as _;
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePool, SqlitePoolOptions,
    SqliteSynchronous,
};
use tokio::sync::watch;

use super::arrivals::Arrivals;
use super::{Sqlite, Writer};
use crate::tables::{migrations, not_migrated};
use crate::{Clock, Result, StoreError};

/// SQLite 3.7.0 to 3.51.2 can lose committed transactions of a WAL database when one connection
/// checkpoints while another commits (<https://sqlite.org/wal.html>, "the WAL-reset bug").
const OLDEST: (u32, u32, u32) = (3, 51, 3);
const OLDEST_TEXT: &str = "3.51.3";

/// Readers beside the one writer.
const READERS: u32 = 4;

/// How long another process (a backup, a second server started by mistake) is waited for.
pub(super) const BUSY: Duration = Duration::from_secs(5);

impl Sqlite {
    pub(crate) async fn open(url: &str, clock: Arc<dyn Clock>) -> Result<Self> {
        let options = SqliteConnectOptions::from_str(url).map_err(|_| StoreError::Address)?;
        let options = options
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(BUSY)
            .foreign_keys(true);
        // An in-memory store is gone with its last connection, and only one can see it.
        let one = pool(1).connect_with(options.clone()).await?;
        check_version(&one).await?;
        migrate(&one).await?;
        let readers = if url.contains(":memory:") {
            one.clone()
        } else {
            pool(READERS).connect_with(options.pragma("query_only", "on")).await?
        };
        let topic = || watch::Sender::new(0);
        let (inbox, jobs, outbox) = (topic(), topic(), topic());
        let latest = Arc::new(AtomicI64::new(i64::MIN));
        let writer = Writer { pool: one, clock, latest };
        let arrivals = Arrivals::begin(writer.clone(), inbox.clone());
        Ok(Self { writer, readers, arrivals, inbox, jobs, outbox })
    }
}

pub(super) fn pool(size: u32) -> SqlitePoolOptions {
    let forever = SqlitePoolOptions::new().max_lifetime(None).idle_timeout(None);
    let pool = forever.min_connections(1).max_connections(size).test_before_acquire(false);
    // SQLite ends a transaction by itself when it cannot write, for want of space say
    // (<https://sqlite.org/lang_transaction.html>, "Response To Errors Within A Transaction"). Sqlx
    // goes on counting it then and begins no other, so the connection is replaced.
    pool.before_acquire(|connection, _| Box::pin(async { Ok(!connection.is_in_transaction()) }))
}

async fn check_version(pool: &SqlitePool) -> Result<()> {
    let found: String = sqlx::query_scalar("select sqlite_version()").fetch_one(pool).await?;
    if is_trusted(&found) {
        return Ok(());
    }
    Err(StoreError::Engine { engine: "SQLite", found, needed: OLDEST_TEXT })
}

fn is_trusted(version: &str) -> bool {
    let mut parts = version.split('.').map(str::parse);
    match (parts.next(), parts.next(), parts.next()) {
        (Some(Ok(major)), Some(Ok(minor)), Some(Ok(patch))) => (major, minor, patch) >= OLDEST,
        _ => false,
    }
}

/// The version of the tables in the file behind `url`; none where there are no tables, or no file.
/// Nothing is made or changed.
pub(crate) async fn tables_version(url: &str) -> Result<Option<i64>> {
    let options = SqliteConnectOptions::from_str(url).map_err(|_| StoreError::Address)?;
    if !options.get_filename().exists() {
        return Ok(None);
    }
    let options = options.create_if_missing(false).busy_timeout(BUSY).pragma("query_only", "on");
    let mut conn = SqliteConnection::connect_with(&options).await?;
    let there = "select exists (select 1 from sqlite_master where name = '_sqlx_migrations')";
    if !sqlx::query_scalar(there).fetch_one(&mut conn).await? {
        return Ok(None);
    }
    let version = "select max(version) from _sqlx_migrations";
    let version = sqlx::query_scalar(version).fetch_one(&mut conn).await?;
    conn.close().await?;
    Ok(version)
}

pub(super) async fn migrate(pool: &SqlitePool) -> Result<()> {
    let first = include_str!("migrations/0001_first.sql");
    migrations(first).run(pool).await.map_err(not_migrated)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use crate::{Store as _, Tables, tables};

    use super::*;

    #[test]
    fn versions_that_can_lose_commits_are_refused() {
        for bad in ["3.46.0", "3.51.2", "2.8.17", "3.51", "", "x.y.z"] {
            assert!(!is_trusted(bad), "{bad}");
        }
        for good in ["3.51.3", "3.53.0", "4.0.0"] {
            assert!(is_trusted(good), "{good}");
        }
    }

    fn url_in(dir: &Path) -> String {
        format!("sqlite:{}", dir.join("landfall.db").display())
    }

    async fn store_in(dir: &Path) -> Sqlite {
        Sqlite::open(&url_in(dir), Arc::new(crate::SystemClock)).await.unwrap()
    }

    #[tokio::test]
    async fn a_transaction_that_sqlite_ends_by_itself_is_the_last_that_is_lost() {
        let dir = tempfile::tempdir().unwrap();
        let store = store_in(dir.path()).await;
        let mut write = store.write().await.unwrap();
        let twice = sqlx::query("insert or rollback into pulse select * from pulse");
        twice.execute(write.conn()).await.unwrap_err();
        write.commit().await.unwrap_err();
        store.ready().await.unwrap();
    }

    #[tokio::test]
    async fn the_settings_are_those_that_lose_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let store = store_in(dir.path()).await;
        let setting = async |name: &'static str| -> String {
            let sql = format!("select cast({name} as text) from pragma_{name}");
            sqlx::query_scalar(sqlx::AssertSqlSafe(sql))
                .fetch_one(&store.writer.pool)
                .await
                .unwrap()
        };
        assert_eq!(setting("journal_mode").await, "wal");
        assert_eq!(setting("synchronous").await, "2", "FULL");
        assert_eq!(setting("foreign_keys").await, "1");
        let refused = sqlx::query("update pulse set beat = 1").execute(&store.readers).await;
        assert!(refused.unwrap_err().to_string().contains("readonly"));
    }

    #[tokio::test]
    async fn whose_tables_there_are_is_seen_without_making_any() {
        let dir = tempfile::tempdir().unwrap();
        let url = url_in(dir.path());
        assert_eq!(tables(&url).await.unwrap(), Tables::None);
        assert!(!dir.path().join("landfall.db").exists());
        let store = store_in(dir.path()).await;
        for (set, expected) in [
            ("update _sqlx_migrations set version = version", Tables::Current),
            ("update _sqlx_migrations set version = version + 1", Tables::Newer),
            ("update _sqlx_migrations set version = version - 2", Tables::Older),
            ("drop table _sqlx_migrations", Tables::None),
        ] {
            sqlx::raw_sql(set).execute(&store.writer.pool).await.unwrap();
            assert_eq!(tables(&url).await.unwrap(), expected, "{set}");
            if expected == Tables::Newer {
                let refused = crate::open(&url, Arc::new(crate::SystemClock)).await.err().unwrap();
                let told = "its tables are of version 2, and this Landfall knows version 1";
                assert_eq!(refused.to_string(), told);
            }
        }
    }

    #[tokio::test]
    async fn damage_is_found() {
        let dir = tempfile::tempdir().unwrap();
        let store = store_in(dir.path()).await;
        assert_eq!(store.damage().await.unwrap(), Vec::<String>::new());
        let orphan = "pragma foreign_keys = off;
             insert into step (run, idx, repository, environment, target, effect, state, intended_at)
             values ('gone', 0, 1, 'production', 't', '{}', 'done', 0)";
        sqlx::raw_sql(orphan).execute(&store.writer.pool).await.unwrap();
        assert_eq!(store.damage().await.unwrap(), ["step 1 refers to no run"]);
    }
}

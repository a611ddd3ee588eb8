//! Opening the file: settings, the engine's version, the tables.
//!
//! Checkpoints are left to SQLite: one at the end of a commit when a thousand pages wait. On a
//! connection of its own a checkpoint keeps commits waiting all the same, for they share the disk.

use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::AtomicI64;
use std::time::Duration;

use sqlx::migrate::{MigrateError, Migration, MigrationType, Migrator};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{Connection as _, SqlStr};
use tokio::sync::watch;

use super::arrivals::Arrivals;
use super::{Sqlite, Writer};
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

pub(super) async fn migrate(pool: &SqlitePool) -> Result<()> {
    let first = SqlStr::from_static(include_str!("migrations/0001_first.sql"));
    let first = Migration::new(1, "first".into(), MigrationType::Simple, first, false);
    let failed = |error: MigrateError| StoreError::Database(Box::new(error));
    Migrator::with_migrations(vec![first]).run(pool).await.map_err(failed)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use crate::Store as _;

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

    async fn store_in(dir: &Path) -> Sqlite {
        let url = format!("sqlite:{}", dir.join("landfall.db").display());
        Sqlite::open(&url, Arc::new(crate::SystemClock)).await.unwrap()
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

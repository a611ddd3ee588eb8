//! Opening the database: settings of a connection, the engine's version, the tables.

use std::str::FromStr as _;
use std::sync::Arc;
use std::time::Duration;

use sqlx::Connection as _;
use sqlx::postgres::{PgConnectOptions, PgConnection, PgPool, PgPoolOptions};

use super::Postgres;
use super::news::News;
use crate::tables::{migrations, not_migrated};
use crate::{Clock, Result, StoreError};

/// The oldest version that the tests have run on.
const OLDEST: i32 = 15_00_00;
const OLDEST_TEXT: &str = "15";

/// Connections of one server, beside the one that listens. PostgreSQL grants a hundred to all unless
/// it is told otherwise: that is for eight servers.
const CONNECTIONS: u32 = 10;

/// How long a connection is waited for. GitHub waits ten seconds for an answer to a delivery: one
/// that cannot be kept is refused in time, so that GitHub keeps it as failed.
const PATIENCE: Duration = Duration::from_secs(5);

/// What every connection goes by, whatever the server's own settings are.
///
/// What is committed is on disk. A transaction that nobody goes on with, for its process was stopped
/// in the middle, is ended sooner than those who wait for its locks give up; so is a statement that
/// takes longer than anything here does. A connection to a machine that is gone is noticed within a
/// minute. No statement here takes as long as compiling it would.
const SETTINGS: &str = "
    set synchronous_commit = on;
    set default_transaction_isolation = 'read committed';
    set idle_in_transaction_session_timeout = '5s';
    set lock_timeout = '10s';
    set statement_timeout = '60s';
    set jit = off;
    set tcp_keepalives_idle = 20;
    set tcp_keepalives_interval = 10;
    set tcp_keepalives_count = 3;
";

/// For a connection that reads or writes everything, at the speed of whoever takes it or gives it.
pub(super) const UNHURRIED: &str = "
    set synchronous_commit = on;
    set idle_in_transaction_session_timeout = '10min';
    set lock_timeout = '10s';
    set statement_timeout = 0;
    set tcp_keepalives_idle = 20;
    set tcp_keepalives_interval = 10;
    set tcp_keepalives_count = 3;
";

/// What every connection of a server is called.
pub(super) const SERVER: &str = "landfall";

/// How the database behind `url` is reached.
pub(super) fn options(url: &str) -> Result<PgConnectOptions> {
    PgConnectOptions::from_str(url).map_err(|_| StoreError::Address)
}

impl Postgres {
    pub(crate) async fn open(url: &str, clock: Arc<dyn Clock>) -> Result<Self> {
        let options = options(url)?.application_name(SERVER);
        let pool = pool(CONNECTIONS).connect_with(options.clone()).await?;
        check_version(&pool).await?;
        migrate(&pool).await?;
        let ears = pool_of_one().connect_lazy_with(options);
        let news = News::begin(pool.clone(), ears).await?;
        Ok(Self { pool, clock, news })
    }
}

fn pool(size: u32) -> PgPoolOptions {
    let pool = PgPoolOptions::new().max_connections(size).acquire_timeout(PATIENCE);
    pool.after_connect(|connection, _| {
        Box::pin(async move { sqlx::raw_sql(SETTINGS).execute(connection).await.map(|_| ()) })
    })
}

/// For the connection that listens. It has nothing else to do for as long as the server runs.
fn pool_of_one() -> PgPoolOptions {
    pool(1).max_lifetime(None).idle_timeout(None)
}

pub(super) async fn check_version(pool: &PgPool) -> Result<()> {
    let query = "select current_setting('server_version_num')::int";
    let number: i32 = sqlx::query_scalar(query).fetch_one(pool).await?;
    if number >= OLDEST {
        return Ok(());
    }
    let found = sqlx::query_scalar("show server_version").fetch_one(pool).await?;
    Err(StoreError::Engine { engine: "PostgreSQL", found, needed: OLDEST_TEXT })
}

/// The version of the tables in the database behind `url`; none where there are no tables. Nothing is
/// made or changed.
pub(crate) async fn tables_version(url: &str) -> Result<Option<i64>> {
    let mut conn = PgConnection::connect_with(&options(url)?.application_name(SERVER)).await?;
    let there = "select to_regclass('_sqlx_migrations') is not null";
    if !sqlx::query_scalar(there).fetch_one(&mut conn).await? {
        return Ok(None);
    }
    let version = "select max(version) from _sqlx_migrations";
    let version = sqlx::query_scalar(version).fetch_one(&mut conn).await?;
    conn.close().await?;
    Ok(version)
}

/// Servers that start at once wait for each other here: the tables are locked by who brings them up
/// to date.
pub(super) async fn migrate(pool: &PgPool) -> Result<()> {
    let first = include_str!("migrations/0001_first.sql");
    migrations(first).run(pool).await.map_err(not_migrated)
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use landfall_cluster::Cluster;

    use super::*;
    use crate::{AuditEntry, Jobs as _, Store as _, Tables, Topic, tables};

    /// A machine's clock that is far off.
    struct Wrong;

    impl Clock for Wrong {
        fn now(&self) -> Timestamp {
            Timestamp::UNIX_EPOCH
        }
    }

    async fn store() -> Postgres {
        Postgres::open(&Cluster::of_process().database(), Arc::new(Wrong)).await.unwrap()
    }

    #[tokio::test]
    async fn the_time_is_the_server_s() {
        let store = store().await;
        let before = store.now().await.unwrap();
        assert!(before > "2020-01-01T00:00:00Z".parse().unwrap(), "{before}");
        assert!(store.now().await.unwrap() >= before);
    }

    #[tokio::test]
    async fn the_settings_are_those_that_lose_nothing() {
        let store = store().await;
        let setting = async |name: &'static str| -> String {
            let query = sqlx::query_scalar("select current_setting($1)").bind(name);
            query.fetch_one(&store.pool).await.unwrap()
        };
        assert_eq!(setting("synchronous_commit").await, "on");
        assert_eq!(setting("default_transaction_isolation").await, "read committed");
        assert_eq!(setting("idle_in_transaction_session_timeout").await, "5s");
    }

    #[tokio::test]
    async fn whose_tables_there_are_is_seen_without_making_any() {
        let url = Cluster::of_process().database();
        for _ in 0..2 {
            assert_eq!(tables(&url).await.unwrap(), Tables::None);
        }
        let store = Postgres::open(&url, Arc::new(Wrong)).await.unwrap();
        for (set, expected) in [
            ("update _sqlx_migrations set version = version", Tables::Current),
            ("update _sqlx_migrations set version = version + 1", Tables::Newer),
            ("update _sqlx_migrations set version = version - 2", Tables::Older),
            ("drop table _sqlx_migrations", Tables::None),
        ] {
            sqlx::raw_sql(set).execute(&store.pool).await.unwrap();
            assert_eq!(tables(&url).await.unwrap(), expected, "{set}");
            if expected == Tables::Newer {
                let refused = crate::open(&url, Arc::new(Wrong)).await.err().unwrap();
                let told = "its tables are of version 2, and this Landfall knows version 1";
                assert_eq!(refused.to_string(), told);
            }
        }
    }

    #[tokio::test]
    async fn servers_that_start_at_once_make_the_tables_once() {
        let url = Cluster::of_process().database();
        let open = || Postgres::open(&url, Arc::new(Wrong));
        let (one, other) = tokio::join!(open(), open());
        one.unwrap().ready().await.unwrap();
        other.unwrap().ready().await.unwrap();
    }

    #[tokio::test]
    async fn nobody_changes_the_audit_log() {
        use crate::Audit as _;
        let store = store().await;
        let entry = AuditEntry {
            who: "octocat".to_owned(),
            what: "apply".to_owned(),
            repository: landfall_core::name::RepositoryId(42),
            environment: None,
            digest: None,
            why: String::new(),
        };
        store.append_audit(&entry).await.unwrap();
        for change in ["update audit set why = 'no'", "delete from audit", "truncate audit"] {
            let refused = sqlx::query(change).execute(&store.pool).await.unwrap_err();
            assert!(refused.to_string().contains("only ever added to"), "{refused}");
        }
    }

    #[tokio::test]
    async fn a_server_whose_connections_are_cut_works_on_and_hears_again() {
        let url = Cluster::of_process().database();
        let store = Postgres::open(&url, Arc::new(Wrong)).await.unwrap();
        let other = Postgres::open(&url, Arc::new(Wrong)).await.unwrap();
        let mut jobs = store.watch(Topic::Jobs);
        sqlx::query(
            "select pg_terminate_backend(pid) from pg_stat_activity
             where datname = current_database() and pid <> pg_backend_pid()",
        )
        .execute(&other.pool)
        .await
        .unwrap();
        jobs.changed().await.unwrap();
        store.ready().await.unwrap();
        jobs.mark_unchanged();
        other.enqueue(&[]).await.unwrap();
        jobs.changed().await.unwrap();
    }

    #[tokio::test]
    async fn what_is_no_address_is_said_without_what_was_given() {
        let clock = || Arc::new(Wrong);
        for url in ["postgres://user:hunter2@host:port/x", "mysql://user:hunter2@host/x", "hunter2"]
        {
            let error = crate::open(url, clock()).await.err().expect("no store");
            let told = format!("{error} {error:?}");
            assert!(matches!(error, StoreError::Address) && !told.contains("hunter2"), "{told}");
        }
    }
}

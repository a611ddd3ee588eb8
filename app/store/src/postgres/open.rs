//! Opening the database: settings of a connection, the engine's version, the tables.

use std::str::FromStr as _;
use std::sync::Arc;
use std::time::Duration;

use sqlx::SqlStr;
use sqlx::migrate::{MigrateError, Migration, MigrationType, Migrator};
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};

use super::Postgres;
use super::news::News;
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
/// in the middle, is ended, as is one that waits for a lock or works for longer than anything here
/// takes; and a connection to a machine that is gone is noticed within a minute.
const SETTINGS: &str = "
    set synchronous_commit = on;
    set default_transaction_isolation = 'read committed';
    set idle_in_transaction_session_timeout = '10s';
    set lock_timeout = '10s';
    set statement_timeout = '60s';
    set tcp_keepalives_idle = 20;
    set tcp_keepalives_interval = 10;
    set tcp_keepalives_count = 3;
";

impl Postgres {
    pub(crate) async fn open(url: &str, clock: Arc<dyn Clock>) -> Result<Self> {
        let options = PgConnectOptions::from_str(url).map_err(|_| StoreError::Address)?;
        let options = options.application_name("landfall");
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

async fn check_version(pool: &PgPool) -> Result<()> {
    let query = "select current_setting('server_version_num')::int";
    let number: i32 = sqlx::query_scalar(query).fetch_one(pool).await?;
    if number >= OLDEST {
        return Ok(());
    }
    let found = sqlx::query_scalar("show server_version").fetch_one(pool).await?;
    Err(StoreError::Engine { engine: "PostgreSQL", found, needed: OLDEST_TEXT })
}

/// Servers that start at once wait for each other here: the tables are locked by who brings them up
/// to date.
async fn migrate(pool: &PgPool) -> Result<()> {
    let first = SqlStr::from_static(include_str!("migrations/0001_first.sql"));
    let first = Migration::new(1, "first".into(), MigrationType::Simple, first, false);
    let failed = |error: MigrateError| StoreError::Database(Box::new(error));
    Migrator::with_migrations(vec![first]).run(pool).await.map_err(failed)
}

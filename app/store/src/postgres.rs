//! PostgreSQL: any number of servers on one database.
//!
//! Everybody may be at work at once, so nothing that was read is believed without a lock. The rules:
//! - A write on behalf of a job begins by locking the job's row, and looks at the time after that:
//!   two writes of one job come one after the other, and none under a claim that expired meanwhile.
//! - What is read to be written again is read `for update`. Where there is no row to lock yet, a
//!   unique index decides, and who came second begins anew ([`retried`]) and finds the row.
//! - Claims skip what others have locked (`skip locked`), so no worker waits for another's claim.
//! - Statements see what was committed when they began (`read committed`), never what was committed
//!   when the transaction did: so what is read under a lock is the latest.
//! - No transaction stays open for long. The server ends one whose owner does nothing (it was
//!   stopped, or its machine is gone), so that nobody waits for its locks ([`open`]).
//!
//! The time is the database server's, so that servers agree about leases whatever their machines'
//! clocks say. Wake-up is in [`news`]; it is a hint, and nothing depends on it.

mod allowed;
mod audit;
mod backup;
mod chores;
mod columns;
mod commands;
mod inbox;
mod jobs;
mod lanes;
mod leases;
mod locks;
mod missed;
mod news;
mod open;
mod outbox;
mod ownership;
mod plans;
mod pulls;
mod repositories;
mod resources;
mod restore;
mod restores;
mod runs;
mod steps;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use sqlx::postgres::{PgConnection, PgPool, PgQueryResult};
use sqlx::{Postgres as Engine, Transaction};
use tokio::sync::watch;

use crate::columns::{Columns, timestamp};
use crate::{BACKGROUND, Backlog, Clock, Fence, Result, Store, StoreError, Topic};

use news::News;
pub(crate) use open::tables_version;

pub(crate) use backup::snapshot;
pub(crate) use restore::restore;

/// The store in a PostgreSQL database.
pub(crate) struct Postgres {
    pool: PgPool,
    clock: Arc<dyn Clock>,
    news: News,
}

/// A write transaction. Dropped without [`Write::commit`], it leaves nothing.
struct Write {
    tx: Transaction<'static, Engine>,
    /// The time of everything that is written in it, in milliseconds.
    now: i64,
}

impl Write {
    fn conn(&mut self) -> &mut PgConnection {
        &mut self.tx
    }

    async fn commit(self) -> Result<()> {
        Ok(self.tx.commit().await?)
    }
}

impl Postgres {
    async fn write(&self) -> Result<Write> {
        let mut tx = self.pool.begin().await?;
        let now = self.millis(&mut tx).await?;
        Ok(Write { tx, now })
    }

    /// Begins to write on behalf of a job, if it is that worker's still. It is to the end of the
    /// transaction.
    async fn write_as(&self, fence: &Fence) -> Result<Write> {
        let mut tx = self.pool.begin().await?;
        let until = jobs::lock(&mut tx, fence).await?;
        let now = self.millis(&mut tx).await?;
        if until > now {
            return Ok(Write { tx, now });
        }
        // Not left to the end of the connection's turn: whoever claims next skips what is locked.
        tx.rollback().await?;
        Err(StoreError::StaleEpoch)
    }

    /// The time in milliseconds.
    async fn millis(&self, conn: &mut PgConnection) -> Result<i64> {
        Ok(self.clock.beside(server_time(conn).await?).as_millisecond())
    }
}

/// What the time is at the database's server.
async fn server_time(conn: &mut PgConnection) -> Result<Timestamp> {
    let query = "select floor(extract(epoch from clock_timestamp()) * 1000)::bigint";
    timestamp("clock_timestamp", sqlx::query_scalar(query).fetch_one(conn).await?)
}

/// The end of something that begins `now` and takes `duration`, in milliseconds.
fn after(now: i64, duration: Duration) -> i64 {
    now.saturating_add(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX))
}

/// How long it is from `now` to `then`, both in milliseconds.
fn until(now: i64, then: i64) -> Duration {
    Duration::from_millis(u64::try_from(then.saturating_sub(now)).unwrap_or_default())
}

/// An error unless exactly the row that was meant has changed.
fn fenced(result: &PgQueryResult) -> Result<()> {
    if result.rows_affected() == 1 { Ok(()) } else { Err(StoreError::StaleEpoch) }
}

/// How often a transaction is begun that others keep winning against.
const TRIES: u32 = 5;

/// Does what one transaction does, anew when somebody else was first to what both wanted. Nothing
/// of an attempt that lost is kept, and the next sees what the other one did.
async fn retried<T, F>(attempt: impl Fn() -> F) -> Result<T>
where
    F: Future<Output = Result<T>>,
{
    for _ in 1..TRIES {
        match attempt().await {
            Err(error) if lost_a_race(&error) => {}
            done => return done,
        }
    }
    attempt().await
}

/// `unique_violation`, `serialization_failure`, `deadlock_detected`
/// (<https://www.postgresql.org/docs/current/errcodes-appendix.html>).
fn lost_a_race(error: &StoreError) -> bool {
    let StoreError::Database(error) = error else { return false };
    let error = error.downcast_ref::<sqlx::Error>().and_then(sqlx::Error::as_database_error);
    let code = error.and_then(|error| error.code());
    matches!(code.as_deref(), Some("23505" | "40001" | "40P01"))
}

#[async_trait]
impl Store for Postgres {
    async fn now(&self) -> Result<Timestamp> {
        let now = self.millis(&mut *self.pool.acquire().await?).await?;
        timestamp("now", now)
    }

    async fn ready(&self) -> Result<()> {
        let mut write = self.write().await?;
        let now = write.now;
        sqlx::query("update pulse set beat = $1").bind(now).execute(write.conn()).await?;
        write.commit().await
    }

    async fn damage(&self) -> Result<Vec<String>> {
        Ok(Vec::new())
    }

    async fn backlog(&self) -> Result<Backlog> {
        let row = sqlx::query(
            "select (select count(*) from delivery where state in ('missed', 'pending')) as deliveries,
                    (select count(*) from job where state in ('waiting', 'running')) as jobs,
                    (select count(*) from job where state in ('waiting', 'running') and installation = $1) as background,
                    (select count(*) from outbox where version > settled) as items",
        )
        .bind(BACKGROUND.0.cast_signed())
        .fetch_one(&self.pool)
        .await?;
        Ok(Backlog {
            deliveries: row.number("deliveries")?,
            jobs: row.number("jobs")?,
            background: row.number("background")?,
            items: row.number("items")?,
        })
    }

    fn watch(&self, topic: Topic) -> watch::Receiver<u64> {
        self.news.watch(topic)
    }

    async fn close(&self) {
        self.news.close().await;
        self.pool.close().await;
    }
}

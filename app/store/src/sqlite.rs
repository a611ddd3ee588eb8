//! SQLite: one file, one process, one writer.
//!
//! Every change goes through one connection in a `BEGIN IMMEDIATE` transaction, so writers queue
//! instead of failing, and a commit is on disk when it returns (`synchronous=FULL`). Reads have
//! connections of their own that cannot write, and see the last commit. Each group of tables has
//! a file; a file touches the tables of another only through that file's functions.

mod allowed;
mod arrivals;
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
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use sqlx::sqlite::{SqliteConnection, SqlitePool};
use sqlx::{Sqlite as Engine, Transaction};
use tokio::sync::watch;

use crate::columns::{Columns, timestamp};
use arrivals::Arrivals;
pub(crate) use open::tables_version;

pub(crate) use backup::snapshot;
pub(crate) use restore::restore;

use crate::{BACKGROUND, Backlog, Clock, Fence, Result, Store, StoreError, Topic};

/// The store in an SQLite file.
pub(crate) struct Sqlite {
    writer: Writer,
    readers: SqlitePool,
    arrivals: Arrivals,
    inbox: watch::Sender<u64>,
    jobs: watch::Sender<u64>,
    outbox: watch::Sender<u64>,
}

/// The one connection that writes, and the time of what is written. Clones share both.
#[derive(Clone)]
struct Writer {
    pool: SqlitePool,
    clock: Arc<dyn Clock>,
    latest: Arc<AtomicI64>,
}

/// A write transaction. Dropped without [`Write::commit`], it leaves nothing.
struct Write {
    tx: Transaction<'static, Engine>,
    /// The time of everything that is written in it, in milliseconds.
    now: i64,
}

impl Write {
    fn conn(&mut self) -> &mut SqliteConnection {
        &mut self.tx
    }

    async fn commit(self) -> Result<()> {
        Ok(self.tx.commit().await?)
    }
}

impl Writer {
    /// Begins to write, when it is our turn.
    async fn begin(&self) -> Result<Write> {
        let tx = self.pool.begin_with("BEGIN IMMEDIATE").await?;
        Ok(Write { tx, now: self.millis() })
    }

    /// The time in milliseconds. It never goes back, even if somebody sets the machine's clock:
    /// a lease that was seen to have run out stays so.
    fn millis(&self) -> i64 {
        let now = self.clock.now().as_millisecond();
        now.max(self.latest.fetch_max(now, Ordering::SeqCst))
    }
}

impl Sqlite {
    /// Begins to write, when it is our turn.
    async fn write(&self) -> Result<Write> {
        self.writer.begin().await
    }

    /// Begins to write on behalf of a job, if it is that worker's still.
    async fn write_as(&self, fence: &Fence) -> Result<Write> {
        let mut write = self.write().await?;
        let now = write.now;
        jobs::hold(write.conn(), fence, now).await?;
        Ok(write)
    }

    /// The time in milliseconds.
    fn millis(&self) -> i64 {
        self.writer.millis()
    }

    fn topic(&self, topic: Topic) -> &watch::Sender<u64> {
        match topic {
            Topic::Inbox => &self.inbox,
            Topic::Jobs => &self.jobs,
            Topic::Outbox => &self.outbox,
        }
    }

    /// Tells those who wait that there may be new work. After the commit.
    fn wake(&self, topic: Topic) {
        self.topic(topic).send_modify(|turn| *turn = turn.wrapping_add(1));
    }
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
fn fenced(result: &sqlx::sqlite::SqliteQueryResult) -> Result<()> {
    if result.rows_affected() == 1 { Ok(()) } else { Err(StoreError::StaleEpoch) }
}

#[async_trait]
impl Store for Sqlite {
    async fn now(&self) -> Result<Timestamp> {
        timestamp("now", self.millis())
    }

    async fn ready(&self) -> Result<()> {
        let mut write = self.write().await?;
        let now = write.now;
        sqlx::query("update pulse set beat = ?").bind(now).execute(write.conn()).await?;
        write.commit().await
    }

    async fn damage(&self) -> Result<Vec<String>> {
        let found: Vec<String> = sqlx::query_scalar(
            "select integrity_check from pragma_integrity_check where integrity_check <> 'ok'
             union all
             select \"table\" || ' ' || coalesce(rowid, '') || ' refers to no ' || parent
             from pragma_foreign_key_check",
        )
        .fetch_all(&self.readers)
        .await?;
        Ok(found)
    }

    async fn backlog(&self) -> Result<Backlog> {
        let row = sqlx::query(
            "select (select count(*) from delivery where state in ('missed', 'pending')) as deliveries,
                    (select count(*) from job where state in ('waiting', 'running')) as jobs,
                    (select count(*) from job where state in ('waiting', 'running') and installation = ?) as background,
                    (select count(*) from outbox where version > settled) as items",
        )
        .bind(BACKGROUND.0.cast_signed())
        .fetch_one(&self.readers)
        .await?;
        Ok(Backlog {
            deliveries: row.number("deliveries")?,
            jobs: row.number("jobs")?,
            background: row.number("background")?,
            items: row.number("items")?,
        })
    }

    fn watch(&self, topic: Topic) -> watch::Receiver<u64> {
        self.topic(topic).subscribe()
    }

    async fn close(&self) {
        self.readers.close().await;
        self.writer.pool.close().await;
    }
}

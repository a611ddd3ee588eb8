//! Arrivals: deliveries that came while a commit was under way are written in the next one, together.
//!
//! A commit waits for the disk, and for as long with one delivery in it as with fifty. A transaction
//! for each would let the disk decide how many can be taken in a second; so they share one.
//!
//! One task takes everything that waits, in the order in which it was handed in, and answers after
//! the commit, never before. If the transaction fails, each is written in one of its own, so that
//! nobody fails by the fault of another; a panic fails no more than a transaction. A delivery whose
//! giver has gone away is kept all the same. The task ends with the store.

use std::panic::AssertUnwindSafe;

use futures::FutureExt as _;
use tokio::sync::{mpsc, oneshot, watch};

use super::{Write, Writer, inbox};
use crate::{Inserted, NewDelivery, Result, StoreError};

/// At most this many in one transaction, so that others who write are not kept waiting for long.
const TOGETHER: usize = 64;

/// The way in.
pub(super) struct Arrivals(mpsc::UnboundedSender<Arrival>);

struct Arrival {
    delivery: NewDelivery,
    answer: oneshot::Sender<Result<Inserted>>,
}

impl Arrivals {
    /// Begins to take deliveries. `news` is told after each commit.
    pub(super) fn begin(writer: Writer, news: watch::Sender<u64>) -> Self {
        let (way_in, waiting) = mpsc::unbounded_channel();
        tokio::spawn(take(writer, news, waiting));
        Self(way_in)
    }

    /// Hands a delivery in, and waits until it is on disk.
    pub(super) async fn hand_in(&self, delivery: NewDelivery) -> Result<Inserted> {
        let gone = || StoreError::Database("the store has stopped".into());
        let (answer, answered) = oneshot::channel();
        self.0.send(Arrival { delivery, answer }).map_err(|_| gone())?;
        answered.await.map_err(|_| gone())?
    }
}

async fn take(
    writer: Writer,
    news: watch::Sender<u64>,
    mut waiting: mpsc::UnboundedReceiver<Arrival>,
) {
    let mut together = Vec::with_capacity(TOGETHER);
    while waiting.recv_many(&mut together, TOGETHER).await > 0 {
        match written(&writer, &together).await {
            Ok(outcomes) => {
                for (arrival, outcome) in together.drain(..).zip(outcomes) {
                    // Who waited may be gone: the connection broke.
                    let _ = arrival.answer.send(Ok(outcome));
                }
            }
            Err(_) => alone(&writer, &mut together).await,
        }
        news.send_modify(|turn| *turn = turn.wrapping_add(1));
    }
}

async fn alone(writer: &Writer, together: &mut Vec<Arrival>) {
    for arrival in together.drain(..) {
        let outcome = written(writer, std::slice::from_ref(&arrival)).await;
        let _ = arrival.answer.send(outcome.map(|outcomes| outcomes[0]));
    }
}

/// As [`write`]. A panic in it is an error: were it the end of the task, nothing could be handed in
/// any more.
async fn written(writer: &Writer, arrivals: &[Arrival]) -> Result<Vec<Inserted>> {
    let written = AssertUnwindSafe(write(writer, arrivals)).catch_unwind().await;
    written.unwrap_or_else(|_| Err(StoreError::Database("writing panicked".into())))
}

async fn write(writer: &Writer, arrivals: &[Arrival]) -> Result<Vec<Inserted>> {
    let mut write = writer.begin().await?;
    let mut outcomes = Vec::with_capacity(arrivals.len());
    for arrival in arrivals {
        outcomes.push(keep(&mut write, &arrival.delivery).await?);
    }
    write.commit().await?;
    Ok(outcomes)
}

async fn keep(write: &mut Write, new: &NewDelivery) -> Result<Inserted> {
    if insert(write, new).await? {
        return Ok(Inserted::New);
    }
    let state = inbox::state(write.conn(), new.id).await?;
    if let Some("failed" | "missed") = state.as_deref() {
        revive(write, new).await?;
    }
    Ok(match state.as_deref() {
        Some("missed") => Inserted::New,
        state => Inserted::Known { processed: state == Some("processed") },
    })
}

/// Whether it was not known.
async fn insert(write: &mut Write, new: &NewDelivery) -> Result<bool> {
    let now = write.now;
    let inserted = sqlx::query(
        "insert into delivery (id, event, action, installation, repository, ready_at, received_at)
         values (?, ?, ?, ?, ?, ?, ?) on conflict (id) do nothing",
    )
    .bind(new.id.to_string())
    .bind(&new.event)
    .bind(&new.action)
    .bind(new.installation.map(|id| id.0.cast_signed()))
    .bind(new.repository.map(|id| id.0.cast_signed()))
    .bind(now)
    .bind(new.received_at.as_millisecond())
    .execute(write.conn())
    .await?;
    if inserted.rows_affected() == 0 {
        return Ok(false);
    }
    keep_body(write, new).await?;
    Ok(true)
}

/// One that had failed for good, or was missed, is handled anew. Its body may have been purged.
async fn revive(write: &mut Write, new: &NewDelivery) -> Result<()> {
    let now = write.now;
    sqlx::query("update delivery set state = 'pending', attempt = 0, ready_at = ? where id = ?")
        .bind(now)
        .bind(new.id.to_string())
        .execute(write.conn())
        .await?;
    keep_body(write, new).await
}

async fn keep_body(write: &mut Write, new: &NewDelivery) -> Result<()> {
    sqlx::query(
        "insert into delivery_body (seq, body) select seq, ? from delivery where id = ?
         on conflict (seq) do update set body = excluded.body",
    )
    .bind(&new.body)
    .bind(new.id.to_string())
    .execute(write.conn())
    .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};

    use jiff::Timestamp;
    use uuid::Uuid;

    use super::super::Sqlite;
    use crate::{Clock, DeliveryId, Inbox as _, Inserted, NewDelivery};

    /// A clock that panics while it is broken.
    #[derive(Default)]
    struct Fragile(AtomicBool);

    impl Clock for Fragile {
        fn now(&self) -> Timestamp {
            assert!(!self.0.load(Ordering::SeqCst), "the clock is broken");
            Timestamp::UNIX_EPOCH
        }
    }

    #[tokio::test]
    async fn a_panic_fails_the_deliveries_that_wait_and_none_after_them() {
        let clock = Arc::new(Fragile::default());
        let around: Arc<dyn Clock> = Arc::<Fragile>::clone(&clock);
        let store = Sqlite::open("sqlite::memory:", around).await.unwrap();
        let delivery = NewDelivery {
            id: DeliveryId(Uuid::from_u128(1)),
            event: "push".to_owned(),
            action: None,
            installation: None,
            repository: None,
            body: b"{}".to_vec(),
            received_at: Timestamp::UNIX_EPOCH,
        };
        clock.0.store(true, Ordering::SeqCst);
        let failed = store.insert_delivery(&delivery).await.unwrap_err();
        assert_eq!(failed.to_string(), "the database failed: writing panicked");
        clock.0.store(false, Ordering::SeqCst);
        assert_eq!(store.insert_delivery(&delivery).await.unwrap(), Inserted::New);
    }
}

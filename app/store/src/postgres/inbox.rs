//! The inbox in PostgreSQL.
//!
//! A delivery is kept by one statement, so that what GitHub waits for is one commit.

use std::time::Duration;

use async_trait::async_trait;

use super::columns::without_nul;
use super::{Postgres, Write, after, commands, jobs, outbox, pulls, repositories, retried};
use crate::columns::Columns;
use crate::rows;
use crate::{
    Consequences, Delivery, DeliveryId, Inbox, Inserted, NewDelivery, Purge, Result, Retry,
    StoreError, Topic,
};

/// The advisory lock of whoever writes consequences. Two batches may have the same repositories and
/// pull requests in them, in different orders, and would wait for each other for ever.
const CONSEQUENCES: i64 = 0x6c61_6e64_0001;

async fn follow(write: &mut Write, consequences: &Consequences) -> Result<()> {
    let now = write.now;
    for repository in &consequences.repositories {
        repositories::upsert(write.conn(), repository).await?;
    }
    for pull in &consequences.pulls {
        pulls::upsert(write.conn(), pull).await?;
    }
    for (repository, number) in &consequences.asked {
        pulls::ask(write.conn(), *repository, *number).await?;
    }
    for pushed in &consequences.heads {
        repositories::note_head(write.conn(), pushed).await?;
    }
    for command in &consequences.commands {
        commands::insert(write, command).await?;
    }
    for item in &consequences.items {
        outbox::put(write, item).await?;
    }
    for job in &consequences.jobs {
        jobs::enqueue(write.conn(), job, now).await?;
    }
    Ok(())
}

/// The delivery's state, which stays so to the end of the transaction; none for one that is not known.
async fn lock(write: &mut Write, id: DeliveryId) -> Result<Option<String>> {
    let query = sqlx::query_scalar("select state from delivery where id = $1 for update");
    Ok(query.bind(id.to_string()).fetch_optional(write.conn()).await?)
}

async fn finish(write: &mut Write, id: DeliveryId, consequences: &Consequences) -> Result<()> {
    match lock(write, id).await?.as_deref() {
        None => return Err(StoreError::Missing(format!("delivery {id}"))),
        Some("processed") => return Ok(()),
        Some(_) => follow(write, consequences).await?,
    }
    sqlx::query("update delivery set state = 'processed', error = null where id = $1")
        .bind(id.to_string())
        .execute(write.conn())
        .await?;
    Ok(())
}

/// One that had failed for good, or was missed, is handled anew. Its body may have been purged.
async fn revive(write: &mut Write, new: &NewDelivery) -> Result<()> {
    let now = write.now;
    sqlx::query("update delivery set state = 'pending', attempt = 0, ready_at = $1 where id = $2")
        .bind(now)
        .bind(new.id.to_string())
        .execute(write.conn())
        .await?;
    sqlx::query(
        "insert into delivery_body (seq, body) select seq, $1 from delivery where id = $2
         on conflict (seq) do update set body = excluded.body",
    )
    .bind(&new.body)
    .bind(new.id.to_string())
    .execute(write.conn())
    .await?;
    Ok(())
}

impl Postgres {
    /// Whether it was not known. It may be claimed at once.
    async fn keep(&self, new: &NewDelivery) -> Result<bool> {
        let kept = sqlx::query(
            "with kept as (
                 insert into delivery (id, event, action, installation, repository, ready_at, received_at)
                 values ($1, $2, $3, $4, $5, 0, $6) on conflict (id) do nothing returning seq)
             insert into delivery_body (seq, body) select seq, $7 from kept",
        )
        .bind(new.id.to_string())
        .bind(without_nul(&new.event))
        .bind(new.action.as_deref().map(without_nul))
        .bind(new.installation.map(|id| id.0.cast_signed()))
        .bind(new.repository.map(|id| id.0.cast_signed()))
        .bind(new.received_at.as_millisecond())
        .bind(&new.body)
        .execute(&self.pool)
        .await?;
        Ok(kept.rows_affected() == 1)
    }

    async fn keep_again(&self, new: &NewDelivery) -> Result<Inserted> {
        let mut write = self.write().await?;
        let state = lock(&mut write, new.id).await?;
        // It was forgotten in between. Whoever hands it in is not told that it is kept.
        let missing = || StoreError::Missing(format!("delivery {}", new.id));
        let state = state.ok_or_else(missing)?;
        if matches!(state.as_str(), "failed" | "missed") {
            revive(&mut write, new).await?;
        }
        write.commit().await?;
        Ok(match state.as_str() {
            "missed" => Inserted::New,
            state => Inserted::Known { processed: state == "processed" },
        })
    }

    async fn finish_once(&self, handled: &[(DeliveryId, Consequences)]) -> Result<()> {
        let mut write = self.write().await?;
        let alone = sqlx::query("select pg_advisory_xact_lock($1)").bind(CONSEQUENCES);
        alone.execute(write.conn()).await?;
        for (id, consequences) in handled {
            finish(&mut write, *id, consequences).await?;
        }
        write.commit().await
    }

    async fn purge_once(&self, purge: Purge) -> Result<u64> {
        let mut write = self.write().await?;
        let now = write.now;
        let older_than = |age: Duration| now.saturating_sub(after(0, age));
        let bodies = sqlx::query(
            "delete from delivery_body
             where seq in (select seq from delivery where state <> 'pending' and received_at < $1)",
        )
        .bind(older_than(purge.bodies_after))
        .execute(write.conn())
        .await?;
        let ids = sqlx::query("delete from delivery where state <> 'pending' and received_at < $1")
            .bind(older_than(purge.forgotten_after()))
            .execute(write.conn())
            .await?;
        write.commit().await?;
        Ok(bodies.rows_affected() + ids.rows_affected())
    }
}

#[async_trait]
impl Inbox for Postgres {
    async fn insert_delivery(&self, new: &NewDelivery) -> Result<Inserted> {
        let inserted = match self.keep(new).await? {
            true => Inserted::New,
            false => self.keep_again(new).await?,
        };
        self.news.wake(Topic::Inbox);
        Ok(inserted)
    }

    async fn claim_deliveries(&self, limit: u32, lease: Duration) -> Result<Vec<Delivery>> {
        let mut write = self.write().await?;
        let now = write.now;
        let mut rows = sqlx::query(
            "with next as materialized (
                 select seq from delivery where state = 'pending' and ready_at <= $1
                 order by seq limit $2 for update skip locked)
             update delivery set attempt = attempt + 1, ready_at = $3
             from next where delivery.seq = next.seq
             returning delivery.*,
                 (select body from delivery_body where delivery_body.seq = delivery.seq) as body",
        )
        .bind(now)
        .bind(i64::from(limit))
        .bind(after(now, lease))
        .fetch_all(write.conn())
        .await?;
        write.commit().await?;
        // `returning` promises no order.
        rows.sort_by_key(|row| row.whole("seq").unwrap_or_default());
        rows.iter().map(rows::delivery).collect()
    }

    async fn finish_deliveries(&self, handled: &[(DeliveryId, Consequences)]) -> Result<()> {
        retried(|| self.finish_once(handled)).await?;
        self.news.wake(Topic::Jobs);
        self.news.wake(Topic::Outbox);
        Ok(())
    }

    async fn fail_delivery(&self, id: DeliveryId, error: &str, retry: Retry) -> Result<()> {
        let mut write = self.write().await?;
        let (failed, ready_at) = match retry {
            Retry::At(at) => (None, at.as_millisecond()),
            Retry::Never => (Some("failed"), write.now),
        };
        sqlx::query(
            "update delivery set state = coalesce($1, state), ready_at = $2, error = $3,
                 attempt = attempt + (state = 'missed')::int
             where id = $4 and state in ('missed', 'pending')",
        )
        .bind(failed)
        .bind(ready_at)
        .bind(without_nul(error))
        .bind(id.to_string())
        .execute(write.conn())
        .await?;
        write.commit().await
    }

    async fn pending_deliveries(&self) -> Result<u64> {
        let query =
            sqlx::query_scalar::<_, i64>("select count(*) from delivery where state = 'pending'");
        Ok(query.fetch_one(&self.pool).await?.cast_unsigned())
    }

    async fn purge_deliveries(&self, purge: Purge) -> Result<u64> {
        retried(|| self.purge_once(purge)).await
    }
}

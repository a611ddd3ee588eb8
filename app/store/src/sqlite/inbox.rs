//! The inbox in SQLite.

use std::time::Duration;

use async_trait::async_trait;
use sqlx::sqlite::SqliteConnection;

use super::{Sqlite, Write, after, commands, jobs, outbox, pulls, repositories};
use crate::columns::Columns;
use crate::rows;
use crate::{
    Consequences, Delivery, DeliveryId, Inbox, Inserted, NewDelivery, Purge, Result, Retry,
    StoreError, Topic,
};

/// `missed`, `pending`, `processed`, `failed`, or none for one that is not known.
pub(super) async fn state(conn: &mut SqliteConnection, id: DeliveryId) -> Result<Option<String>> {
    let query = sqlx::query_scalar("select state from delivery where id = ?").bind(id.to_string());
    Ok(query.fetch_optional(conn).await?)
}

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

async fn finish(write: &mut Write, id: DeliveryId, consequences: &Consequences) -> Result<()> {
    match state(write.conn(), id).await?.as_deref() {
        None => return Err(StoreError::Missing(format!("delivery {id}"))),
        Some("processed") => return Ok(()),
        Some(_) => follow(write, consequences).await?,
    }
    sqlx::query("update delivery set state = 'processed', error = null where id = ?")
        .bind(id.to_string())
        .execute(write.conn())
        .await?;
    Ok(())
}

#[async_trait]
impl Inbox for Sqlite {
    async fn insert_delivery(&self, new: &NewDelivery) -> Result<Inserted> {
        self.arrivals.hand_in(new.clone()).await
    }

    async fn claim_deliveries(&self, limit: u32, lease: Duration) -> Result<Vec<Delivery>> {
        let mut write = self.write().await?;
        let now = write.now;
        let mut rows = sqlx::query(
            "update delivery set attempt = attempt + 1, ready_at = ?1
             where seq in (select seq from delivery where state = 'pending' and ready_at <= ?2 order by seq limit ?3)
             returning *, (select body from delivery_body where delivery_body.seq = delivery.seq) as body",
        )
        .bind(after(now, lease))
        .bind(now)
        .bind(limit)
        .fetch_all(write.conn())
        .await?;
        write.commit().await?;
        // `returning` promises no order.
        rows.sort_by_key(|row| row.whole("seq").unwrap_or_default());
        rows.iter().map(rows::delivery).collect()
    }

    async fn finish_deliveries(&self, handled: &[(DeliveryId, Consequences)]) -> Result<()> {
        let mut write = self.write().await?;
        for (id, consequences) in handled {
            finish(&mut write, *id, consequences).await?;
        }
        write.commit().await?;
        self.wake(Topic::Jobs);
        self.wake(Topic::Outbox);
        Ok(())
    }

    async fn fail_delivery(&self, id: DeliveryId, error: &str, retry: Retry) -> Result<()> {
        let mut write = self.write().await?;
        let now = write.now;
        let (failed, ready_at) = match retry {
            Retry::At(at) => (None, at.as_millisecond()),
            Retry::Never => (Some("failed"), now),
        };
        sqlx::query(
            "update delivery set state = coalesce(?, state), ready_at = ?, error = ?,
                 attempt = attempt + (state = 'missed')
             where id = ? and state in ('missed', 'pending')",
        )
        .bind(failed)
        .bind(ready_at)
        .bind(error)
        .bind(id.to_string())
        .execute(write.conn())
        .await?;
        write.commit().await
    }

    async fn pending_deliveries(&self) -> Result<u64> {
        let query =
            sqlx::query_scalar::<_, i64>("select count(*) from delivery where state = 'pending'");
        Ok(query.fetch_one(&self.readers).await?.cast_unsigned())
    }

    async fn purge_deliveries(&self, purge: Purge) -> Result<u64> {
        let mut write = self.write().await?;
        let now = write.now;
        let older_than = |age: Duration| now.saturating_sub(after(0, age));
        let bodies = sqlx::query(
            "delete from delivery_body
             where seq in (select seq from delivery where state <> 'pending' and received_at < ?)",
        )
        .bind(older_than(purge.bodies_after))
        .execute(write.conn())
        .await?;
        let ids = sqlx::query("delete from delivery where state <> 'pending' and received_at < ?")
            .bind(older_than(purge.forgotten_after()))
            .execute(write.conn())
            .await?;
        write.commit().await?;
        Ok(bodies.rows_affected() + ids.rows_affected())
    }
}

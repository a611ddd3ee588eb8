//! The outbox in SQLite.

use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use landfall_core::name::{InstallationId, RepositoryId};

use super::jobs::take_turn;
use super::lanes;
use super::{Sqlite, Write, after, fenced};
use crate::columns::{Columns, json, timestamp};
use crate::rows;
use crate::{
    Addressee, Amend, ClaimedItem, Compose, Fence, Item, ItemClaim, ItemKey, ItemKind, Outbox,
    Pace, Result, Topic, Turn,
};

/// Frees the claims that have expired. What they published, nobody said.
async fn expire(write: &mut Write) -> Result<()> {
    let now = write.now;
    sqlx::query("update outbox set claimed_until = null, uncertain = 1 where claimed_until <= ?")
        .bind(now)
        .execute(write.conn())
        .await?;
    Ok(())
}

/// The item to publish next: of the installations with nothing in flight and an open lane, the one
/// that was not served for longest; of its items the most urgent, comments before others, the oldest
/// first.
async fn next(write: &mut Write, addressee: Addressee) -> Result<Option<i64>> {
    let query = sqlx::query_scalar(
        "with lane as (
             select distinct installation from outbox as waiting left join write_lane using (installation)
             where (kind = 'notification') = ?2 and version > settled and ready_at <= ?1
                 and (?2 or coalesce(opens_at, 0) <= ?1)
                 and not exists (
                     select 1 from outbox as flying
                     where flying.installation = waiting.installation
                         and (flying.kind = 'notification') = ?2 and flying.claimed_until is not null))
         select (
             select id from outbox
             where installation = lane.installation and (kind = 'notification') = ?2
                 and version > settled and ready_at <= ?1
             order by priority, kind <> 'comment', id limit 1)
         from lane left join turn on turn.queue = ?3 and turn.installation = lane.installation
         order by coalesce(turn.last, 0), lane.installation limit 1",
    );
    let query = query.bind(write.now).bind(addressee.is_notified()).bind(addressee.queue());
    Ok(query.fetch_optional(write.conn()).await?)
}

/// Puts an item. One that is being published stays in the lane where it is.
pub(super) async fn put(write: &mut Write, item: &Item) -> Result<()> {
    let now = write.now;
    sqlx::query(
        "insert into outbox (installation, repository, kind, subject, body, priority, ready_at, uncertain)
         values (?, ?, ?, ?, ?, ?, ?, exists (select 1 from restore))
         on conflict (repository, kind, subject) do update set
             installation = iif(claimed_until is null, excluded.installation, installation),
             body = excluded.body, priority = excluded.priority, version = version + 1, attempt = 0,
             parked = 0
         where body <> excluded.body or uncertain or (version = settled and error is not null)",
    )
    .bind(item.key.installation.0.cast_signed())
    .bind(item.key.repository.0.cast_signed())
    .bind(item.key.kind.as_str())
    .bind(&item.key.subject)
    .bind(json(&item.body))
    .bind(item.priority)
    .bind(now)
    .execute(write.conn())
    .await?;
    Ok(())
}

impl Sqlite {
    async fn retry(
        &self,
        claim: &ItemClaim,
        at: Timestamp,
        error: &str,
        uncertain: bool,
    ) -> Result<()> {
        let mut write = self.write().await?;
        let result = sqlx::query(
            "update outbox set claimed_until = null, ready_at = ?, error = ?, uncertain = max(uncertain, ?)
             where id = ? and epoch = ?",
        )
        .bind(at.as_millisecond())
        .bind(error)
        .bind(uncertain)
        .bind(claim.id)
        .bind(claim.epoch)
        .execute(write.conn())
        .await?;
        fenced(&result)?;
        write.commit().await?;
        self.wake(Topic::Outbox);
        Ok(())
    }
}

impl Sqlite {
    /// This version is done with. A newer one that was put meanwhile is not parked with it.
    async fn settle_unpublished(&self, claim: &ItemClaim, error: &str, park: bool) -> Result<()> {
        let mut write = self.write().await?;
        let query = sqlx::query(
            "update outbox set settled = ?1, attempt = 0, claimed_until = null, error = ?2, parked = ?3 and version = ?1
             where id = ?4 and epoch = ?5",
        );
        let query = query.bind(claim.version).bind(error).bind(park);
        fenced(&query.bind(claim.id).bind(claim.epoch).execute(write.conn()).await?)?;
        write.commit().await?;
        self.wake(Topic::Outbox);
        Ok(())
    }
}

#[async_trait]
impl Outbox for Sqlite {
    async fn put(&self, fence: &Fence, item: &Item) -> Result<()> {
        let mut write = self.write_as(fence).await?;
        put(&mut write, item).await?;
        write.commit().await?;
        self.wake(Topic::Outbox);
        Ok(())
    }

    async fn amend(&self, fence: &Fence, key: &ItemKey, amend: Amend<'_>) -> Result<()> {
        let mut write = self.write_as(fence).await?;
        let query = sqlx::query(
            "select body, priority from outbox where repository = ? and kind = ? and subject = ?",
        );
        let query = query.bind(key.repository.0.cast_signed()).bind(key.kind.as_str());
        let row = query.bind(&key.subject).fetch_optional(write.conn()).await?;
        let Some(row) = row else { return Ok(()) };
        let mut body = row.json("body")?;
        amend(&mut body);
        put(&mut write, &Item { key: key.clone(), body, priority: row.small("priority")? }).await?;
        write.commit().await?;
        self.wake(Topic::Outbox);
        Ok(())
    }

    async fn put_with(
        &self,
        fence: &Fence,
        key: &ItemKey,
        priority: u8,
        compose: Compose<'_>,
    ) -> Result<()> {
        let mut write = self.write_as(fence).await?;
        let query = sqlx::query(
            "select body from outbox where repository = ? and kind = ? and subject = ?",
        );
        let query = query.bind(key.repository.0.cast_signed()).bind(key.kind.as_str());
        let row = query.bind(&key.subject).fetch_optional(write.conn()).await?;
        let newest = row.map(|row| row.json("body")).transpose()?;
        let Some(body) = compose(newest) else { return Ok(()) };
        put(&mut write, &Item { key: key.clone(), body, priority }).await?;
        write.commit().await?;
        self.wake(Topic::Outbox);
        Ok(())
    }

    async fn claim_item(
        &self,
        addressee: Addressee,
        lease: Duration,
    ) -> Result<Option<ClaimedItem>> {
        let mut write = self.write().await?;
        expire(&mut write).await?;
        let Some(id) = next(&mut write, addressee).await? else {
            write.commit().await?;
            return Ok(None);
        };
        let until = after(write.now, lease);
        let row = sqlx::query(
            "update outbox set epoch = epoch + 1, attempt = attempt + 1, claimed_until = ? where id = ? returning *",
        )
        .bind(until)
        .bind(id)
        .fetch_one(write.conn())
        .await?;
        take_turn(write.conn(), addressee.queue(), row.whole("installation")?).await?;
        write.commit().await?;
        rows::claimed_item(&row).map(Some)
    }

    async fn next_item_at(&self, addressee: Addressee) -> Result<Option<Timestamp>> {
        let row = sqlx::query(
            "select min(at) as at from (
                 select claimed_until as at from outbox
                 where (kind = 'notification') = ?1 and claimed_until is not null
                 union all
                 select max(ready_at, case when ?1 then 0 else coalesce(opens_at, 0) end)
                 from outbox as waiting left join write_lane using (installation)
                 where (kind = 'notification') = ?1 and version > settled
                     and not exists (
                         select 1 from outbox as flying
                         where flying.installation = waiting.installation
                             and (flying.kind = 'notification') = ?1 and flying.claimed_until is not null)) as waits",
        );
        let row = row.bind(addressee.is_notified()).fetch_one(&self.readers).await?;
        row.maybe_at("at")
    }

    async fn spend(&self, claim: &ItemClaim, requests: u32, paces: &[Pace]) -> Result<Turn> {
        let mut write = self.write().await?;
        let (installation, mut lane) = lanes::of(&mut write, claim).await?;
        let turn = match lane.spend(write.now, requests, paces) {
            Ok(()) => Turn::Now,
            Err(due) => {
                lanes::put_back(&mut write, claim).await?;
                Turn::Later(timestamp("opens_at", due)?)
            }
        };
        lanes::keep(&mut write, installation, &lane).await?;
        write.commit().await?;
        if turn != Turn::Now {
            self.wake(Topic::Outbox);
        }
        Ok(turn)
    }

    async fn close_lane(&self, claim: &ItemClaim, until: Timestamp, error: &str) -> Result<()> {
        let mut write = self.write().await?;
        let (installation, mut lane) = lanes::of(&mut write, claim).await?;
        lane.close(until.as_millisecond());
        lanes::keep(&mut write, installation, &lane).await?;
        lanes::put_back(&mut write, claim).await?;
        let query = sqlx::query("update outbox set error = ? where id = ?");
        query.bind(error).bind(claim.id).execute(write.conn()).await?;
        write.commit().await?;
        self.wake(Topic::Outbox);
        Ok(())
    }

    async fn note_external(&self, claim: &ItemClaim, external: &[u64]) -> Result<()> {
        let mut write = self.write().await?;
        let query = sqlx::query("update outbox set external = ? where id = ? and epoch = ?");
        let query = query.bind(json(external)).bind(claim.id).bind(claim.epoch);
        fenced(&query.execute(write.conn()).await?)?;
        write.commit().await
    }

    async fn item_done(&self, claim: &ItemClaim, external: &[u64]) -> Result<()> {
        let mut write = self.write().await?;
        let result = sqlx::query(
            "update outbox set settled = ?, external = ?, attempt = 0, uncertain = 0, claimed_until = null, error = null
             where id = ? and epoch = ?",
        )
        .bind(claim.version)
        .bind(json(external))
        .bind(claim.id)
        .bind(claim.epoch)
        .execute(write.conn())
        .await?;
        fenced(&result)?;
        write.commit().await?;
        self.wake(Topic::Outbox);
        Ok(())
    }

    async fn retry_item(&self, claim: &ItemClaim, at: Timestamp, error: &str) -> Result<()> {
        self.retry(claim, at, error, false).await
    }

    async fn retry_uncertain_item(
        &self,
        claim: &ItemClaim,
        at: Timestamp,
        error: &str,
    ) -> Result<()> {
        self.retry(claim, at, error, true).await
    }

    async fn drop_item(&self, claim: &ItemClaim, error: &str) -> Result<()> {
        self.settle_unpublished(claim, error, false).await
    }

    async fn park_item(&self, claim: &ItemClaim, error: &str) -> Result<()> {
        self.settle_unpublished(claim, error, true).await
    }

    async fn unpark_items(
        &self,
        installation: InstallationId,
        repository: RepositoryId,
    ) -> Result<()> {
        let mut write = self.write().await?;
        let now = write.now;
        sqlx::query(
            "update outbox set version = version + 1, parked = 0, installation = ?, ready_at = ?
             where repository = ? and parked",
        )
        .bind(installation.0.cast_signed())
        .bind(now)
        .bind(repository.0.cast_signed())
        .execute(write.conn())
        .await?;
        write.commit().await?;
        self.wake(Topic::Outbox);
        Ok(())
    }

    async fn external_ids(&self, key: &ItemKey) -> Result<Vec<u64>> {
        let row = sqlx::query(
            "select external from outbox where repository = ? and kind = ? and subject = ?",
        )
        .bind(key.repository.0.cast_signed())
        .bind(key.kind.as_str())
        .bind(&key.subject)
        .fetch_optional(&self.readers)
        .await?;
        row.map_or(Ok(Vec::new()), |row| row.json("external"))
    }

    async fn item_body(&self, key: &ItemKey) -> Result<Option<serde_json::Value>> {
        let row = sqlx::query(
            "select body from outbox where repository = ? and kind = ? and subject = ?",
        )
        .bind(key.repository.0.cast_signed())
        .bind(key.kind.as_str())
        .bind(&key.subject)
        .fetch_optional(&self.readers)
        .await?;
        row.map(|row| row.json("body")).transpose()
    }

    async fn items_under(
        &self,
        repository: RepositoryId,
        kind: ItemKind,
        prefix: &str,
    ) -> Result<Vec<serde_json::Value>> {
        // No text sorts behind the greatest character, so this is a range of the index.
        let rows = sqlx::query(
            "select body from outbox where repository = ?1 and kind = ?2
                 and subject >= ?3 and subject < ?3 || char(0x10ffff) order by subject",
        )
        .bind(repository.0.cast_signed())
        .bind(kind.as_str())
        .bind(prefix)
        .fetch_all(&self.readers)
        .await?;
        rows.iter().map(|row| row.json("body")).collect()
    }

    async fn distrust_items(&self) -> Result<()> {
        let mut write = self.write().await?;
        sqlx::query("update outbox set uncertain = 1").execute(write.conn()).await?;
        write.commit().await
    }
}

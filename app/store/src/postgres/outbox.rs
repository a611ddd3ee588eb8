//! The outbox in PostgreSQL.
//!
//! Claims skip what others have locked. That one item of an installation is in flight is a unique
//! index: two who choose different items of one installation at once find out there.

use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use landfall_core::name::{InstallationId, RepositoryId};

use super::columns::without_nul;
use super::jobs::take_turn;
use super::lanes;
use super::{Postgres, Write, after, fenced, retried};
use crate::columns::{Columns, json, timestamp};
use crate::rows;
use crate::{
    Addressee, Amend, ClaimedItem, Compose, Fence, Item, ItemClaim, ItemKey, ItemKind, Outbox,
    Pace, Result, Topic, Turn,
};

/// Frees the claims that have expired. What they published, nobody said.
async fn expire(write: &mut Write) -> Result<()> {
    let now = write.now;
    sqlx::query(
        "update outbox set claimed_until = null, uncertain = true
         where id in (select id from outbox where claimed_until <= $1 for update skip locked)",
    )
    .bind(now)
    .execute(write.conn())
    .await?;
    Ok(())
}

/// The item to publish next, locked: of the installations with nothing in flight and an open lane,
/// the one that was not served for longest; of its items the most urgent, comments before others,
/// the oldest first.
async fn next(write: &mut Write, addressee: Addressee) -> Result<Option<i64>> {
    let query = sqlx::query_scalar(
        "with lane as (
             select distinct installation from outbox as waiting left join write_lane using (installation)
             where (kind = 'notification') = $2 and version > settled and ready_at <= $1
                 and ($2 or coalesce(opens_at, 0) <= $1)
                 and not exists (
                     select 1 from outbox as flying
                     where flying.installation = waiting.installation
                         and (flying.kind = 'notification') = $2 and flying.claimed_until is not null)),
         offer as (
             select first.id, lane.installation, coalesce(turn.last, 0) as served
             from lane
             cross join lateral (
                 select outbox.id from outbox
                 where outbox.installation = lane.installation and (kind = 'notification') = $2
                     and version > settled and ready_at <= $1
                 order by priority, kind <> 'comment', outbox.id limit 1) as first
             left join turn on turn.queue = $3 and turn.installation = lane.installation)
         select outbox.id from offer join outbox on outbox.id = offer.id
         where outbox.claimed_until is null and outbox.version > outbox.settled and outbox.ready_at <= $1
         order by offer.served, offer.installation
         limit 1 for update of outbox skip locked",
    );
    let query = query.bind(write.now).bind(addressee.is_notified()).bind(addressee.queue());
    Ok(query.fetch_optional(write.conn()).await?)
}

/// Puts an item. One that is being published stays in the lane where it is.
pub(super) async fn put(write: &mut Write, item: &Item) -> Result<()> {
    let now = write.now;
    sqlx::query(
        "insert into outbox (installation, repository, kind, subject, body, priority, ready_at, uncertain)
         values ($1, $2, $3, $4, $5, $6, $7, exists (select 1 from restore))
         on conflict (repository, kind, subject) do update set
             installation = case when outbox.claimed_until is null
                 then excluded.installation else outbox.installation end,
             body = excluded.body, priority = excluded.priority, version = outbox.version + 1, attempt = 0,
             parked = false
         where outbox.body <> excluded.body or outbox.uncertain
             or (outbox.version = outbox.settled and outbox.error is not null)",
    )
    .bind(item.key.installation.0.cast_signed())
    .bind(item.key.repository.0.cast_signed())
    .bind(item.key.kind.as_str())
    .bind(&item.key.subject)
    .bind(json(&item.body))
    .bind(i64::from(item.priority))
    .bind(now)
    .execute(write.conn())
    .await?;
    Ok(())
}

impl Postgres {
    async fn claim_item_once(
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
            "update outbox set epoch = epoch + 1, attempt = attempt + 1, claimed_until = $1 where id = $2 returning *",
        )
        .bind(until)
        .bind(id)
        .fetch_one(write.conn())
        .await?;
        take_turn(write.conn(), addressee.queue(), row.whole("installation")?).await?;
        write.commit().await?;
        rows::claimed_item(&row).map(Some)
    }

    async fn try_again(
        &self,
        claim: &ItemClaim,
        at: Timestamp,
        error: &str,
        uncertain: bool,
    ) -> Result<()> {
        let result = sqlx::query(
            "update outbox set claimed_until = null, ready_at = $1, error = $2, uncertain = uncertain or $3
             where id = $4 and epoch = $5",
        )
        .bind(at.as_millisecond())
        .bind(without_nul(error))
        .bind(uncertain)
        .bind(claim.id)
        .bind(claim.epoch)
        .execute(&self.pool)
        .await?;
        fenced(&result)?;
        self.news.wake(Topic::Outbox);
        Ok(())
    }
}

impl Postgres {
    /// This version is done with. A newer one that was put meanwhile is not parked with it.
    async fn settle_unpublished(&self, claim: &ItemClaim, error: &str, park: bool) -> Result<()> {
        let query = sqlx::query(
            "update outbox set settled = $1, attempt = 0, claimed_until = null, error = $2,
                 parked = $3 and version = $1
             where id = $4 and epoch = $5",
        );
        let query = query.bind(claim.version).bind(without_nul(error)).bind(park);
        fenced(&query.bind(claim.id).bind(claim.epoch).execute(&self.pool).await?)?;
        self.news.wake(Topic::Outbox);
        Ok(())
    }
}

#[async_trait]
impl Outbox for Postgres {
    async fn put(&self, fence: &Fence, item: &Item) -> Result<()> {
        let mut write = self.write_as(fence).await?;
        put(&mut write, item).await?;
        write.commit().await?;
        self.news.wake(Topic::Outbox);
        Ok(())
    }

    async fn amend(&self, fence: &Fence, key: &ItemKey, amend: Amend<'_>) -> Result<()> {
        let mut write = self.write_as(fence).await?;
        let query = sqlx::query(
            "select body, priority from outbox where repository = $1 and kind = $2 and subject = $3 for update",
        );
        let query = query.bind(key.repository.0.cast_signed()).bind(key.kind.as_str());
        let row = query.bind(&key.subject).fetch_optional(write.conn()).await?;
        let Some(row) = row else { return Ok(()) };
        let mut body = row.json("body")?;
        amend(&mut body);
        put(&mut write, &Item { key: key.clone(), body, priority: row.small("priority")? }).await?;
        write.commit().await?;
        self.news.wake(Topic::Outbox);
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
        // What is not there yet cannot be locked, so its name is.
        let alone = sqlx::query("select pg_advisory_xact_lock(hashtextextended($1, 0))");
        alone.bind(key.to_string()).execute(write.conn()).await?;
        let query = sqlx::query(
            "select body from outbox where repository = $1 and kind = $2 and subject = $3 for update",
        );
        let query = query.bind(key.repository.0.cast_signed()).bind(key.kind.as_str());
        let row = query.bind(&key.subject).fetch_optional(write.conn()).await?;
        let newest = row.map(|row| row.json("body")).transpose()?;
        let Some(body) = compose(newest) else { return Ok(()) };
        put(&mut write, &Item { key: key.clone(), body, priority }).await?;
        write.commit().await?;
        self.news.wake(Topic::Outbox);
        Ok(())
    }

    async fn claim_item(
        &self,
        addressee: Addressee,
        lease: Duration,
    ) -> Result<Option<ClaimedItem>> {
        retried(|| self.claim_item_once(addressee, lease)).await
    }

    async fn next_item_at(&self, addressee: Addressee) -> Result<Option<Timestamp>> {
        let row = sqlx::query(
            "select min(at) as at from (
                 select claimed_until as at from outbox
                 where (kind = 'notification') = $1 and claimed_until is not null
                 union all
                 select greatest(ready_at, case when $1 then 0 else coalesce(opens_at, 0) end)
                 from outbox as waiting left join write_lane using (installation)
                 where (kind = 'notification') = $1 and version > settled
                     and not exists (
                         select 1 from outbox as flying
                         where flying.installation = waiting.installation
                             and (flying.kind = 'notification') = $1 and flying.claimed_until is not null)) as waits",
        );
        let row = row.bind(addressee.is_notified()).fetch_one(&self.pool).await?;
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
            self.news.wake(Topic::Outbox);
        }
        Ok(turn)
    }

    async fn close_lane(&self, claim: &ItemClaim, until: Timestamp, error: &str) -> Result<()> {
        let mut write = self.write().await?;
        let (installation, mut lane) = lanes::of(&mut write, claim).await?;
        lane.close(until.as_millisecond());
        lanes::keep(&mut write, installation, &lane).await?;
        lanes::put_back(&mut write, claim).await?;
        let query = sqlx::query("update outbox set error = $1 where id = $2");
        query.bind(without_nul(error)).bind(claim.id).execute(write.conn()).await?;
        write.commit().await?;
        self.news.wake(Topic::Outbox);
        Ok(())
    }

    async fn note_external(&self, claim: &ItemClaim, external: &[u64]) -> Result<()> {
        let query = sqlx::query("update outbox set external = $1 where id = $2 and epoch = $3");
        let query = query.bind(json(external)).bind(claim.id).bind(claim.epoch);
        fenced(&query.execute(&self.pool).await?)
    }

    async fn item_done(&self, claim: &ItemClaim, external: &[u64]) -> Result<()> {
        let result = sqlx::query(
            "update outbox set settled = $1, external = $2, attempt = 0, uncertain = false, claimed_until = null, error = null
             where id = $3 and epoch = $4",
        )
        .bind(claim.version)
        .bind(json(external))
        .bind(claim.id)
        .bind(claim.epoch)
        .execute(&self.pool)
        .await?;
        fenced(&result)?;
        self.news.wake(Topic::Outbox);
        Ok(())
    }

    async fn retry_item(&self, claim: &ItemClaim, at: Timestamp, error: &str) -> Result<()> {
        self.try_again(claim, at, error, false).await
    }

    async fn retry_uncertain_item(
        &self,
        claim: &ItemClaim,
        at: Timestamp,
        error: &str,
    ) -> Result<()> {
        self.try_again(claim, at, error, true).await
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
            "update outbox set version = version + 1, parked = false, installation = $1, ready_at = $2
             where repository = $3 and parked",
        )
        .bind(installation.0.cast_signed())
        .bind(now)
        .bind(repository.0.cast_signed())
        .execute(write.conn())
        .await?;
        write.commit().await?;
        self.news.wake(Topic::Outbox);
        Ok(())
    }

    async fn external_ids(&self, key: &ItemKey) -> Result<Vec<u64>> {
        let row = sqlx::query(
            "select external from outbox where repository = $1 and kind = $2 and subject = $3",
        )
        .bind(key.repository.0.cast_signed())
        .bind(key.kind.as_str())
        .bind(&key.subject)
        .fetch_optional(&self.pool)
        .await?;
        row.map_or(Ok(Vec::new()), |row| row.json("external"))
    }

    async fn item_body(&self, key: &ItemKey) -> Result<Option<serde_json::Value>> {
        let row = sqlx::query(
            "select body from outbox where repository = $1 and kind = $2 and subject = $3",
        )
        .bind(key.repository.0.cast_signed())
        .bind(key.kind.as_str())
        .bind(&key.subject)
        .fetch_optional(&self.pool)
        .await?;
        row.map(|row| row.json("body")).transpose()
    }

    async fn items_under(
        &self,
        repository: RepositoryId,
        kind: ItemKind,
        prefix: &str,
    ) -> Result<Vec<serde_json::Value>> {
        let rows = sqlx::query(
            "select body from outbox where repository = $1 and kind = $2 and starts_with(subject, $3)
             order by subject",
        )
        .bind(repository.0.cast_signed())
        .bind(kind.as_str())
        .bind(prefix)
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(|row| row.json("body")).collect()
    }

    async fn distrust_items(&self) -> Result<()> {
        sqlx::query("update outbox set uncertain = true").execute(&self.pool).await?;
        Ok(())
    }
}

//! Jobs in SQLite.

use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use sqlx::sqlite::SqliteConnection;

use super::{Sqlite, Write, after, fenced, until};
use crate::columns::Columns;
use crate::jobs::NEVER_REPORTED;
use crate::rows;
use crate::{
    ClaimJob, ClaimedJob, Fence, GivenUp, JobId, Jobs, NewJob, Result, Retry, StoreError, Topic,
};

/// An error unless the job is this worker's still. Holds to the end of the transaction.
pub(super) async fn hold(conn: &mut SqliteConnection, fence: &Fence, now: i64) -> Result<()> {
    let held: Option<i64> = sqlx::query_scalar(
        "select id from job where id = ? and epoch = ? and state = 'running' and lease_until > ?",
    )
    .bind(fence.job.0)
    .bind(fence.epoch)
    .bind(now)
    .fetch_optional(conn)
    .await?;
    held.map(|_| ()).ok_or(StoreError::StaleEpoch)
}

pub(super) async fn enqueue(conn: &mut SqliteConnection, job: &NewJob, now: i64) -> Result<()> {
    sqlx::query(
        "insert into job (kind, key, installation, run_at, changed_at) values (?, ?, ?, ?, ?)
         on conflict (kind, key) where state = 'waiting' do update set
             run_at = min(run_at, excluded.run_at), attempt = 0,
             installation = excluded.installation, changed_at = excluded.changed_at",
    )
    .bind(job.key.kind().as_str())
    .bind(job.key.to_string())
    .bind(job.installation.0.cast_signed())
    .bind(job.run_at.map_or(now, |at| at.as_millisecond()))
    .bind(now)
    .execute(conn)
    .await?;
    Ok(())
}

async fn ensure(write: &mut Write, job: &NewJob) -> Result<()> {
    let now = write.now;
    sqlx::query(
        "insert into job (kind, key, installation, run_at, changed_at) values (?, ?, ?, ?, ?)
         on conflict (kind, key) where state = 'waiting' do nothing",
    )
    .bind(job.key.kind().as_str())
    .bind(job.key.to_string())
    .bind(job.installation.0.cast_signed())
    .bind(job.run_at.map_or(now, |at| at.as_millisecond()))
    .bind(now)
    .execute(write.conn())
    .await?;
    Ok(())
}

/// Notes that the job was asked for now, or says when it was if that is less than `every` ago.
async fn asked(write: &mut Write, job: &NewJob, every: Duration) -> Result<Option<i64>> {
    let now = write.now;
    let (kind, key) = (job.key.kind().as_str(), job.key.to_string());
    let query = sqlx::query_scalar("select asked_at from recurring where kind = ? and key = ?");
    let last: Option<i64> = query.bind(kind).bind(&key).fetch_optional(write.conn()).await?;
    if let Some(last) = last.filter(|last| *last <= now && after(*last, every) > now) {
        return Ok(Some(last));
    }
    sqlx::query(
        "insert into recurring (kind, key, asked_at) values (?, ?, ?)
         on conflict (kind, key) do update set asked_at = excluded.asked_at",
    )
    .bind(kind)
    .bind(&key)
    .bind(now)
    .execute(write.conn())
    .await?;
    sqlx::query("delete from job where kind = ? and key = ? and state = 'given_up'")
        .bind(kind)
        .bind(&key)
        .execute(write.conn())
        .await?;
    Ok(None)
}

/// Free the claims that have expired. Where a later job for the same waits, that one takes over.
async fn expire(write: &mut Write) -> Result<()> {
    let now = write.now;
    sqlx::query(
        "delete from job where state = 'running' and lease_until <= ? and exists (
             select 1 from job as later where later.state = 'waiting' and later.kind = job.kind and later.key = job.key)",
    )
    .bind(now)
    .execute(write.conn())
    .await?;
    sqlx::query(
        "update job set state = 'waiting', run_at = ?1, lease_until = null, changed_at = ?1,
             error = 'worker ' || worker || ' ' || ?2
         where state = 'running' and lease_until <= ?1",
    )
    .bind(now)
    .bind(NEVER_REPORTED)
    .execute(write.conn())
    .await?;
    Ok(())
}

/// Gives up the jobs that had their attempts, whether they said why they failed or not.
async fn give_up(write: &mut Write, max_attempts: u32) -> Result<()> {
    let now = write.now;
    sqlx::query("update job set state = 'given_up', changed_at = ?1 where state = 'waiting' and attempt >= ?2")
        .bind(now)
        .bind(max_attempts)
        .execute(write.conn())
        .await?;
    Ok(())
}

/// The job to claim next. Each installation offers its oldest job that may run; the one with the
/// fewest running jobs goes first, and of these the one that was not served for longest. The recursion
/// goes from one installation to the next in the index, however much waits.
async fn next(write: &mut Write) -> Result<Option<i64>> {
    let query = sqlx::query_scalar(
        "with recursive lane (installation) as (
             select min(installation) from job where state = 'waiting'
             union all
             select (
                 select min(job.installation) from job
                 where state = 'waiting' and job.installation > lane.installation)
             from lane where lane.installation is not null),
         offer as (
             select lane.installation, (
                 select id from job
                 where state = 'waiting' and installation = lane.installation and run_at <= ?1
                     and not exists (
                         select 1 from job as other where other.key = job.key
                             and (other.state = 'running' or (other.state = 'waiting' and other.id < job.id)))
                 order by id limit 1
             ) as id
             from lane)
         select offer.id from offer
         left join turn on turn.queue = 'job' and turn.installation = offer.installation
         where offer.id is not null
         order by
             (select count(*) from job where state = 'running' and installation = offer.installation),
             coalesce(turn.last, 0), offer.id
         limit 1",
    );
    Ok(query.bind(write.now).fetch_optional(write.conn()).await?)
}

/// Notes that an installation was served.
pub(super) async fn take_turn(
    conn: &mut SqliteConnection,
    queue: &str,
    installation: i64,
) -> Result<()> {
    sqlx::query(
        "insert into turn (queue, installation, last)
         values (?1, ?2, 1 + coalesce((select max(last) from turn where queue = ?1), 0))
         on conflict (queue, installation) do update set last = excluded.last",
    )
    .bind(queue)
    .bind(installation)
    .execute(conn)
    .await?;
    Ok(())
}

/// Whether the same work waits again.
async fn has_twin(conn: &mut SqliteConnection, job: JobId) -> Result<bool> {
    let query = sqlx::query_scalar(
        "select exists (select 1 from job join job as later using (kind, key)
             where job.id = ? and later.state = 'waiting' and later.id <> job.id)",
    );
    Ok(query.bind(job.0).fetch_one(conn).await?)
}

async fn remove(conn: &mut SqliteConnection, job: JobId) -> Result<()> {
    sqlx::query("delete from job where id = ?").bind(job.0).execute(conn).await?;
    Ok(())
}

#[async_trait]
impl Jobs for Sqlite {
    async fn enqueue(&self, jobs: &[NewJob]) -> Result<()> {
        let mut write = self.write().await?;
        let now = write.now;
        for job in jobs {
            enqueue(write.conn(), job, now).await?;
        }
        write.commit().await?;
        self.wake(Topic::Jobs);
        Ok(())
    }

    async fn ensure(&self, jobs: &[NewJob]) -> Result<()> {
        let mut write = self.write().await?;
        for job in jobs {
            ensure(&mut write, job).await?;
        }
        write.commit().await?;
        self.wake(Topic::Jobs);
        Ok(())
    }

    async fn recur(&self, job: &NewJob, every: Duration) -> Result<Duration> {
        let mut write = self.write().await?;
        if let Some(last) = asked(&mut write, job, every).await? {
            return Ok(until(write.now, after(last, every)));
        }
        ensure(&mut write, job).await?;
        write.commit().await?;
        self.wake(Topic::Jobs);
        Ok(every)
    }

    async fn claim_job(&self, claim: &ClaimJob) -> Result<Option<ClaimedJob>> {
        let mut write = self.write().await?;
        expire(&mut write).await?;
        give_up(&mut write, claim.max_attempts).await?;
        let Some(id) = next(&mut write).await? else {
            write.commit().await?;
            return Ok(None);
        };
        let now = write.now;
        let row = sqlx::query(
            "update job set state = 'running', epoch = epoch + 1, attempt = attempt + 1,
                 worker = ?1, lease_until = ?2, changed_at = ?3
             where id = ?4 returning *",
        )
        .bind(&claim.worker)
        .bind(after(now, claim.lease))
        .bind(now)
        .bind(id)
        .fetch_one(write.conn())
        .await?;
        take_turn(write.conn(), "job", row.whole("installation")?).await?;
        write.commit().await?;
        rows::claimed_job(&row).map(Some)
    }

    async fn heartbeat(&self, fence: &Fence, lease: Duration) -> Result<()> {
        let mut write = self.write_as(fence).await?;
        let until = after(write.now, lease);
        let query = sqlx::query("update job set lease_until = ? where id = ?")
            .bind(until)
            .bind(fence.job.0);
        fenced(&query.execute(write.conn()).await?)?;
        write.commit().await
    }

    async fn complete_job(&self, fence: &Fence) -> Result<()> {
        let mut write = self.write_as(fence).await?;
        remove(write.conn(), fence.job).await?;
        write.commit().await?;
        self.wake(Topic::Jobs);
        Ok(())
    }

    async fn fail_job(&self, fence: &Fence, error: &str, retry: Retry) -> Result<()> {
        let mut write = self.write_as(fence).await?;
        let now = write.now;
        if has_twin(write.conn(), fence.job).await? {
            remove(write.conn(), fence.job).await?;
        } else {
            let (state, run_at) = match retry {
                Retry::At(at) => ("waiting", at.as_millisecond()),
                Retry::Never => ("given_up", now),
            };
            sqlx::query(
                "update job set state = ?, run_at = ?, error = ?, lease_until = null, changed_at = ? where id = ?",
            )
            .bind(state)
            .bind(run_at)
            .bind(error)
            .bind(now)
            .bind(fence.job.0)
            .execute(write.conn())
            .await?;
        }
        write.commit().await?;
        self.wake(Topic::Jobs);
        Ok(())
    }

    async fn park_job(&self, fence: &Fence, not_before: Option<Timestamp>) -> Result<()> {
        let mut write = self.write_as(fence).await?;
        let now = write.now;
        if has_twin(write.conn(), fence.job).await? {
            remove(write.conn(), fence.job).await?;
        } else {
            sqlx::query(
                "update job set state = 'waiting', run_at = ?, attempt = attempt - 1, lease_until = null,
                     changed_at = ? where id = ?",
            )
            .bind(not_before.map_or(now, |at| at.as_millisecond()))
            .bind(now)
            .bind(fence.job.0)
            .execute(write.conn())
            .await?;
        }
        write.commit().await?;
        self.wake(Topic::Jobs);
        Ok(())
    }

    async fn given_up(&self) -> Result<Vec<GivenUp>> {
        let query = sqlx::query("select * from job where state = 'given_up' order by id");
        query.fetch_all(&self.readers).await?.iter().map(rows::given_up).collect()
    }

    async fn forget_given_up(&self, id: JobId) -> Result<()> {
        let mut write = self.write().await?;
        let query = sqlx::query("delete from job where id = ? and state = 'given_up'").bind(id.0);
        query.execute(write.conn()).await?;
        write.commit().await
    }
}

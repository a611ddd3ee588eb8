//! Jobs in PostgreSQL.
//!
//! Two workers who claim at once see the same jobs in the same order, and the second skips what the
//! first has locked. What neither saw of the other, the unique index on running keys decides.

use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use sqlx::postgres::PgConnection;

use super::columns::without_nul;
use super::{Postgres, Write, after, fenced, retried, until};
use crate::columns::Columns;
use crate::jobs::NEVER_REPORTED;
use crate::rows;
use crate::{
    ClaimJob, ClaimedJob, Fence, GivenUp, JobId, Jobs, NewJob, Result, Retry, StoreError, Topic,
};

/// Locks a job that is this worker's, if it is, and says until when. Whether that has passed is
/// asked under the lock.
pub(super) async fn lock(conn: &mut PgConnection, fence: &Fence) -> Result<i64> {
    let until = sqlx::query_scalar(
        "select lease_until from job where id = $1 and epoch = $2 and state = 'running' for update",
    )
    .bind(fence.job.0)
    .bind(fence.epoch)
    .fetch_optional(conn)
    .await?;
    until.ok_or(StoreError::StaleEpoch)
}

pub(super) async fn enqueue(conn: &mut PgConnection, job: &NewJob, now: i64) -> Result<()> {
    sqlx::query(
        "insert into job (kind, key, installation, run_at, changed_at) values ($1, $2, $3, $4, $5)
         on conflict (kind, key) where state = 'waiting' do update set
             run_at = least(job.run_at, excluded.run_at), attempt = 0,
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
        "insert into job (kind, key, installation, run_at, changed_at) values ($1, $2, $3, $4, $5)
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

/// Notes that the job was asked for now, or says when it was if that is less than `every` ago. Of
/// two servers that ask at once, the second finds what the first has noted.
async fn asked(write: &mut Write, job: &NewJob, every: Duration) -> Result<Option<i64>> {
    let now = write.now;
    let (kind, key) = (job.key.kind().as_str(), job.key.to_string());
    let noted = sqlx::query(
        "insert into recurring (kind, key, asked_at) values ($1, $2, $3)
         on conflict (kind, key) do update set asked_at = excluded.asked_at
         where recurring.asked_at > excluded.asked_at or recurring.asked_at <= $4",
    )
    .bind(kind)
    .bind(&key)
    .bind(now)
    .bind(now.saturating_sub(after(0, every)))
    .execute(write.conn())
    .await?;
    if noted.rows_affected() == 0 {
        let query =
            sqlx::query_scalar("select asked_at from recurring where kind = $1 and key = $2");
        return Ok(Some(query.bind(kind).bind(&key).fetch_one(write.conn()).await?));
    }
    sqlx::query("delete from job where kind = $1 and key = $2 and state = 'given_up'")
        .bind(kind)
        .bind(&key)
        .execute(write.conn())
        .await?;
    Ok(None)
}

/// Frees the claims that have expired. Where a later job for the same waits, that one takes over.
/// One that is locked is being written by its worker, which finds out by itself.
async fn expire(write: &mut Write) -> Result<()> {
    let now = write.now;
    sqlx::query(
        "with expired as (
             select id, exists (
                 select 1 from job as later
                 where later.state = 'waiting' and later.kind = job.kind and later.key = job.key) as followed
             from job where state = 'running' and lease_until <= $1
             for update skip locked),
         over as (delete from job using expired where job.id = expired.id and followed)
         update job set state = 'waiting', run_at = $1, lease_until = null, changed_at = $1,
             error = 'worker ' || worker || ' ' || $2
         from expired where job.id = expired.id and not followed",
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
    sqlx::query(
        "update job set state = 'given_up', changed_at = $1
         where id in (select id from job where state = 'waiting' and attempt >= $2 for update skip locked)",
    )
    .bind(now)
    .bind(i64::from(max_attempts))
    .execute(write.conn())
    .await?;
    Ok(())
}

/// The statement that finds and locks the job to claim next. Each installation offers its oldest jobs
/// that may run, so many of them at most. The installation with the fewest running jobs goes first,
/// and of these the one that was not served for longest.
///
/// However much waits, and whatever the planner knows of it, each installation costs a few steps in
/// an index: the recursion goes from one to the next, and a subquery that is compared with null is not
/// turned into a join.
macro_rules! next_job {
    ($each:literal) => {
        concat!(
            "with recursive lane (installation) as (
                 (select installation from job where state = 'waiting' order by installation limit 1)
                 union all
                 select (
                     select job.installation from job
                     where state = 'waiting' and job.installation > lane.installation
                     order by job.installation limit 1)
                 from lane where lane.installation is not null),
             offer as (
                 select first.id, coalesce(turn.last, 0) as served, (
                     select count(*) from job
                     where job.state = 'running' and job.installation = lane.installation) as running
                 from lane
                 cross join lateral (
                     select job.id from job
                     where job.state = 'waiting' and job.installation = lane.installation and job.run_at <= $1
                         and (
                             select 1 from job as other
                             where other.key = job.key and other.state <> 'given_up'
                                 and (other.state = 'running' or other.id < job.id)
                             limit 1) is null
                     order by job.id limit ",
            $each,
            ") as first
                 left join turn on turn.queue = 'job' and turn.installation = lane.installation)
             select job.id from offer join job on job.id = offer.id
             where job.state = 'waiting' and job.run_at <= $1
             order by offer.running, offer.served, job.id
             limit 1 for update of job skip locked"
        )
    };
}

/// The job to claim next, locked. Only where others claim the oldest of each installation at this
/// very moment are there more to choose from.
async fn next(write: &mut Write) -> Result<Option<i64>> {
    for statement in [next_job!(1), next_job!(64)] {
        let query = sqlx::query_scalar(statement).bind(write.now);
        if let Some(id) = query.fetch_optional(write.conn()).await? {
            return Ok(Some(id));
        }
    }
    Ok(None)
}

/// Notes that an installation was served. The last thing in a transaction: whoever serves the same
/// one waits here.
pub(super) async fn take_turn(
    conn: &mut PgConnection,
    queue: &str,
    installation: i64,
) -> Result<()> {
    sqlx::query(
        "insert into turn (queue, installation, last) values ($1, $2, nextval('turn_taken'))
         on conflict (queue, installation) do update set last = greatest(turn.last, excluded.last)",
    )
    .bind(queue)
    .bind(installation)
    .execute(conn)
    .await?;
    Ok(())
}

/// Whether the same work waits again. If it does, it goes on waiting to the end of the transaction.
async fn has_twin(conn: &mut PgConnection, job: JobId) -> Result<bool> {
    let twin: Option<i64> = sqlx::query_scalar(
        "select later.id from job join job as later using (kind, key)
         where job.id = $1 and later.state = 'waiting' and later.id <> job.id
         for update of later",
    )
    .bind(job.0)
    .fetch_optional(conn)
    .await?;
    Ok(twin.is_some())
}

async fn remove(conn: &mut PgConnection, job: JobId) -> Result<()> {
    sqlx::query("delete from job where id = $1").bind(job.0).execute(conn).await?;
    Ok(())
}

impl Postgres {
    async fn enqueue_once(&self, jobs: &[NewJob]) -> Result<()> {
        let mut write = self.write().await?;
        let now = write.now;
        for job in jobs {
            enqueue(write.conn(), job, now).await?;
        }
        write.commit().await
    }

    async fn ensure_once(&self, jobs: &[NewJob]) -> Result<()> {
        let mut write = self.write().await?;
        for job in jobs {
            ensure(&mut write, job).await?;
        }
        write.commit().await
    }

    async fn recur_once(&self, job: &NewJob, every: Duration) -> Result<Duration> {
        let mut write = self.write().await?;
        if let Some(last) = asked(&mut write, job, every).await? {
            return Ok(until(write.now, after(last, every)));
        }
        ensure(&mut write, job).await?;
        write.commit().await?;
        Ok(every)
    }

    async fn claim_once(&self, claim: &ClaimJob) -> Result<Option<ClaimedJob>> {
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
                 worker = $1, lease_until = $2, changed_at = $3
             where id = $4 returning *",
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

    async fn fail_once(&self, fence: &Fence, error: &str, retry: Retry) -> Result<()> {
        let mut write = self.write_as(fence).await?;
        let now = write.now;
        if has_twin(write.conn(), fence.job).await? {
            remove(write.conn(), fence.job).await?;
            return write.commit().await;
        }
        let (state, run_at) = match retry {
            Retry::At(at) => ("waiting", at.as_millisecond()),
            Retry::Never => ("given_up", now),
        };
        sqlx::query(
            "update job set state = $1, run_at = $2, error = $3, lease_until = null, changed_at = $4 where id = $5",
        )
        .bind(state)
        .bind(run_at)
        .bind(without_nul(error))
        .bind(now)
        .bind(fence.job.0)
        .execute(write.conn())
        .await?;
        write.commit().await
    }

    async fn park_once(&self, fence: &Fence, not_before: Option<Timestamp>) -> Result<()> {
        let mut write = self.write_as(fence).await?;
        let now = write.now;
        if has_twin(write.conn(), fence.job).await? {
            remove(write.conn(), fence.job).await?;
            return write.commit().await;
        }
        sqlx::query(
            "update job set state = 'waiting', run_at = $1, attempt = attempt - 1, lease_until = null,
                 changed_at = $2 where id = $3",
        )
        .bind(not_before.map_or(now, |at| at.as_millisecond()))
        .bind(now)
        .bind(fence.job.0)
        .execute(write.conn())
        .await?;
        write.commit().await
    }
}

#[async_trait]
impl Jobs for Postgres {
    async fn enqueue(&self, jobs: &[NewJob]) -> Result<()> {
        retried(|| self.enqueue_once(jobs)).await?;
        self.news.wake(Topic::Jobs);
        Ok(())
    }

    async fn ensure(&self, jobs: &[NewJob]) -> Result<()> {
        retried(|| self.ensure_once(jobs)).await?;
        self.news.wake(Topic::Jobs);
        Ok(())
    }

    async fn recur(&self, job: &NewJob, every: Duration) -> Result<Duration> {
        let wait = retried(|| self.recur_once(job, every)).await?;
        self.news.wake(Topic::Jobs);
        Ok(wait)
    }

    async fn claim_job(&self, claim: &ClaimJob) -> Result<Option<ClaimedJob>> {
        retried(|| self.claim_once(claim)).await
    }

    async fn heartbeat(&self, fence: &Fence, lease: Duration) -> Result<()> {
        let mut write = self.write_as(fence).await?;
        let until = after(write.now, lease);
        let query = sqlx::query("update job set lease_until = $1 where id = $2")
            .bind(until)
            .bind(fence.job.0);
        fenced(&query.execute(write.conn()).await?)?;
        write.commit().await
    }

    async fn complete_job(&self, fence: &Fence) -> Result<()> {
        let mut write = self.write_as(fence).await?;
        remove(write.conn(), fence.job).await?;
        write.commit().await?;
        self.news.wake(Topic::Jobs);
        Ok(())
    }

    async fn fail_job(&self, fence: &Fence, error: &str, retry: Retry) -> Result<()> {
        retried(|| self.fail_once(fence, error, retry)).await?;
        self.news.wake(Topic::Jobs);
        Ok(())
    }

    async fn park_job(&self, fence: &Fence, not_before: Option<Timestamp>) -> Result<()> {
        retried(|| self.park_once(fence, not_before)).await?;
        self.news.wake(Topic::Jobs);
        Ok(())
    }

    async fn given_up(&self) -> Result<Vec<GivenUp>> {
        let query = sqlx::query("select * from job where state = 'given_up' order by id");
        query.fetch_all(&self.pool).await?.iter().map(rows::given_up).collect()
    }

    async fn forget_given_up(&self, id: JobId) -> Result<()> {
        let query = sqlx::query("delete from job where id = $1 and state = 'given_up'").bind(id.0);
        query.execute(&self.pool).await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use landfall_cluster::Cluster;
    use landfall_core::name::{InstallationId, PullNumber, RepositoryId};

    use super::*;
    use crate::{JobKey, Store as _, SystemClock};

    fn job() -> NewJob {
        let key = JobKey::Plan { repository: RepositoryId(42), pull: PullNumber(7) };
        NewJob { key, installation: InstallationId(1), run_at: None }
    }

    /// Comes back once somebody waits for a lock of somebody else.
    async fn somebody_waits(store: &Postgres) {
        let mut waits = false;
        while !waits {
            waits = sqlx::query_scalar(
                "select exists (select 1 from pg_stat_activity
                     where datname = current_database() and wait_event_type = 'Lock')",
            )
            .fetch_one(&store.pool)
            .await
            .unwrap();
        }
    }

    #[tokio::test]
    async fn a_failure_that_meets_a_request_on_its_way_gives_it_its_place() {
        let url = Cluster::of_process().database();
        let store = Postgres::open(&url, Arc::new(SystemClock)).await.unwrap();
        store.enqueue(&[job()]).await.unwrap();
        let lease = Duration::from_secs(30);
        let claim = ClaimJob { worker: "worker-1".to_owned(), lease, max_attempts: 3 };
        let claimed = store.claim_job(&claim).await.unwrap().unwrap();
        let mut request = store.write().await.unwrap();
        let now = request.now;
        enqueue(request.conn(), &job(), now).await.unwrap();
        let retry = Retry::At(store.now().await.unwrap());
        let (failed, ()) = tokio::join!(store.fail_job(&claimed.fence, "no", retry), async {
            somebody_waits(&store).await;
            request.commit().await.unwrap();
        });
        failed.unwrap();
        assert_eq!(store.backlog().await.unwrap().jobs, 1);
        let next = store.claim_job(&claim).await.unwrap().unwrap();
        assert_eq!(next.attempt, 1, "it is the request, and not the failed attempt");
    }
}

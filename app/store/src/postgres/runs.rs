//! Runs in PostgreSQL.

use std::collections::BTreeMap;

use async_trait::async_trait;
use landfall_core::name::{BlobSha, EnvironmentName, RepositoryId};
use landfall_core::plan::Plan;
use landfall_core::report::Waiting;
use sqlx::postgres::{PgConnection, PgRow};

use super::columns::without_nul;
use super::{Postgres, Write, locks, repositories, retried, steps};
use crate::columns::{Columns, json, words};
use crate::rows;
use crate::{Approval, Created, Fence, NewRun, Result, Run, RunId, RunState, Runs, StoreError};

/// Reads runs with their approvals, in two queries.
async fn runs(conn: &mut PgConnection, rows: Vec<PgRow>) -> Result<Vec<Run>> {
    let mut runs = rows.iter().map(rows::run).collect::<Result<Vec<Run>>>()?;
    let ids = words(runs.iter().map(|run| run.run.id));
    let query = sqlx::query("select * from approval where run = any($1) order by at, by");
    let mut approvals: BTreeMap<RunId, Vec<Approval>> = BTreeMap::new();
    for row in query.bind(ids).fetch_all(conn).await? {
        approvals.entry(row.text("run")?).or_default().push(rows::approval(&row)?);
    }
    for run in &mut runs {
        run.approvals = approvals.remove(&run.run.id).unwrap_or_default();
    }
    Ok(runs)
}

/// The run `id`, or an error that there is none.
pub(super) async fn get(conn: &mut PgConnection, id: RunId) -> Result<Run> {
    let rows = sqlx::query("select * from run where id = $1")
        .bind(id.to_string())
        .fetch_all(&mut *conn)
        .await?;
    runs(conn, rows).await?.pop().ok_or_else(|| StoreError::Missing(format!("run {id}")))
}

/// The run `id`, which stays as it is to the end of the transaction.
pub(super) async fn lock(conn: &mut PgConnection, id: RunId) -> Result<Run> {
    let query = sqlx::query("select id from run where id = $1 for no key update");
    query.bind(id.to_string()).execute(&mut *conn).await?;
    get(conn, id).await
}

/// The run for the same commit and config. It stays as it is to the end of the transaction.
async fn existing(conn: &mut PgConnection, new: &NewRun) -> Result<Option<Run>> {
    let rows = sqlx::query(
        "select * from run where repository = $1 and environment = $2 and commit_sha = $3 and config_digest = $4
         for no key update",
    )
    .bind(new.repository.0.cast_signed())
    .bind(new.environment.as_str())
    .bind(new.commit.as_str())
    .bind(new.config_digest.to_string())
    .fetch_all(&mut *conn)
    .await?;
    Ok(runs(conn, rows).await?.pop())
}

async fn insert(write: &mut Write, new: &NewRun) -> Result<()> {
    let now = write.now;
    sqlx::query(
        "insert into run (id, repository, environment, commit_sha, config_digest, rules, cause, state, created_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    )
    .bind(new.id.to_string())
    .bind(new.repository.0.cast_signed())
    .bind(new.environment.as_str())
    .bind(new.commit.as_str())
    .bind(new.config_digest.to_string())
    .bind(new.rules.as_ref().map(BlobSha::as_str))
    .bind(new.trigger.as_str())
    .bind(RunState::Queued.as_str())
    .bind(now)
    .execute(write.conn())
    .await?;
    Ok(())
}

async fn set_state(
    write: &mut Write,
    id: RunId,
    to: RunState,
    reason: &str,
    waiting: Option<&Waiting>,
) -> Result<()> {
    let now = write.now;
    sqlx::query("update run set state = $1, reason = $2, waiting = $3 where id = $4")
        .bind(to.as_str())
        .bind(without_nul(reason))
        .bind(waiting.map(json))
        .bind(id.to_string())
        .execute(write.conn())
        .await?;
    let moment = match to {
        RunState::Running => sqlx::query("update run set started_at = $1 where id = $2"),
        ended if ended.is_ended() => sqlx::query("update run set ended_at = $1 where id = $2"),
        _ => return Ok(()),
    };
    moment.bind(now).bind(id.to_string()).execute(write.conn()).await?;
    Ok(())
}

/// Whether a run that is over is to be begun anew when the environment comes to it: the environment
/// went on from it and comes back, or the store was restored since, and what it did may be undone.
async fn is_overtaken(conn: &mut PgConnection, run: &Run) -> Result<bool> {
    if !run.state.is_ended() {
        return Ok(false);
    }
    let query = sqlx::query_scalar(
        "select exists (
             select 1 from run as newer join run as this on this.id = $1
             where newer.repository = this.repository and newer.environment = this.environment
                 and newer.seq > this.seq and (this.state = 'superseded'
                     or (this.state = 'succeeded' and newer.started_at is not null)))
         or exists (
             select 1 from environment join run as this on this.id = $1
             where environment.repository = this.repository and environment.name = this.environment
                 and environment.restored_at >= this.ended_at)",
    );
    Ok(query.bind(run.run.id.to_string()).fetch_one(conn).await?)
}

async fn begin_anew(mut write: Write, id: RunId) -> Result<Run> {
    sqlx::query("delete from approval where run = $1")
        .bind(id.to_string())
        .execute(write.conn())
        .await?;
    sqlx::query(
        "update run set seq = default, state = 'queued', reason = '', plan = null,
             stop = null, attempt = attempt + 1, started_at = null, ended_at = null
         where id = $1",
    )
    .bind(id.to_string())
    .execute(write.conn())
    .await?;
    let run = get(write.conn(), id).await?;
    write.commit().await?;
    Ok(run)
}

fn illegal(run: &Run, to: RunState) -> StoreError {
    StoreError::IllegalTransition { run: run.run.id, from: run.state, to }
}

impl Postgres {
    async fn insert_or_get_run_once(&self, fence: &Fence, new: &NewRun) -> Result<Created<Run>> {
        let mut write = self.write_as(fence).await?;
        if let Some(run) = existing(write.conn(), new).await? {
            return match is_overtaken(write.conn(), &run).await? {
                true => begin_anew(write, run.run.id).await.map(Created::New),
                false => Ok(Created::Existing(run)),
            };
        }
        insert(&mut write, new).await?;
        let run = get(write.conn(), new.id).await?;
        write.commit().await?;
        Ok(Created::New(run))
    }
}

#[async_trait]
impl Runs for Postgres {
    async fn insert_or_get_run(&self, fence: &Fence, new: &NewRun) -> Result<Created<Run>> {
        retried(|| self.insert_or_get_run_once(fence, new)).await
    }

    async fn run(&self, id: RunId) -> Result<Option<Run>> {
        let mut conn = self.pool.acquire().await?;
        match get(&mut conn, id).await {
            Err(StoreError::Missing(_)) => Ok(None),
            found => found.map(Some),
        }
    }

    async fn advance_run(
        &self,
        fence: &Fence,
        id: RunId,
        to: RunState,
        reason: &str,
    ) -> Result<Run> {
        let mut write = self.write_as(fence).await?;
        let run = lock(write.conn(), id).await?;
        if !run.state.may_become(to) || to == RunState::Held {
            return Err(illegal(&run, to));
        }
        if to == RunState::Running {
            let NewRun { repository, environment, .. } = &run.run;
            if locks::get(write.conn(), *repository, environment).await?.is_some() {
                return Err(StoreError::Locked(environment.clone()));
            }
        }
        set_state(&mut write, id, to, reason, None).await?;
        if to == RunState::Succeeded {
            repositories::succeeded(&mut write, &run.run).await?;
        }
        let run = get(write.conn(), id).await?;
        write.commit().await?;
        Ok(run)
    }

    async fn hold_run(
        &self,
        fence: &Fence,
        id: RunId,
        waiting: &Waiting,
        plan: &Plan,
    ) -> Result<Run> {
        let mut write = self.write_as(fence).await?;
        let run = lock(write.conn(), id).await?;
        if !run.state.may_become(RunState::Held) {
            return Err(illegal(&run, RunState::Held));
        }
        set_state(&mut write, id, RunState::Held, &waiting.to_string(), Some(waiting)).await?;
        sqlx::query("update run set plan = $1 where id = $2")
            .bind(json(plan))
            .bind(id.to_string())
            .execute(write.conn())
            .await?;
        let run = get(write.conn(), id).await?;
        write.commit().await?;
        Ok(run)
    }

    async fn retry_run(&self, fence: &Fence, id: RunId) -> Result<Run> {
        let mut write = self.write_as(fence).await?;
        let run = lock(write.conn(), id).await?;
        if !run.state.may_be_retried() {
            return Err(illegal(&run, RunState::Queued));
        }
        sqlx::query(
            "update run set state = 'queued', reason = '', plan = null, stop = null, attempt = attempt + 1,
                 started_at = null, ended_at = null
             where id = $1",
        )
        .bind(id.to_string())
        .execute(write.conn())
        .await?;
        let run = get(write.conn(), id).await?;
        write.commit().await?;
        Ok(run)
    }

    async fn set_run_plan(&self, fence: &Fence, id: RunId, plan: &Plan) -> Result<()> {
        let mut write = self.write_as(fence).await?;
        let query = sqlx::query("update run set plan = $1 where id = $2")
            .bind(json(plan))
            .bind(id.to_string());
        query.execute(write.conn()).await?;
        write.commit().await
    }

    async fn approve_run(&self, fence: &Fence, id: RunId, approval: &Approval) -> Result<()> {
        let mut write = self.write_as(fence).await?;
        sqlx::query(
            "insert into approval (run, digest, by, login, at) values ($1, $2, $3, $4, $5) on conflict do nothing",
        )
        .bind(id.to_string())
        .bind(approval.digest.to_string())
        .bind(approval.by.0.cast_signed())
        .bind(without_nul(&approval.login))
        .bind(approval.at.as_millisecond())
        .execute(write.conn())
        .await?;
        write.commit().await
    }

    async fn supersede_older_runs(&self, fence: &Fence, newest: RunId) -> Result<Vec<RunId>> {
        let mut write = self.write_as(fence).await?;
        let now = write.now;
        let rows = sqlx::query(
            "update run set state = 'superseded', reason = 'a newer commit took its place', waiting = null,
                 ended_at = $1
             from (select repository, environment, seq from run where id = $2) as newest
             where run.repository = newest.repository and run.environment = newest.environment
                 and run.seq < newest.seq and run.state in ('queued', 'held')
             returning run.id",
        )
        .bind(now)
        .bind(newest.to_string())
        .fetch_all(write.conn())
        .await?;
        write.commit().await?;
        rows.iter().map(|row| row.text("id")).collect()
    }

    async fn end_cut_off_runs(&self, fence: &Fence, this: RunId) -> Result<Vec<RunId>> {
        let mut write = self.write_as(fence).await?;
        let now = write.now;
        let rows = sqlx::query(
            "update run set state = 'failed', reason = 'it was cut off, and a newer commit goes on from it', ended_at = $1
             from (select repository, environment from run where id = $2) as this
             where run.repository = this.repository and run.environment = this.environment
                 and run.id <> $2 and run.state in ('running', 'verifying')
             returning run.id",
        )
        .bind(now)
        .bind(this.to_string())
        .fetch_all(write.conn())
        .await?;
        write.commit().await?;
        rows.iter().map(|row| row.text("id")).collect()
    }

    async fn cancel_run(&self, fence: &Fence, id: RunId, why: &str) -> Result<Option<Run>> {
        let mut write = self.write_as(fence).await?;
        let run = lock(write.conn(), id).await?;
        match run.state {
            RunState::Queued | RunState::Held => {
                set_state(&mut write, id, RunState::Cancelled, why, None).await?;
            }
            RunState::NeedsAttention => {
                steps::dismiss_all(&mut write, &run.run, why).await?;
                set_state(&mut write, id, RunState::Cancelled, why, None).await?;
            }
            RunState::Running | RunState::Verifying => {
                let query = sqlx::query("update run set stop = $1 where id = $2 and stop is null");
                query.bind(without_nul(why)).bind(id.to_string()).execute(write.conn()).await?;
            }
            _ => return Ok(None),
        }
        let run = get(write.conn(), id).await?;
        write.commit().await?;
        Ok(Some(run))
    }

    async fn stop_asked(&self, id: RunId) -> Result<Option<String>> {
        let query = sqlx::query_scalar::<_, Option<String>>("select stop from run where id = $1");
        let found = query.bind(id.to_string()).fetch_optional(&self.pool).await?;
        Ok(found.flatten())
    }

    async fn runs_in(&self, states: &[RunState]) -> Result<Vec<Run>> {
        let mut conn = self.pool.acquire().await?;
        let query = sqlx::query("select * from run where state = any($1) order by seq");
        let rows = query.bind(words(states)).fetch_all(&mut *conn).await?;
        runs(&mut conn, rows).await
    }

    async fn recent_runs(
        &self,
        repository: RepositoryId,
        environment: &EnvironmentName,
        limit: u32,
    ) -> Result<Vec<Run>> {
        let mut conn = self.pool.acquire().await?;
        let query = sqlx::query(
            "select * from run where repository = $1 and environment = $2 order by seq desc limit $3",
        );
        let query = query
            .bind(repository.0.cast_signed())
            .bind(environment.as_str())
            .bind(i64::from(limit));
        let rows = query.fetch_all(&mut *conn).await?;
        runs(&mut conn, rows).await
    }

    async fn last_succeeded_run(
        &self,
        repository: RepositoryId,
        environment: &EnvironmentName,
    ) -> Result<Option<Run>> {
        let mut conn = self.pool.acquire().await?;
        let rows = sqlx::query(
            "select run.* from environment join run on run.id = environment.last_run
             where environment.repository = $1 and environment.name = $2",
        )
        .bind(repository.0.cast_signed())
        .bind(environment.as_str())
        .fetch_all(&mut *conn)
        .await?;
        Ok(runs(&mut conn, rows).await?.pop())
    }
}

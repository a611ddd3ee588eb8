//! Steps in SQLite.

use std::collections::BTreeMap;

use async_trait::async_trait;
use landfall_core::lease::LeaseProof;
use landfall_core::plan::{Effect, Landed, Outcome, ResourceKey};
use sqlx::sqlite::SqliteConnection;

use super::columns::json_words;
use super::ownership::{Actor, check_owner, prove, record};
use super::{Sqlite, Write, leases, resources, runs};
use crate::columns::{Columns, json, unreadable};
use crate::rows::{self, Extent};
use crate::{
    Fence, NewRun, ProofQuery, Proofs, ReadBack, Result, RunId, RunState, Step, StepId, StepState,
    Steps, StoreError, Unresolved,
};

async fn get(conn: &mut SqliteConnection, id: StepId) -> Result<Step> {
    let query = sqlx::query("select * from step where run = ? and idx = ?")
        .bind(id.run.to_string())
        .bind(id.index);
    let row = query.fetch_optional(conn).await?;
    row.as_ref()
        .map(rows::step)
        .transpose()?
        .ok_or_else(|| StoreError::Missing(format!("step {id}")))
}

/// Nobody will find out about the steps of this environment any more.
pub(super) async fn dismiss_all(write: &mut Write, run: &NewRun, why: &str) -> Result<()> {
    let now = write.now;
    sqlx::query(
        "update step set state = 'failed', message = ?, ended_at = ?
         where repository = ? and environment = ? and state in ('intent', 'unknown', 'attention')",
    )
    .bind(why)
    .bind(now)
    .bind(run.repository.0.cast_signed())
    .bind(run.environment.as_str())
    .execute(write.conn())
    .await?;
    Ok(())
}

/// The step, if it has no final result.
async fn get_unresolved(conn: &mut SqliteConnection, id: StepId) -> Result<Step> {
    let step = get(conn, id).await?;
    if step.state.is_unresolved() { Ok(step) } else { Err(StoreError::StepEnded(id)) }
}

/// Writes the intent of an effect of a running run. From here on its units are as no hash says,
/// until a run has brought them somewhere in full.
async fn insert(
    write: &mut Write,
    run: RunId,
    effect: &Effect,
    lease: Option<&LeaseProof>,
) -> Result<StepId> {
    let now = write.now;
    let found = runs::get(write.conn(), run).await?;
    if found.state != RunState::Running {
        return Err(StoreError::IllegalTransition {
            run,
            from: found.state,
            to: RunState::Running,
        });
    }
    for change in &effect.changes {
        // Somebody else may have taken it since it was planned: then nothing is sent.
        check_owner(write, found.run.repository, change).await?;
        for unit in [Some(&change.unit), change.from.as_ref()].into_iter().flatten() {
            resources::unsettle(write, found.run.repository, unit).await?;
        }
    }
    let index = sqlx::query_scalar(
        "insert into step (run, idx, repository, environment, target, effect, lease_epoch, state, intended_at)
         values (?1, (select coalesce(max(idx) + 1, 0) from step where run = ?1), ?2, ?3, ?4, ?5, ?6, ?7, ?8)
         returning idx",
    )
    .bind(run.to_string())
    .bind(found.run.repository.0.cast_signed())
    .bind(found.run.environment.as_str())
    .bind(effect.target.to_string())
    .bind(json(effect))
    .bind(lease.map(LeaseProof::epoch))
    .bind(StepState::Intent.as_str())
    .bind(now)
    .fetch_one(write.conn())
    .await?;
    Ok(StepId { run, index })
}

async fn set_state(write: &mut Write, id: StepId, state: StepState, message: &str) -> Result<Step> {
    let ended_at = (!state.is_unresolved()).then_some(write.now);
    sqlx::query("update step set state = ?, message = ?, ended_at = ? where run = ? and idx = ?")
        .bind(state.as_str())
        .bind(message)
        .bind(ended_at)
        .bind(id.run.to_string())
        .bind(id.index)
        .execute(write.conn())
        .await?;
    get(write.conn(), id).await
}

fn actor(step: &Step) -> Actor<'_> {
    Actor { repository: step.repository, environment: &step.environment, run: step.id.run }
}

/// All changes of the step are in place.
async fn all_landed(
    write: &mut Write,
    step: &Step,
    ids: &BTreeMap<ResourceKey, Vec<String>>,
) -> Result<()> {
    for change in &step.effect.changes {
        record(write, &actor(step), change, ids).await?;
        prove(write, &actor(step), change, Extent::Whole).await?;
    }
    Ok(())
}

#[async_trait]
impl Steps for Sqlite {
    async fn intend(
        &self,
        fence: &Fence,
        lease: &LeaseProof,
        run: RunId,
        effect: &Effect,
    ) -> Result<StepId> {
        let mut write = self.write_as(fence).await?;
        let now = write.now;
        if *lease.target() != effect.target {
            return Err(StoreError::LeaseLost(effect.target.clone()));
        }
        leases::check(write.conn(), lease, now).await?;
        let id = insert(&mut write, run, effect, Some(lease)).await?;
        write.commit().await?;
        Ok(id)
    }

    async fn finish_step(&self, fence: &Fence, id: StepId, outcome: &Outcome) -> Result<Step> {
        let mut write = self.write_as(fence).await?;
        let step = get(write.conn(), id).await?;
        if step.state != StepState::Intent {
            return Err(StoreError::StepEnded(id));
        }
        let (state, message) = match outcome {
            Outcome::Done(ids) => {
                all_landed(&mut write, &step, ids).await?;
                (StepState::Done, "")
            }
            Outcome::Failed(message) => (StepState::Failed, message.as_str()),
            Outcome::Moved(message) => (StepState::Moved, message.as_str()),
            Outcome::Unknown(message) => (StepState::Unknown, message.as_str()),
        };
        let step = set_state(&mut write, id, state, message).await?;
        write.commit().await?;
        Ok(step)
    }

    async fn withdraw_step(&self, fence: &Fence, id: StepId) -> Result<()> {
        let mut write = self.write_as(fence).await?;
        if get(write.conn(), id).await?.state != StepState::Intent {
            return Err(StoreError::StepEnded(id));
        }
        sqlx::query("delete from step where run = ? and idx = ?")
            .bind(id.run.to_string())
            .bind(id.index)
            .execute(write.conn())
            .await?;
        write.commit().await
    }

    async fn resolve_step(&self, fence: &Fence, id: StepId, found: &ReadBack) -> Result<Step> {
        let mut write = self.write_as(fence).await?;
        let step = get_unresolved(write.conn(), id).await?;
        if step.effect.changes.len() != found.landed.len() {
            return Err(unreadable("effect", "it was read back with another number of changes"));
        }
        for (change, landed) in step.effect.changes.iter().zip(&found.landed) {
            match landed {
                Landed::After => {
                    record(&mut write, &actor(&step), change, &found.ids).await?;
                    prove(&mut write, &actor(&step), change, Extent::Whole).await?;
                }
                Landed::Partly => {
                    if rows::is_ours_in_part(change) {
                        record(&mut write, &actor(&step), change, &found.ids).await?;
                    }
                    prove(&mut write, &actor(&step), change, Extent::Part).await?;
                }
                Landed::Before | Landed::Foreign => {}
            }
        }
        let step =
            set_state(&mut write, id, rows::state_after(&found.landed), &found.message).await?;
        write.commit().await?;
        Ok(step)
    }

    async fn settle(&self, fence: &Fence, run: RunId, effect: &Effect) -> Result<Step> {
        let mut write = self.write_as(fence).await?;
        let id = insert(&mut write, run, effect, None).await?;
        let step = get(write.conn(), id).await?;
        all_landed(&mut write, &step, &BTreeMap::new()).await?;
        let step = set_state(&mut write, id, StepState::Done, "").await?;
        write.commit().await?;
        Ok(step)
    }

    async fn steps(&self, run: RunId) -> Result<Vec<Step>> {
        let query =
            sqlx::query("select * from step where run = ? order by idx").bind(run.to_string());
        query.fetch_all(&self.readers).await?.iter().map(rows::step).collect()
    }

    async fn unresolved_steps(&self, at: &Unresolved) -> Result<Vec<Step>> {
        let query = match at {
            Unresolved::In(repository, environment) => sqlx::query(
                "select * from step where repository = ? and environment = ?
                     and state in ('intent', 'unknown', 'attention') order by seq",
            )
            .bind(repository.0.cast_signed())
            .bind(environment.to_string()),
            Unresolved::At(target) => sqlx::query(
                "select * from step where target = ? and state in ('intent', 'unknown', 'attention') order by seq",
            )
            .bind(target.to_string()),
        };
        query.fetch_all(&self.readers).await?.iter().map(rows::step).collect()
    }

    async fn proven(&self, query: &ProofQuery) -> Result<Proofs> {
        let rows = sqlx::query(
            "select digest, whole from proven_change where repository = ? and environment = ? and at >= ?
                 and digest in (select value from json_each(?))",
        )
        .bind(query.repository.0.cast_signed())
        .bind(query.environment.as_str())
        .bind(query.since.as_millisecond())
        .bind(json_words(&query.digests))
        .fetch_all(&self.readers)
        .await?;
        let mut proofs = Proofs::default();
        for row in &rows {
            let digests = if row.flag("whole")? { &mut proofs.done } else { &mut proofs.begun };
            digests.insert(row.text("digest")?);
        }
        Ok(proofs)
    }
}

//! What is said of work that is not tried again by itself: every attempt failed, or never came to an
//! end.
//!
//! Only the store is asked here, so that whatever stopped the work does not stop this too.

use landfall_core::name::PullNumber;
use landfall_core::report::{RunReport, RunStage};
use landfall_store::{ClaimedJob, JobKey, Run, RunState};

use super::announce::{Board, report_of};
use super::steps::told;
use crate::house::House;

/// Tells the people concerned that the job was given up after `attempts`.
///
/// # Errors
/// The store could not be asked or written to.
pub async fn given_up(house: &House, job: &ClaimedJob, attempts: u32) -> anyhow::Result<()> {
    let why = job.error.as_deref().unwrap_or("it never said why");
    tracing::error!(job = %job.key, attempts, error = why, "job is given up");
    match &job.key {
        JobKey::Plan { repository, pull } => {
            Board::of(house, job, *repository).given_up(*pull, attempts, why).await
        }
        JobKey::Run { repository, environment } => {
            let newest = house.store.recent_runs(*repository, environment, 1).await?.pop();
            match newest.filter(|run| !run.state.is_ended()) {
                Some(run) => fail(house, job, &run, why).await,
                None => Ok(()),
            }
        }
        // Nobody is known who waits for it. What it was to find is found the next time that somebody
        // pushes or the clock asks.
        JobKey::Branch { .. }
        | JobKey::Deliveries
        | JobKey::Installations
        | JobKey::Repositories { .. }
        | JobKey::Reconcile { .. } => Ok(()),
    }
}

/// Ends a run that cannot go on, so that it does not look as if it did. It is told of before, because
/// nobody comes back to a run that has ended.
async fn fail(house: &House, job: &ClaimedJob, run: &Run, why: &str) -> anyhow::Result<()> {
    tell(house, job, run, why).await?;
    house.store.advance_run(&job.fence, run.run.id, RunState::Failed, why).await?;
    Ok(())
}

async fn tell(house: &House, job: &ClaimedJob, run: &Run, why: &str) -> anyhow::Result<()> {
    let (repository, commit) = (run.run.repository, &run.run.commit);
    let store = &house.store;
    let merged = store.merged_pulls(repository, std::slice::from_ref(commit)).await?;
    let pulls: Vec<PullNumber> = merged.iter().map(|pull| pull.number).collect();
    let name = &run.run.environment;
    let followed = store.environment(repository, name).await?.and_then(|row| row.branch);
    let Some(branch) = merged.first().map(|pull| pull.base.clone()).or(followed) else {
        return Ok(());
    };
    let report = RunReport {
        steps: store.steps(run.run.id).await?.iter().map(told).collect(),
        ..report_of(run, branch, RunStage::Failed(why.to_owned()))
    };
    Board::of(house, job, repository).run(run.run.id, &report, &pulls, &[]).await
}

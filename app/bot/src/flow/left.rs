//! Runs that nobody goes on with: their environment is not in the rules any more, the branch they were
//! on is gone, or every attempt failed. They end, so that they do not look as if they went on.
//!
//! Only the store is asked here, so that whatever stopped the work does not stop this too. What was
//! applied stays owned, and steps stay as they are: an environment may come back.

use std::collections::BTreeSet;

use landfall_core::config::RepositoryConfig;
use landfall_core::name::{EnvironmentName, PullNumber, RepositoryId};
use landfall_core::report::{RunReport, RunStage};
use landfall_store::{ClaimedJob, Run, RunState};

use super::announce::{Board, report_of};
use super::steps::told;
use crate::house::House;

/// States of a run that has not ended.
const OPEN: [RunState; 4] =
    [RunState::Queued, RunState::Held, RunState::Running, RunState::Verifying];
/// Those among them in which somebody was at work.
const BEGUN: [RunState; 2] = [RunState::Running, RunState::Verifying];

/// The environments of a repository with runs that have not ended, and that its rules do not name.
///
/// # Errors
/// The store could not be asked.
pub async fn orphans(
    house: &House,
    repository: RepositoryId,
    rules: &RepositoryConfig,
) -> anyhow::Result<BTreeSet<EnvironmentName>> {
    let open = house.store.runs_in(&OPEN).await?.into_iter().map(|run| run.run);
    let here = open.filter(|run| run.repository == repository).map(|run| run.environment);
    Ok(here.filter(|name| !rules.environments.contains_key(name)).collect())
}

/// The end of the runs of an environment that the rules do not name any more.
///
/// # Errors
/// The store could not be asked or written to.
pub async fn without_rules(
    house: &House,
    job: &ClaimedJob,
    repository: RepositoryId,
    environment: &EnvironmentName,
) -> anyhow::Result<()> {
    for run in runs(house, repository, environment, &OPEN).await? {
        end(house, job, &run, "the rules do not name this environment any more").await?;
    }
    Ok(())
}

/// The end of the runs that were cut off, of an environment whose branch is gone. What waits goes on
/// waiting, for a branch or for a person.
///
/// # Errors
/// The store could not be asked or written to.
pub async fn without_branch(
    house: &House,
    job: &ClaimedJob,
    repository: RepositoryId,
    environment: &EnvironmentName,
) -> anyhow::Result<()> {
    for run in runs(house, repository, environment, &BEGUN).await? {
        end(house, job, &run, "it was cut off, and its branch is gone").await?;
    }
    Ok(())
}

async fn runs(
    house: &House,
    repository: RepositoryId,
    environment: &EnvironmentName,
    states: &[RunState],
) -> anyhow::Result<Vec<Run>> {
    let mut runs = house.store.runs_in(states).await?;
    runs.retain(|run| run.run.repository == repository && run.run.environment == *environment);
    Ok(runs)
}

/// Ends a run: as failed if it may have done something. It is told of before, because nobody comes
/// back to a run that has ended.
///
/// # Errors
/// The store could not be asked or written to.
pub async fn end(house: &House, job: &ClaimedJob, run: &Run, why: &str) -> anyhow::Result<()> {
    let (to, stage) = match run.state {
        RunState::Held => (RunState::Cancelled, RunStage::Cancelled(why.to_owned())),
        _ => (RunState::Failed, RunStage::Failed(why.to_owned())),
    };
    tell(house, job, run, stage).await?;
    house.store.advance_run(&job.fence, run.run.id, to, why).await?;
    Ok(())
}

async fn tell(house: &House, job: &ClaimedJob, run: &Run, stage: RunStage) -> anyhow::Result<()> {
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
        ..report_of(run, branch, stage)
    };
    Board::of(house, job, repository).run(run.run.id, &report, &pulls, &[]).await
}

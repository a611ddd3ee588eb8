//! Runs that nobody goes on with: their environment is not in the rules any more, the branch they were
//! on is gone, or every attempt failed. They end, so that they do not look as if they went on.
//!
//! What was applied stays owned, and steps stay as they are: an environment may come back.

use std::collections::BTreeSet;

use anyhow::Context as _;
use landfall_core::config::RepositoryConfig;
use landfall_core::name::{EnvironmentName, PullNumber, RepositoryId};
use landfall_core::report::{RunReport, RunStage, StepReport};
use landfall_store::{ClaimedJob, JobKey, Pull, Run, RunState};

use super::Ended;
use super::announce::{Board, report_of};
use super::confirm::{Brought, unseen};
use super::ground::Ground;
use super::run::follow_up;
use super::steps::told;
use crate::house::House;

/// States of a run that has not ended.
const OPEN: [RunState; 4] =
    [RunState::Queued, RunState::Held, RunState::Running, RunState::Verifying];
/// Those among them in which somebody was at work.
const BEGUN: [RunState; 2] = [RunState::Running, RunState::Verifying];

/// The jobs of the environments of a repository with runs that have not ended, and that its rules do
/// not name.
///
/// # Errors
/// The store could not be asked.
pub async fn orphans(
    house: &House,
    repository: RepositoryId,
    rules: Option<&RepositoryConfig>,
) -> anyhow::Result<BTreeSet<JobKey>> {
    let named =
        |name: &EnvironmentName| rules.is_some_and(|rules| rules.environments.contains_key(name));
    let open = house.store.runs_in(&OPEN).await?.into_iter().map(|run| run.run);
    let here = open.filter(|run| run.repository == repository).map(|run| run.environment);
    let orphans = here.filter(|name| !named(name));
    Ok(orphans.map(|environment| JobKey::Run { repository, environment }).collect())
}

/// The end of what an environment's runs have begun. Its job is held, so nobody works on them.
#[derive(Debug, Clone, Copy)]
pub struct Ending<'a> {
    /// The house.
    pub house: &'a House,
    /// The environment's job.
    pub job: &'a ClaimedJob,
    /// The repository, fetched.
    pub ground: &'a Ground,
    /// The environment.
    pub environment: &'a EnvironmentName,
}

impl Ending<'_> {
    /// Ends all runs of an environment that the rules do not name any more.
    ///
    /// # Errors
    /// Git or the store could not be asked, or the store not be written to.
    pub async fn without_environment(&self) -> anyhow::Result<Ended> {
        let why = "the rules do not name this environment any more";
        self.end_all(&OPEN, (RunStage::Orphaned, why)).await
    }

    /// Ends the runs that were cut off. What waits goes on waiting, for what is missing or for a
    /// person.
    ///
    /// # Errors
    /// As [`Self::without_environment`].
    pub async fn cut_off(&self, why: &str) -> anyhow::Result<Ended> {
        self.end_all(&BEGUN, (RunStage::Failed, &format!("it was cut off, and {why}"))).await
    }

    async fn end_all(
        &self,
        states: &[RunState],
        ending: (fn(String) -> RunStage, &str),
    ) -> anyhow::Result<Ended> {
        let Self { house, job, ground, environment } = *self;
        let repository = ground.repository.id;
        let row = house.store.environment(repository, environment).await?;
        let last = row.and_then(|row| row.last).map(|last| last.commit);
        for run in house.store.runs_in(states).await? {
            if run.run.repository != repository || run.run.environment != *environment {
                continue;
            }
            let brought = Brought::find(house, ground, last.as_ref(), &run.run.commit).await?;
            end(house, job, (&run, &brought.pulls), ending).await?;
        }
        Ok(Ended::Done)
    }
}

/// Ends a run whose job is given up. Only the store is asked, and the mirror as it is, so that whatever
/// stopped the work does not stop this too: where the mirror cannot say which pull requests the run
/// brings, that of its own commit hears of it.
///
/// # Errors
/// The store could not be asked or written to.
pub async fn give_up(house: &House, job: &ClaimedJob, run: &Run, why: &str) -> anyhow::Result<()> {
    let found = house.panics.caught(brought_by(house, run)).await;
    let pulls = match found.map_err(anyhow::Error::from).flatten() {
        Ok(pulls) => pulls,
        Err(error) => {
            let error = format!("{error:#}");
            tracing::warn!(run = %run.run.id, error, "what the run brings is not known");
            let commits = std::slice::from_ref(&run.run.commit);
            house.store.merged_pulls(run.run.repository, commits).await?
        }
    };
    end(house, job, (run, &pulls), (RunStage::Failed, why)).await
}

/// The pull requests that a run brings, by what was fetched before.
async fn brought_by(house: &House, run: &Run) -> anyhow::Result<Vec<Pull>> {
    let (repository, environment) = (run.run.repository, &run.run.environment);
    let ground = Ground::open(house, repository).await?;
    let ground = ground.context("the App is not there any more")?;
    let row = house.store.environment(repository, environment).await?;
    let last = row.and_then(|row| row.last).map(|last| last.commit);
    Ok(Brought::find(house, &ground, last.as_ref(), &run.run.commit).await?.pulls)
}

/// Ends a run: as `failed` if it may have done something. It is told of before, because nobody comes
/// back to a run that has ended.
async fn end(
    house: &House,
    job: &ClaimedJob,
    (run, pulls): (&Run, &[Pull]),
    (failed, why): (fn(String) -> RunStage, &str),
) -> anyhow::Result<()> {
    let (to, stage) = match run.state {
        RunState::Held => (RunState::Cancelled, RunStage::Cancelled(why.to_owned())),
        _ => (RunState::Failed, failed(why.to_owned())),
    };
    let (store, repository, name) = (&house.store, run.run.repository, &run.run.environment);
    if let Some(branch) = store.environment(repository, name).await?.and_then(|row| row.branch) {
        let steps: Vec<StepReport> = store.steps(run.run.id).await?.iter().map(told).collect();
        let unreviewed = unseen(house, run, pulls, &steps).await?;
        let report = RunReport { steps, unreviewed, ..report_of(run, branch, stage) };
        let numbers: Vec<PullNumber> = pulls.iter().map(|pull| pull.number).collect();
        Board::of(house, job, repository).run(run.run.id, &report, &numbers, &[]).await?;
    }
    let ended = store.advance_run(&job.fence, run.run.id, to, why).await?;
    follow_up(house, job, &ended).await
}

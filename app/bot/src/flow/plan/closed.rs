//! Pull requests that are not open any more: what is left to do when one was closed, and when
//! something happens to one that was merged.

use landfall_core::name::{EnvironmentName, PullNumber, RepositoryId};
use landfall_core::report::Waiting;
use landfall_github::Pull;
use landfall_store::{ClaimedJob, JobKey, NewJob, Run, RunState};

use super::super::Ended;
use super::super::announce::Board;
use super::super::command::{locks_of, release};
use crate::house::House;

/// Nothing of it will be applied: its plans count no more, what it came to holds no other back, the locks
/// that were asked for on it are taken off, and its comment says so. Opened again, it is planned anew.
pub(super) async fn discard(
    house: &House,
    job: &ClaimedJob,
    pull: &Pull,
    repository: RepositoryId,
) -> anyhow::Result<Ended> {
    house.store.discard_plans(&job.fence, repository, pull.number).await?;
    let locks = locks_of(house, repository, pull.number).await?;
    let unlocked: Vec<&EnvironmentName> = locks.iter().map(|lock| &lock.environment).collect();
    let board = Board::of(house, job, repository);
    board.closed(pull.number, &unlocked).await?;
    board.withdraw(pull.number, &pull.head.sha).await?;
    for lock in &locks {
        release(house, job, lock).await?;
    }
    Ok(Ended::Done)
}

/// Runs that wait because of a label on it look again, for it may be gone.
pub(super) async fn look_again(
    house: &House,
    repository: RepositoryId,
    number: PullNumber,
) -> anyhow::Result<Ended> {
    let Some(row) = house.store.repository(repository).await? else { return Ok(Ended::Done) };
    let waiting = labelled(house, repository).await?;
    let waiting = waiting.into_iter().filter(|(_, pulls)| pulls.contains(&number));
    let job = |(run, _): (Run, _)| {
        let key = JobKey::Run { repository, environment: run.run.environment };
        NewJob { key, installation: row.installation, run_at: None }
    };
    let jobs: Vec<NewJob> = waiting.map(job).collect();
    house.store.enqueue(&jobs).await?;
    Ok(Ended::Done)
}

/// The runs of a repository that wait because of a label, each with the pull requests that have it.
///
/// # Errors
/// The store could not be asked.
pub(crate) async fn labelled(
    house: &House,
    repository: RepositoryId,
) -> anyhow::Result<Vec<(Run, Vec<PullNumber>)>> {
    let held = house.store.runs_in(&[RunState::Held]).await?;
    let here = held.into_iter().filter(|run| run.run.repository == repository);
    let labelled = |run: Run| match run.waiting.clone() {
        Some(Waiting::Label(pulls)) => Some((run, pulls)),
        _ => None,
    };
    Ok(here.filter_map(labelled).collect())
}

//! What is said of work that is not tried again by itself: every attempt failed, or never came to an
//! end.
//!
//! Only the store is asked here, so that whatever stopped the work does not stop this too; and the
//! mirror as it is, for the checks that are due: what is wrong with it costs their names and no more.

use anyhow::Context as _;
use landfall_core::name::{BranchName, RepositoryId};
use landfall_store::{ClaimedJob, JobKey};

use super::announce::{Board, Expected, Group};
use super::ground::Ground;
use super::{left, protection};
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
            let row = house.store.pull(*repository, *pull).await?;
            let ruled = match &row {
                Some(row) => last_expected(house, *repository, &row.base).await,
                None => None,
            };
            Board::of(house, job, *repository).given_up(*pull, ruled, (attempts, why)).await
        }
        JobKey::Run { repository, environment } => {
            let newest = house.store.recent_runs(*repository, environment, 1).await?.pop();
            match newest.filter(|run| !run.state.is_ended()) {
                Some(run) => left::give_up(house, job, &run, why).await,
                None => Ok(()),
            }
        }
        JobKey::Group { repository, branch } => {
            let head = house.store.pushed_head(*repository, branch).await?;
            let (Some(into), Some(head)) = (branch.queued_into(), head) else { return Ok(()) };
            let ruled = last_expected(house, *repository, &into).await;
            let group = Group { branch, head: &head, into: &into };
            let board = Board::of(house, job, *repository);
            board.group_given_up(&group, ruled, (attempts, why)).await
        }
        JobKey::Protection { repository, request } => {
            let board = Board::of(house, job, *repository);
            protection::given_up(&board, request, (attempts, why)).await
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

/// The checks that are due on what goes into a branch, by the rules as they were fetched last. None
/// where those cannot be read; they may be what stopped the work.
async fn last_expected(
    house: &House,
    repository: RepositoryId,
    base: &BranchName,
) -> Option<Expected> {
    let expected = async {
        let ground = Ground::open(house, repository).await?;
        let ground = ground.context("the App is not there any more")?;
        let rules = ground.last_rules(house).await?;
        anyhow::Ok(Expected::by(&rules.config, base))
    };
    let found = house.panics.caught(expected).await.map_err(anyhow::Error::from).flatten();
    let say = |error: &anyhow::Error| {
        tracing::warn!(%repository, error = format!("{error:#}"), "no rules say which checks are due");
    };
    found.inspect_err(say).ok()
}

//! What is said of work that is not tried again by itself: every attempt failed, or never came to an
//! end.
//!
//! Only the store is asked here, so that whatever stopped the work does not stop this too.

use landfall_store::{ClaimedJob, JobKey};

use super::announce::Board;
use super::left;
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
                Some(run) => left::give_up(house, job, &run, why).await,
                None => Ok(()),
            }
        }
        JobKey::Group { repository, branch } => {
            Board::of(house, job, *repository).group_given_up(branch, attempts, why).await
        }
        // Nobody is known who waits for it. What it was to find is found the next time that somebody
        // pushes or the clock asks.
        JobKey::Branch { .. }
        | JobKey::Protection { .. }
        | JobKey::Deliveries
        | JobKey::Installations
        | JobKey::Repositories { .. }
        | JobKey::Reconcile { .. } => Ok(()),
    }
}

//! The clock: work that is due because time has passed.
//!
//! Each server has a clock for each kind of such work, and they agree through the store about whose
//! turn it is ([`Jobs::recur`](landfall_store::Jobs::recur)): all servers together do it once an
//! interval. What the clock asks for is a job like any other, so it is fenced, tried again, and done
//! by whichever server is free. The clock and not the job keeps the time: a job that put itself off
//! would be over for good once it was given up, and a store in which one always waits would never
//! look as if nothing was left to do.
//!
//! Every start asks once, whenever it was asked before: something may have been missed while nobody
//! was there.
//!
//! In pull mode a second clock looks every few seconds whether GitHub's delivery log has something
//! new. That is one small request, and nothing is written as long as there is nothing; only what is
//! new becomes a job. Servers that share a store look each for themselves and ask for the same job.

use std::time::Duration;

use landfall_github::{Failure, GithubError};
use landfall_store::{BACKGROUND, JobKey, NewJob};
use tokio_util::sync::CancellationToken;

use super::rest;
use crate::house::{House, wait};

/// Asks for the work behind `key` at once, and then once an interval until stopped.
pub(super) async fn recurring(
    house: &House,
    stop: &CancellationToken,
    key: JobKey,
    every: Duration,
) {
    let job = NewJob { key, installation: BACKGROUND, run_at: None };
    let mut since = Duration::ZERO;
    while !stop.is_cancelled() {
        let pause = match house.store.recur(&job, since).await {
            Ok(_) if since.is_zero() => {
                since = every;
                every
            }
            Ok(pause) => pause,
            Err(error) => {
                tracing::warn!(job = %job.key, error = %error, "work that is due could not be asked for");
                house.timing.poll
            }
        };
        rest(stop, pause).await;
    }
}

/// Looks again and again whether the delivery log has something new, until stopped.
pub(super) async fn pull(house: &House, stop: &CancellationToken) {
    let (mut seen, mut failures) = (None, 0);
    while !stop.is_cancelled() {
        let pause = match look(house, &mut seen).await {
            Ok(()) => {
                failures = 0;
                house.timing.pull
            }
            Err(error) => {
                failures += 1;
                tracing::warn!(
                    failures,
                    error = format!("{error:#}"),
                    "GitHub's delivery log cannot be looked at"
                );
                until_asked_again(house, failures, &error)
            }
        };
        rest(stop, pause).await;
    }
}

/// Asks for the log to be read if its newest attempt is another than the one that was seen last.
async fn look(house: &House, seen: &mut Option<u64>) -> anyhow::Result<()> {
    let newest = house.github.newest_delivery().await?.map(|newest| newest.id);
    if newest != *seen {
        let job = NewJob { key: JobKey::Deliveries, installation: BACKGROUND, run_at: None };
        // GitHub answers and has something new: that cuts every wait short.
        house.store.enqueue(&[job]).await?;
        *seen = newest;
    }
    Ok(())
}

/// How long to wait after that many failures in a row.
fn until_asked_again(house: &House, failures: u32, error: &anyhow::Error) -> Duration {
    match error.downcast_ref::<GithubError>().map(|error| &error.failure) {
        Some(Failure::Limited { until }) => {
            let now = jiff::Timestamp::now();
            Duration::try_from(until.duration_since(now)).unwrap_or_default().max(house.timing.pull)
        }
        _ => wait(&house.timing.retry, failures),
    }
}

//! Jobs: claimed, kept alive by a heartbeat, carried out, and ended one way or another.
//!
//! After its last attempt a job is claimed once more, whether that attempt failed or took the process
//! with it: not to be tried again, but for the people concerned to be told.

use std::time::Duration;

use landfall_github::{Failure, GithubError};
use landfall_store::{ClaimJob, ClaimedJob, JobKey, NewJob, Retry, StoreError};
use tokio_util::sync::CancellationToken;

use super::Round;
use crate::flow::{self, Ended};
use crate::house::{House, Tools, wait};

/// How often a job is tried before it is left for a person.
const ATTEMPTS: u32 = 12;

pub(super) async fn round(
    house: &House,
    worker: &str,
    over: &CancellationToken,
) -> anyhow::Result<Round> {
    let claim = ClaimJob {
        worker: worker.to_owned(),
        lease: house.timing.job_lease,
        max_attempts: ATTEMPTS + 1,
    };
    let Some(job) = house.store.claim_job(&claim).await? else { return Ok(Round::Idle) };
    tracing::debug!(job = %job.key, attempt = job.attempt, "job begins");
    let outcome = tokio::select! {
        outcome = house.panics.caught(carry_out(house, &job)) => outcome.map_err(Into::into).flatten(),
        lost = keep_alive(house.tools(), &job) => Err(lost),
        () = over.cancelled() => {
            tracing::info!(job = %job.key, "job is put back: the server stops");
            house.store.park_job(&job.fence).await?;
            return Ok(Round::Worked);
        }
    };
    end(house, &job, outcome).await?;
    Ok(Round::Worked)
}

async fn carry_out(house: &House, job: &ClaimedJob) -> anyhow::Result<Ended> {
    if job.attempt > ATTEMPTS {
        flow::given_up::given_up(house, job, ATTEMPTS).await?;
        return Ok(Ended::GivenUp);
    }
    match &job.key {
        JobKey::Plan { repository, pull } => flow::plan::plan(house, job, *repository, *pull).await,
        JobKey::Run { repository, environment } => {
            flow::run::run(house, job, *repository, environment).await
        }
        JobKey::Branch { repository, branch } => {
            flow::branch::branch(house, job, *repository, branch).await
        }
        JobKey::Deliveries => flow::missed::sweep(house, job).await,
        JobKey::Installations => flow::installations::installations(house).await,
        JobKey::Repositories { installation } => {
            flow::installations::repositories(house, *installation).await
        }
        JobKey::Reconcile { repository } => {
            flow::reconcile::reconcile(house, job, *repository).await
        }
    }
}

/// Renews the claim until it is lost, and says then why the work has to stop.
pub(crate) async fn keep_alive(tools: Tools<'_>, job: &ClaimedJob) -> anyhow::Error {
    let lease = tools.timing.job_lease;
    loop {
        tokio::time::sleep(lease / 3).await;
        match tools.store.heartbeat(&job.fence, lease).await {
            Ok(()) => {}
            Err(error @ StoreError::StaleEpoch) => return error.into(),
            // The database may answer again before the claim has expired.
            Err(error) => tracing::warn!(job = %job.key, error = %error, "no heartbeat"),
        }
    }
}

async fn end(
    house: &House,
    job: &ClaimedJob,
    outcome: anyhow::Result<Ended>,
) -> anyhow::Result<()> {
    let store = &house.store;
    let written = match outcome {
        Ok(Ended::Done) => store.complete_job(&job.fence).await,
        Ok(Ended::Again(wait, why)) => {
            tracing::info!(job = %job.key, attempt = job.attempt, "job waits: {why}");
            store.fail_job(&job.fence, &why, Retry::At(after(house, wait).await?)).await
        }
        Ok(Ended::Later(wait, why)) => {
            tracing::info!(job = %job.key, "job comes later: {why}");
            come_again(house, job, after(house, wait).await?).await
        }
        Ok(Ended::GivenUp) => {
            let why = job.error.as_deref().unwrap_or_default();
            store.fail_job(&job.fence, why, Retry::Never).await
        }
        Err(error) if is_stale(&error) => {
            tracing::warn!(job = %job.key, "job is somebody else's now");
            return Ok(());
        }
        Err(error) if is_not_installed(&error) => {
            tracing::info!(job = %job.key, "job is dropped: the App is not installed there any more");
            store.complete_job(&job.fence).await
        }
        Err(error) if let Some(until) = limited(&error) => {
            tracing::info!(job = %job.key, "job comes later: {error:#}");
            come_again(house, job, until).await
        }
        Err(error) => {
            let why = house.redactor.redact(&format!("{error:#}")).into_owned();
            tracing::error!(job = %job.key, attempt = job.attempt, error = %why, "job failed");
            let wait = match job.attempt < ATTEMPTS {
                true => wait(&house.timing.retry, job.attempt),
                false => Duration::ZERO,
            };
            store.fail_job(&job.fence, &why, Retry::At(after(house, wait).await?)).await
        }
    };
    match written {
        Err(StoreError::StaleEpoch) => Ok(()),
        other => Ok(other?),
    }
}

/// The same work at another time. No attempt was made, so none is counted.
async fn come_again(
    house: &House,
    job: &ClaimedJob,
    at: jiff::Timestamp,
) -> landfall_store::Result<()> {
    let key = job.key.clone();
    let again = NewJob { key, installation: job.installation, run_at: Some(at) };
    house.store.enqueue(&[again]).await?;
    house.store.complete_job(&job.fence).await
}

fn is_stale(error: &anyhow::Error) -> bool {
    matches!(error.downcast_ref::<StoreError>(), Some(StoreError::StaleEpoch))
}

/// When GitHub may be asked again.
fn limited(error: &anyhow::Error) -> Option<jiff::Timestamp> {
    match error.downcast_ref::<GithubError>()?.failure {
        Failure::Limited { until } => Some(until),
        _ => None,
    }
}

fn is_not_installed(error: &anyhow::Error) -> bool {
    let error = error.downcast_ref::<GithubError>();
    error.is_some_and(|error| error.failure == Failure::NotInstalled)
}

async fn after(house: &House, wait: Duration) -> anyhow::Result<jiff::Timestamp> {
    Ok(house.store.now().await?.saturating_add(wait)?)
}

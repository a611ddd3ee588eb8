//! Jobs: claimed, kept alive by a heartbeat, carried out, and ended one way or another.
//!
//! After its last attempt a job is claimed once more, whether that attempt failed or took the process
//! with it: not to be tried again, but for the people concerned to be told.

use std::time::Duration;

use landfall_github::{Failure, GithubError};
use landfall_store::{ClaimJob, ClaimedJob, JobKey, Retry, StoreError};
use tokio_util::sync::CancellationToken;

use super::told::told;
use super::{Round, is_stale};
use crate::flow::{self, Ended};
use crate::house::{House, Tools, wait};

/// How often a job is tried before it is left for a person.
const ATTEMPTS: u32 = 12;
/// How often it is tried then to tell the people concerned.
const TOLD: u32 = 5;
/// The attempt whose wait is the one between two looks whether GitHub can be reached again.
const AWAY: u32 = 3;

pub(super) async fn round(
    house: &House,
    worker: &str,
    over: &CancellationToken,
) -> anyhow::Result<Round> {
    let claim = ClaimJob {
        worker: worker.to_owned(),
        lease: house.timing.job_lease,
        max_attempts: ATTEMPTS + TOLD,
    };
    let Some(job) = house.store.claim_job(&claim).await? else { return Ok(Round::Idle) };
    tracing::debug!(job = %job.key, attempt = job.attempt, "job begins");
    let outcome = tokio::select! {
        outcome = house.panics.caught(carry_out(house, &job)) => outcome.map_err(Into::into).flatten(),
        lost = keep_alive(house.tools(), &job) => Err(lost),
        () = over.cancelled() => {
            tracing::info!(job = %job.key, "job is put back: the server stops");
            house.store.park_job(&job.fence, None).await?;
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
        JobKey::Group { repository, branch } => {
            flow::group::group(house, job, *repository, branch).await
        }
        JobKey::Protection { repository, request } => {
            flow::protection::protection(house, job, *repository, request).await
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
            store.park_job(&job.fence, Some(after(house, wait).await?)).await
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
            store.park_job(&job.fence, Some(until)).await
        }
        Err(error) if is_away(&error) => {
            tracing::warn!(job = %job.key, "job comes later: {error:#}");
            let wait = wait(&house.timing.retry, AWAY);
            store.park_job(&job.fence, Some(after(house, wait).await?)).await
        }
        Err(error) => {
            let all = house.redactor.redact(&format!("{error:#}")).into_owned();
            tracing::error!(job = %job.key, attempt = job.attempt, error = %all, "job failed");
            // If it is given up, this is what people read.
            let why = house.redactor.redact(&told(&error)).into_owned();
            let wait = match job.attempt == ATTEMPTS {
                true => Duration::ZERO,
                false => wait(&house.timing.retry, job.attempt),
            };
            store.fail_job(&job.fence, &why, Retry::At(after(house, wait).await?)).await
        }
    };
    match written {
        Err(StoreError::StaleEpoch) => Ok(()),
        other => Ok(other?),
    }
}

/// When GitHub may be asked again.
fn limited(error: &anyhow::Error) -> Option<jiff::Timestamp> {
    match error.downcast_ref::<GithubError>()?.failure {
        Failure::Limited { until } => Some(until),
        _ => None,
    }
}

/// Whether GitHub could not be reached at all. That may last, and is no fault of the job.
fn is_away(error: &anyhow::Error) -> bool {
    let error = error.downcast_ref::<GithubError>();
    error.is_some_and(|error| matches!(error.failure, Failure::Unreachable { .. }))
}

fn is_not_installed(error: &anyhow::Error) -> bool {
    let error = error.downcast_ref::<GithubError>();
    error.is_some_and(|error| error.failure == Failure::NotInstalled)
}

async fn after(house: &House, wait: Duration) -> anyhow::Result<jiff::Timestamp> {
    Ok(house.store.now().await?.saturating_add(wait)?)
}

//! Resolving: what became of steps that were cut off or whose outcome nobody knew.
//!
//! Each is read back, change by change. What landed is ours; what did not is planned again; with
//! anything foreign the step stays unresolved and a person has to look. Nothing is sent.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;
use landfall_core::name::{ServiceName, UnitName};
use landfall_core::plan::{Effect, Landed};
use landfall_providers::ProviderError;
use landfall_repo::RepoError;
use landfall_store::{ClaimedJob, Fence, ReadBack, Step, StepState, Unresolved};

use super::Ended;
use crate::gather::Sessions;
use crate::gather::facts::Place;
use crate::house::{House, Timing, wait};

/// What is left after resolving.
#[derive(Debug, Default)]
pub struct Left {
    /// Steps that a person has to look at.
    pub attention: Vec<Step>,
    /// Why a provider could not be asked about some of them. It may be later.
    pub unasked: Option<ProviderError>,
    /// How long to wait before a request that may still be on its way has had its time.
    pub wait: Option<Duration>,
}

impl Left {
    /// The units that stay out of plans.
    #[must_use]
    pub fn units(&self) -> BTreeSet<UnitName> {
        self.attention
            .iter()
            .flat_map(|step| &step.effect.changes)
            .map(|change| change.unit.clone())
            .collect()
    }

    /// The services that do.
    #[must_use]
    pub fn services(&self) -> BTreeSet<ServiceName> {
        self.units().into_iter().map(|unit| unit.service).collect()
    }
}

/// Resolves the steps of an environment as far as that can be done without a person.
///
/// # Errors
/// The store or a provider could not be asked.
pub async fn resolve(
    place: &Place<'_>,
    fence: &Fence,
    sessions: &Sessions<'_>,
) -> anyhow::Result<Left> {
    let store = place.tools.store;
    let here = Unresolved::In(place.repository, place.environment.name.clone());
    let steps = store.unresolved_steps(&here).await?;
    let now = store.now().await?;
    let mut left = Left::default();
    for step in steps {
        let over = over(&step, place.tools.timing)?;
        if over > now {
            let wait = Duration::try_from(over.duration_since(now)).unwrap_or_default();
            left.wait = left.wait.max(Some(wait));
            continue;
        }
        let found = match read_back(sessions, &step.effect).await {
            Ok(found) => found,
            Err(error) => {
                left.attention.push(Step { message: error.to_string(), ..step });
                if matches!(error, ProviderError::Unreachable(_) | ProviderError::Limited { .. }) {
                    left.unasked = Some(error);
                }
                continue;
            }
        };
        let step = store.resolve_step(fence, step.id, &found).await?;
        if step.state.is_unresolved() {
            left.attention.push(step);
        }
    }
    Ok(left)
}

/// When nothing of a step can be under way any more, so that what is read back stays so. A request
/// begins and ends within the lease that it was sent under; one that nobody waits for any more may
/// be carried out for a while still.
fn over(step: &Step, timing: &Timing) -> anyhow::Result<Timestamp> {
    Ok(match step.state {
        StepState::Unknown => step.ended_at.unwrap_or(step.intended_at).checked_add(timing.late)?,
        StepState::Intent => step.intended_at.checked_add(timing.target_lease)?,
        _ => step.intended_at,
    })
}

/// Asks every connection that could lead to the effect's target.
async fn read_back(sessions: &Sessions<'_>, effect: &Effect) -> Result<ReadBack, ProviderError> {
    let mut last = ProviderError::Missing(format!("no connection leads to {}", effect.target));
    for route in sessions.leading_to(&effect.target.provider) {
        let read_back = match sessions.writer(&route).await {
            Ok(writer) => writer.read_back(effect).await,
            Err(error) => Err(error),
        };
        match read_back {
            Ok((landed, ids)) => {
                let foreign = landed
                    .iter()
                    .zip(&effect.changes)
                    .filter(|(landed, _)| **landed == Landed::Foreign);
                let foreign: Vec<String> =
                    foreign.map(|(_, change)| change.key.to_string()).collect();
                let message = match foreign.is_empty() {
                    true => String::new(),
                    false => format!("found something else at {}", foreign.join(", ")),
                };
                return Ok(ReadBack { landed, ids, message });
            }
            Err(error @ (ProviderError::Missing(_) | ProviderError::Denied(_))) => last = error,
            Err(error) => return Err(error),
        }
    }
    Err(last)
}

/// GitHub does not show yet what it announced.
#[must_use]
pub fn behind(house: &House, job: &ClaimedJob, error: &anyhow::Error) -> Ended {
    let wait = wait(&house.timing.lag, job.attempt);
    Ended::Again(wait, format!("GitHub lags behind: {error}"))
}

/// Whether a job failed because GitHub does not show yet what it announced.
#[must_use]
pub fn lags(error: &anyhow::Error) -> bool {
    matches!(error.downcast_ref::<RepoError>(), Some(RepoError::NotYet { .. } | RepoError::Gone(_)))
}

//! A branch moved: which environments follow it is written in the rules, so it is found out by a job.
//!
//! One that may follow it and follows another is offered it; its run says what would come of that.

use landfall_core::name::{BranchName, RepositoryId};
use landfall_store::{ClaimedJob, JobKey, NewJob};

use super::Ended;
use super::ground::{Ground, findings};
use crate::house::House;

/// Has every environment run that follows `branch`. When the rules themselves moved, all of them may
/// have something to do; a run that finds nothing changes nothing.
///
/// # Errors
/// The store, GitHub or git could not be asked.
pub async fn branch(
    house: &House,
    job: &ClaimedJob,
    repository: RepositoryId,
    branch: &BranchName,
) -> anyhow::Result<Ended> {
    let Some(ground) = Ground::open(house, repository).await? else { return Ok(Ended::Done) };
    let ground = ground.fetch(&[]).await?;
    let rules = match ground.rules(house).await {
        Ok(rules) => rules,
        Err(error) => {
            if findings(error)?.is_some() {
                tracing::warn!(repository = %ground.repository.name, "nothing runs: the rules on the default branch are wrong");
            }
            return Ok(Ended::Done);
        }
    };
    let all = *branch == ground.repository.default_branch;
    let environments = rules.config.environments.values().filter(|environment| {
        !environment.branches.is_empty() && (all || environment.branches.contains(branch))
    });
    let run = |environment: &landfall_core::config::Environment| NewJob {
        key: JobKey::Run { repository, environment: environment.name.clone() },
        installation: job.installation,
        run_at: None,
    };
    let jobs: Vec<NewJob> = environments.map(run).collect();
    for environment in rules.config.mapped_to(branch.as_str()) {
        house.store.offer_branch(&job.fence, repository, &environment.name, branch).await?;
    }
    house.store.enqueue(&jobs).await?;
    Ok(Ended::Done)
}

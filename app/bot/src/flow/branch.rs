//! A branch moved: which environments follow it is written in the rules, so it is found out by a job.
//!
//! One that may follow it and follows another is offered it; its run says what would come of that.

use std::collections::BTreeSet;

use landfall_core::name::{BranchName, EnvironmentName, RepositoryId};
use landfall_store::{ClaimedJob, JobKey, NewJob};

use super::ground::{Ground, Rules, findings};
use super::{Ended, left};
use crate::gather::LoadError;
use crate::house::House;

/// Has every environment run that may follow `branch`, and, when the rules moved with it, those whose
/// newest run went by others: they may have something to do. Runs of environments that the rules do
/// not name any more come to their end. Pull requests of which more can be said now are planned anew:
/// those that nothing could be planned of as the branch was, and, when the rules moved, all that went
/// by others or by none. Nobody has to ask: their checks may be what keeps them from being merged.
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
    let jobs = |keys: BTreeSet<JobKey>| -> Vec<NewJob> {
        let installation = job.installation;
        keys.into_iter().map(|key| NewJob { key, installation, run_at: None }).collect()
    };
    let rules = match ground.rules(house).await {
        Ok(rules) => rules,
        Err(LoadError::NoConfig) => {
            house.store.enqueue(&jobs(left::orphans(house, repository, None).await?)).await?;
            return Ok(Ended::Done);
        }
        Err(error) => {
            if findings(error)?.is_some() {
                tracing::warn!(repository = %ground.repository.name, "nothing runs: the rules on the default branch are wrong");
            }
            return Ok(Ended::Done);
        }
    };
    let rules_moved = *branch == ground.repository.default_branch;
    let mut keys = left::orphans(house, repository, Some(&rules.config)).await?;
    for environment in rules.config.environments.values() {
        let name = &environment.name;
        if environment.branches.contains(branch) {
            house.store.offer_branch(&job.fence, repository, name, branch).await?;
        } else if !rules_moved || !was_judged_otherwise(house, repository, name, &rules).await? {
            continue;
        }
        keys.insert(JobKey::Run { repository, environment: name.clone() });
    }
    let moved_to = Some(&rules.digest).filter(|_| rules_moved);
    let outdated = house.store.outdated_pulls(repository, branch, moved_to).await?;
    house.store.ask_for_plans(repository, &outdated).await?;
    keys.extend(outdated.into_iter().map(|pull| JobKey::Plan { repository, pull }));
    house.store.enqueue(&jobs(keys)).await?;
    Ok(Ended::Done)
}

/// Whether the newest run of an environment went by other rules. One that never ran begins with a
/// push to its own branch.
async fn was_judged_otherwise(
    house: &House,
    repository: RepositoryId,
    environment: &EnvironmentName,
    rules: &Rules,
) -> anyhow::Result<bool> {
    let newest = house.store.recent_runs(repository, environment, 1).await?;
    Ok(newest.first().is_some_and(|newest| newest.run.config_digest != rules.digest))
}

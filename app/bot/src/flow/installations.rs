//! Where the App is: which installations there are, and which repositories they are on.
//!
//! Asked of GitHub, because what webhooks said of it may have been missed: a repository that was
//! never heard of becomes known, one that was taken away is left alone, a new name or default branch
//! is noted. Each repository is then compared by a job of its own ([`super::reconcile`]).

use std::collections::BTreeSet;

use landfall_core::name::{InstallationId, RepositoryId};
use landfall_store::{BACKGROUND, JobKey, NewJob, Repository};

use super::handle::repository_row;
use super::{Ended, reconcile};
use crate::house::House;

/// Has every installation looked at, after the runs that were cut off.
///
/// # Errors
/// The store or GitHub could not be asked.
pub async fn installations(house: &House) -> anyhow::Result<Ended> {
    reconcile::resume(house).await?;
    // What is known is read before GitHub is asked, so that one that comes in between is not taken
    // for gone.
    let known = house.store.active_repositories().await?;
    let listed = house.github.installations().await?;
    let working = listed.iter().filter(|installation| installation.suspended_at.is_none());
    let working: BTreeSet<InstallationId> = working.map(|installation| installation.id).collect();
    for repository in known {
        if !working.contains(&repository.installation) {
            leave(house, repository).await?;
        }
    }
    let jobs: Vec<NewJob> = working.into_iter().map(look_at).collect();
    house.store.ensure(&jobs).await?;
    Ok(Ended::Done)
}

/// The job that looks at an installation.
pub fn look_at(installation: InstallationId) -> NewJob {
    NewJob { key: JobKey::Repositories { installation }, installation: BACKGROUND, run_at: None }
}

/// Notes which repositories an installation is on, and has each of them compared.
///
/// # Errors
/// The store or GitHub could not be asked.
pub async fn repositories(house: &House, installation: InstallationId) -> anyhow::Result<Ended> {
    let known = house.store.repositories_of(installation).await?;
    let listed = house.github.repositories(installation).await?;
    let present: BTreeSet<RepositoryId> = listed.iter().map(|repository| repository.id).collect();
    let mut jobs = Vec::new();
    for described in &listed {
        let row = repository_row(installation, described);
        let key = JobKey::Reconcile { repository: row.id };
        if row.active {
            jobs.push(NewJob { key, installation: BACKGROUND, run_at: None });
        }
        if !known.contains(&row) {
            house.store.upsert_repository(&row).await?;
        }
    }
    for repository in known.into_iter().filter(|repository| repository.active) {
        if !present.contains(&repository.id) {
            leave(house, repository).await?;
        }
    }
    house.store.ensure(&jobs).await?;
    Ok(Ended::Done)
}

/// The App is not there any more.
async fn leave(house: &House, repository: Repository) -> anyhow::Result<()> {
    tracing::info!(repository = %repository.name, "the App is not installed there any more");
    Ok(house.store.upsert_repository(&Repository { active: false, ..repository }).await?)
}

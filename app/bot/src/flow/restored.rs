//! After a restore: everything is looked at that the store may be wrong about.
//!
//! What a restore takes from the rows themselves is the store's (`landfall_store::restore`). What is
//! left is to ask for the work that nobody announces again: every environment runs, which compares
//! all of it with what lives, every open pull request is planned anew, and what GitHub has of each
//! repository is compared with what is known ([`super::reconcile`]).

use landfall_store::{JobKey, NewJob, Repository};

use crate::house::House;

/// Asks for it, once after each restore.
///
/// # Errors
/// The store could not be asked or written to; nothing is lost by asking again.
pub async fn follow_up(house: &House) -> anyhow::Result<()> {
    let restored = house.store.last_restore().await?;
    let Some(restored) = restored.filter(|restored| !restored.followed_up) else { return Ok(()) };
    tracing::warn!(
        restored_at = %restored.at,
        taken_at = %restored.taken_at,
        "the store was restored from a backup: every environment is compared with what lives"
    );
    for repository in house.store.active_repositories().await? {
        ask(house, &repository).await?;
    }
    Ok(house.store.note_followed_up().await?)
}

async fn ask(house: &House, repository: &Repository) -> anyhow::Result<()> {
    let (store, id) = (&house.store, repository.id);
    let environments = store.environments(id).await?;
    let pulls: Vec<_> = store.open_pulls(id).await?.iter().map(|pull| pull.number).collect();
    store.ask_for_plans(id, &pulls).await?;
    let runs = environments
        .into_iter()
        .map(|environment| JobKey::Run { repository: id, environment: environment.name });
    let plans = pulls.into_iter().map(|pull| JobKey::Plan { repository: id, pull });
    let job = |key| NewJob { key, installation: repository.installation, run_at: None };
    let jobs: Vec<NewJob> =
        runs.chain(plans).chain([JobKey::Reconcile { repository: id }]).map(job).collect();
    Ok(store.enqueue(&jobs).await?)
}

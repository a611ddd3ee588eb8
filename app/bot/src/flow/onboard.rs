//! Onboarding: a repository that knows nothing of Landfall yet is told how to begin, in one issue with
//! a `landfall.yaml` for the branches that it has.
//!
//! It is decided once for a repository, when it is first seen without rules, and the decision is an
//! item of the outbox: whatever became of it, nobody is asked again, also not when the issue was
//! closed. An item without a text is the decision to say nothing. The publisher looks for the issue
//! before it creates one, so a store that is new, or was restored, opens no second one.
//!
//! Nothing is said where nobody asked for it: on forks, on archived repositories, where the App was
//! installed on everything that somebody owns, where it may not write issues, and where the operator
//! does not want it.

use std::collections::BTreeSet;

use landfall_core::config::{USUAL, proposal};
use landfall_core::name::BranchName;
use landfall_github::needs::Level;
use landfall_github::{Chosen, Failure, GithubError, Reader, Repository};
use landfall_store::{Fence, Item, ItemKey, ItemKind};

use super::ground::Ground;
use crate::house::House;
use crate::operator::Onboarding;
use crate::publish::IssueBody;

/// What the item is about: there is one for each repository.
const SUBJECT: &str = "proposal";

/// Decides whether a repository without rules is told how to begin, unless that was decided before.
///
/// # Errors
/// The store or GitHub could not be asked.
pub async fn onboard(house: &House, fence: &Fence, ground: &Ground) -> anyhow::Result<()> {
    let repository = &ground.repository;
    let key = ItemKey {
        installation: repository.installation,
        repository: repository.id,
        kind: ItemKind::Issue,
        subject: SUBJECT.to_owned(),
    };
    if house.operator.onboarding() == Onboarding::Off
        || house.store.item_body(&key).await?.is_some()
        // Its rules were taken away, so somebody knows how to begin.
        || !house.store.environments(repository.id).await?.is_empty()
    {
        return Ok(());
    }
    let described = ground.reader.repository().await?;
    let text = match is_wanted(house, &described, ground).await? {
        true => {
            let branches = usual_branches(&ground.reader).await?;
            let file = proposal(&described.default_branch, &branches);
            Some(house.templates.proposal(described.default_branch.as_str(), &file)?)
        }
        false => None,
    };
    let body = serde_json::to_value(IssueBody { text })?;
    Ok(house.store.put(fence, &Item { key, body, priority: 2 }).await?)
}

/// Whether somebody chose this very repository, and the App may open an issue in it.
async fn is_wanted(house: &House, described: &Repository, on: &Ground) -> anyhow::Result<bool> {
    if described.fork || described.archived {
        return Ok(false);
    }
    let installation = house.github.installation(on.repository.installation).await?;
    let level = installation.permissions.get("issues").and_then(|level| Level::named(level));
    Ok(installation.chosen == Chosen::Selected && level == Some(Level::Write))
}

/// Which of the branches are there that environments are usually named after.
async fn usual_branches(reader: &Reader) -> anyhow::Result<BTreeSet<BranchName>> {
    let mut there = BTreeSet::new();
    for name in USUAL {
        let branch: BranchName = name.parse()?;
        match reader.branch_protection(&branch).await {
            Ok(_) => drop(there.insert(branch)),
            Err(GithubError { failure: Failure::NotFound, .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(there)
}

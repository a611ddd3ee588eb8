//! Groups of GitHub's merge queue: what would happen if a group were merged as it stands.
//!
//! The queue waits for the required checks on the group's own commit, by the names that the pull
//! requests' checks have, so each is reported there. It is no review: what people saw stands on the
//! pull requests, and the run of the merge is held against that.
//!
//! A group goes when it was merged, or when one of its pull requests failed or left. A check that comes
//! then is for nobody, so the work on it ends without a word.

use landfall_core::diagnostic::Severity;
use landfall_core::name::{BranchName, CommitSha, EnvironmentName, RepositoryId};
use landfall_core::report::{EnvironmentReport, PullOutcome};
use landfall_repo::Wanted;
use landfall_store::ClaimedJob;

use super::announce::{Board, Expected, Group};
use super::ground::{Ground, Rules, findings};
use super::plan::before;
use super::plan::environment::Place;
use super::plan::fork::Trust;
use super::{Ended, resolve};
use crate::house::House;

/// The attempt after which a group that GitHub does not show is gone.
const PATIENCE: u32 = 8;

/// Plans the group that `branch` was made for, and reports its checks.
///
/// # Errors
/// Something could not be asked; the job is tried again.
pub async fn group(
    house: &House,
    job: &ClaimedJob,
    repository: RepositoryId,
    branch: &BranchName,
) -> anyhow::Result<Ended> {
    let Some(into) = branch.queued_into() else { return Ok(Ended::Done) };
    let Some(head) = house.store.pushed_head(repository, branch).await? else {
        return Ok(Ended::Done);
    };
    let Some(ground) = Ground::open(house, repository).await? else { return Ok(Ended::Done) };
    let queued = Wanted::Branch(branch.clone());
    let fetched = ground.fetch(&[queued.clone(), Wanted::Branch(into.clone())]).await;
    let there = fetched.and_then(|ground| {
        ground.fetched.expect(&queued, &head)?;
        Ok(ground)
    });
    let ground = match there {
        Ok(ground) => ground,
        Err(error) if resolve::lags(&error) => return Ok(gone_or_late(house, job, &error)),
        Err(error) => return Err(error),
    };
    let board = Board::of(house, job, repository);
    let group = Group { branch, head: &head, into: &into };
    match ground.rules(house).await {
        Ok(rules) => {
            let expected = Expected::by(&rules.config, &into);
            let outcome = Grouped { house, ground: &ground, rules: &rules, group: &group }
                .planned(&expected.environments)
                .await?;
            board.group(&group, &outcome, &expected).await?;
        }
        Err(error) => {
            findings(error)?;
            let mut known = board.following(&into).await?;
            // The group may bring the rules that mend it, and with them the names of its checks.
            let tree = ground.mirror.tree(&head).await?;
            if let Ok(own) = ground.rules_of(house, &tree).await {
                known.extend(Expected::by(&own.config, &into).environments);
            }
            board.group_without_rules(&group, &Expected::without_rules(known)).await?;
        }
    }
    Ok(Ended::Done)
}

/// A group that GitHub does not show comes late, or is gone. After a while it is gone.
fn gone_or_late(house: &House, job: &ClaimedJob, error: &anyhow::Error) -> Ended {
    match job.attempt < PATIENCE {
        true => resolve::behind(house, job, error),
        false => Ended::Done,
    }
}

/// A group that was fetched.
struct Grouped<'a> {
    house: &'a House,
    ground: &'a Ground,
    rules: &'a Rules,
    group: &'a Group<'a>,
}

impl Grouped<'_> {
    async fn planned(&self, environments: &[EnvironmentName]) -> anyhow::Result<PullOutcome> {
        let Self { house, ground, rules, group } = *self;
        let base: CommitSha = ground.tip(group.into)?.clone();
        let tree = ground.mirror.tree(group.head).await?;
        let merged = match ground.declared(house, rules, &tree).await {
            Ok(declared) => declared,
            Err(error) => {
                let mut found = findings(error)?.unwrap_or_default();
                found.retain(|finding| finding.severity == Severity::Error);
                return Ok(PullOutcome::Invalid(found));
            }
        };
        let before = before(house, ground, rules, &base).await?;
        let place = Place {
            house,
            ground,
            pull: None,
            // Somebody who may merge has queued it.
            trust: Trust::Full,
            into: group.into,
            rules,
            merged: &merged,
            before: before.as_ref(),
            base: &base,
            tree: &tree,
        };
        let mut reports = Vec::new();
        for name in environments {
            reports.push(place.report(name).await?);
        }
        Ok(match reports.iter().any(EnvironmentReport::says_something) {
            true => PullOutcome::Planned { warnings: place.warnings(), environments: reports },
            false => PullOutcome::Unconcerned,
        })
    }
}

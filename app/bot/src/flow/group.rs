//! Groups of GitHub's merge queue: what would happen if a group were merged as it stands.
//!
//! The queue waits for the required checks on the group's own commit, by the names that the pull
//! requests' checks have, so each is reported there. It is no review: what people saw stands on the
//! pull requests, and the run of the merge is held against that.
//!
//! The label `landfall:skip` says that what is in the way of a plan is not to be in the way of the merge. So
//! a group of which every pull request has it passes as they did, without a plan. One with any other is
//! planned whole: what will be merged is one tree, and a plan of a part of it would be of something that
//! never is. The others need that plan, and GitHub may merge all of them once the last one's checks pass. If
//! a skipped one is what stops such a group, it can be queued alone. Which pull requests a group has is read
//! from its commits: by merge commits each names the head that it merges, and the last one stands in the
//! branch's name. Squashed or rebased together, all but the last are unknown, and the group is planned.
//!
//! A group goes when it was merged, or when one of its pull requests failed or left. A check that comes
//! then is for nobody, so the work on it ends without a word.

use landfall_core::diagnostic::Severity;
use landfall_core::label::Label;
use landfall_core::name::{BranchName, CommitSha, EnvironmentName, PullNumber, RepositoryId};
use landfall_core::report::{EnvironmentReport, PullOutcome};
use landfall_repo::Wanted;
use landfall_store::ClaimedJob;

use super::announce::{Board, Expected, Group};
use super::confirm::own_line;
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
        if self.is_skipped(&base).await? {
            return Ok(PullOutcome::Skipped);
        }
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

    /// Whether it is known which pull requests the group brings to `base`, and nobody wants one of them to
    /// be planned.
    async fn is_skipped(&self, base: &CommitSha) -> anyhow::Result<bool> {
        let Some(pulls) = self.pulls(base).await? else { return Ok(false) };
        for number in pulls {
            if !self.ground.reader.has_label(number, Label::Skip).await? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The pull requests of the group; none where one of them cannot be told by its commits.
    async fn pulls(&self, base: &CommitSha) -> anyhow::Result<Option<Vec<PullNumber>>> {
        let Self { house, ground, group, .. } = *self;
        let commits = ground.mirror.commits_between(base, group.head).await?;
        let open = house.store.open_pulls(ground.repository.id).await?;
        let mut pulls: Vec<PullNumber> = group.branch.last_queued().into_iter().collect();
        for sha in own_line(&commits, group.head).into_iter().skip(1) {
            let commit = commits.iter().find(|commit| commit.sha == sha);
            let merged = commit.and_then(|commit| commit.parents.get(1));
            // Several may have one head; which of them was queued does not matter if all are skipped.
            let before = pulls.len();
            let queued = open.iter().filter(|pull| merged == Some(&pull.head));
            pulls.extend(queued.map(|pull| pull.number));
            if pulls.len() == before {
                return Ok(None);
            }
        }
        Ok((!pulls.is_empty()).then_some(pulls))
    }
}

//! Confirming a run: which pull requests it brings, what was reviewed on them, who named a digest.
//!
//! Who merged what is asked of the store first, because the `closed` event usually came before; then
//! of GitHub, whose index lags behind a push. A run that is covered does not wait for any of it.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use landfall_core::command::DigestPrefix;
use landfall_core::coverage::{
    self, ApprovedPlan, Evidence, Past, PlanChanged, Reviewed, Uncovered, confirm,
};
use landfall_core::name::{BranchName, CommitSha, EnvironmentName, PullNumber};
use landfall_core::plan::{Change, Digest, Plan, ResourceKey};
use landfall_core::report::{StepReport, StepResult, Waiting};
use landfall_repo::Commit;
use landfall_store::{Environment, ProofQuery, Proofs, Pull, PullState, Run, StoredPlan};

use super::ground::Ground;
use crate::house::House;

/// At most this many commits of one push are looked up at GitHub.
const MOST_LOOKUPS: usize = 20;

/// The pull requests that a run brings.
#[derive(Debug, Default)]
pub struct Brought {
    /// In the order of their merges.
    pub pulls: Vec<Pull>,
    /// Commits on the branch's own line that no pull request is known for.
    pub unattributed: Vec<CommitSha>,
    /// All commits that the run brings.
    commits: HashSet<CommitSha>,
}

impl Brought {
    /// Their numbers.
    #[must_use]
    pub fn numbers(&self) -> Vec<PullNumber> {
        self.pulls.iter().map(|pull| pull.number).collect()
    }

    /// Finds them as far as the store knows. `last` is the commit that was applied last.
    ///
    /// # Errors
    /// Git or the store could not be asked.
    pub async fn find(
        house: &House,
        ground: &Ground,
        last: Option<&CommitSha>,
        tip: &CommitSha,
    ) -> anyhow::Result<Self> {
        let last = match last {
            // It was forced away, and the mirror has forgotten it.
            Some(last) if !ground.mirror.has(last).await? => None,
            other => other,
        };
        let commits = match last {
            Some(last) if last == tip => Vec::new(),
            Some(last) => ground.mirror.commits_between(last, tip).await?,
            // Nothing was applied before: only what came last can be told of.
            None => vec![Commit {
                sha: tip.clone(),
                tree: ground.mirror.tree(tip).await?,
                parents: Vec::new(),
            }],
        };
        let line = own_line(&commits, tip);
        let mut brought = Self {
            commits: commits.into_iter().map(|commit| commit.sha).collect(),
            ..Self::default()
        };
        brought.sort_out(house, ground, line).await?;
        Ok(brought)
    }

    /// Asks GitHub about the commits that no pull request is known for.
    ///
    /// # Errors
    /// GitHub or the store could not be asked.
    pub async fn look_up(
        &mut self,
        house: &House,
        ground: &Ground,
        branch: &BranchName,
    ) -> anyhow::Result<()> {
        let unknown = std::mem::take(&mut self.unattributed);
        for commit in unknown.iter().take(MOST_LOOKUPS) {
            for pull in ground.reader.merged_with(commit, branch, &self.commits).await? {
                super::handle::note_pull(house, ground.repository.id, &pull).await?;
            }
        }
        self.sort_out(house, ground, unknown).await
    }

    async fn sort_out(
        &mut self,
        house: &House,
        ground: &Ground,
        line: Vec<CommitSha>,
    ) -> anyhow::Result<()> {
        let all: Vec<CommitSha> = self.commits.iter().cloned().collect();
        self.pulls = house.store.merged_pulls(ground.repository.id, &all).await?;
        let known: HashSet<&CommitSha> = self.pulls.iter().filter_map(merge_commit).collect();
        self.unattributed = line.into_iter().filter(|commit| !known.contains(commit)).collect();
        Ok(())
    }
}

fn merge_commit(pull: &Pull) -> Option<&CommitSha> {
    match &pull.state {
        PullState::Merged { commit, .. } => Some(commit),
        PullState::Open | PullState::Closed => None,
    }
}

/// The branch's own line from its tip: first parents, newest first.
pub(super) fn own_line(commits: &[Commit], tip: &CommitSha) -> Vec<CommitSha> {
    let by_sha: BTreeMap<&CommitSha, &Commit> =
        commits.iter().map(|commit| (&commit.sha, commit)).collect();
    let mut line = Vec::new();
    let mut next = by_sha.get(tip);
    while let Some(commit) = next {
        line.push(commit.sha.clone());
        next = commit.parents.first().and_then(|parent| by_sha.get(parent));
    }
    line
}

/// What a run is judged by.
#[derive(Debug)]
pub struct Case<'a> {
    /// The house.
    pub house: &'a House,
    /// The repository.
    pub ground: &'a Ground,
    /// The run.
    pub run: &'a Run,
    /// Where the environment stands.
    pub row: Option<&'a Environment>,
    /// The rules of the environment.
    pub environment: &'a landfall_core::config::Environment,
    /// The rules that it was last applied by.
    pub earlier: Option<&'a landfall_core::config::Environment>,
}

impl Case<'_> {
    /// Judges `plan` by what was reviewed of what is `brought` and by whose word the run has.
    ///
    /// # Errors
    /// The store could not be asked.
    pub async fn judge(
        &self,
        plan: &Plan,
        brought: &Brought,
    ) -> anyhow::Result<Result<ApprovedPlan, Waiting>> {
        let store = &self.house.store;
        let repository = self.ground.repository.id;
        let (reviewed, since) = self.reviewed(&brought.pulls).await?;
        let approved = approved(self.house, self.run).await?;
        let changes = || {
            reviewed.iter().flat_map(|reviewed| &reviewed.changes).chain(approved.iter().flatten())
        };
        let keys: BTreeSet<ResourceKey> = changes().map(|change| change.key.clone()).collect();
        let digests: BTreeSet<Digest> = changes().map(Change::digest).collect();
        let owned = if keys.is_empty() { BTreeMap::new() } else { store.owned(&keys).await? };
        let proven = match since {
            Some(since) if !digests.is_empty() => {
                let environment = self.environment.name.clone();
                store.proven(&ProofQuery { repository, environment, digests, since }).await?
            }
            _ => Proofs::default(),
        };
        let evidence = Evidence {
            reviewed: &reviewed,
            approved: &approved,
            past: past(self.row),
            owned: &owned,
            proven: &proven.done,
            begun: &proven.begun,
            plan_changed: self.plan_changed(),
        };
        Ok(confirm(plan, &evidence).map_err(|uncovered| match uncovered {
            // There is nothing to compare it with.
            Uncovered::Differs { .. } if reviewed.is_empty() && !brought.pulls.is_empty() => {
                Waiting::Late
            }
            Uncovered::Differs { .. }
                if reviewed.is_empty() && !brought.unattributed.is_empty() =>
            {
                Waiting::Pushed
            }
            uncovered => uncovered.into(),
        }))
    }

    /// What the rules say of a plan that is not covered. A merge is not judged by those alone that it
    /// brings.
    #[must_use]
    pub fn plan_changed(&self) -> PlanChanged {
        let both = std::iter::once(self.environment).chain(self.earlier);
        match both.into_iter().all(|rules| rules.plan_changed == PlanChanged::Apply) {
            true => PlanChanged::Apply,
            false => PlanChanged::Hold,
        }
    }

    /// The reviewed plans: for the head that was merged, and accepted by GitHub before the merge.
    /// With them the time of the oldest, from which on our own steps count as proof.
    async fn reviewed(
        &self,
        pulls: &[Pull],
    ) -> anyhow::Result<(Vec<Reviewed>, Option<jiff::Timestamp>)> {
        let (mut reviewed, mut since): (Vec<Reviewed>, Option<jiff::Timestamp>) =
            (Vec::new(), None);
        let mut merged: Vec<&CommitSha> = Vec::new();
        for pull in pulls {
            let Some(commit) = merge_commit(pull) else { continue };
            let seen = shown_at_merge(self.house, pull, &self.environment.name).await?;
            let Some(stored) = seen else { continue };
            since = Some(since.map_or(stored.created_at, |since| since.min(stored.created_at)));
            let (mirror, base) = (&self.ground.mirror, &stored.plan.base);
            if !merged.is_empty() && mirror.has(base).await? {
                for (earlier, merged) in reviewed.iter_mut().zip(&merged) {
                    earlier.overtaken |= mirror.is_ancestor(merged, base).await?;
                }
            }
            let changes = stored.plan.plan.changes().cloned().collect();
            reviewed.push(Reviewed { pull: pull.number, changes, overtaken: false });
            merged.push(commit);
        }
        Ok((reviewed, since))
    }
}

/// What the comment on a pull request said of an environment when it was merged: the newest plan for the
/// head that was merged which GitHub had accepted by then.
async fn shown_at_merge(
    house: &House,
    pull: &Pull,
    environment: &EnvironmentName,
) -> anyhow::Result<Option<StoredPlan>> {
    let PullState::Merged { at, .. } = &pull.state else { return Ok(None) };
    let plans = house.store.plans_for_head(pull.repository, pull.number, &pull.head).await?;
    let mut shown = plans.into_iter().filter(|stored| {
        stored.plan.plan.environment == *environment
            && stored.published.is_some_and(|published| published.at < *at)
    });
    Ok(shown.next_back())
}

/// The plans whose digests somebody named for a run.
async fn approved(house: &House, run: &Run) -> anyhow::Result<Vec<Vec<Change>>> {
    let (repository, environment) = (run.run.repository, &run.run.environment);
    let mut approved = Vec::new();
    for approval in &run.approvals {
        let prefix = DigestPrefix::of(&approval.digest);
        let plans = house.store.plans_by_digest(repository, environment, &prefix).await?;
        let known = plans.into_iter().map(|stored| stored.plan.plan);
        let plan = known.chain(run.plan.clone()).find(|plan| plan.digest() == approval.digest);
        approved.extend(plan.map(|plan| plan.changes().cloned().collect()));
    }
    Ok(approved)
}

/// What a run has done, by its `steps`, that nobody saw before: an environment with `plan_changed: apply`
/// lets it through. A run may have been cut off since, so this is found out by what is written.
///
/// # Errors
/// The store could not be asked.
pub async fn unseen(
    house: &House,
    run: &Run,
    pulls: &[Pull],
    steps: &[StepReport],
) -> anyhow::Result<Vec<Change>> {
    let done =
        |step: &&StepReport| matches!(step.result, StepResult::Done | StepResult::Unknown(_));
    let done: Vec<Change> =
        steps.iter().filter(done).flat_map(|step| step.changes.iter().cloned()).collect();
    if done.is_empty() {
        return Ok(Vec::new());
    }
    let mut seen: Vec<Change> = approved(house, run).await?.into_iter().flatten().collect();
    for pull in pulls {
        let shown = shown_at_merge(house, pull, &run.run.environment).await?;
        seen.extend(shown.iter().flat_map(|stored| stored.plan.plan.changes().cloned()));
    }
    Ok(coverage::unseen(&done, &seen))
}

/// What is known of an environment.
#[must_use]
pub fn past(row: Option<&Environment>) -> Past {
    match row {
        Some(Environment { restored: Some(_), .. }) => Past::Restored,
        Some(Environment { last: Some(_), .. }) => Past::Known,
        Some(Environment { last: None, .. }) | None => Past::Never,
    }
}

/// Whether the digits that somebody typed name this plan.
#[must_use]
pub fn names(prefix: &DigestPrefix, digest: &Digest) -> bool {
    digest.to_string().starts_with(prefix.as_str())
}

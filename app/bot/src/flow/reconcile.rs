//! Reconciling: what GitHub has of a repository, held against what is known of it here.
//!
//! Webhooks are hints, and this needs none: whatever was missed, however long ago, shows as a branch
//! that is not where it was, an environment whose newest run is not for its branch's tip, or a pull
//! request with another head than was planned. Then the job that the webhook would have brought is
//! made sure of, and nothing else happens here: a repository in which nothing was missed costs two
//! requests and a fetch, and nobody hears of it.
//!
//! What a webhook would not have brought, this does not bring either. The first comparison only
//! notes where the branches are, since an environment begins with a push that comes after Landfall. A
//! run that ended is not tried again. A pull request is not planned anew because its base went on: what
//! a run of it changed for others is known to that run (`run/told.rs`), and a plan of everything that is
//! open would be work and edited comments for nothing.
//!
//! What could not be published because the App was not allowed to is tried again: it may be by now.
//!
//! A repository without rules on its default branch is left alone: whoever installs the App on all
//! of an organisation pays one request for each, and no mirror. The first time, it is decided whether
//! people are told how to begin ([`super::onboard`]).

use std::collections::{BTreeMap, BTreeSet};

use landfall_core::config::REPOSITORY_CONFIG;
use landfall_core::label::Label;
use landfall_core::name::{BranchName, PullNumber, RepositoryId};
use landfall_github::{Failure, GithubError, Pull, PullState};
use landfall_repo::Wanted;
use landfall_store::{ClaimedJob, GivenUp, JobKey, KnownHeads, NewJob, PushedHead, RunState};

use super::Ended;
use super::announce::unanswered;
use super::ground::{Ground, Rules, findings};
use super::handle::note_pull;
use super::left;
use super::onboard::onboard;
use super::plan::labelled;
use super::run::leads_to;
use crate::house::House;

/// States of a run in which somebody has to be working on it.
pub(super) const UNDER_WAY: [RunState; 3] =
    [RunState::Queued, RunState::Running, RunState::Verifying];

/// Makes sure that somebody works on every run that is under way: the server that did may be gone,
/// and its job with it.
///
/// # Errors
/// The store could not be asked.
pub async fn resume(house: &House) -> anyhow::Result<()> {
    let mut jobs = Vec::new();
    for run in house.store.runs_in(&UNDER_WAY).await? {
        let Some(repository) = house.store.repository(run.run.repository).await? else { continue };
        let key =
            JobKey::Run { repository: repository.id, environment: run.run.environment.clone() };
        jobs.push(NewJob { key, installation: repository.installation, run_at: None });
    }
    ensure(house, jobs).await
}

/// Compares a repository.
///
/// # Errors
/// The store, GitHub or git could not be asked.
pub async fn reconcile(
    house: &House,
    job: &ClaimedJob,
    repository: RepositoryId,
) -> anyhow::Result<Ended> {
    let Some(ground) = Ground::open(house, repository).await? else { return Ok(Ended::Done) };
    house.store.unpark_items(ground.repository.installation, repository).await?;
    if !ground.reader.has_file(REPOSITORY_CONFIG).await? {
        let installation = ground.repository.installation;
        let keys = left::orphans(house, repository, None).await?.into_iter();
        let jobs = keys.map(|key| NewJob { key, installation, run_at: None });
        ensure(house, jobs.collect()).await?;
        onboard(house, &job.fence, &ground).await?;
        return Ok(Ended::Done);
    }
    let ground = ground.fetch(&[Wanted::AllBranches]).await?;
    let rules = match ground.rules(house).await {
        Ok(rules) => Some(rules),
        // Whoever has to mend them was told on the pull request that broke them.
        Err(error) => {
            findings(error)?;
            None
        }
    };
    let comparison = Comparison { house, ground: &ground };
    let mut missed = comparison.pulls().await?;
    let moved = comparison.moved().await?;
    missed.extend(moved.missed(repository));
    if let Some(rules) = &rules {
        missed.extend(comparison.environments(rules).await?);
    }
    for key in &missed {
        tracing::info!(repository = %ground.repository.name, job = %key, "something was missed");
    }
    let installation = ground.repository.installation;
    let jobs = missed.into_iter().map(|key| NewJob { key, installation, run_at: None });
    ensure(house, jobs.collect()).await?;
    // Only now: what counts as known is not asked for again.
    if !moved.heads.is_empty() || !moved.known.compared {
        house.store.note_heads(&job.fence, repository, &moved.heads).await?;
    }
    Ok(Ended::Done)
}

/// Makes sure of jobs, but not of those that cost every worker its life that had them.
async fn ensure(house: &House, mut jobs: Vec<NewJob>) -> anyhow::Result<()> {
    if jobs.is_empty() {
        return Ok(());
    }
    let given_up = house.store.given_up().await?;
    let deadly = given_up.into_iter().filter(GivenUp::killed_its_worker);
    let deadly: BTreeSet<JobKey> = deadly.map(|given_up| given_up.key).collect();
    jobs.retain(|job| !deadly.contains(&job.key));
    Ok(house.store.ensure(&jobs).await?)
}

/// Branches that are elsewhere than they were known to be.
struct Moved {
    known: KnownHeads,
    heads: Vec<PushedHead>,
}

impl Moved {
    /// What the pushes that nobody heard of would have brought. A branch that is seen for the first
    /// time was pushed to before Landfall came, unless all branches had been seen.
    fn missed(&self, repository: RepositoryId) -> impl Iterator<Item = JobKey> {
        let KnownHeads { compared, heads } = &self.known;
        let pushed =
            self.heads.iter().filter(|moved| *compared || heads.contains_key(&moved.branch));
        pushed.filter_map(move |moved| {
            let branch = moved.branch.clone();
            match (branch.queued_into(), &moved.head) {
                (None, _) => Some(JobKey::Branch { repository, branch }),
                (Some(_), Some(_)) => Some(JobKey::Group { repository, branch }),
                // The group is gone.
                (Some(_), None) => None,
            }
        })
    }
}

/// A repository that is being compared, as it was just fetched.
struct Comparison<'a> {
    house: &'a House,
    ground: &'a Ground,
}

impl Comparison<'_> {
    fn repository(&self) -> RepositoryId {
        self.ground.repository.id
    }

    /// The pull requests that are to be planned: those that are not as they are known, and those whose
    /// plan is due. Of those that were closed, that is noted.
    async fn pulls(&self) -> anyhow::Result<Vec<JobKey>> {
        let (store, repository) = (&self.house.store, self.repository());
        let given_up: BTreeSet<JobKey> =
            store.given_up().await?.into_iter().map(|given_up| given_up.key).collect();
        let known = store.open_pulls(repository).await?;
        let mut known: BTreeMap<PullNumber, _> =
            known.into_iter().map(|pull| (pull.number, pull)).collect();
        let mut missed = Vec::new();
        for pull in self.ground.reader.open_pulls().await? {
            let row = known.remove(&pull.number);
            let moved =
                row.is_none_or(|row| row.head != pull.head.sha || row.base != pull.base.branch);
            if moved {
                note_pull(self.house, repository, &pull).await?;
                store.ask_for_plans(repository, &[pull.number]).await?;
            }
            let key = JobKey::Plan { repository, pull: pull.number };
            let due = store.plan_due(repository, pull.number).await?.is_some();
            // What was given up was told on the pull request, with how it goes on.
            if moved || due && !given_up.contains(&key) {
                missed.push(key);
            }
        }
        for number in known.into_keys() {
            let Some(pull) = self.closed(number).await? else { continue };
            note_pull(self.house, repository, &pull).await?;
            if pull.state == PullState::Closed {
                missed.push(JobKey::Plan { repository, pull: number });
            }
        }
        Ok(missed)
    }

    /// A pull request that is not open any more; none when GitHub does not show it.
    async fn closed(&self, number: PullNumber) -> anyhow::Result<Option<Pull>> {
        match self.ground.reader.pull(number).await {
            Ok(pull) => Ok(Some(pull)),
            Err(GithubError { failure: Failure::NotFound | Failure::Gone, .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// The branches that are not where they were known to be. A push that is heard of just now may be
    /// noted as older than it is; the next comparison mends that.
    async fn moved(&self) -> anyhow::Result<Moved> {
        let repository = self.repository();
        let known = self.house.store.known_heads(repository).await?;
        let found: BTreeMap<_, _> = self.ground.fetched.branches().collect();
        let all: BTreeSet<&BranchName> = found.keys().copied().chain(known.heads.keys()).collect();
        let mut heads = Vec::new();
        for branch in all {
            let head = found.get(branch).copied();
            if head != known.heads.get(branch) {
                let (branch, head) = (branch.clone(), head.cloned());
                heads.push(PushedHead { repository, branch, head });
            }
        }
        Ok(Moved { known, heads })
    }

    async fn any_has(&self, pulls: &[PullNumber], label: Label) -> anyhow::Result<bool> {
        for number in pulls {
            if self.ground.reader.has_label(*number, label).await? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The environments whose newest run is not for where they are to go, and those with runs that the
    /// rules do not name any more. One that never followed a branch begins with a push.
    async fn environments(&self, rules: &Rules) -> anyhow::Result<Vec<JobKey>> {
        let (store, repository) = (&self.house.store, self.repository());
        let mut missed = Vec::new();
        for environment in rules.config.environments.values() {
            let row = store.environment(repository, &environment.name).await?;
            if row.as_ref().is_none_or(|row| row.branch.is_none()) {
                continue;
            }
            let tips = leads_to(self.ground, environment, row.as_ref());
            let newest = store.recent_runs(repository, &environment.name, 1).await?;
            let arrived = newest.first().is_some_and(|newest| {
                let run = &newest.run;
                run.config_digest == rules.digest && tips.contains(&run.commit)
            });
            if !tips.is_empty() && !arrived {
                let environment = environment.name.clone();
                missed.push(JobKey::Run { repository, environment });
            }
        }
        for (run, pulls) in labelled(self.house, repository).await? {
            if !self.any_has(&pulls, Label::Hold).await? {
                missed.push(JobKey::Run { repository, environment: run.run.environment });
            }
        }
        missed.extend(unanswered(&*self.house.store, repository, None).await?);
        missed.extend(left::orphans(self.house, repository, Some(&rules.config)).await?);
        Ok(missed)
    }
}

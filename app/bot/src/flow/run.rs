//! Runs: bringing one environment to the newest commit of its branch.
//!
//! What a run applies is planned by the run itself, under the leases of its targets and without
//! anything that was observed earlier. That plan is confirmed against what was reviewed, or held.
//! A run that was cut off is picked up here too: its unresolved steps are read back first, and what
//! is left is planned anew.

use std::collections::BTreeSet;
use std::time::Duration;

use landfall_core::config::{Environment, Unit, vanished};
use landfall_core::diagnostic::{Diagnostic, Severity};
use landfall_core::lease::LeaseProof;
use landfall_core::name::{BranchName, CommitSha, EnvironmentName, RepositoryId};
use landfall_core::plan::Target;
use landfall_core::report::{RunStage, Waiting};
use landfall_repo::Wanted;
use landfall_store::{Acquired, ClaimedJob, LeaseRequest, NewRun, RunId, RunState, Trigger};
use uuid::Uuid;

use super::ground::{Ground, Rules, findings};
use super::{Ended, resolve};
use crate::gather::Declared;
use crate::gather::facts::Place;
use crate::house::{House, Kinds};

mod apply;
mod told;

use apply::Applying;
pub(crate) use apply::{applied_units, outcome};

/// Brings an environment to its commit.
///
/// # Errors
/// Something could not be asked; the job is tried again and goes on from what is written.
pub async fn run(
    house: &House,
    job: &ClaimedJob,
    repository: RepositoryId,
    name: &EnvironmentName,
) -> anyhow::Result<Ended> {
    let Some(ground) = Ground::open(house, repository).await? else { return Ok(Ended::Done) };
    let ground = ground.fetch(&[Wanted::AllBranches]).await?;
    let rules = match ground.rules(house).await {
        Ok(rules) => rules,
        Err(error) => {
            findings(error)?;
            tracing::warn!(repository = %ground.repository.name, environment = %name, "no run: the rules cannot be read");
            return Ok(Ended::Done);
        }
    };
    let Some(environment) = rules.config.environments.get(name) else { return Ok(Ended::Done) };
    let row = house.store.environment(repository, name).await?;
    let followed = row.as_ref().and_then(|row| row.branch.clone());
    let Some((branch, tip)) = branch_of(&ground, environment, followed.as_ref()) else {
        return Ok(Ended::Done);
    };
    if followed.is_none() {
        house.store.follow_branch(&job.fence, repository, name, &branch).await?;
    }
    let new = NewRun {
        id: RunId(Uuid::new_v4()),
        repository,
        environment: name.clone(),
        commit: tip.clone(),
        config_digest: rules.digest,
        trigger: Trigger::Push,
    };
    let run = house.store.insert_or_get_run(&job.fence, &new).await?.into_inner();
    if run.state.is_ended() {
        return Ok(Ended::Done);
    }
    let course = Course {
        house,
        job,
        ground: &ground,
        rules: &rules,
        environment,
        branch: &branch,
        row,
        run,
    };
    course.go().await
}

/// The branch that the environment follows, and its tip; none when none of its branches is there.
fn branch_of(
    ground: &Ground,
    environment: &Environment,
    followed: Option<&BranchName>,
) -> Option<(BranchName, CommitSha)> {
    let candidates = followed.into_iter().chain(&environment.branches);
    let mut there =
        candidates.filter_map(|branch| Some((branch.clone(), ground.tip(branch).ok()?.clone())));
    there.next()
}

/// One run on its way.
#[derive(Debug)]
pub(super) struct Course<'a> {
    house: &'a House,
    job: &'a ClaimedJob,
    ground: &'a Ground,
    rules: &'a Rules,
    environment: &'a Environment,
    branch: &'a BranchName,
    row: Option<landfall_store::Environment>,
    run: landfall_store::Run,
}

impl Course<'_> {
    async fn go(self) -> anyhow::Result<Ended> {
        self.supersede().await?;
        if let Some(reason) = self.lost_its_way().await? {
            return self.hold(None, Waiting::Branch(reason)).await;
        }
        let sessions = self.ground.sessions(self.house, self.environment);
        let left = resolve::resolve(&self.place(), &self.job.fence, &sessions).await?;
        if let Some(wait) = left.wait {
            return Ok(Ended::Later(wait, "a request may still be on its way".to_owned()));
        }
        let tree = self.ground.mirror.tree(&self.run.run.commit).await?;
        let declared = match self.ground.declared(self.house, self.rules, &tree).await {
            Ok(declared) => declared,
            Err(error) => return self.fail_with(&findings(error)?.unwrap_or_default()).await,
        };
        let gone = self.vanished(&declared).await?;
        if gone.iter().any(|finding| finding.severity == Severity::Error) {
            return self.fail_with(&gone).await;
        }
        let name = self.environment.name.clone();
        let units: Vec<&Unit> = declared.tree.units_of(&name).collect();
        Applying { course: self, units: &units, declared: &declared, left: &left }
            .go(&sessions)
            .await
    }

    /// Whose facts it stands on.
    fn place(&self) -> Place<'_> {
        Place {
            tools: self.house.tools(),
            repository: self.ground.repository.id,
            environment: self.environment,
        }
    }

    /// A newer commit takes the place of runs that have not begun.
    async fn supersede(&self) -> anyhow::Result<()> {
        for older in self.house.store.supersede_older_runs(&self.job.fence, self.run.run.id).await?
        {
            if let Some(older) = self.house.store.run(older).await? {
                self.tell_of(&older, RunStage::Superseded(self.run.run.commit.clone())).await?;
            }
        }
        Ok(())
    }

    /// Why the commit is not what the environment can simply go on to: a forced push.
    async fn lost_its_way(&self) -> anyhow::Result<Option<String>> {
        let Some(last) = self.row.as_ref().and_then(|row| row.last.as_ref()) else {
            return Ok(None);
        };
        let tip = &self.run.run.commit;
        let known = self.ground.mirror.has(&last.commit).await?;
        if known && self.ground.mirror.is_ancestor(&last.commit, tip).await? {
            return Ok(None);
        }
        if !self.run.approvals.is_empty() {
            return Ok(None);
        }
        Ok(Some(format!("{} was forced away from {}", self.branch, last.commit.short())))
    }

    /// Services, environments and connections that vanished from the rules, not from the tree.
    async fn vanished(&self, declared: &Declared) -> anyhow::Result<Vec<Diagnostic>> {
        let before = match self.row.as_ref().and_then(|row| row.last.as_ref()) {
            Some(last) => {
                let tree = self.ground.mirror.tree(&last.commit).await?;
                self.ground.rules_of(self.house, &tree).await.ok()
            }
            None => None,
        };
        let owned = super::plan::owned_units(self.house, self.ground.repository.id).await?;
        let kinds = Kinds::of(&self.house.reach.registry);
        let before = before.as_ref().map(|rules| &rules.config.services.value);
        Ok(vanished(kinds.registry(), &self.rules.config, before, &declared.paths, &owned))
    }

    async fn fail_with(mut self, found: &[Diagnostic]) -> anyhow::Result<Ended> {
        let errors = found.iter().filter(|finding| finding.severity == Severity::Error);
        let told: Vec<String> = errors.take(5).map(ToString::to_string).collect();
        let reason = told.join("; ");
        self.advance(RunState::Failed, &reason).await?;
        self.tell(RunStage::Failed(reason), None).await?;
        Ok(Ended::Done)
    }

    async fn advance(&mut self, to: RunState, reason: &str) -> anyhow::Result<()> {
        self.run =
            self.house.store.advance_run(&self.job.fence, self.run.run.id, to, reason).await?;
        tracing::info!(
            repository = %self.ground.repository.name,
            environment = %self.environment.name,
            run = %self.run.run.id,
            commit = %self.run.run.commit.short(),
            "run is {to}"
        );
        Ok(())
    }

    /// Takes the leases of `targets`, or says how long to wait for whom.
    async fn lease(
        &self,
        targets: BTreeSet<Target>,
    ) -> anyhow::Result<Result<Vec<LeaseProof>, Ended>> {
        let duration = self.house.timing.target_lease;
        let request = LeaseRequest { targets, holder: self.run.run.id, duration };
        Ok(match self.house.store.acquire_leases(&self.job.fence, &request).await? {
            Acquired::Held(leases) => Ok(leases),
            Acquired::Busy { target, holder, .. } => {
                let wait = self.house.timing.poll.min(Duration::from_secs(2));
                Err(Ended::Later(wait, format!("{target} is being written to by run {holder}")))
            }
        })
    }
}

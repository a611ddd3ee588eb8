//! Runs: bringing one environment to the newest commit of its branch.
//!
//! What a run applies is planned by the run itself, under the leases of its targets and without
//! anything that was observed earlier. That plan is confirmed against what was reviewed, or held.
//! A run that was cut off is picked up here too: its unresolved steps are read back first, and what
//! is left is planned anew.

use landfall_core::config::{Environment, RepositoryConfig, Unit, vanished};
use landfall_core::diagnostic::{Diagnostic, Severity};
use landfall_core::label::Label;
use landfall_core::name::{EnvironmentName, RepositoryId};
use landfall_core::plan::Plan;
use landfall_core::report::{Detour, RunStage, Waiting};
use landfall_providers::ProviderError;
use landfall_repo::Wanted;
use landfall_store::{ClaimedJob, NewRun, RunId, RunState, StoreError, Trigger};
use uuid::Uuid;

use super::confirm::Brought;
use super::ground::{Ground, Rules, findings};
use super::left::Ending;
use super::{Ended, confirm, resolve};
use crate::gather::facts::Place;
use crate::gather::{Declared, LoadError};
use crate::house::{House, Kinds, wait_within};

mod apply;
mod heading;
mod told;

use apply::Applying;
pub(crate) use apply::{applied_units, outcome};
pub(crate) use heading::leads_to;
use heading::{Heading, headings};
use told::Outcome;
pub(crate) use told::follow_up;

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
    let end = Ending { house, job, ground: &ground, environment: name };
    let rules = match ground.rules(house).await {
        Ok(rules) => rules,
        Err(LoadError::NoConfig) => return end.without_environment().await,
        Err(error) => {
            findings(error)?;
            tracing::warn!(repository = %ground.repository.name, environment = %name, "no run: the rules cannot be read");
            return end.cut_off("the rules on the default branch cannot be read").await;
        }
    };
    let Some(environment) = rules.config.environments.get(name) else {
        return end.without_environment().await;
    };
    let row = house.store.environment(repository, name).await?;
    let headings = headings(&ground, environment, row.as_ref());
    if headings.is_empty() {
        tracing::warn!(repository = %ground.repository.name, environment = %name, "no run: the branch that it follows is gone");
        return end.cut_off("its branch is gone").await;
    }
    for heading in &headings {
        let road = Road { house, job, ground: &ground, rules: &rules, environment, heading };
        match road.go().await? {
            // What is followed has arrived; another branch may have been pushed to.
            Gone::Arrived => {}
            Gone::Stopped(ended) => return Ok(ended),
        }
    }
    Ok(Ended::Done)
}

/// A way to go, before there is a run that goes it.
#[derive(Debug)]
struct Road<'a> {
    house: &'a House,
    job: &'a ClaimedJob,
    ground: &'a Ground,
    rules: &'a Rules,
    environment: &'a Environment,
    heading: &'a Heading,
}

/// How far it went.
enum Gone {
    /// The run has ended, now or earlier.
    Arrived,
    /// It waits for something or somebody.
    Stopped(Ended),
}

impl Road<'_> {
    /// What to wait for when the branch is not yet where an announced push left it. A head that never
    /// comes was forced away since, so after a while it goes with what there is.
    async fn lag(&self) -> anyhow::Result<Option<Ended>> {
        let (store, ground, branch) = (&self.house.store, self.ground, &self.heading.branch);
        let announced = store.pushed_head(ground.repository.id, branch).await?;
        let patient = wait_within(&self.house.timing.lag, self.job.attempt).is_some();
        let tip = &self.heading.tip;
        let Some(head) = announced.filter(|head| patient && head != tip) else { return Ok(None) };
        let mirror = &ground.mirror;
        if mirror.has(&head).await? && !mirror.is_ancestor(tip, &head).await? {
            return Ok(None);
        }
        let error = anyhow::anyhow!("{branch} is not at {} yet", head.short());
        Ok(Some(resolve::behind(self.house, self.job, &error)))
    }

    async fn go(&self) -> anyhow::Result<Gone> {
        let (house, fence, name) = (self.house, &self.job.fence, &self.environment.name);
        let repository = self.ground.repository.id;
        if let Some(wait) = self.lag().await? {
            return Ok(Gone::Stopped(wait));
        }
        let row = house.store.environment(repository, name).await?;
        if row.as_ref().is_none_or(|row| row.branch.is_none()) {
            house.store.follow_branch(fence, repository, name, &self.heading.branch).await?;
        }
        let new = NewRun {
            id: RunId(Uuid::new_v4()),
            repository,
            environment: name.clone(),
            commit: self.heading.tip.clone(),
            config_digest: self.rules.digest,
            rules: Some(self.rules.blob.clone()),
            trigger: Trigger::Push,
        };
        let run = house.store.insert_or_get_run(fence, &new).await?.into_inner();
        if run.state.is_ended() {
            // It may have been cut off right after its end.
            follow_up(house, self.job, &run).await?;
            return Ok(Gone::Arrived);
        }
        let id = run.run.id;
        let earlier = self.ground.earlier_rules(house, self.rules, row.as_ref()).await?;
        let course = Course {
            house,
            job: self.job,
            ground: self.ground,
            rules: self.rules,
            earlier: earlier.as_deref(),
            environment: self.environment,
            heading: self.heading,
            row,
            run,
        };
        let ended = match course.go().await {
            // Somebody locked the environment or cancelled the run meanwhile: look again.
            Err(error) if was_kept_back(&error) => {
                Ended::Again(std::time::Duration::ZERO, error.to_string())
            }
            ended => ended?,
        };
        let run = house.store.run(id).await?;
        let arrived = run.is_some_and(|run| run.state.is_ended());
        Ok(if arrived { Gone::Arrived } else { Gone::Stopped(ended) })
    }
}

/// Whether a run did not begin because of what somebody said since it was looked at.
fn was_kept_back(error: &anyhow::Error) -> bool {
    matches!(
        error.downcast_ref::<StoreError>(),
        Some(
            StoreError::Locked(_) | StoreError::IllegalTransition { from: RunState::Cancelled, .. }
        )
    )
}

/// One run on its way.
#[derive(Debug)]
pub(super) struct Course<'a> {
    house: &'a House,
    job: &'a ClaimedJob,
    ground: &'a Ground,
    rules: &'a Rules,
    /// The rules that the environment was last applied by.
    earlier: Option<&'a RepositoryConfig>,
    environment: &'a Environment,
    heading: &'a Heading,
    row: Option<landfall_store::Environment>,
    run: landfall_store::Run,
}

impl<'a> Course<'a> {
    async fn go(self) -> anyhow::Result<Ended> {
        self.supersede().await?;
        let sessions =
            self.ground.sessions(self.house, self.environment, self.earlier_environment());
        let left = resolve::resolve(&self.place(), &self.job.fence, &sessions).await?;
        if let Some(Ok(again)) = left.unasked.as_ref().map(|error| self.patience(error)) {
            return Ok(again);
        }
        if let Some(wait) = left.wait {
            return Ok(Ended::Later(wait, "a request may still be on its way".to_owned()));
        }
        if let Some(why) = self.run.stop.clone() {
            return self.stop(why).await;
        }
        let tree = self.ground.mirror.tree(&self.run.run.commit).await?;
        let declared = match self.ground.declared(self.house, self.rules, &tree).await {
            Ok(declared) => declared,
            Err(error) => return self.fail_with(findings(error)?.unwrap_or_default()).await,
        };
        let gone = self.vanished(&declared).await?;
        if gone.iter().any(|finding| finding.severity == Severity::Error) {
            return self.fail_with(gone).await;
        }
        let name = self.environment.name.clone();
        let units: Vec<&Unit> = declared.tree.units_of(&name).collect();
        Applying { course: self, units: &units, declared: &declared, left: &left }
            .go(&sessions)
            .await
    }

    /// When to ask a provider again that could not be asked; or what to say of it when that has been
    /// tried often enough.
    fn patience(&self, error: &ProviderError) -> Result<Ended, String> {
        let message = self.house.redactor.redact(&error.to_string()).into_owned();
        match (wait_within(&self.house.timing.retry, self.job.attempt), error) {
            (None, _) => Err(message),
            (Some(wait), ProviderError::Limited { after, .. }) => {
                Ok(Ended::Again(wait.max(*after), message))
            }
            (Some(wait), _) => Ok(Ended::Again(wait, message)),
        }
    }

    /// Whose facts it stands on.
    fn place(&self) -> Place<'a> {
        Place {
            tools: self.house.tools(),
            repository: self.ground.repository.id,
            environment: self.environment,
            earlier: self.earlier_environment(),
            past: confirm::past(self.row.as_ref()),
        }
    }

    fn earlier_environment(&self) -> Option<&'a Environment> {
        self.earlier?.environments.get(&self.environment.name)
    }

    /// A newer commit takes the place of runs that have not begun, and goes on from one that was
    /// cut off. They are told of first: once they have ended nobody comes back to them.
    async fn supersede(&self) -> anyhow::Result<()> {
        let (store, fence, this) = (&self.house.store, &self.job.fence, self.run.run.id);
        for overtaken in self.overtaken().await? {
            self.tell_of(&overtaken, RunStage::Superseded(self.run.run.commit.clone())).await?;
        }
        store.supersede_older_runs(fence, this).await?;
        store.end_cut_off_runs(fence, this).await?;
        Ok(())
    }

    /// The runs that [`Self::supersede`] ends.
    async fn overtaken(&self) -> anyhow::Result<Vec<landfall_store::Run>> {
        use RunState::{Held, Queued, Running, Verifying};
        let mut older = self.house.store.runs_in(&[Queued, Held, Running, Verifying]).await?;
        let here = &self.run.run;
        older.retain(|run| {
            run.run.repository == here.repository && run.run.environment == here.environment
        });
        let this = older.iter().position(|run| run.run.id == here.id).unwrap_or(older.len());
        let begun = |run: &landfall_store::Run| matches!(run.state, Running | Verifying);
        let overtaken = older
            .into_iter()
            .enumerate()
            .filter(|(at, run)| *at < this || *at > this && begun(run));
        Ok(overtaken.map(|(_, run)| run).collect())
    }

    /// Why the commit is not what the environment can simply go on to, as long as nobody has given
    /// the run a word. A word is for a plan, so it is for the way to it too.
    async fn detour(&self) -> anyhow::Result<Option<Detour>> {
        if !self.run.approvals.is_empty() {
            return Ok(None);
        }
        if self.heading.switch.is_some() {
            return Ok(self.heading.switch.clone());
        }
        let Some(last) = self.row.as_ref().and_then(|row| row.last.as_ref()) else {
            return Ok(None);
        };
        let (mirror, tip) = (&self.ground.mirror, &self.run.run.commit);
        if mirror.has(&last.commit).await? && mirror.is_ancestor(&last.commit, tip).await? {
            return Ok(None);
        }
        let (branch, from) = (self.heading.branch.clone(), last.commit.clone());
        Ok(Some(Detour::Forced { branch, from }))
    }

    /// Whether somebody named this very plan after `waiting` was shown; or the run is under way with it.
    fn has_word_for(&self, waiting: &Waiting, plan: &Plan) -> bool {
        let digest = plan.digest();
        let named = self.run.approvals.iter().any(|approval| approval.digest == digest);
        waiting.ends_by_a_word() && (named || self.run.state == RunState::Running)
    }

    /// What it waits for when a pull request that it brings has the label that says so, by GitHub's word:
    /// whoever put it there after the merge means this run too.
    async fn labelled(&self, brought: &Brought) -> anyhow::Result<Option<Waiting>> {
        let mut labelled = Vec::new();
        for number in brought.numbers() {
            if self.ground.reader.has_label(number, Label::Hold).await? {
                labelled.push(number);
            }
        }
        Ok((!labelled.is_empty()).then_some(Waiting::Label(labelled)))
    }

    /// From here on the environment follows the branch that the run is on.
    async fn turn(&self) -> anyhow::Result<()> {
        if self.heading.switch.is_none() {
            return Ok(());
        }
        let (repository, name) = (self.ground.repository.id, &self.environment.name);
        let (fence, branch) = (&self.job.fence, &self.heading.branch);
        Ok(self.house.store.follow_branch(fence, repository, name, branch).await?)
    }

    /// Services, environments and connections that vanished from the rules, not from the tree.
    async fn vanished(&self, declared: &Declared) -> anyhow::Result<Vec<Diagnostic>> {
        let (repository, here) = (self.ground.repository.id, [&self.environment.name]);
        let owned = super::plan::owned_units(self.house, repository, &here).await?;
        let kinds = Kinds::of(&self.house.reach.registry);
        let before = self.earlier.map(|rules| &rules.services.value);
        Ok(vanished(kinds.registry(), &self.rules.config, before, &declared.paths, &owned))
    }

    async fn fail_with(mut self, found: Vec<Diagnostic>) -> anyhow::Result<Ended> {
        let errors = found.iter().filter(|finding| finding.severity == Severity::Error);
        let told: Vec<String> = errors.take(5).map(ToString::to_string).collect();
        self.end(RunState::Failed, &told.join("; "), (RunStage::Invalid(found), None)).await?;
        Ok(Ended::Done)
    }

    /// The end of a run that was cut off after somebody had asked it to stop. What it did stays done.
    async fn stop(mut self, why: String) -> anyhow::Result<Ended> {
        let steps = self.house.store.steps(self.run.run.id).await?;
        let steps = steps.iter().map(super::steps::told).collect();
        let told =
            (RunStage::Cancelled(why.clone()), Some(Outcome { steps, ..Outcome::default() }));
        self.end(RunState::Cancelled, &why, told).await?;
        Ok(Ended::Done)
    }

    /// The lock that keeps the run from beginning. One that is under way goes on.
    async fn locked(&self) -> anyhow::Result<Option<Waiting>> {
        if self.run.state == RunState::Running {
            return Ok(None);
        }
        let (repository, name) = (self.ground.repository.id, &self.environment.name);
        let lock = self.house.store.lock_on(repository, name).await?;
        Ok(lock.as_ref().map(super::command::under))
    }

    async fn advance(&mut self, to: RunState, reason: &str) -> anyhow::Result<()> {
        self.run =
            self.house.store.advance_run(&self.job.fence, self.run.run.id, to, reason).await?;
        self.note(to);
        Ok(())
    }

    /// Tells how the run ended, and then ends it. Nobody comes back to a run that has ended, so one that
    /// is cut off in between is told of again; the other way round it would be under way for ever for
    /// all who read of it.
    async fn end(
        &mut self,
        to: RunState,
        reason: &str,
        (stage, outcome): (RunStage, Option<Outcome>),
    ) -> anyhow::Result<()> {
        self.tell(stage, outcome).await?;
        self.advance(to, reason).await?;
        follow_up(self.house, self.job, &self.run).await
    }

    fn note(&self, to: RunState) {
        tracing::info!(
            repository = %self.ground.repository.name,
            environment = %self.environment.name,
            run = %self.run.run.id,
            commit = %self.run.run.commit.short(),
            "run is {to}"
        );
    }
}

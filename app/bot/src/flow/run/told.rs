//! What people are told of a run, and holding it.

use landfall_core::name::{EnvironmentName, RepositoryId};
use landfall_core::plan::{Change, Plan};
use landfall_core::report::{Legend, RunReport, RunStage, StepReport, Waiting};
use landfall_store::{
    ClaimedJob, JobKey, NewJob, NewPlan, PlanId, PlanScope, Run, RunState, StoredPlan,
};
use uuid::Uuid;

use super::super::Ended;
use super::super::announce::{Board, report_of, unanswered};
use super::super::confirm::{Brought, unseen};
use super::Course;
use crate::house::House;

/// What came of carrying a plan out.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    pub(super) steps: Vec<StepReport>,
    pub(super) unreviewed: Vec<Change>,
    pub(super) left_out: Vec<(String, String)>,
}

impl Course<'_> {
    /// Tells everybody concerned where the run stands.
    pub(super) async fn tell(
        &self,
        stage: RunStage,
        outcome: Option<Outcome>,
    ) -> anyhow::Result<()> {
        let brought = self.brought().await?;
        let mut outcome = outcome.unwrap_or_default();
        // It may have done something of it before it was cut off.
        for change in unseen(self.house, &self.run, &brought.pulls, &outcome.steps).await? {
            if !outcome.unreviewed.contains(&change) {
                outcome.unreviewed.push(change);
            }
        }
        let report = self.report(&self.run, stage, outcome);
        self.board().run(self.run.run.id, &report, &brought.numbers(), &[]).await
    }

    /// Tells of an older run of the environment, wherever it was told of: what this run brings, that
    /// one would have brought.
    pub(super) async fn tell_of(&self, run: &Run, stage: RunStage) -> anyhow::Result<()> {
        let brought = self.brought().await?;
        let report = self.report(run, stage, Outcome::default());
        self.board().run(run.run.id, &report, &brought.numbers(), &[]).await
    }

    /// Holds the run and shows what it waits for. The plan shown is kept, so that its digest can be
    /// named.
    pub(super) async fn hold(
        mut self,
        plan: &Plan,
        legend: Legend,
        waiting: Waiting,
    ) -> anyhow::Result<Ended> {
        let brought = self.brought().await?;
        let (store, fence) = (&self.house.store, &self.job.fence);
        let mut ids = Vec::new();
        for pull in brought.numbers().into_iter().map(Some).chain([None]) {
            let row = self.row_for(plan, pull).await?;
            ids.push(store.insert_plan(fence, &row).await?.plan.id);
        }
        let waited = self.run.state == RunState::Held;
        self.run = store.hold_run(fence, self.run.run.id, &waiting, plan).await?;
        self.note(RunState::Held);
        match waited {
            true => self.replan_provisional().await?,
            false => replan_stale(self.house, self.job, &self.run).await?,
        }
        let report = self.report(&self.run, RunStage::Held(waiting), Outcome::default());
        let report = RunReport { legend, ..report };
        self.board().run(self.run.run.id, &report, &brought.numbers(), &ids).await?;
        Ok(Ended::Done)
    }

    async fn row_for(
        &self,
        plan: &Plan,
        pull: Option<landfall_core::name::PullNumber>,
    ) -> anyhow::Result<NewPlan> {
        Ok(NewPlan {
            id: PlanId(Uuid::new_v4()),
            repository: self.ground.repository.id,
            pull,
            head: self.run.run.commit.clone(),
            base: self.run.run.commit.clone(),
            tree: self.ground.mirror.tree(&self.run.run.commit).await?,
            config_digest: self.rules.digest,
            provisional: false,
            plan: plan.clone(),
        })
    }

    fn report(&self, run: &Run, stage: RunStage, outcome: Outcome) -> RunReport {
        let does_something = |plan: &&Plan| plan.changes().next().is_some();
        RunReport {
            digest: run.plan.as_ref().filter(does_something).map(Plan::digest),
            steps: outcome.steps,
            unreviewed: outcome.unreviewed,
            left_out: outcome.left_out,
            ..report_of(run, self.heading.branch.clone(), stage)
        }
    }

    /// The pull requests that the run brings, as far as the store knows.
    pub(super) async fn brought(&self) -> anyhow::Result<Brought> {
        let last = self.row.as_ref().and_then(|row| row.last.as_ref()).map(|last| &last.commit);
        Brought::find(self.house, self.ground, last, &self.run.run.commit).await
    }

    fn board(&self) -> Board<'_> {
        Board::of(self.house, self.job, self.ground.repository.id)
    }

    /// Plans that were made while this run was under way are made again.
    pub(super) async fn replan_provisional(&self) -> anyhow::Result<()> {
        let place = (self.ground.repository.id, &self.environment.name);
        replan_provisional(self.house, self.job, place).await
    }
}

/// Plans that were made while a run of this environment was under way are made again.
async fn replan_provisional(
    house: &House,
    job: &ClaimedJob,
    place: (RepositoryId, &EnvironmentName),
) -> anyhow::Result<()> {
    replan(house, job, place, |stored| stored.plan.provisional).await
}

/// What follows from the end of a run: plans that say something else since are made again, and workflows
/// that wait for it are answered.
pub(crate) async fn follow_up(house: &House, job: &ClaimedJob, run: &Run) -> anyhow::Result<()> {
    replan_stale(house, job, run).await?;
    let (repository, environment) = (run.run.repository, &run.run.environment);
    let waiting = unanswered(&*house.store, repository, Some(environment)).await?;
    let job = |key| NewJob { key, installation: job.installation, run_at: None };
    let jobs: Vec<NewJob> = waiting.into_iter().map(job).collect();
    Ok(house.store.enqueue(&jobs).await?)
}

/// Plans that say something else since a run ended, or is held, are made again: those that were made
/// while it was under way, and those before with which it has a unit or a resource in common. What the
/// others say is so still, although their base has moved, and nobody is told of that.
async fn replan_stale(house: &House, job: &ClaimedJob, run: &Run) -> anyhow::Result<()> {
    let place = (run.run.repository, &run.run.environment);
    replan(house, job, place, |stored| {
        let before = run.ended_at.is_none_or(|ended| stored.created_at <= ended);
        let overlaps = |plan: &Plan| before && plan.overlaps(&stored.plan.plan);
        stored.plan.provisional || run.plan.as_ref().is_some_and(overlaps)
    })
    .await
}

async fn replan(
    house: &House,
    job: &ClaimedJob,
    (repository, environment): (RepositoryId, &EnvironmentName),
    is_stale: impl Fn(&StoredPlan) -> bool,
) -> anyhow::Result<()> {
    let store = &house.store;
    let (mut asked, mut jobs) = (Vec::new(), Vec::new());
    for pull in store.open_pulls(repository).await? {
        let environment = environment.clone();
        let scope = PlanScope { repository, pull: pull.number, environment };
        if store.latest_plan(&scope).await?.is_some_and(|stored| is_stale(&stored)) {
            asked.push(pull.number);
            let key = JobKey::Plan { repository, pull: pull.number };
            jobs.push(NewJob { key, installation: job.installation, run_at: None });
        }
    }
    store.ask_for_plans(repository, &asked).await?;
    store.enqueue(&jobs).await?;
    Ok(())
}

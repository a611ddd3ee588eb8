//! Carrying a confirmed plan out, with a record of it.

use std::collections::{BTreeMap, BTreeSet};

use landfall_core::coverage::{ApprovedPlan, Evidence, Past, PlanChanged, confirm};
use landfall_core::name::{CommitSha, UserId};
use landfall_core::plan::{Change, Digest, Plan, Value};
use landfall_core::report::{RunStage, StepReport};
use landfall_providers::Later;
use landfall_store::{Approval, AuditEntry, NewRun, RunId, RunState, Trigger};
use uuid::Uuid;

use super::run::Course;
use crate::cli::local::WORKING_COPY;
use crate::cli::survey::View;
use crate::flow::holding::{Busy, Holding};
use crate::flow::run::{applied_units, outcome};
use crate::flow::steps::{Delay, Execution, needs};
use crate::gather::facts::{Pending, Survey};
use crate::gather::sight::Located;

/// What a plan that was confirmed is carried out with.
pub(super) struct Carrying<'a> {
    pub(super) course: &'a Course<'a>,
    pub(super) view: &'a View<'a>,
    pub(super) located: &'a Located,
    pub(super) pending: &'a Pending,
}

impl Carrying<'_> {
    /// Carries out what is left of `shown`, which somebody confirmed.
    ///
    /// # Errors
    /// A target is being written to by somebody else, what lives changed since, or a provider or
    /// the store could not be asked.
    pub(super) async fn carry_out(
        &self,
        shown: &Plan,
    ) -> anyhow::Result<(Vec<StepReport>, RunStage)> {
        let run = self.begin(shown).await?;
        let targets = self.pending.targets(&self.view.place, self.located).await?;
        let Course { tools, job, .. } = self.course;
        let holding = Holding::take(*tools, job.fence, run, targets).await?;
        let mut holding = holding.map_err(|busy| waits(&busy))?;
        let ended = self.under_leases(run, shown, &mut holding).await;
        holding.release().await?;
        ended
    }

    async fn under_leases(
        &self,
        run: RunId,
        shown: &Plan,
        holding: &mut Holding<'_>,
    ) -> anyhow::Result<(Vec<StepReport>, RunStage)> {
        let Course { tools, job, declared, .. } = self.course;
        self.course.progress.say("looking again, with nobody else writing");
        let survey = self.view.survey(self.located, self.pending).await?;
        let survey = survey.map_err(|why| self.course.unreachable(&why))?;
        let approved = self.approved(&survey, shown)?;
        tools.store.set_run_plan(&job.fence, run, approved.plan()).await?;
        tools.store.advance_run(&job.fence, run, RunState::Running, "").await?;
        self.course.progress.say("applying");
        let needs = needs(&declared.tree);
        let execution = Execution {
            tools: *tools,
            fence: job.fence,
            run,
            sessions: self.view.sessions,
            routes: &survey.routes,
            needs: &needs,
            stuck: BTreeSet::new(),
        };
        let carried = execution.carry_out(&approved, holding).await?;
        let steps = carried.map_err(|delay| match delay {
            Delay::Busy(busy) => waits(&busy),
            Delay::Later(later) => not_now(&later),
        })?;
        let stage = self.end(run, &approved, &steps).await?;
        Ok((steps, stage))
    }

    /// The plan that was made under the leases, if what was shown covers it.
    fn approved(&self, survey: &Survey, shown: &Plan) -> anyhow::Result<ApprovedPlan> {
        let confirmed: Vec<Change> = shown.changes().cloned().collect();
        let evidence = Evidence {
            reviewed: &[],
            approved: &[confirmed],
            past: Past::Known,
            owned: &BTreeMap::new(),
            proven: &BTreeSet::new(),
            begun: &BTreeSet::new(),
            plan_changed: PlanChanged::Hold,
        };
        let moved = survey.plan.conflicts().next().is_some();
        confirm(&survey.plan, &evidence).ok().filter(|_| !moved).ok_or_else(|| {
            anyhow::anyhow!(
                "what lives in {} changed since the plan was shown, so nothing was done\nhelp: look at the new plan: run this again",
                self.course.environment.name
            )
        })
    }

    /// Notes the run and whose word it has. A working copy has no commit that names all that is in
    /// it, so a run has a name of its own in the commit's place.
    async fn begin(&self, shown: &Plan) -> anyhow::Result<RunId> {
        let Course { tools, job, environment, local, from, .. } = self.course;
        let (store, fence) = (tools.store, &job.fence);
        let id = RunId(Uuid::new_v4());
        let run = NewRun {
            id,
            repository: WORKING_COPY,
            environment: environment.name.clone(),
            commit: CommitSha::new(Digest::of(&Value::from(id.to_string())).to_string())?,
            config_digest: environment.digest,
            rules: None,
            trigger: Trigger::Command,
        };
        store.insert_or_get_run(fence, &run).await?;
        store.supersede_older_runs(fence, id).await?;
        store.end_cut_off_runs(fence, id).await?;
        let (digest, login) = (shown.digest(), local.user().to_owned());
        let at = store.now().await?;
        let approval = Approval { digest, by: UserId(0), login: login.clone(), at };
        store.approve_run(fence, id, &approval).await?;
        let entry = AuditEntry {
            who: login,
            what: "apply".to_owned(),
            repository: WORKING_COPY,
            environment: Some(environment.name.clone()),
            digest: Some(digest),
            why: from.clone(),
        };
        store.append_audit(&entry).await?;
        Ok(id)
    }

    /// Notes which units are now as the working copy says, and how the run ended.
    async fn end(
        &self,
        run: RunId,
        approved: &ApprovedPlan,
        steps: &[StepReport],
    ) -> anyhow::Result<RunStage> {
        let Course { tools, job, .. } = self.course;
        let units = applied_units(approved.plan(), self.located, self.pending, steps);
        tools.store.record_units(&job.fence, WORKING_COPY, &units).await?;
        let (state, stage) = outcome(steps, !self.pending.blocked.is_empty());
        let reason = match &stage {
            RunStage::Failed(why) | RunStage::NeedsAttention(why) => why.as_str(),
            _ => "",
        };
        tools.store.advance_run(&job.fence, run, state, reason).await?;
        Ok(stage)
    }
}

fn not_now(later: &Later) -> anyhow::Error {
    let after = later.after.as_secs().max(1);
    anyhow::anyhow!("{later}\nhelp: what is done is noted; apply the rest in {after} s")
}

fn waits(Busy { target, until, .. }: &Busy) -> anyhow::Error {
    anyhow::anyhow!(
        "{target} is being written to by another run until {until}\nhelp: try again then"
    )
}

//! From a tree that may be applied to a run that ended: observe, plan, confirm, carry out, record.

use std::collections::{BTreeMap, BTreeSet};

use landfall_core::config::Unit;
use landfall_core::coverage::{ApprovedPlan, PlanChanged};
use landfall_core::name::UnitName;
use landfall_core::plan::{Change, Digest, Plan, UnitHash};
use landfall_core::report::{Detour, Legend, RunStage, StepReport, StepResult, Waiting};
use landfall_providers::ProviderError;
use landfall_store::{Run, RunState, Step};

use super::super::Ended;
use super::super::confirm::Case;
use super::super::holding::Holding;
use super::super::resolve::Left;
use super::super::steps::{Execution, needs, told};
use super::Course;
use super::told::{Outcome, follow_up};
use crate::gather::facts::{Pending, Survey};
use crate::gather::sight::{Located, Sight};
use crate::gather::{Declared, Sessions};
use crate::house::wait_within;

/// A run whose tree was read.
pub(super) struct Applying<'a, 'c> {
    pub(super) course: Course<'c>,
    pub(super) units: &'a [&'a Unit],
    pub(super) declared: &'a Declared,
    pub(super) left: &'a Left,
}

/// What was found out before the leases were taken, and through whom.
struct Seen<'a> {
    sessions: &'a Sessions<'a>,
    sight: &'a Sight<'a>,
    located: &'a Located,
    pending: &'a Pending,
}

impl Applying<'_, '_> {
    /// `sessions` are those that earlier steps were read back through: a job opens each connection once.
    pub(super) async fn go(self, sessions: &Sessions<'_>) -> anyhow::Result<Ended> {
        let (house, environment) = (self.course.house, self.course.environment);
        let sight = Sight::new(&house.reach.registry, environment, sessions, None);
        let located = match sight.locate(self.units.iter().copied()).await {
            Ok(located) => located,
            Err(error) => return self.unreachable(&error).await,
        };
        let pending = self.pending(&located).await?;
        if pending.is_empty() {
            return match self.course.detour().await? {
                Some(detour @ Detour::Switch { .. }) => {
                    let nothing = Plan::empty(environment.name.clone());
                    self.course.hold(&nothing, Legend::default(), Waiting::Branch(detour)).await
                }
                Some(Detour::Forced { .. }) | None => self.nothing_to_do().await,
            };
        }
        let place = self.course.place();
        let targets = pending.targets(&place, &located).await?;
        let (fence, run) = (self.course.job.fence, self.course.run.run.id);
        let mut holding = match Holding::take(house.tools(), fence, run, targets).await? {
            Ok(holding) => holding,
            Err(busy) => return Ok(busy.later(&house.timing)),
        };
        let seen = Seen { sessions, sight: &sight, located: &located, pending: &pending };
        let ended = self.under_leases(&seen, &mut holding).await;
        holding.release().await?;
        ended
    }

    async fn under_leases(
        mut self,
        seen: &Seen<'_>,
        holding: &mut Holding<'_>,
    ) -> anyhow::Result<Ended> {
        let Seen { sessions, sight, located, pending } = *seen;
        let survey = match self.course.place().survey(sight, located, self.units, pending).await? {
            Ok(survey) => survey,
            Err(error) => return self.unreachable(&error).await,
        };
        let approved = match self.confirmed(&survey, pending).await? {
            Confirmed::Yes(approved) => approved,
            Confirmed::Wait(wait) => return Ok(wait),
            Confirmed::No(waiting) => {
                let registry = &self.course.house.reach.registry;
                let legend = survey.legend(registry, needs(&self.declared.tree));
                return self.course.hold(&survey.plan, legend, waiting).await;
            }
        };
        self.begin(&approved).await?;
        let needs = needs(&self.declared.tree);
        let execution = Execution {
            tools: self.course.house.tools(),
            fence: self.course.job.fence,
            run: self.course.run.run.id,
            sessions,
            routes: &survey.routes,
            needs: &needs,
            stuck: self.left.services(),
        };
        let before = self.done_before().await?;
        match execution.carry_out(&approved, holding).await? {
            Ok(steps) => self.end(&approved, located, pending, (before, steps)).await,
            // What is done is written. The rest is planned anew when it is our turn.
            Err(delay) => Ok(delay.ended(&self.course.house.timing)),
        }
    }

    /// What this run has done before it was cut off, or had to wait.
    async fn done_before(&self) -> anyhow::Result<Vec<StepReport>> {
        let run = &self.course.run;
        let Some(began) = run.started_at else { return Ok(Vec::new()) };
        let steps = self.course.house.store.steps(run.run.id).await?;
        let before = steps.iter().filter(|step| step.intended_at >= began).map(told);
        Ok(before.filter(|step| step.result == StepResult::Done).collect())
    }

    async fn pending(&self, located: &Located) -> anyhow::Result<Pending> {
        let course = &self.course;
        let repository = course.ground.repository.id;
        let applied = course.house.store.unit_hashes(repository, &course.environment.name).await?;
        let mut pending = Pending::find(self.units, located, &applied);
        for step in &self.left.attention {
            pending.block(&step.effect, &unresolved(step));
        }
        Ok(pending)
    }

    async fn confirmed(&mut self, survey: &Survey, pending: &Pending) -> anyhow::Result<Confirmed> {
        let plan = &survey.plan;
        let course = &self.course;
        let mut brought = course.brought().await?;
        if let Some(locked) = course.locked().await? {
            return Ok(Confirmed::No(locked));
        }
        if plan.conflicts().any(|(unit, _)| !pending.blocked.contains_key(unit)) {
            return Ok(Confirmed::No(Waiting::Conflicts));
        }
        let guarded = course.place().guarded(survey).await?;
        if let Some(waiting) = guarded.filter(|waiting| !course.has_word_for(waiting, plan)) {
            return Ok(Confirmed::No(waiting));
        }
        if let Some(detour) = course.detour().await? {
            return Ok(Confirmed::No(Waiting::Branch(detour)));
        }
        let row = course.row.as_ref();
        let case = Case {
            house: course.house,
            ground: course.ground,
            run: &course.run,
            row,
            environment: course.environment,
            earlier: course.earlier_environment(),
        };
        let mut verdict = case.judge(plan, &brought).await?;
        // Where what nobody reviewed is applied, a label on what brought it has to be found all the same.
        let open = verdict.is_err() || case.plan_changed() == PlanChanged::Apply;
        if open && !brought.unattributed.is_empty() {
            brought.look_up(course.house, course.ground, &course.heading.branch).await?;
            verdict = case.judge(plan, &brought).await?;
        }
        let waiting = match verdict {
            Ok(approved) => {
                let labelled = course.labelled(&brought).await?;
                return Ok(match labelled.filter(|label| !course.has_word_for(label, plan)) {
                    Some(label) => Confirmed::No(label),
                    None => Confirmed::Yes(approved),
                });
            }
            Err(waiting) => waiting,
        };
        // The index at GitHub lags behind a push: look again before it counts as pushed directly.
        match wait_within(&course.house.timing.attribution, course.job.attempt) {
            Some(wait)
                if !brought.unattributed.is_empty() && course.run.state == RunState::Queued =>
            {
                let why = "which pull request the commit came from is not known yet".to_owned();
                Ok(Confirmed::Wait(Ended::Again(wait, why)))
            }
            _ => Ok(Confirmed::No(waiting)),
        }
    }

    async fn begin(&mut self, approved: &ApprovedPlan) -> anyhow::Result<()> {
        let course = &mut self.course;
        course.turn().await?;
        if !goes_on(&course.run, approved.plan()) {
            let (store, fence) = (&course.house.store, &course.job.fence);
            store.set_run_plan(fence, course.run.run.id, approved.plan()).await?;
            course.run.plan = Some(approved.plan().clone());
        }
        if course.run.state != RunState::Running {
            course.advance(RunState::Running, "").await?;
        }
        if approved.plan().changes().any(|change| change.touches_provider()) {
            course.tell(RunStage::Running, None).await?;
        }
        Ok(())
    }

    async fn end(
        mut self,
        approved: &ApprovedPlan,
        located: &Located,
        pending: &Pending,
        (before, steps): (Vec<StepReport>, Vec<StepReport>),
    ) -> anyhow::Result<Ended> {
        let applied = applied_units(approved.plan(), located, pending, &steps);
        let course = &mut self.course;
        let repository = course.ground.repository.id;
        course.house.store.record_units(&course.job.fence, repository, &applied).await?;
        let blocked = !pending.blocked.is_empty();
        let (state, stage) = match outcome(&steps, blocked) {
            (RunState::Succeeded, _) if let Some(why) = stopped(course, &steps).await? => {
                (RunState::Cancelled, RunStage::Cancelled(why))
            }
            ended => ended,
        };
        let reason = match &stage {
            RunStage::Failed(why) | RunStage::NeedsAttention(why) | RunStage::Cancelled(why) => {
                why.clone()
            }
            _ => String::new(),
        };
        let outcome = Outcome {
            steps: before.into_iter().chain(steps).collect(),
            unreviewed: approved.unreviewed().to_vec(),
            left_out: pending
                .blocked
                .iter()
                .map(|(unit, why)| (unit.to_string(), why.clone()))
                .collect(),
        };
        course.end(state, &reason, (stage, Some(outcome))).await?;
        Ok(Ended::Done)
    }

    /// The environment is as the commit says already. Nobody is told, because nothing happened;
    /// unless this run was cut off after it had done everything, and before it said so.
    async fn nothing_to_do(mut self) -> anyhow::Result<Ended> {
        let course = &mut self.course;
        let store = &course.house.store;
        let steps: Vec<StepReport> =
            store.steps(course.run.run.id).await?.iter().map(told).collect();
        let never_ran = course.row.as_ref().is_none_or(|row| row.last.is_none());
        if never_ran && steps.is_empty() && self.units.is_empty() {
            // Its first run is still to come, and that one waits for somebody's word.
            course.advance(RunState::Cancelled, "nothing is declared for it yet").await?;
            follow_up(course.house, course.job, &course.run).await?;
            return Ok(Ended::Done);
        }
        if let Some(locked) = course.locked().await? {
            let nothing = Plan::empty(course.environment.name.clone());
            return self.course.hold(&nothing, Legend::default(), locked).await;
        }
        // Who was told that it waits is told that it does so no more.
        let was_shown = course.run.state == RunState::Held;
        course.turn().await?;
        if steps.is_empty() {
            let plan = Plan::empty(course.environment.name.clone());
            store.set_run_plan(&course.job.fence, course.run.run.id, &plan).await?;
        }
        if course.run.state != RunState::Running {
            course.advance(RunState::Running, "").await?;
        }
        if steps.is_empty() && !was_shown {
            course.advance(RunState::Succeeded, "").await?;
            follow_up(course.house, course.job, &course.run).await?;
        } else {
            let outcome = Outcome { steps, ..Outcome::default() };
            course.end(RunState::Succeeded, "", (RunStage::Succeeded, Some(outcome))).await?;
        }
        Ok(Ended::Done)
    }

    async fn unreachable(mut self, error: &ProviderError) -> anyhow::Result<Ended> {
        match self.course.patience(error) {
            Ok(again) => Ok(again),
            Err(message) => {
                let told = (RunStage::Failed(message.clone()), None);
                self.course.end(RunState::Failed, &message, told).await?;
                Ok(Ended::Done)
            }
        }
    }
}

/// Whether `rest` is what is left of the plan that a run is under way with. Then that is the plan which
/// people know, and it stays.
fn goes_on(run: &Run, rest: &Plan) -> bool {
    let begun = run.plan.as_ref().filter(|_| run.state == RunState::Running);
    begun.is_some_and(|whole| {
        let known: BTreeSet<Digest> = whole.changes().map(Change::digest).collect();
        rest.changes().all(|change| known.contains(&change.digest()))
    })
}

/// Who had a run stop that left steps undone, none of which stands behind one that failed.
async fn stopped(course: &Course<'_>, steps: &[StepReport]) -> anyhow::Result<Option<String>> {
    if steps.iter().all(|step| step.result == StepResult::Done) {
        return Ok(None);
    }
    Ok(course.house.store.stop_asked(course.run.run.id).await?)
}

/// Why the units of a step stay out.
fn unresolved(step: &Step) -> String {
    let why = "what became of a step of an earlier run is not known";
    match step.message.as_str() {
        "" => why.to_owned(),
        found => format!("{why}: {found}"),
    }
}

enum Confirmed {
    Yes(ApprovedPlan),
    No(Waiting),
    Wait(Ended),
}

/// The units that are now as the tree says, each with its hash; none for one that is gone.
pub(crate) fn applied_units(
    plan: &Plan,
    located: &Located,
    pending: &Pending,
    steps: &[StepReport],
) -> BTreeMap<UnitName, Option<UnitHash>> {
    let undone =
        steps.iter().filter(|step| step.result != StepResult::Done).flat_map(|step| &step.changes);
    let undone: BTreeSet<&UnitName> =
        undone.flat_map(|change| [Some(&change.unit), change.from.as_ref()]).flatten().collect();
    let whole = plan
        .units
        .iter()
        .filter(|(name, unit)| unit.conflicts.is_empty() && !undone.contains(name));
    let hash = |name: &UnitName| match pending.removed.contains(name) {
        true => None,
        false => located.hashes.get(name).cloned(),
    };
    whole.map(|(name, _)| (name.clone(), hash(name))).collect()
}

/// How a run ends whose steps ended so.
pub(crate) fn outcome(steps: &[StepReport], blocked: bool) -> (RunState, RunStage) {
    let with = |found: fn(&StepResult) -> Option<&String>| {
        steps.iter().find_map(|step| found(&step.result))
    };
    let unknown = with(|result| match result {
        StepResult::Unknown(message) => Some(message),
        _ => None,
    });
    let failed = with(|result| match result {
        StepResult::Failed(message) | StepResult::Moved(message) => Some(message),
        _ => None,
    });
    match (unknown, failed) {
        (Some(message), _) => (RunState::NeedsAttention, RunStage::NeedsAttention(message.clone())),
        (None, Some(message)) => (RunState::Failed, RunStage::Failed(message.clone())),
        (None, None) if blocked => {
            let why = "units with unresolved steps were left out".to_owned();
            (RunState::NeedsAttention, RunStage::NeedsAttention(why))
        }
        (None, None) => (RunState::Succeeded, RunStage::Succeeded),
    }
}

//! Carrying out an approved plan, step by step.
//!
//! For every effect: the lease of its target is taken or renewed, the intent is written, the provider
//! is called once, the result is written. A step that does not end well stops everything behind it (the same target,
//! the same service, services that need it) and nothing else. An outcome that nobody knows is read
//! back once; if that does not settle it, the step stays unresolved and is never sent again blindly.

use std::collections::{BTreeMap, BTreeSet};

use landfall_core::config::Tree;
use landfall_core::coverage::ApprovedPlan;
use landfall_core::name::ServiceName;
use landfall_core::plan::{self, Action, Change, Effect, Landed, Needs, Outcome, Target};
use landfall_core::report::{StepReport, StepResult};
use landfall_providers::{Later, Writer};
use landfall_store::{Fence, ReadBack, RunId, Step, StepId, StepState};

use super::Ended;
use super::holding::{Busy, Holding, turn};
use crate::failpoint;
use crate::gather::{Route, Sessions};
use crate::house::{Kinds, Timing, Tools};

/// What a plan is carried out with.
#[derive(Debug)]
pub struct Execution<'a> {
    /// What it takes.
    pub tools: Tools<'a>,
    /// The job's right to write.
    pub fence: Fence,
    /// The run.
    pub run: RunId,
    /// Open connections.
    pub sessions: &'a Sessions<'a>,
    /// Through which connection each target is reached.
    pub routes: &'a BTreeMap<Target, Route>,
    /// Which services each service needs.
    pub needs: &'a Needs,
    /// The services that are not as they should be since an earlier run: who needs them waits.
    pub stuck: BTreeSet<ServiceName>,
}

/// Why the rest of a plan cannot be carried out now.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Delay {
    /// Somebody else writes there.
    #[error(transparent)]
    Busy(Busy),
    /// The provider takes nothing now.
    #[error(transparent)]
    Later(Later),
}

impl Delay {
    /// The job is to come again, and to plan the rest anew. For whoever writes there it waits as long
    /// as that takes; for a provider as often as a job is tried.
    #[must_use]
    pub fn ended(&self, timing: &Timing) -> Ended {
        match self {
            Self::Busy(busy) => busy.later(timing),
            Self::Later(later) => Ended::Again(later.after.max(turn(timing)), later.why.clone()),
        }
    }
}

/// What has gone wrong so far.
#[derive(Debug, Default)]
struct Failed {
    targets: BTreeSet<Target>,
    services: BTreeSet<ServiceName>,
    /// Whether anything did in this run.
    any: bool,
}

impl Failed {
    fn note(&mut self, effect: &Effect) {
        self.any = true;
        self.targets.insert(effect.target.clone());
        self.services.extend(effect.changes.iter().map(|change| change.unit.service.clone()));
    }

    /// Deletes go the other way round: what a failed service needs has to stay.
    fn holds_back(&self, change: &Change, needs: &Needs) -> bool {
        let service = &change.unit.service;
        let behind = match change.action {
            Action::Delete => {
                let this = BTreeSet::from([service.clone()]);
                self.services.iter().any(|failed| plan::stands_behind(failed, &this, needs))
            }
            _ => plan::stands_behind(service, &self.services, needs),
        };
        behind || self.targets.contains(&change.key.target)
    }
}

impl Execution<'_> {
    /// Carries out `approved` and says what came of each step; or for what it has to wait, with
    /// everything written that was done until then.
    ///
    /// # Errors
    /// The store cannot be written to, or the job or a lease is somebody else's now: whoever has it
    /// goes on from what is written.
    pub async fn carry_out(
        &self,
        approved: &ApprovedPlan,
        holding: &mut Holding<'_>,
    ) -> anyhow::Result<Result<Vec<StepReport>, Delay>> {
        let plan = approved.plan();
        let kinds = Kinds::of(&self.tools.reach.registry);
        let batches = plan::order(plan, &kinds.ranks(), self.needs)?;
        let mut reports = self.settle(plan.changes()).await?;
        let mut failed = Failed { services: self.stuck.clone(), ..Failed::default() };
        for batch in batches {
            let (held, free): (Vec<Change>, Vec<Change>) =
                batch.changes.into_iter().partition(|change| failed.holds_back(change, self.needs));
            reports.extend(skipped(&batch.target, held));
            for effect in self.effects(&batch.target, free) {
                if failed.targets.contains(&effect.target) || self.is_to_stop().await? {
                    reports.push(report(&effect, StepResult::Skipped));
                    continue;
                }
                let result = match self.step(&effect, holding).await? {
                    Ok(result) => result,
                    // What failed is not to be tried again without anybody's word.
                    Err(_) if failed.any => StepResult::Skipped,
                    Err(wait) => return Ok(Err(wait)),
                };
                if result != StepResult::Done {
                    failed.note(&effect);
                }
                reports.push(report(&effect, result));
            }
        }
        Ok(Ok(reports))
    }

    /// Whether somebody wants nothing more to be sent. Asked before each step, so the one that is under
    /// way ends.
    async fn is_to_stop(&self) -> anyhow::Result<bool> {
        Ok(self.tools.store.stop_asked(self.run).await?.is_some())
    }

    /// Changes that no provider has to be told.
    async fn settle(
        &self,
        changes: impl Iterator<Item = &Change>,
    ) -> anyhow::Result<Vec<StepReport>> {
        let mut by_target: BTreeMap<&Target, Vec<Change>> = BTreeMap::new();
        for change in changes.filter(|change| !change.touches_provider()) {
            by_target.entry(&change.key.target).or_default().push(change.clone());
        }
        let mut reports = Vec::new();
        for (target, changes) in by_target {
            let effect = Effect { target: target.clone(), changes };
            self.tools.store.settle(&self.fence, self.run, &effect).await?;
            failpoint::pass("step::settled")?;
            reports.push(report(&effect, StepResult::Done));
        }
        Ok(reports)
    }

    fn effects(&self, target: &Target, changes: Vec<Change>) -> Vec<Effect> {
        match self.tools.reach.registry.provider(&target.provider) {
            _ if changes.is_empty() => Vec::new(),
            Some(provider) => provider.effects(target, changes),
            None => vec![Effect { target: target.clone(), changes }],
        }
    }

    async fn step(
        &self,
        effect: &Effect,
        holding: &mut Holding<'_>,
    ) -> anyhow::Result<Result<StepResult, Delay>> {
        let Some(route) = self.routes.get(&effect.target) else {
            let why = "no connection leads to its target".to_owned();
            return Ok(Ok(StepResult::Failed(why)));
        };
        let writer = match self.sessions.writer(route).await {
            Ok(writer) => writer,
            Err(error) => return Ok(Ok(StepResult::Failed(error.to_string()))),
        };
        let held = match holding.turn_to(&effect.target).await? {
            Ok(held) => held,
            Err(busy) => return Ok(Err(Delay::Busy(busy))),
        };
        let store = self.tools.store;
        let step = store.intend(&self.fence, held.lease, self.run, effect).await?;
        failpoint::pass("step::intended")?;
        let outcome = match writer.apply(effect, held.hold).await {
            Ok(outcome) => self.redacted(outcome),
            Err(later) => {
                store.withdraw_step(&self.fence, step).await?;
                return Ok(Err(Delay::Later(self.clean(&later))));
            }
        };
        failpoint::pass("step::answered")?;
        store.finish_step(&self.fence, step, &outcome).await?;
        failpoint::pass("step::written")?;
        Ok(Ok(match outcome {
            Outcome::Done(_) => StepResult::Done,
            Outcome::Failed(message) => StepResult::Failed(message),
            Outcome::Moved(message) => StepResult::Moved(message),
            Outcome::Unknown(message) => match self.settled(&*writer, effect, step).await? {
                true => StepResult::Done,
                false => StepResult::Unknown(message),
            },
        }))
    }

    /// Whether an effect whose outcome nobody knew turns out to be in place. Then that is written.
    async fn settled(
        &self,
        writer: &dyn Writer,
        effect: &Effect,
        step: StepId,
    ) -> anyhow::Result<bool> {
        let Ok((landed, ids)) = writer.read_back(effect).await else { return Ok(false) };
        let settled = landed.iter().all(|landed| *landed == Landed::After);
        if settled {
            let found = ReadBack { landed, ids, message: String::new() };
            self.tools.store.resolve_step(&self.fence, step, &found).await?;
        }
        Ok(settled)
    }

    /// What a provider says goes to the store and to people, so no secret may be in it.
    fn redacted(&self, outcome: Outcome) -> Outcome {
        let clean = |message: String| self.tools.redactor.redact(&message).into_owned();
        match outcome {
            Outcome::Done(ids) => Outcome::Done(ids),
            Outcome::Failed(message) => Outcome::Failed(clean(message)),
            Outcome::Moved(message) => Outcome::Moved(clean(message)),
            Outcome::Unknown(message) => Outcome::Unknown(clean(message)),
        }
    }

    fn clean(&self, later: &Later) -> Later {
        Later { why: self.tools.redactor.redact(&later.why).into_owned(), after: later.after }
    }
}

/// Which services each service needs.
#[must_use]
pub fn needs(tree: &Tree) -> Needs {
    let needs = tree.services.iter().map(|service| {
        let needed: BTreeSet<ServiceName> =
            service.needs.iter().map(|name| name.value.clone()).collect();
        (service.name.clone(), needed)
    });
    needs.filter(|(_, needed)| !needed.is_empty()).collect()
}

fn report(effect: &Effect, result: StepResult) -> StepReport {
    let services: BTreeSet<ServiceName> =
        effect.changes.iter().map(|c| c.unit.service.clone()).collect();
    StepReport { services: services.into_iter().collect(), changes: effect.changes.clone(), result }
}

fn skipped(target: &Target, changes: Vec<Change>) -> Option<StepReport> {
    let effect = Effect { target: target.clone(), changes };
    (!effect.changes.is_empty()).then(|| report(&effect, StepResult::Skipped))
}

/// A step of the store as people read it.
#[must_use]
pub fn told(step: &Step) -> StepReport {
    let message = step.message.clone();
    let result = match step.state {
        StepState::Done => StepResult::Done,
        StepState::Failed => StepResult::Failed(message),
        StepState::Moved => StepResult::Moved(message),
        StepState::Intent | StepState::Unknown | StepState::Attention => {
            StepResult::Unknown(message)
        }
    };
    report(&step.effect, result)
}

//! Carrying out an approved plan, step by step.
//!
//! For every effect: the lease is renewed, the intent is written, the provider is called once, the
//! result is written. A step that does not end well stops everything behind it (the same target,
//! the same service, services that need it) and nothing else. An outcome that nobody knows is read
//! back once; if that does not settle it, the step stays unresolved and is never sent again blindly.

use std::collections::{BTreeMap, BTreeSet};

use landfall_core::config::Tree;
use landfall_core::coverage::ApprovedPlan;
use landfall_core::lease::LeaseProof;
use landfall_core::name::ServiceName;
use landfall_core::plan::{self, Action, Change, Effect, Landed, Needs, Outcome, Target};
use landfall_core::report::{StepReport, StepResult};
use landfall_store::{Fence, ReadBack, RunId, Step, StepState};

use crate::gather::{Route, Sessions};
use crate::house::{Kinds, Tools};

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
    /// The leases, one for each target.
    pub leases: &'a [LeaseProof],
    /// Which services each service needs.
    pub needs: &'a Needs,
    /// The services that are not as they should be since an earlier run: who needs them waits.
    pub stuck: BTreeSet<ServiceName>,
}

/// What has gone wrong so far.
#[derive(Debug, Default)]
struct Failed {
    targets: BTreeSet<Target>,
    services: BTreeSet<ServiceName>,
}

impl Failed {
    fn note(&mut self, effect: &Effect) {
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
    /// Carries out `approved` and says what came of each step.
    ///
    /// # Errors
    /// The store cannot be written to, or the job or a lease is somebody else's now: whoever has it
    /// goes on from what is written.
    pub async fn carry_out(&self, approved: &ApprovedPlan) -> anyhow::Result<Vec<StepReport>> {
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
                if failed.targets.contains(&effect.target) {
                    reports.push(report(&effect, StepResult::Skipped));
                    continue;
                }
                let result = self.step(&effect).await?;
                if result != StepResult::Done {
                    failed.note(&effect);
                }
                reports.push(report(&effect, result));
            }
        }
        Ok(reports)
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

    async fn step(&self, effect: &Effect) -> anyhow::Result<StepResult> {
        let (Some(lease), Some(route)) = (
            self.leases.iter().find(|lease| *lease.target() == effect.target),
            self.routes.get(&effect.target),
        ) else {
            return Ok(StepResult::Failed("no connection leads to its target".to_owned()));
        };
        let writer = match self.sessions.writer(route).await {
            Ok(writer) => writer,
            Err(error) => return Ok(StepResult::Failed(error.to_string())),
        };
        let store = self.tools.store;
        // All of them: those of later steps have to last until it is their turn.
        store.renew_leases(self.leases, self.tools.timing.target_lease).await?;
        let step = store.intend(&self.fence, lease, self.run, effect).await?;
        let outcome = writer.apply(effect, lease).await;
        let outcome = self.redacted(outcome);
        store.finish_step(&self.fence, step, &outcome).await?;
        Ok(match outcome {
            Outcome::Done(_) => StepResult::Done,
            Outcome::Failed(message) => StepResult::Failed(message),
            Outcome::Moved(message) => StepResult::Moved(message),
            Outcome::Unknown(message) => {
                let found = writer.read_back(effect).await;
                let landed = found
                    .as_ref()
                    .is_ok_and(|(landed, _)| landed.iter().all(|l| *l == Landed::After));
                match found {
                    Ok((landed_each, ids)) if landed => {
                        let found = ReadBack { landed: landed_each, ids, message: String::new() };
                        store.resolve_step(&self.fence, step, &found).await?;
                        StepResult::Done
                    }
                    _ => StepResult::Unknown(message),
                }
            }
        })
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

//! One environment of a working copy: from what is declared to what would happen.
//!
//! The same gathering and planning as on the server; only where the state stands differs.

use landfall_core::config::{Tree, Unit};
use landfall_core::plan::{Origin, Plan};
use landfall_core::report::{EnvironmentReport, Legend, NextStep};
use landfall_core::way::{Exposure, Network};
use landfall_store::{Step, Unresolved};

use super::choose::Part;
use crate::flow::steps::needs;
use crate::gather::Sessions;
use crate::gather::facts::{Pending, Place, Survey};
use crate::gather::sight::{Located, Sight};

/// What is looked at.
pub(super) struct View<'a> {
    /// Whose facts.
    pub(super) place: Place<'a>,
    /// Open connections.
    pub(super) sessions: &'a Sessions<'a>,
    /// What is declared.
    pub(super) tree: &'a Tree,
}

/// Why there is no plan, in words fit to be shown: a provider that cannot be asked.
pub(super) type Unreachable = String;

impl View<'_> {
    fn sight(&self) -> Sight<'_> {
        let registry = &self.place.tools.reach.registry;
        Sight::new(registry, self.place.environment, self.sessions, None)
    }

    fn units(&self) -> Vec<&Unit> {
        self.tree.units_of(&self.place.environment.name).collect()
    }

    /// The targets of all units, and which units are not as they were applied last.
    ///
    /// # Errors
    /// The store could not be asked.
    pub(super) async fn locate(&self) -> anyhow::Result<Result<(Located, Pending), Unreachable>> {
        let Place { tools, repository, environment, .. } = self.place;
        let units = self.units();
        let located = match self.sight().locate(units.iter().copied()).await {
            Ok(located) => located,
            Err(error) => return Ok(Err(error.to_string())),
        };
        let applied = tools.store.unit_hashes(repository, &environment.name).await?;
        let mut pending = Pending::find(&units, &located, &applied);
        // There is no base that something could have been pending on already.
        pending.origins.values_mut().for_each(|origin| *origin = Origin::Changed);
        let unresolved = Unresolved::In(repository, environment.name.clone());
        for step in tools.store.unresolved_steps(&unresolved).await? {
            pending.block(&step.effect, &unsettled(&step));
        }
        Ok(Ok((located, pending)))
    }

    /// Plans all that is pending.
    ///
    /// # Errors
    /// The store could not be asked.
    pub(super) async fn survey(
        &self,
        located: &Located,
        pending: &Pending,
    ) -> anyhow::Result<Result<Survey, Unreachable>> {
        let survey = self.place.survey(&self.sight(), located, &self.units(), pending).await?;
        Ok(survey.map_err(|error| error.to_string()))
    }

    /// What people read about the `part` of `survey` that was asked for. Limits are those of the whole.
    ///
    /// # Errors
    /// The store could not be asked.
    pub(super) async fn report(
        &self,
        survey: &Survey,
        part: &Part,
    ) -> anyhow::Result<EnvironmentReport> {
        let environment = self.place.environment;
        let units = self.units();
        let plan = part.of(survey.plan.clone());
        let declared = units.iter().map(|unit| (&unit.name, &unit.names));
        let routes = units.iter().flat_map(|unit| &unit.names.routes);
        let ways = Network::new(declared, &plan, &survey.live).ways(routes);
        Ok(EnvironmentReport {
            environment: environment.name.clone(),
            branch: environment.branches.first().cloned(),
            legend: survey.legend(&self.place.tools.reach.registry, needs(self.tree)),
            next: self.next(&plan),
            ways,
            exposure: self.place.exposure(&plan),
            violations: self
                .place
                .guarded(survey)
                .await?
                .map_or_else(Vec::new, |waiting| waiting.violations().to_vec()),
            declares: Vec::new(),
            plan: Ok(plan),
        })
    }

    /// What people read when there is no plan.
    pub(super) fn no_report(&self, why: &str) -> EnvironmentReport {
        EnvironmentReport {
            environment: self.place.environment.name.clone(),
            branch: self.place.environment.branches.first().cloned(),
            plan: Err(self.place.tools.redactor.redact(why).into_owned()),
            legend: Legend::default(),
            next: NextStep::Mend,
            ways: Vec::new(),
            exposure: Exposure::default(),
            violations: Vec::new(),
            declares: Vec::new(),
        }
    }

    fn next(&self, plan: &Plan) -> NextStep {
        match () {
            () if plan.conflicts().next().is_some() => NextStep::Mend,
            () if plan.changes().next().is_none() => NextStep::Nothing,
            () if self.place.environment.branches.is_empty() => NextStep::CommandLine,
            () => NextStep::MergeLater,
        }
    }
}

/// What is said of a unit that has a step of which nobody knows what became.
pub(super) fn unsettled(step: &Step) -> String {
    let message = Some(step.message.as_str()).filter(|message| !message.is_empty());
    let message = message.map(|message| format!(": {message}")).unwrap_or_default();
    format!("what became of a step of an earlier run is not known{message}")
}

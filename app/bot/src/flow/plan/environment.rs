//! One environment of a pull request: from what is declared to what would happen.

use std::collections::{BTreeMap, BTreeSet};

use landfall_core::config::Unit;
use landfall_core::coverage::always_waits;
use landfall_core::diagnostic::Diagnostic;
use landfall_core::label::Label;
use landfall_core::name::{
    BranchName, CommitSha, EnvironmentName, RepositoryId, TreeSha, UnitName,
};
use landfall_core::plan::{Origin, Plan};
use landfall_core::report::{Detour, EnvironmentReport, Legend, NextStep, Waiting};
use landfall_core::way::{Exposure, Network};
use landfall_github::Pull;
use landfall_providers::ProviderError;
use landfall_store::Unresolved;

use super::super::command;
use super::super::confirm::past;
use super::super::ground::{Ground, Rules};
use super::super::reconcile::UNDER_WAY;
use super::super::steps::needs;
use super::fork::{self, Trust};
use crate::gather::Declared;
use crate::gather::facts::{self, Pending, Survey};
use crate::gather::sight::Sight;
use crate::house::House;

/// What all environments of one pull request, or of one group, have in common.
pub(crate) struct Place<'a> {
    pub(crate) house: &'a House,
    pub(crate) ground: &'a Ground,
    /// The pull request; none for a group of the merge queue, which somebody who may has queued.
    pub(crate) pull: Option<&'a Pull>,
    /// How far it is planned.
    pub(crate) trust: Trust,
    /// What it is to be merged into.
    pub(crate) into: &'a BranchName,
    pub(crate) rules: &'a Rules,
    pub(crate) merged: &'a Declared,
    pub(crate) before: Option<&'a Declared>,
    pub(crate) base: &'a CommitSha,
    pub(crate) tree: &'a TreeSha,
}

impl Place<'_> {
    pub(crate) fn warnings(&self) -> Vec<Diagnostic> {
        self.merged.tree.warnings.clone()
    }

    pub(crate) async fn report(&self, name: &EnvironmentName) -> anyhow::Result<EnvironmentReport> {
        let environment = &self.rules.config.environments[name];
        let mut report = EnvironmentReport {
            environment: name.clone(),
            branch: Some(self.into.clone()),
            plan: Ok(Plan::empty(name.clone())),
            legend: Legend::default(),
            next: NextStep::Mend,
            ways: Vec::new(),
            exposure: Exposure::default(),
            violations: Vec::new(),
            declares: Vec::new(),
        };
        if let Trust::DataOnly(unread) = &self.trust {
            report.declares = fork::declares(environment, self.before, self.merged);
            (report.plan, report.next) = match report.declares.is_empty() {
                true => (Ok(Plan::empty(name.clone())), NextStep::Nothing),
                false => (Err(unread.to_string()), NextStep::NotPlanned),
            };
            return Ok(report);
        }
        let store = &self.house.store;
        let row = store.environment(self.repository(), name).await?;
        let ground = self.ground;
        let earlier = ground.earlier_rules(self.house, self.rules, row.as_ref()).await?;
        let place = facts::Place {
            tools: self.house.tools(),
            repository: self.repository(),
            environment,
            earlier: earlier.as_ref().and_then(|rules| rules.environments.get(name)),
            past: past(row.as_ref()),
        };
        let survey = match self.survey(&place).await? {
            Ok(survey) => survey,
            Err(error) => {
                let message = error.to_string();
                report.plan = Err(self.house.redactor.redact(&message).into_owned());
                return Ok(report);
            }
        };
        report.exposure = place.exposure(&survey.plan);
        let after: Vec<&Unit> = self.merged.tree.units_of(name).collect();
        let declared = after.iter().map(|unit| (&unit.name, &unit.names));
        let routes = after.iter().flat_map(|unit| &unit.names.routes);
        report.ways = Network::new(declared, &survey.plan, &survey.live).ways(routes);
        let guarded = place.guarded(&survey).await?;
        report.violations = guarded.as_ref().map(Waiting::violations).unwrap_or_default().to_vec();
        report.next = self.next(row.as_ref(), &survey, guarded).await?;
        report.legend = survey.legend(&self.house.reach.registry, needs(&self.merged.tree));
        report.plan = Ok(survey.plan);
        Ok(report)
    }

    /// The plan, or why a provider could not be asked.
    async fn survey(
        &self,
        place: &facts::Place<'_>,
    ) -> anyhow::Result<Result<Survey, ProviderError>> {
        match self.look(place).await? {
            // Where a zone was made anew or a console was reset, what was known of it is forgotten now.
            (Err(_), true) => Ok(self.look(place).await?.0),
            (survey, _) => Ok(survey),
        }
    }

    /// The same, and whether something was believed of a provider that is not so any more.
    async fn look(
        &self,
        place: &facts::Place<'_>,
    ) -> anyhow::Result<(Result<Survey, ProviderError>, bool)> {
        let (house, environment) = (self.house, place.environment);
        let sessions = self.ground.sessions(house, environment, place.earlier);
        let sight =
            Sight::new(&house.reach.registry, environment, &sessions, Some(&house.known_targets));
        let units: Vec<&Unit> = self.merged.tree.units_of(&environment.name).collect();
        let located = match sight.locate(units.iter().copied()).await {
            Ok(located) => located,
            Err(error) => return Ok((Err(error), false)),
        };
        let applied = house.store.unit_hashes(self.repository(), &environment.name).await?;
        let mut pending = Pending::find(&units, &located, &applied);
        let changed = self.changed(&environment.name);
        for (name, origin) in &mut pending.origins {
            *origin = if changed.contains(name) { Origin::Changed } else { Origin::Pending };
        }
        let unresolved = Unresolved::In(self.repository(), environment.name.clone());
        for step in house.store.unresolved_steps(&unresolved).await? {
            pending.block(&step.effect, "what became of a step of an earlier run is not known yet");
        }
        let survey = place.survey(&sight, &located, &units, &pending).await?;
        Ok((survey, sight.was_misled()))
    }

    /// The units that differ between the base and the merged tree.
    fn changed(&self, environment: &EnvironmentName) -> BTreeSet<UnitName> {
        let said = |declared: &Declared| -> BTreeMap<UnitName, _> {
            let units = declared.tree.units_of(environment);
            units.map(|unit| (unit.name.clone(), (unit.config, unit.connection.clone()))).collect()
        };
        let after = said(self.merged);
        let before = self.before.map(said).unwrap_or_default();
        let differs = |name: &&UnitName| before.get(*name) != after.get(*name);
        before.keys().chain(after.keys()).filter(differs).cloned().collect()
    }

    async fn next(
        &self,
        row: Option<&landfall_store::Environment>,
        survey: &Survey,
        guarded: Option<Waiting>,
    ) -> anyhow::Result<NextStep> {
        let plan = &survey.plan;
        if plan.conflicts().next().is_some() {
            return Ok(NextStep::Mend);
        }
        if plan.changes().next().is_none() {
            return Ok(NextStep::Nothing);
        }
        if is_busy(self.house, self.repository(), &plan.environment).await? {
            return Ok(NextStep::Provisional);
        }
        let lock = self.house.store.lock_on(self.repository(), &plan.environment).await?;
        let waiting = lock
            .as_ref()
            .map(command::under)
            .or(guarded)
            .or_else(|| self.switch(row))
            .or_else(|| always_waits(plan, past(row)).map(Waiting::from))
            .or_else(|| self.label());
        Ok(waiting.map_or(NextStep::Merge, NextStep::MergeThenApply))
    }

    /// The environment follows another branch than the one that is merged into.
    fn switch(&self, row: Option<&landfall_store::Environment>) -> Option<Waiting> {
        let from = row?.branch.as_ref().filter(|branch| *branch != self.into)?.clone();
        Some(Waiting::Branch(Detour::Switch { from, to: self.into.clone() }))
    }

    /// A label says that the run is to wait.
    fn label(&self) -> Option<Waiting> {
        let pull = self.pull.filter(|pull| pull.has(Label::Hold))?;
        Some(Waiting::Label(vec![pull.number]))
    }

    fn repository(&self) -> RepositoryId {
        self.ground.repository.id
    }
}

/// Whether a run is about to change an environment, or changes it now.
pub(super) async fn is_busy(
    house: &House,
    repository: RepositoryId,
    environment: &EnvironmentName,
) -> anyhow::Result<bool> {
    let newest = house.store.recent_runs(repository, environment, 1).await?;
    Ok(newest.first().is_some_and(|run| UNDER_WAY.contains(&run.state)))
}

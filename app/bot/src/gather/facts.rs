//! From sight to plan: which units are pending, what the facts are, and the plan they make.

use std::collections::{BTreeMap, BTreeSet};

use landfall_core::config::names::Names;
use landfall_core::config::{Environment, Unit};
use landfall_core::coverage::Past;
use landfall_core::guardrail::{self, DELETES_ALWAYS_ALLOWED};
use landfall_core::name::{DnsName, RepositoryId, UnitName};
use landfall_core::plan::{
    self, Action, Adoption, Effect, Facts, Live, Needs, Origin, Plan, ResourceKey, Target,
    Unanswered, UnitHash, Wanted,
};
use landfall_core::report::{Legend, Waiting};
use landfall_core::way::{self, Exposure};
use landfall_providers::{ProviderError, Registry};

use super::Route;
use super::sight::{Located, Sight};
use crate::house::{Kinds, Tools};

/// The units that are not as they were applied last.
#[derive(Debug, Default)]
pub struct Pending {
    /// Why each is planned.
    pub origins: BTreeMap<UnitName, Origin>,
    /// Those that the tree has no more.
    pub removed: BTreeSet<UnitName>,
    /// Those that stay out, each with the reason.
    pub blocked: BTreeMap<UnitName, String>,
}

impl Pending {
    /// Compares the hashes of `units` with what was `applied`.
    #[must_use]
    pub fn find(
        units: &[&Unit],
        located: &Located,
        applied: &BTreeMap<UnitName, Option<UnitHash>>,
    ) -> Self {
        let declared: BTreeSet<&UnitName> = units.iter().map(|unit| &unit.name).collect();
        let last = |name: &UnitName| applied.get(name).and_then(Option::as_ref);
        let differs = |unit: &&&Unit| located.hashes.get(&unit.name) != last(&unit.name);
        let mut origins: BTreeMap<UnitName, Origin> =
            units.iter().filter(differs).map(|unit| (unit.name.clone(), Origin::Pending)).collect();
        let gone = applied.keys().filter(|name| !declared.contains(name));
        let removed: BTreeSet<UnitName> = gone.cloned().collect();
        origins.extend(removed.iter().map(|name| (name.clone(), Origin::Pending)));
        Self { origins, removed, blocked: BTreeMap::new() }
    }

    /// Keeps the units of `effect` out.
    pub fn block(&mut self, effect: &Effect, why: &str) {
        let units =
            effect.changes.iter().flat_map(|change| [Some(&change.unit), change.from.as_ref()]);
        for unit in units.flatten().filter(|unit| self.origins.contains_key(*unit)) {
            self.blocked.insert(unit.clone(), why.to_owned());
        }
    }

    /// Every target that its units may write to: those they name and those they have something at.
    ///
    /// # Errors
    /// The store could not be asked.
    pub async fn targets(
        &self,
        place: &Place<'_>,
        located: &Located,
    ) -> anyhow::Result<BTreeSet<Target>> {
        let names: BTreeSet<UnitName> = self.origins.keys().cloned().collect();
        let owned = place.tools.store.owned_by(place.repository, &names).await?;
        let mut targets: BTreeSet<Target> = owned.into_keys().map(|key| key.target).collect();
        for name in &names {
            targets.extend(located.targets_of(name).iter().cloned());
        }
        Ok(targets)
    }

    /// Whether every unit is as it was applied.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.origins.is_empty()
    }
}

/// A plan with what it was made from.
#[derive(Debug)]
pub struct Survey {
    /// The plan.
    pub plan: Plan,
    /// What lives.
    pub live: BTreeMap<Target, Live>,
    /// Through which connection each target is reached.
    pub routes: BTreeMap<Target, Route>,
    /// Which zone is behind a target.
    pub zones: BTreeMap<Target, DnsName>,
}

impl Survey {
    /// What its plan is shown by; `needs` are those of the tree that was planned.
    #[must_use]
    pub fn legend(&self, registry: &Registry, needs: Needs) -> Legend {
        Legend { ranks: Kinds::of(registry).ranks(), needs, zones: self.zones.clone() }
    }
}

/// Whose facts they are.
#[derive(Debug)]
pub struct Place<'a> {
    /// What it takes.
    pub tools: Tools<'a>,
    /// The repository.
    pub repository: RepositoryId,
    /// The environment.
    pub environment: &'a Environment,
    /// The environment by the rules that it was last applied by.
    pub earlier: Option<&'a Environment>,
    /// What is known of the environment.
    pub past: Past,
}

impl Place<'_> {
    /// What may be taken over. What was made in the time that a restore took back is nobody's: where
    /// it is as it should be, somebody's word for the run is enough.
    fn adoption(&self) -> Adoption {
        match (self.environment.adopt, self.past) {
            (Adoption::Listed, Past::Restored) => Adoption::Equal,
            (adoption, _) => adoption,
        }
    }

    /// Plans the pending ones of `units`; or says why a provider could not be asked.
    ///
    /// # Errors
    /// The store could not be asked.
    pub async fn survey(
        &self,
        sight: &Sight<'_>,
        located: &Located,
        units: &[&Unit],
        pending: &Pending,
    ) -> anyhow::Result<Result<Survey, ProviderError>> {
        match self.look(sight, located, units, pending).await {
            Ok(survey) => Ok(Ok(survey)),
            Err(error) => match error.downcast::<ProviderError>() {
                Ok(error) => Ok(Err(error)),
                Err(error) => Err(error),
            },
        }
    }

    async fn look(
        &self,
        sight: &Sight<'_>,
        located: &Located,
        units: &[&Unit],
        pending: &Pending,
    ) -> anyhow::Result<Survey> {
        let store = self.tools.store;
        let names: BTreeSet<UnitName> = pending.origins.keys().cloned().collect();
        let mut owned = if names.is_empty() {
            BTreeMap::new()
        } else {
            store.owned_by(self.repository, &names).await?
        };
        let planned = units.iter().copied().filter(|unit| names.contains(&unit.name));
        let planned: Vec<&Unit> =
            planned.filter(|unit| !pending.blocked.contains_key(&unit.name)).collect();
        let mut observed = sight.observe(located, planned, owned.keys()).await?;
        let wanted_keys =
            observed.desired.values().flatten().flatten().map(|desired| desired.key.clone());
        let unknown: BTreeSet<ResourceKey> =
            wanted_keys.filter(|key| !owned.contains_key(key)).collect();
        if !unknown.is_empty() {
            owned.extend(store.owned(&unknown).await?);
        }
        let declares: BTreeMap<&UnitName, &Names> =
            units.iter().map(|unit| (&unit.name, &unit.names)).collect();
        let wanted = |(name, origin): (&UnitName, &Origin)| {
            let desired = match (pending.blocked.get(name), pending.removed.contains(name)) {
                (Some(why), _) => Err(why.clone()),
                (None, true) => Ok(Vec::new()),
                (None, false) => observed
                    .desired
                    .remove(name)
                    .unwrap_or_else(|| Err("nobody was asked what it wants".to_owned())),
            };
            let desired = desired.map_err(|message| {
                let declares = declares.get(name).map(|names| names.resources());
                Unanswered { message, declares: declares.unwrap_or_default() }
            });
            let hash =
                located.hashes.get(name).filter(|_| !pending.removed.contains(name)).cloned();
            (name.clone(), Wanted { origin: *origin, hash, desired })
        };
        let units = pending.origins.iter().map(wanted).collect();
        let plan = plan::make(&Facts {
            repository: self.repository,
            environment: self.environment.name.clone(),
            units,
            live: &observed.live,
            owned: &owned,
            adoption: self.adoption(),
        });
        Ok(Survey { plan, live: observed.live, routes: observed.routes, zones: located.zones() })
    }

    /// What the limits that a plan passes make of it: those of the rules that hold stop it, those
    /// that it was applied by last want somebody's word. A merge is not judged by the rules alone
    /// that it brings.
    ///
    /// # Errors
    /// The store could not be asked.
    pub async fn guarded(&self, survey: &Survey) -> anyhow::Result<Option<Waiting>> {
        let deletes = survey.plan.changes().filter(|change| change.action == Action::Delete);
        let owned = if deletes.count() > DELETES_ALWAYS_ALLOWED {
            let owned = self.tools.store.owned_in(self.repository, &self.environment.name);
            owned.await?.len()
        } else {
            0
        };
        let passed = |environment: &Environment| {
            let rules = &environment.guardrails;
            let found = guardrail::violations(&survey.plan, &[rules], owned, &survey.zones);
            (!found.is_empty()).then_some(found)
        };
        let own = passed(self.environment).map(Waiting::Guardrail);
        Ok(own.or_else(|| self.earlier.and_then(passed).map(Waiting::Loosened)))
    }
    /// What a plan makes public and what it takes from the public.
    #[must_use]
    pub fn exposure(&self, plan: &Plan) -> Exposure {
        way::exposure(plan, |target| self.is_public(target))
    }

    /// Whether a target is reached through a connection that has public zones.
    fn is_public(&self, target: &Target) -> bool {
        let provider = self.tools.reach.registry.provider(&target.provider);
        provider.is_some_and(|provider| {
            let kind = provider.connection();
            let mut connections = self.environment.connections_of(&kind);
            connections.any(|connection| !connection.connection.zones().is_empty())
        })
    }
}

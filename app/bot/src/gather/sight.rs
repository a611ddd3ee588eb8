//! Sight: the units of one environment with their targets, and the facts for a plan of some of them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use futures::future::try_join_all;
use landfall_core::config::{Environment, Unit, unit_hash};
use landfall_core::name::{ConnectionName, DnsName, UnitName};
use landfall_core::plan::{Desired, Live, ResourceKey, Target, UnitHash};
use landfall_providers::{Found, Needs, Provider, ProviderError, Reader, Registry, Scope};

use super::known::{KnownTargets, Question};
use super::{Route, Sessions};

/// What one environment's providers are asked through.
#[derive(Debug)]
pub struct Sight<'a> {
    registry: &'a Registry,
    environment: &'a Environment,
    sessions: &'a Sessions<'a>,
    /// Identities that may be believed without asking; none for a run.
    known: Option<&'a KnownTargets>,
    /// Those that were.
    believed: Mutex<BTreeSet<Target>>,
    misled: AtomicBool,
}

/// Units with the targets behind their scopes.
#[derive(Debug, Default)]
pub struct Located {
    targets: BTreeMap<(ConnectionName, Scope), Target>,
    /// The hash of every unit.
    pub hashes: BTreeMap<UnitName, UnitHash>,
    /// Through which connection each target is reached, the first by name.
    routes: BTreeMap<Target, Route>,
    /// What each unit writes to.
    of_units: BTreeMap<UnitName, Vec<Target>>,
}

/// What was found for the units that are planned.
#[derive(Debug, Default)]
pub struct Observed {
    /// What each unit wants, or why that could not be found out.
    pub desired: BTreeMap<UnitName, Result<Vec<Desired>, String>>,
    /// What lives at each target that could be looked at.
    pub live: BTreeMap<Target, Live>,
    /// Through which connection.
    pub routes: BTreeMap<Target, Route>,
}

impl<'a> Sight<'a> {
    /// Looks at `environment` through `sessions`.
    #[must_use]
    pub fn new(
        registry: &'a Registry,
        environment: &'a Environment,
        sessions: &'a Sessions<'a>,
        known: Option<&'a KnownTargets>,
    ) -> Self {
        let (believed, misled) = (Mutex::default(), AtomicBool::new(false));
        Self { registry, environment, sessions, known, believed, misled }
    }

    /// Whether an identity was believed that leads nowhere any more. It is forgotten, so another
    /// sight would ask for it.
    #[must_use]
    pub fn was_misled(&self) -> bool {
        self.misled.load(Ordering::Relaxed)
    }

    /// Finds the targets of all `units` and so their hashes. Asks each connection once.
    ///
    /// # Errors
    /// A provider that cannot be asked, or does not have what the configuration names.
    pub async fn locate<'u>(
        &self,
        units: impl IntoIterator<Item = &'u Unit>,
    ) -> Result<Located, ProviderError> {
        let units: Vec<(&Unit, Needs)> =
            units.into_iter().map(|unit| (unit, self.needs(unit))).collect();
        let mut scopes: BTreeMap<&ConnectionName, BTreeSet<Scope>> = BTreeMap::new();
        for (unit, needs) in &units {
            scopes.entry(&unit.connection).or_default().extend(needs.scopes.iter().cloned());
        }
        let mut located = Located::default();
        for (connection, scopes) in scopes {
            for (scope, target) in self.identify(connection, scopes).await? {
                let route = || Route::Now(connection.clone());
                located.routes.entry(target.clone()).or_insert_with(route);
                located.targets.insert((connection.clone(), scope), target);
            }
        }
        for (unit, needs) in &units {
            let targets =
                needs.scopes.iter().filter_map(|scope| located.target(&unit.connection, scope));
            let targets: Vec<Target> = targets.cloned().collect();
            located.hashes.insert(unit.name.clone(), unit_hash(&unit.config, &targets));
            located.of_units.insert(unit.name.clone(), targets);
        }
        Ok(located)
    }

    /// What `units` want and what lives at their targets and at `owned` keys.
    ///
    /// # Errors
    /// A provider that cannot be asked.
    pub async fn observe<'u>(
        &self,
        located: &Located,
        units: impl IntoIterator<Item = &'u Unit>,
        owned: impl IntoIterator<Item = &'u ResourceKey>,
    ) -> Result<Observed, ProviderError> {
        let units: Vec<(&Unit, Needs)> =
            units.into_iter().map(|unit| (unit, self.needs(unit))).collect();
        let answers = self.look_up(&units).await?;
        let mut observed = Observed::default();
        let mut keys: BTreeMap<Target, BTreeSet<ResourceKey>> = BTreeMap::new();
        for (unit, needs) in &units {
            let found = located.found(unit, needs, &answers);
            let desired = self.desired(unit, &found);
            for wanted in desired.iter().flatten() {
                keys.entry(wanted.key.target.clone()).or_default().insert(wanted.key.clone());
            }
            observed.desired.insert(unit.name.clone(), desired);
        }
        for key in owned {
            keys.entry(key.target.clone()).or_default().insert(key.clone());
        }
        let asked = keys.into_iter().map(|(target, keys)| self.look_at(located, target, keys));
        for (target, route, live) in try_join_all(asked).await?.into_iter().flatten() {
            observed.routes.insert(target.clone(), route);
            observed.live.insert(target, live);
        }
        Ok(observed)
    }

    /// What lives at one target. Where the configuration leads there no more (another zone, another
    /// console), the connections that could are tried; if none does, nobody can say what lives there.
    async fn look_at(
        &self,
        located: &Located,
        target: Target,
        keys: BTreeSet<ResourceKey>,
    ) -> Result<Option<(Target, Route, Live)>, ProviderError> {
        if let Some(route) = located.routes.get(&target) {
            let live = self.try_at(route, &target, &keys).await;
            if let Err(ProviderError::Missing(_) | ProviderError::Denied(_)) = &live {
                self.doubt(&target);
            }
            return Ok(Some((target, route.clone(), live?)));
        }
        for route in self.sessions.leading_to(&target.provider) {
            match self.try_at(&route, &target, &keys).await {
                Ok(live) => return Ok(Some((target, route, live))),
                Err(ProviderError::Missing(_) | ProviderError::Denied(_)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }

    /// Nothing is at `target`, or nothing for us. If that it is meant was only believed, it may be
    /// that something else is meant now.
    fn doubt(&self, target: &Target) {
        let believed = self.believed.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = self.known.filter(|_| believed.contains(target)) {
            known.forget(self.sessions.repository(), target);
            self.misled.store(true, Ordering::Relaxed);
        }
    }

    async fn try_at(
        &self,
        route: &Route,
        target: &Target,
        keys: &BTreeSet<ResourceKey>,
    ) -> Result<Live, ProviderError> {
        self.sessions.reader(route).await?.observe(target, keys).await
    }

    async fn look_up(
        &self,
        units: &[(&Unit, Needs)],
    ) -> Result<BTreeMap<(ConnectionName, String), String>, ProviderError> {
        let mut wanted: BTreeMap<&ConnectionName, BTreeSet<String>> = BTreeMap::new();
        for (unit, needs) in units.iter().filter(|(_, needs)| !needs.lookups.is_empty()) {
            wanted.entry(&unit.connection).or_default().extend(needs.lookups.iter().cloned());
        }
        let mut answers = BTreeMap::new();
        for (connection, lookups) in wanted {
            let route = Route::Now(connection.clone());
            let reader: Arc<dyn Reader> = self.sessions.reader(&route).await?;
            let found = reader.look_up(&lookups).await?;
            answers.extend(
                found.into_iter().map(|(lookup, answer)| ((connection.clone(), lookup), answer)),
            );
        }
        Ok(answers)
    }

    async fn identify(
        &self,
        connection: &ConnectionName,
        scopes: BTreeSet<Scope>,
    ) -> Result<BTreeMap<Scope, Target>, ProviderError> {
        let address = self.environment.connections.get(connection).map(|c| c.connection.address());
        let question = |scope: &Scope| Question {
            repository: self.sessions.repository(),
            address: address.clone().unwrap_or_default(),
            scope: scope.clone(),
        };
        let mut found = BTreeMap::new();
        if let Some(known) = self.known {
            let answer = |scope: &Scope| Some((scope.clone(), known.get(&question(scope))?));
            found.extend(scopes.iter().filter_map(answer));
            let mut believed = self.believed.lock().unwrap_or_else(PoisonError::into_inner);
            believed.extend(found.values().cloned());
        }
        let unknown: BTreeSet<Scope> =
            scopes.into_iter().filter(|scope| !found.contains_key(scope)).collect();
        if unknown.is_empty() {
            return Ok(found);
        }
        let reader = self.sessions.reader(&Route::Now(connection.clone())).await?;
        for (scope, target) in reader.identify(&unknown).await? {
            if let Some(known) = self.known {
                known.put(question(&scope), target.clone());
            }
            found.insert(scope, target);
        }
        Ok(found)
    }

    fn needs(&self, unit: &Unit) -> Needs {
        let connection = self.environment.connections.get(&unit.connection);
        match (self.provider(unit), connection) {
            (Some(provider), Some(connection)) => {
                provider.needs(&*unit.component, &*connection.connection)
            }
            _ => Needs::default(),
        }
    }

    fn desired(&self, unit: &Unit, found: &Found) -> Result<Vec<Desired>, String> {
        let connection = self.environment.connections.get(&unit.connection);
        let (Some(provider), Some(connection)) = (self.provider(unit), connection) else {
            return Err(format!(
                "{} has no connection `{}`",
                unit.name.environment, unit.connection
            ));
        };
        let desired = provider.desired(&*unit.component, &*connection.connection, found);
        desired
            .map_err(|errors| errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))
    }

    fn provider(&self, unit: &Unit) -> Option<&'a dyn Provider> {
        self.registry.provider(&unit.name.kind)
    }
}

impl Located {
    /// What a unit writes to.
    #[must_use]
    pub fn targets_of(&self, unit: &UnitName) -> &[Target] {
        self.of_units.get(unit).map(Vec::as_slice).unwrap_or_default()
    }

    /// The zone behind each target that is one: scopes are worded `zone example.com`.
    #[must_use]
    pub fn zones(&self) -> BTreeMap<Target, DnsName> {
        let zones = self.targets.iter().filter_map(|((_, scope), target)| {
            let zone = scope.strip_prefix("zone ")?;
            Some((target.clone(), DnsName::new(zone).ok()?))
        });
        zones.collect()
    }

    fn target(&self, connection: &ConnectionName, scope: &Scope) -> Option<&Target> {
        self.targets.get(&(connection.clone(), scope.clone()))
    }

    fn found(
        &self,
        unit: &Unit,
        needs: &Needs,
        answers: &BTreeMap<(ConnectionName, String), String>,
    ) -> Found {
        let target =
            |scope: &Scope| Some((scope.clone(), self.target(&unit.connection, scope)?.clone()));
        let answer = |lookup: &String| {
            Some((lookup.clone(), answers.get(&(unit.connection.clone(), lookup.clone()))?.clone()))
        };
        Found {
            targets: needs.scopes.iter().filter_map(target).collect(),
            answers: needs.lookups.iter().filter_map(answer).collect(),
        }
    }
}

//! What the arguments of a command choose from a configuration.

use anyhow::Context as _;
use landfall_core::config::{self, Environment, RepositoryConfig, Tree};
use landfall_core::name::{EnvironmentName, KindName, ServiceName, UnitName};
use landfall_core::plan::Plan;
use landfall_core::yaml::did_you_mean;

/// The environment that is asked for, or the only one.
pub(super) fn environment<'a>(
    config: &'a RepositoryConfig,
    wanted: Option<&EnvironmentName>,
) -> anyhow::Result<&'a Environment> {
    let names = || config.environments.keys().map(EnvironmentName::as_str);
    match wanted {
        Some(name) => config.environments.get(name).with_context(|| {
            let near = did_you_mean(name.as_str(), names());
            let known = || format!("there are: {}", names().collect::<Vec<_>>().join(", "));
            format!("there is no environment `{name}`\nhelp: {}", near.unwrap_or_else(known))
        }),
        None if config.environments.len() == 1 => {
            config.environments.values().next().context("there is no environment")
        }
        None => anyhow::bail!(
            "several environments are there: {}\nhelp: choose one with --env",
            names().collect::<Vec<_>>().join(", ")
        ),
    }
}

/// The part of a plan that is asked for; all of it where nothing is.
#[derive(Debug, Default)]
pub(super) struct Part {
    /// Of these services.
    pub(super) services: Vec<ServiceName>,
    /// Of this kind of component.
    pub(super) kind: Option<KindName>,
}

impl Part {
    /// Whether it is all of a plan.
    pub(super) fn is_whole(&self) -> bool {
        self.services.is_empty() && self.kind.is_none()
    }

    /// Leaves nothing else in `plan`. The plan was made of everything, so what another service
    /// wants or gives up is seen as what it is.
    pub(super) fn of(&self, mut plan: Plan) -> Plan {
        plan.units.retain(|name, _| self.has(name));
        if !self.is_whole() {
            let targets: Vec<_> = plan.changes().map(|change| change.key.target.clone()).collect();
            plan.containers.retain(|target, _| targets.contains(target));
        }
        plan
    }

    fn has(&self, unit: &UnitName) -> bool {
        (self.services.is_empty() || self.services.contains(&unit.service))
            && self.kind.as_ref().is_none_or(|kind| *kind == unit.kind)
    }

    /// Refuses a kind that does not exist, and a service that is neither declared nor in `plans`.
    pub(super) fn check<'p>(
        &self,
        registry: config::Registry<'_>,
        tree: &Tree,
        plans: impl IntoIterator<Item = &'p Plan>,
    ) -> anyhow::Result<()> {
        if let Some(kind) = self.kind.as_ref().filter(|kind| registry.kind(kind.as_str()).is_none())
        {
            let kinds = registry.kind_names();
            let near = did_you_mean(kind.as_str(), kinds.iter().map(String::as_str));
            let near = near.unwrap_or_else(|| format!("there are: {}", kinds.join(", ")));
            anyhow::bail!("there is no kind of component `{kind}`\nhelp: {near}");
        }
        let plans: Vec<&Plan> = plans.into_iter().collect();
        for service in &self.services {
            let planned = plans.iter().flat_map(|plan| plan.units.keys());
            let declared = tree.services.iter().any(|known| known.name == *service);
            if !declared && !planned.into_iter().any(|unit| unit.service == *service) {
                let names = tree.services.iter().map(|service| service.name.as_str());
                let near = did_you_mean(service.as_str(), names).unwrap_or_else(|| {
                    format!("services are `{}`", tree.repository.services.as_str())
                });
                anyhow::bail!("there is no service `{service}`\nhelp: {near}");
            }
        }
        Ok(())
    }
}

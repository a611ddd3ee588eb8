//! What the checks look at: per environment its units, the names they declare, and what they claim.
//!
//! Made once for all checks: a tree may have tens of thousands of units.

use std::collections::HashMap;

use super::claims::{Claim, claims};
use crate::config::{Environment, RepositoryConfig, ServiceFile, Tree, Unit};
use crate::name::{ConnectionName, DnsName, EnvironmentName, ServiceName};

/// Where a connection leads.
pub(super) struct Reach {
    /// Its address, as configured.
    pub(super) address: String,
    /// The public zones that may be written through it.
    pub(super) zones: Vec<DnsName>,
}

/// Where every connection of every environment leads.
pub(super) struct Reaches<'a>(HashMap<(&'a EnvironmentName, &'a ConnectionName), Reach>);

impl<'a> Reaches<'a> {
    /// Asks every connection once.
    pub(super) fn of(repository: &'a RepositoryConfig) -> Self {
        let mut reaches = HashMap::new();
        for environment in repository.environments.values() {
            for named in environment.connections.values() {
                let reach =
                    Reach { address: named.connection.address(), zones: named.connection.zones() };
                reaches.insert((&environment.name, &named.name), reach);
            }
        }
        Self(reaches)
    }
}

/// A whole configuration as the checks see it.
pub(super) struct Scene<'a> {
    pub(super) repository: &'a RepositoryConfig,
    pub(super) files: Vec<&'a ServiceFile>,
    pub(super) stages: Vec<Stage<'a>>,
    by_name: HashMap<&'a ServiceName, &'a ServiceFile>,
}

/// One environment.
pub(super) struct Stage<'a> {
    pub(super) environment: &'a Environment,
    pub(super) parts: Vec<Part<'a>>,
    /// What the units here claim, in their order.
    pub(super) claims: Vec<Claim<'a>>,
}

/// One unit with where it leads.
pub(super) struct Part<'a> {
    pub(super) unit: &'a Unit,
    pub(super) reach: &'a Reach,
}

impl<'a> Scene<'a> {
    pub(super) fn new(tree: &'a Tree, reaches: &'a Reaches<'a>) -> Self {
        let mut parts: HashMap<&EnvironmentName, Vec<Part<'a>>> = HashMap::new();
        for unit in tree.units() {
            let environment = &unit.name.environment;
            // A unit is made with a connection of its environment.
            if let Some(reach) = reaches.0.get(&(environment, &unit.connection)) {
                parts.entry(environment).or_default().push(Part { unit, reach });
            }
        }
        let stage = |environment: &'a Environment| {
            let parts = parts.remove(&environment.name).unwrap_or_default();
            let claims = parts.iter().flat_map(claims).collect();
            Stage { environment, parts, claims }
        };
        let stages = tree.repository.environments.values().map(stage).collect();
        let files: Vec<&ServiceFile> = tree.services.iter().map(|file| &**file).collect();
        let by_name = files.iter().map(|file| (&file.name, *file)).collect();
        Self { repository: &tree.repository, files, stages, by_name }
    }

    pub(super) fn file(&self, service: &ServiceName) -> Option<&'a ServiceFile> {
        self.by_name.get(service).copied()
    }
}

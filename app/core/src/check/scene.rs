//! What the checks look at: per environment its units, the names they declare, and what they claim.

use std::collections::HashMap;

use super::claims::{Claim, claims};
use crate::config::names::Names;
use crate::config::{Environment, RepositoryConfig, ServiceFile, Tree, Unit};
use crate::name::{DnsName, EnvironmentName, ServiceName};

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
}

/// One unit with what it declares.
pub(super) struct Part<'a> {
    pub(super) unit: &'a Unit,
    pub(super) names: Names,
    /// Where its connection leads, as configured.
    pub(super) address: String,
    /// The public zones of its connection.
    pub(super) zones: Vec<DnsName>,
}

impl<'a> Scene<'a> {
    pub(super) fn new(tree: &'a Tree) -> Self {
        let mut parts: HashMap<&EnvironmentName, Vec<Part<'a>>> = HashMap::new();
        for unit in tree.units() {
            let Some(environment) = tree.repository.environments.get(&unit.name.environment) else {
                continue;
            };
            let connection = environment.connections.get(&unit.connection).map(|c| &c.connection);
            parts.entry(&unit.name.environment).or_default().push(Part {
                unit,
                names: unit.component.names(),
                address: connection.map(|c| c.address()).unwrap_or_default(),
                zones: connection.map(|c| c.zones()).unwrap_or_default(),
            });
        }
        let environments = tree.repository.environments.values();
        let stage = |environment: &'a Environment| Stage {
            environment,
            parts: parts.remove(&environment.name).unwrap_or_default(),
        };
        let stages = environments.map(stage).collect();
        let files: Vec<&ServiceFile> = tree.services.iter().map(|file| &**file).collect();
        let by_name = files.iter().map(|file| (&file.name, *file)).collect();
        Self { repository: &tree.repository, files, stages, by_name }
    }

    pub(super) fn file(&self, service: &ServiceName) -> Option<&'a ServiceFile> {
        self.by_name.get(service).copied()
    }
}

impl Stage<'_> {
    /// What the units here claim, in their order.
    pub(super) fn claims(&self) -> Vec<Claim<'_>> {
        self.parts.iter().flat_map(claims).collect()
    }
}

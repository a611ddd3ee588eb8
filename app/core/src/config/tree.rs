//! A whole configuration: every service in every environment, and what the checks say of it.

use std::sync::Arc;

use super::{Budget, Registry, RepositoryConfig, ServiceFile, Unit, units};
use crate::check;
use crate::diagnostic::{Diagnostic, Severity};
use crate::name::EnvironmentName;

/// After so many findings no further unit is made: nobody reads more.
const MAX_FINDINGS: usize = 1000;

/// A configuration that was read in full. A tree with any unreadable file does not become one.
#[derive(Debug, Clone)]
pub struct Tree {
    /// The repository config.
    pub repository: Arc<RepositoryConfig>,
    /// The service files, sorted by path.
    pub services: Vec<Arc<ServiceFile>>,
    /// The units of all environments, by environment and then in the order of `services`.
    pub units: Vec<Arc<[Unit]>>,
    /// What does not stop a plan and stands above it.
    pub warnings: Vec<Diagnostic>,
}

impl Tree {
    /// Makes the units of every service in every environment and checks them together.
    ///
    /// # Errors
    /// Every error of every file up to a bound, the warnings with them; or that there is too much
    /// to be read.
    pub fn load(
        registry: Registry<'_>,
        repository: Arc<RepositoryConfig>,
        services: Vec<Arc<ServiceFile>>,
    ) -> Result<Self, Vec<Diagnostic>> {
        Self::load_with(repository, services, |repository, environment, service| {
            let environment = &repository.environments[environment];
            units(registry, repository, environment, service).map(Into::into)
        })
    }

    /// As [`Tree::load`], with the units of a service in an environment from `units`: for a caller
    /// that keeps them by blob and [`Environment::digest`](super::Environment::digest).
    ///
    /// # Errors
    /// As [`Tree::load`].
    pub fn load_with(
        repository: Arc<RepositoryConfig>,
        mut services: Vec<Arc<ServiceFile>>,
        mut units: impl FnMut(
            &RepositoryConfig,
            &EnvironmentName,
            &ServiceFile,
        ) -> Result<Arc<[Unit]>, Vec<Diagnostic>>,
    ) -> Result<Self, Vec<Diagnostic>> {
        services.sort_by(|a, b| a.path.cmp(&b.path));
        let mut budget = Budget::default();
        for service in &services {
            budget.take(&repository, service).map_err(|finding| vec![finding])?;
        }
        let mut findings: Vec<Diagnostic> =
            services.iter().flat_map(|service| service.check_environments(&repository)).collect();
        let mut made = Vec::new();
        let environments = repository.environments.keys();
        let pairs = environments.flat_map(|name| services.iter().map(move |file| (name, file)));
        for (environment, service) in pairs.filter(|(name, file)| file.lives_in(name)) {
            if findings.len() > MAX_FINDINGS {
                break;
            }
            match units(&repository, environment, service) {
                Ok(units) => made.push(units),
                Err(errors) => findings.extend(errors),
            }
        }
        let tree = Self { repository, services, units: made, warnings: Vec::new() };
        findings.extend(check::all(&tree));
        findings.sort();
        // What is wrong with a file itself is wrong in every environment.
        findings.dedup();
        let failed = findings.iter().any(|finding| finding.severity == Severity::Error);
        if findings.len() > MAX_FINDINGS {
            findings.sort_by_key(|finding| finding.severity);
            findings.truncate(MAX_FINDINGS);
            findings.sort();
        }
        if failed {
            return Err(findings);
        }
        Ok(Self { warnings: findings, ..tree })
    }

    /// All units, by environment and service.
    pub fn units(&self) -> impl Iterator<Item = &Unit> {
        self.units.iter().flat_map(|units| units.iter())
    }

    /// The units of one environment.
    pub fn units_of<'a>(
        &'a self,
        environment: &'a EnvironmentName,
    ) -> impl Iterator<Item = &'a Unit> {
        let of = self.units.iter().filter(move |units| {
            units.first().is_some_and(|unit| unit.name.environment == *environment)
        });
        of.flat_map(|units| units.iter())
    }
}

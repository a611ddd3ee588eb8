//! `landfall.yaml`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::budget::{MAX_ENVIRONMENTS, MAX_LISTED, at_most};
use super::commands::{self, Within};
use super::{Environment, Registry, ServiceGlob, later};
use crate::command::Usage;
use crate::diagnostic::{Diagnostic, Span};
use crate::name::{ConfigPath, EnvironmentName, HostPattern};
use crate::rights::{Right, Rights};
use crate::yaml::{Entries, Node, NodeValue, Spanned, decode, parse};

/// The version of the language that this Landfall reads.
const VERSION: u64 = 1;

/// The repository config.
#[derive(Debug, Clone)]
pub struct RepositoryConfig {
    /// Which files are services.
    pub services: Spanned<ServiceGlob>,
    /// Which public names the services of some paths may have.
    pub scopes: Vec<Scope>,
    /// Names that somebody else declares: an origin may point at them.
    pub known_names: Vec<HostPattern>,
    /// Who may give which command, where the environment does not say otherwise.
    pub commands: Rights,
    /// The environments.
    pub environments: BTreeMap<EnvironmentName, Environment>,
}

/// The services under some paths, and the public names they may have.
#[derive(Debug, Clone)]
pub struct Scope {
    glob: ServiceGlob,
    /// The names.
    pub hosts: Vec<HostPattern>,
    /// Where it is declared.
    pub span: Span,
}

impl Scope {
    /// Whether it is about the service file at `path`.
    #[must_use]
    pub fn is_about(&self, path: &ConfigPath) -> bool {
        self.glob.matches_stem(path)
    }
}

/// The file as it is written. Environments are taken from the tree, one by one.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct Written {
    /// The version of the language: 1.
    version: Spanned<u64>,
    /// Which files are services: a pattern over paths in which `*` stops at `/`.
    services: Option<Spanned<String>>,
    /// For services under some paths: the public names they may have.
    #[serde(default)]
    scopes: Entries<String, Vec<HostPattern>>,
    /// Names that somebody else declares and an origin may point at.
    #[serde(default)]
    known_names: Vec<HostPattern>,
    /// Who may give which command: one right, or several of which any is enough.
    #[serde(default)]
    commands: commands::Written,
}

impl RepositoryConfig {
    /// Reads the file.
    ///
    /// # Errors
    /// Everything that is wrong with it, each with its place.
    pub fn load(registry: Registry<'_>, file: &str, bytes: &[u8]) -> Result<Self, Vec<Diagnostic>> {
        let node = parse(file, bytes)?;
        let mut findings = Vec::new();
        let (rest, _) = later::split(&node, &["environments"], &[]);
        let written = decode::<Written>(&rest).map_err(|errors| findings.extend(errors)).ok();
        let environments = environments(registry, &node, &mut findings);
        let config =
            written.map(|written| Self::check(written, &node, environments, &mut findings));
        match config {
            Some(config) if findings.is_empty() => Ok(config),
            _ => {
                findings.sort();
                Err(findings)
            }
        }
    }

    fn check(
        written: Written,
        node: &Node,
        environments: BTreeMap<EnvironmentName, Environment>,
        findings: &mut Vec<Diagnostic>,
    ) -> Self {
        if *written.version != VERSION {
            let message = format!("this Landfall reads version {VERSION} of the language");
            findings.push(Diagnostic::error("version", written.version.span.clone(), message));
        }
        let hosts = written.scopes.0.iter().map(|(_, hosts)| hosts.len()).sum();
        for (what, count) in [
            ("scopes", written.scopes.0.len()),
            ("names in scopes", hosts),
            ("known names", written.known_names.len()),
        ] {
            findings.extend(at_most(MAX_LISTED, what, count, &node.span));
        }
        let default = || Spanned::new(ServiceGlob::DEFAULT.to_owned(), node.span.clone());
        let services = glob(written.services.unwrap_or_else(default), findings);
        let scopes =
            written.scopes.0.into_iter().filter_map(|(glob, hosts)| scope(glob, hosts, findings));
        let scopes = scopes.collect();
        let commands = written.commands.rights(Within::Repository, findings);
        Self { services, scopes, known_names: written.known_names, commands, environments }
    }

    /// The rights of which any is enough to give a command for `environment`; without one, or for one
    /// that is not here, what holds for the whole repository.
    #[must_use]
    pub fn rights(&self, usage: Usage, environment: Option<&EnvironmentName>) -> Vec<Right> {
        let here = environment.and_then(|name| self.environments.get(name)?.commands.of(usage));
        let said = here.or_else(|| self.commands.of(usage));
        said.map_or_else(|| vec![Right::Level(usage.takes)], <[Right]>::to_vec)
    }

    /// The environments that may follow `branch`.
    pub fn mapped_to<'a>(&'a self, branch: &'a str) -> impl Iterator<Item = &'a Environment> {
        let follows = move |e: &&Environment| e.branches.iter().any(|b| b.as_str() == branch);
        self.environments.values().filter(follows)
    }
}

fn environments(
    registry: Registry<'_>,
    node: &Node,
    findings: &mut Vec<Diagnostic>,
) -> BTreeMap<EnvironmentName, Environment> {
    let mut environments = BTreeMap::new();
    let written = node.get("environments");
    let too_many = written.and_then(|node| {
        at_most(MAX_ENVIRONMENTS, "environments", node.entries().len(), &node.span)
    });
    if let Some(finding) = too_many {
        findings.push(finding);
        return environments;
    }
    match written.map(|node| (&node.value, node)) {
        Some((NodeValue::Map(entries), _)) if !entries.is_empty() => {
            for (key, node) in entries {
                match Environment::read(registry, key, node) {
                    Ok(environment) => {
                        drop(environments.insert(environment.name.clone(), environment));
                    }
                    Err(errors) => findings.extend(errors),
                }
            }
        }
        Some((_, node)) => {
            let message = format!("expected at least one environment, found {}", node.describe());
            findings.push(Diagnostic::error("wrong-type", node.span.clone(), message));
        }
        None if matches!(node.value, NodeValue::Map(_)) => {
            let finding = Diagnostic::error(
                "missing-key",
                node.span.clone(),
                "the key `environments` is missing",
            );
            findings.push(
                finding.help("for example `environments: { production: { branches: [main] } }`"),
            );
        }
        None => {}
    }
    environments
}

fn glob(pattern: Spanned<String>, findings: &mut Vec<Diagnostic>) -> Spanned<ServiceGlob> {
    let Spanned { value, span } = pattern;
    let glob = ServiceGlob::new(&value).unwrap_or_else(|message| {
        findings.push(Diagnostic::error("bad-glob", span.clone(), message));
        ServiceGlob::new(ServiceGlob::DEFAULT).expect("the default pattern is one")
    });
    Spanned::new(glob, span)
}

fn scope(
    glob: Spanned<String>,
    hosts: Vec<HostPattern>,
    findings: &mut Vec<Diagnostic>,
) -> Option<Scope> {
    let Spanned { value: pattern, span } = glob;
    match ServiceGlob::new(&pattern) {
        Ok(glob) => Some(Scope { glob, hosts, span }),
        Err(message) => {
            findings.push(Diagnostic::error("bad-glob", span, message));
            None
        }
    }
}

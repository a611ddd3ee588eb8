//! Service files: what one service needs in the world.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::budget::Weight;
use super::environment::named_badly;
use super::{Registry, RepositoryConfig, digest, later};
use crate::diagnostic::{Diagnostic, Span};
use crate::name::{ConfigPath, EnvironmentName, ServiceName};
use crate::plan::Digest;
use crate::yaml::{Key, Node, NodeValue, OneOrMany, Spanned, decode, did_you_mean, parse};

/// Keys of a service file that are not components.
const OWN_KEYS: [&str; 4] = ["owners", "needs", "only", "environments"];

/// A service file as it is written: nothing of an environment is in it yet.
#[derive(Debug, Clone)]
pub struct ServiceFile {
    /// Its path in the repository.
    pub path: ConfigPath,
    /// The service: the file's name.
    pub name: ServiceName,
    /// The content id of the file.
    pub content: Digest,
    /// Who answers for it: `@acme/media`.
    pub owners: Vec<String>,
    /// The services it needs.
    pub needs: Vec<Spanned<ServiceName>>,
    /// Where it lives; none for everywhere.
    pub only: Option<Vec<Spanned<EnvironmentName>>>,
    /// The components: a mapping by kind.
    pub components: Node,
    /// What single environments have otherwise, merged over the components.
    pub overrides: BTreeMap<EnvironmentName, (Key, Node)>,
    /// The whole file.
    pub span: Span,
    /// What it takes; see [`Budget`](super::Budget).
    pub(super) weight: Weight,
}

/// The keys of a service file that are not components, as they are written.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct Written {
    /// Who answers for it: users and teams.
    #[serde(default)]
    owners: Vec<String>,
    /// Services that come before this one.
    #[serde(default)]
    needs: Vec<Spanned<ServiceName>>,
    /// The environments it lives in; everywhere without it.
    only: Option<OneOrMany<Spanned<EnvironmentName>>>,
}

impl ServiceFile {
    /// Reads a service file. The result depends on nothing but the registry, the path and the bytes.
    ///
    /// # Errors
    /// Everything that is wrong with it, each with its place.
    pub fn parse(
        registry: Registry<'_>,
        path: &ConfigPath,
        bytes: &[u8],
    ) -> Result<Self, Vec<Diagnostic>> {
        let node = parse(path.as_str(), bytes)?;
        let NodeValue::Map(entries) = &node.value else {
            let message = format!("expected a mapping of components, found {}", node.describe());
            let finding = Diagnostic::error("wrong-type", node.span, message);
            return Err(vec![finding.help("a service that is gone is a file that is removed")]);
        };
        let (mut findings, weight) = (Vec::new(), Weight::of(bytes, &node));
        let name = ServiceName::new(path.stem());
        let name = name.map_err(|error| findings.push(named_badly(&error, node.span.clone()))).ok();
        let (own, components): (Vec<_>, Vec<_>) =
            entries.iter().cloned().partition(|(key, _)| OWN_KEYS.contains(&key.text.as_str()));
        check_kinds(registry, &components, &mut findings);
        let own = Node { value: NodeValue::Map(own), span: node.span.clone() };
        let overrides = overrides(registry, own.get("environments"), &mut findings);
        let (own, _) = later::split(&own, &["environments"], &[]);
        let written = decode::<Written>(&own).map_err(|errors| findings.extend(errors)).ok();
        match (name, written) {
            (Some(name), Some(written)) if findings.is_empty() => Ok(Self {
                path: path.clone(),
                name,
                content: digest::content_digest(bytes),
                owners: written.owners,
                needs: written.needs,
                only: written.only.map(|only| only.0),
                components: Node { value: NodeValue::Map(components), span: node.span.clone() },
                overrides,
                span: node.span,
                weight,
            }),
            _ => {
                findings.sort();
                Err(findings)
            }
        }
    }

    /// Whether it lives in `environment`.
    #[must_use]
    pub fn lives_in(&self, environment: &EnvironmentName) -> bool {
        let Some(only) = &self.only else { return true };
        only.iter().any(|name| name.value == *environment)
    }

    /// Whether every environment it names is one of the repository's.
    #[must_use]
    pub fn check_environments(&self, repository: &RepositoryConfig) -> Vec<Diagnostic> {
        let only = self.only.iter().flatten().map(|name| (&name.value, &name.span));
        let named = only.chain(self.overrides.iter().map(|(name, (key, _))| (name, &key.span)));
        let unknown = named.filter(|(name, _)| !repository.environments.contains_key(name));
        unknown.map(|(name, span)| unknown_environment(repository, name, span)).collect()
    }
}

/// The finding for an environment that the repository config does not have.
pub(super) fn unknown_environment(
    repository: &RepositoryConfig,
    name: &EnvironmentName,
    span: &Span,
) -> Diagnostic {
    let message = format!("there is no environment `{name}`");
    let mut finding = Diagnostic::error("unknown-environment", span.clone(), message);
    finding.help =
        did_you_mean(name.as_str(), repository.environments.keys().map(EnvironmentName::as_str));
    finding
}

fn check_kinds(registry: Registry<'_>, components: &[(Key, Node)], findings: &mut Vec<Diagnostic>) {
    for (key, _) in components.iter().filter(|(key, _)| registry.kind(&key.text).is_none()) {
        if later::SERVICE.contains(&key.text.as_str())
            || registry.later.contains(&key.text.as_str())
        {
            findings.push(later::refuse(key));
            continue;
        }
        let shown: String = key.text.chars().take(80).collect();
        let message = format!("the key `{shown}` is not known here");
        let mut finding = Diagnostic::error("unknown-key", key.span.clone(), message);
        let kinds = registry.kind_names();
        finding.help = did_you_mean(&key.text, kinds.iter().map(String::as_str).chain(OWN_KEYS));
        findings.push(finding);
    }
}

fn overrides(
    registry: Registry<'_>,
    node: Option<&Node>,
    findings: &mut Vec<Diagnostic>,
) -> BTreeMap<EnvironmentName, (Key, Node)> {
    let mut overrides = BTreeMap::new();
    let Some(node) = node else { return overrides };
    if !matches!(node.value, NodeValue::Map(_)) {
        let message = format!("expected a mapping by environment, found {}", node.describe());
        findings.push(Diagnostic::error("wrong-type", node.span.clone(), message));
    }
    for (key, node) in node.entries() {
        match (EnvironmentName::new(key.text.as_str()), &node.value) {
            (Ok(name), NodeValue::Map(components)) => {
                check_kinds(registry, components, findings);
                overrides.insert(name, (key.clone(), node.clone()));
            }
            (Ok(_), _) => {
                let message =
                    format!("expected a mapping of components, found {}", node.describe());
                let finding = Diagnostic::error("wrong-type", node.span.clone(), message);
                findings
                    .push(finding.help("to keep a service out of an environment write `only:`"));
            }
            (Err(error), _) => findings.push(named_badly(&error, key.span.clone())),
        }
    }
    overrides
}

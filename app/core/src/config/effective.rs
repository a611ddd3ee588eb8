//! From a service file and an environment to units.

use std::sync::Arc;

use super::kind::{Component, Kind};
use super::names::Names;
use super::service::unknown_environment;
use super::{Environment, Registry, RepositoryConfig, ServiceFile, digest, insert, later, merge};
use crate::diagnostic::{Diagnostic, Span};
use crate::name::{ConnectionName, EnvironmentName, KindName, UnitName};
use crate::plan::Digest;
use crate::yaml::{Key, Node, OneOrMany, Spanned, decode, did_you_mean};

/// Keys that every component may have; its kind does not see them.
const COMMON_KEYS: [&str; 2] = ["connection", "only"];

/// A component of a service in an environment, decoded.
#[derive(Debug, Clone)]
pub struct Unit {
    /// Its name.
    pub name: UnitName,
    /// What it is.
    pub component: Arc<dyn Component>,
    /// The names it declares and points at.
    pub names: Names,
    /// The connection of the environment that it goes through.
    pub connection: ConnectionName,
    /// The digest of its effective config, without places. With its targets it makes the
    /// [unit hash](super::unit_hash).
    pub config: Digest,
    /// Where the component is declared.
    pub span: Span,
}

/// The effective config of a service in an environment: a mapping by kind, every value with the
/// place it was written at. Whether components live there is not looked at.
///
/// # Errors
/// What is wrong with its variables.
pub fn effective(
    environment: &Environment,
    service: &ServiceFile,
) -> Result<Node, Vec<Diagnostic>> {
    let variables = environment.variables(service.name.as_str());
    let base = insert(&service.components, &variables);
    let Some((_, written)) = service.overrides.get(&environment.name) else { return base };
    match (base, insert(written, &variables)) {
        (Ok(base), Ok(overlay)) => Ok(merge(base, overlay)),
        (base, overlay) => Err(base.err().into_iter().chain(overlay.err()).flatten().collect()),
    }
}

/// The units of a service in an environment. The result depends on nothing but the registry, the
/// service file and the environment (and the names of the others, which only change whether it is
/// an error).
///
/// # Errors
/// Everything that is wrong with its components there, each with its place.
pub fn units(
    registry: Registry<'_>,
    repository: &RepositoryConfig,
    environment: &Environment,
    service: &ServiceFile,
) -> Result<Vec<Unit>, Vec<Diagnostic>> {
    if !service.lives_in(&environment.name) {
        return Ok(Vec::new());
    }
    let node = effective(environment, service)?;
    let home = Home { repository, environment, service };
    let (mut units, mut findings) = (Vec::new(), Vec::new());
    for (key, node) in node.entries() {
        // The keys were checked when the file was read, but a variable may make another one.
        match registry.kind(&key.text).map(|kind| home.unit(kind, key, node)) {
            Some(Ok(unit)) => units.extend(unit),
            Some(Err(errors)) => findings.extend(errors),
            None => findings.push(Diagnostic::error(
                "unknown-key",
                key.span.clone(),
                format!("there is no kind of component `{}`", key.text),
            )),
        }
    }
    if findings.is_empty() { Ok(units) } else { Err(findings) }
}

/// What a component may say besides what its kind reads.
struct Common {
    connection: Option<Spanned<ConnectionName>>,
    only: Option<OneOrMany<Spanned<EnvironmentName>>>,
}

impl Common {
    fn read(node: &Node) -> Result<Self, Vec<Diagnostic>> {
        Ok(Self {
            connection: node.get("connection").map(decode).transpose()?,
            only: node.get("only").map(decode).transpose()?,
        })
    }
}

/// An environment that a service lives in.
struct Home<'a> {
    repository: &'a RepositoryConfig,
    environment: &'a Environment,
    service: &'a ServiceFile,
}

impl Home<'_> {
    /// The unit, or none if the component does not live here.
    fn unit(
        &self,
        kind: &dyn Kind,
        key: &Key,
        node: &Node,
    ) -> Result<Option<Unit>, Vec<Diagnostic>> {
        let common = Common::read(node)?;
        if !self.is_home(common.only.as_ref())? {
            return Ok(None);
        }
        let connection =
            self.connection(kind, common.connection, &key.span).map_err(|finding| vec![finding])?;
        let Some(connection) = connection else { return Ok(None) };
        let rest = match COMMON_KEYS.iter().any(|common| node.get(common).is_some()) {
            true => &later::split(node, &COMMON_KEYS, &[]).0,
            false => node,
        };
        let name = UnitName {
            environment: self.environment.name.clone(),
            service: self.service.name.clone(),
            kind: kind.name(),
        };
        let component: Arc<dyn Component> = kind.decode(rest)?.into();
        let names = component.names();
        let config = digest::digest(rest);
        Ok(Some(Unit { name, component, names, connection, config, span: key.span.clone() }))
    }

    fn is_home(
        &self,
        only: Option<&OneOrMany<Spanned<EnvironmentName>>>,
    ) -> Result<bool, Vec<Diagnostic>> {
        let Some(OneOrMany(only)) = only else { return Ok(true) };
        let unknown =
            only.iter().filter(|name| !self.repository.environments.contains_key(&name.value));
        let findings = unknown.map(|name| unknown_environment(self.repository, name, &name.span));
        let findings: Vec<_> = findings.collect();
        let here = only.iter().any(|name| name.value == self.environment.name);
        if findings.is_empty() { Ok(here) } else { Err(findings) }
    }

    /// The connection that is asked for, else the only one of its kind, else the one that is named
    /// like the kind. An environment without any has no units of that kind.
    fn connection(
        &self,
        kind: &dyn Kind,
        wanted: Option<Spanned<ConnectionName>>,
        span: &Span,
    ) -> Result<Option<ConnectionName>, Diagnostic> {
        let kind = kind.connection();
        let of_kind = self.environment.connections_of(&kind);
        let names: Vec<&ConnectionName> = of_kind.map(|connection| &connection.name).collect();
        match wanted {
            Some(name) if names.contains(&&name.value) => Ok(Some(name.value)),
            Some(_) if names.is_empty() => Ok(None),
            Some(name) => Err(self.no_such_connection(&kind, &name, &names)),
            None if names.len() <= 1 => Ok(names.first().map(|name| (*name).clone())),
            None => match names.iter().find(|name| name.as_str() == kind.as_str()) {
                Some(name) => Ok(Some((*name).clone())),
                None => Err(self.several_connections(&kind, span, &names)),
            },
        }
    }

    fn no_such_connection(
        &self,
        kind: &KindName,
        name: &Spanned<ConnectionName>,
        names: &[&ConnectionName],
    ) -> Diagnostic {
        let environment = &self.environment.name;
        let message = format!("{environment} has no connection `{}` of kind {kind}", name.value);
        let mut finding = Diagnostic::error("unknown-connection", name.span.clone(), message);
        finding.help = did_you_mean(name.as_str(), names.iter().map(|name| name.as_str()));
        finding
    }

    fn several_connections(
        &self,
        kind: &KindName,
        span: &Span,
        names: &[&ConnectionName],
    ) -> Diagnostic {
        let message = format!("{} has several connections of kind {kind}", self.environment.name);
        let choices: Vec<&str> = names.iter().map(|name| name.as_str()).collect();
        let help = format!("choose one: `connection: {}`", choices.join("` or `connection: "));
        Diagnostic::error("connection-not-chosen", span.clone(), message).help(help)
    }
}

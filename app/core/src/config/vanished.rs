//! What must not vanish by a slip: services, environments and connections that still own something.
//!
//! Only a removed file, component, entry or `only:` deletes. A pattern that matches less than it did,
//! an environment or a connection that is gone while state still has something of it, is an error:
//! it looks like a mass deletion and is more likely a typo.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::{Registry, RepositoryConfig, ServiceGlob};
use crate::diagnostic::{Diagnostic, Position, Span};
use crate::name::{ConfigPath, ConnectionName, EnvironmentName, UnitName};

/// A unit that owns something, as state has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnedUnit {
    /// The unit.
    pub name: UnitName,
    /// The connection that it was applied through last, if that is known.
    pub connection: Option<ConnectionName>,
    /// Whether its environment follows the branch that the tree is of. The tree of another branch may
    /// well lack its service.
    pub here: bool,
}

/// Finds what vanished. `paths` is every path of the tree, `before` the pattern that was applied
/// last, none if that is not known.
#[must_use]
pub fn vanished(
    registry: Registry<'_>,
    repository: &RepositoryConfig,
    before: Option<&ServiceGlob>,
    paths: &[ConfigPath],
    owned: &[OwnedUnit],
) -> Vec<Diagnostic> {
    let mut findings: Vec<_> = services(repository, before, paths, owned).into_iter().collect();
    findings.extend(environments(repository, owned));
    findings.extend(connections(registry, repository, owned));
    findings
}

const ALL_SERVICES: &str = "write the pattern that matches their files; to remove all services, leave one file for a second pull request";
const PLACE_OF_SERVICES: &str =
    "put it back; before it can go its services have to leave it, by their files or by `only:`";

fn services(
    repository: &RepositoryConfig,
    before: Option<&ServiceGlob>,
    paths: &[ConfigPath],
    owned: &[OwnedUnit],
) -> Option<Diagnostic> {
    let now = &repository.services;
    let here = owned.iter().filter(|unit| unit.here);
    let owners: BTreeSet<&str> = here.map(|unit| unit.name.service.as_str()).collect();
    let owns = |path: &&ConfigPath| owners.contains(path.stem());
    // Whoever removes the only service means it, if the pattern is the same as before.
    let changed = before != Some(&now.value);
    let suspicious = owners.len() > 1 || (changed && !owners.is_empty());
    if suspicious && !paths.iter().any(|path| now.matches(path)) {
        let services = counted(owners.len(), "service");
        let message = format!(
            "`{}` matches no file, but Landfall still owns what {services} declared",
            now.as_str()
        );
        return Some(
            Diagnostic::error("services-vanished", now.span.clone(), message).help(ALL_SERVICES),
        );
    }
    let before = before.filter(|before| *before != &now.value)?;
    let matched: BTreeSet<&str> =
        paths.iter().filter(|path| now.matches(path)).map(ConfigPath::stem).collect();
    let dropped =
        paths.iter().filter(|path| before.matches(path) && !now.matches(path)).filter(owns);
    // A file that moved to where the new pattern finds it is still there.
    let dropped: Vec<&str> =
        dropped.filter(|path| !matched.contains(path.stem())).map(ConfigPath::as_str).collect();
    let (first, rest) = dropped.split_first()?;
    let (more, declared) = match rest.len() {
        0 => (String::new(), "it declared"),
        more => (format!(" and {more} more"), "they declared"),
    };
    let message = format!(
        "`{}` does not match `{first}`{more}, which `{}` did, but Landfall still owns what {declared}",
        now.as_str(),
        before.as_str()
    );
    let help = "remove the files to delete what they declare, or widen the pattern";
    Some(Diagnostic::error("services-vanished", now.span.clone(), message).help(help))
}

fn environments(repository: &RepositoryConfig, owned: &[OwnedUnit]) -> Vec<Diagnostic> {
    let mut gone: BTreeMap<&EnvironmentName, usize> = BTreeMap::new();
    for unit in
        owned.iter().filter(|unit| !repository.environments.contains_key(&unit.name.environment))
    {
        *gone.entry(&unit.name.environment).or_default() += 1;
    }
    let finding = |(name, units): (&EnvironmentName, usize)| {
        let message = format!(
            "the environment `{name}` is gone, but Landfall still owns what {} of it declared",
            counted(units, "unit")
        );
        Diagnostic::error("environment-vanished", top(repository), message).help(PLACE_OF_SERVICES)
    };
    gone.into_iter().map(finding).collect()
}

fn connections(
    registry: Registry<'_>,
    repository: &RepositoryConfig,
    owned: &[OwnedUnit],
) -> Vec<Diagnostic> {
    let mut gone: BTreeMap<(&EnvironmentName, String), usize> = BTreeMap::new();
    for unit in owned {
        let Some(environment) = repository.environments.get(&unit.name.environment) else {
            continue;
        };
        let Some(kind) = registry.kind(unit.name.kind.as_str()).map(|kind| kind.connection())
        else {
            continue;
        };
        let mut there = environment.connections_of(&kind);
        let lost = match &unit.connection {
            Some(name) if there.any(|connection| connection.name == *name) => continue,
            None if there.next().is_some() => continue,
            Some(name) => name.to_string(),
            None => kind.to_string(),
        };
        *gone.entry((&environment.name, lost)).or_default() += 1;
    }
    let finding = |((environment, lost), units): ((&EnvironmentName, String), usize)| {
        let message = format!(
            "the connection `{lost}` of {environment} is gone, but Landfall still owns what {} declared there",
            counted(units, "unit")
        );
        let span = repository.environments[environment].span.clone();
        Diagnostic::error("connection-vanished", span, message).help(PLACE_OF_SERVICES)
    };
    gone.into_iter().map(finding).collect()
}

/// `1 unit`, `2 units`.
fn counted(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

/// The first line of the repository config: what is gone has no place of its own.
fn top(repository: &RepositoryConfig) -> Span {
    let file: &Arc<str> = &repository.services.span.file;
    Span::new(file, Position::START, Position::START)
}

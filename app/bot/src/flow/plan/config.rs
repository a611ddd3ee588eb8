//! A pull request that changes `landfall.yaml`: it is checked with its own version, planned with
//! the default branch's, and told what will happen once it is there.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use landfall_core::config::{OwnedUnit, REPOSITORY_CONFIG, RepositoryConfig};
use landfall_core::diagnostic::{Diagnostic, Position, Span};
use landfall_core::name::{BranchName, DnsName, EnvironmentName, RepositoryId, UnitName};
use landfall_core::plan::Digest;

use super::super::ground::{Ground, Rules};
use crate::gather::Declared;
use crate::house::House;

/// The repository config was removed: nothing would be looked after any more.
pub(super) fn removed() -> Diagnostic {
    let at = Position { line: 1, column: 1 };
    let span = Span { file: Arc::from(REPOSITORY_CONFIG), start: at, end: at };
    Diagnostic::error("config-removed", span, format!("`{REPOSITORY_CONFIG}` is removed"))
        .help("remove the services first, then the file")
}

/// Every unit that state has something of. Those of the environments `here` are expected in the tree
/// that is looked at.
pub(crate) async fn owned_units(
    house: &House,
    repository: RepositoryId,
    here: &[&EnvironmentName],
) -> anyhow::Result<Vec<OwnedUnit>> {
    let mut owned = Vec::new();
    for environment in house.store.environments(repository).await? {
        let units = house.store.unit_hashes(repository, &environment.name).await?;
        let here = here.contains(&&environment.name);
        owned.extend(units.into_keys().map(|name| OwnedUnit { name, connection: None, here }));
    }
    Ok(owned)
}

/// At most this many units are named that move to another place.
const MOST_MOVES: usize = 3;

/// What the pull request's rules would change once they hold.
pub(super) fn note(
    ground: &Ground,
    rules: &Rules,
    own: &Rules,
    now: Option<&Declared>,
    later: &Declared,
) -> String {
    let branch = &ground.repository.default_branch;
    let start =
        format!("`{REPOSITORY_CONFIG}` changes here and takes effect once it is on `{branch}`");
    let mut told = environments(&rules.config, &own.config);
    // Without what is declared now there is nothing to compare the units with.
    let units = now.map(|now| units(&places(now, &rules.config), &places(later, &own.config)));
    let none =
        if units.as_ref().is_some_and(Vec::is_empty) { " That changes no unit." } else { "" };
    told.extend(units.into_iter().flatten());
    match told.is_empty() {
        true => format!("{start}.{none}"),
        false => format!("{start}: {}.{none}", told.join("; ")),
    }
}

/// Which environments come, go, or follow other branches.
fn environments(now: &RepositoryConfig, later: &RepositoryConfig) -> Vec<String> {
    let names: BTreeSet<_> = now.environments.keys().chain(later.environments.keys()).collect();
    let told = names.into_iter().filter_map(|name| {
        match (now.environments.get(name), later.environments.get(name)) {
            (None, _) => Some(format!("the environment `{name}` comes")),
            (_, None) => Some(format!("the environment `{name}` goes")),
            (Some(now), Some(later)) if now.branches == later.branches => None,
            (Some(_), Some(later)) if later.branches.is_empty() => {
                Some(format!("`environments.{name}.branches` becomes empty"))
            }
            (Some(_), Some(later)) => {
                let branches: Vec<&str> = later.branches.iter().map(BranchName::as_str).collect();
                Some(format!("`environments.{name}.branches` becomes `{}`", branches.join(", ")))
            }
        }
    });
    told.collect()
}

/// What becomes of the units.
fn units(now: &Places, later: &Places) -> Vec<String> {
    let both = || now.iter().filter_map(|(name, now)| Some((name, now, later.get(name)?)));
    let moves: Vec<String> = both()
        .filter(|(_, now, later)| now.place != later.place)
        .map(|(name, now, later)| format!("`{name}` moves {}", now.place.to(&later.place)))
        .collect();
    let more = moves.len().saturating_sub(MOST_MOVES);
    let changed = both().filter(|(_, now, later)| now.says != later.says).count();
    let come = later.keys().filter(|name| !now.contains_key(*name)).count();
    let go = now.keys().filter(|name| !later.contains_key(*name)).count();
    let counted = [
        (more, "more unit moves", "more units move"),
        (changed, "unit changes", "units change"),
        (come, "unit comes", "units come"),
        (go, "unit goes", "units go"),
    ];
    let counted = counted.into_iter().filter(|(count, ..)| *count > 0);
    let counted = counted
        .map(|(count, one, many)| format!("{count} {}", if count == 1 { one } else { many }));
    moves.into_iter().take(MOST_MOVES).chain(counted).collect()
}

/// For each unit what it says and where it goes.
type Places = BTreeMap<UnitName, Placed>;

struct Placed {
    says: Digest,
    place: Place,
}

/// Where a unit goes, as far as its connection says before anybody is asked.
#[derive(Default, PartialEq, Eq)]
struct Place {
    /// The address of the connection.
    address: String,
    /// The zones of its public names.
    zones: BTreeSet<DnsName>,
}

impl Place {
    /// The way from here to `other`: `from zone a to b`.
    fn to(&self, other: &Self) -> String {
        let zones = |place: &Self| {
            let zones: Vec<&str> = place.zones.iter().map(DnsName::as_str).collect();
            zones.join(", ")
        };
        match self.address == other.address {
            true => format!("from zone `{}` to `{}`", zones(self), zones(other)),
            false => format!("from `{}` to `{}`", self.address, other.address),
        }
    }
}

fn places(declared: &Declared, config: &RepositoryConfig) -> Places {
    let placed = |unit: &landfall_core::config::Unit| {
        let environment = config.environments.get(&unit.name.environment);
        let connection =
            environment.and_then(|environment| environment.connections.get(&unit.connection));
        let place = connection.map(|named| {
            let (address, zones) = (named.connection.address(), named.connection.zones());
            let records = unit.names.records.iter().map(|record| &record.name);
            let names = records.chain(unit.names.routes.iter().map(|route| &route.hostname));
            let zones = names.filter_map(|name| name.zone(&zones).cloned()).collect();
            Place { address, zones }
        });
        (unit.name.clone(), Placed { says: unit.config, place: place.unwrap_or_default() })
    };
    declared.tree.units().map(placed).collect()
}

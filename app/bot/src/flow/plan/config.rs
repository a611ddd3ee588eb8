//! A pull request that changes `landfall.yaml`: it is checked with its own version, planned with
//! the default branch's, and told what will happen once it is there.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use landfall_core::config::{OwnedUnit, REPOSITORY_CONFIG, RepositoryConfig};
use landfall_core::diagnostic::{Diagnostic, Position, Span};
use landfall_core::name::{DnsName, RepositoryId, UnitName};
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

/// Every unit that state has something of.
pub(crate) async fn owned_units(
    house: &House,
    repository: RepositoryId,
) -> anyhow::Result<Vec<OwnedUnit>> {
    let mut owned = Vec::new();
    for environment in house.store.environments(repository).await? {
        let units = house.store.unit_hashes(repository, &environment.name).await?;
        owned.extend(units.into_keys().map(|name| OwnedUnit { name, connection: None }));
    }
    Ok(owned)
}

/// What the pull request's rules would change once they hold.
pub(super) fn note(
    ground: &Ground,
    rules: &Rules,
    own: &Rules,
    now: Option<&Declared>,
    later: &Declared,
) -> String {
    let branch = &ground.repository.default_branch;
    let start = format!(
        "{REPOSITORY_CONFIG} changes here. It takes effect once it is on {branch}; this plan is made with the one that is there now"
    );
    let Some(now) = now else { return format!("{start}.") };
    let (now, later) = (places(now, &rules.config), places(later, &own.config));
    let moved = now
        .iter()
        .filter(|(name, place)| later.get(*name).is_some_and(|other| other.1 != place.1))
        .count();
    let changed = now
        .iter()
        .filter(|(name, place)| later.get(*name).is_some_and(|other| other.0 != place.0))
        .count();
    let come = later.keys().filter(|name| !now.contains_key(*name)).count();
    let go = now.keys().filter(|name| !later.contains_key(*name)).count();
    let told = [
        (moved, "moves to another place", "move to another place"),
        (changed, "changes", "change"),
        (come, "comes", "come"),
        (go, "goes", "go"),
    ];
    let told = told.into_iter().filter(|(count, ..)| *count > 0);
    let told = told.map(|(count, one, many)| match count {
        1 => format!("1 unit {one}"),
        _ => format!("{count} units {many}"),
    });
    let told: Vec<String> = told.collect();
    match told.is_empty() {
        true => format!("{start}. No unit changes by it."),
        false => format!("{start}; then {}.", told.join(", ")),
    }
}

/// Where a unit goes, as far as its connection says before anybody is asked.
type Place = (String, BTreeSet<DnsName>);

/// For each unit what it says and where it goes: an address, and the zones of its public names.
fn places(declared: &Declared, config: &RepositoryConfig) -> BTreeMap<UnitName, (Digest, Place)> {
    let place = |unit: &landfall_core::config::Unit| {
        let environment = config.environments.get(&unit.name.environment);
        let connection =
            environment.and_then(|environment| environment.connections.get(&unit.connection));
        let place = connection.map(|named| {
            let (address, zones) = (named.connection.address(), named.connection.zones());
            let records = unit.names.records.iter().map(|record| &record.name);
            let names = records.chain(unit.names.routes.iter().map(|route| &route.hostname));
            let zones: BTreeSet<DnsName> =
                names.filter_map(|name| name.zone(&zones).cloned()).collect();
            (address, zones)
        });
        (unit.name.clone(), (unit.config, place.unwrap_or_default()))
    };
    declared.tree.units().map(place).collect()
}

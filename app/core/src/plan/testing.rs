//! Terse makers of names and changes for the tests of this crate.

use std::collections::BTreeMap;

use super::{Action, Change, Origin, Plan, ResourceKey, UnitPlan, Value};
use crate::name::UnitName;

/// `nas/unifi_dns` in `production`.
pub(crate) fn unit(name: &str) -> UnitName {
    format!("production/{name}").parse().unwrap()
}

/// A key at `target`, as in `key("unifi_dns:s", "A", "nas.lan")`.
pub(crate) fn key(target: &str, rtype: &str, name: &str) -> ResourceKey {
    ResourceKey::new(target.parse().unwrap(), rtype, name)
}

/// A change from "old" to "new", as far as the action has a before and an after.
pub(crate) fn change(name: &str, action: Action, key: ResourceKey) -> Change {
    let (old, new) = (Some(Value::from("old")), Some(Value::from("new")));
    let (before, after) = match action {
        Action::Create | Action::Run => (None, new),
        Action::Delete | Action::Forget => (old, None),
        Action::Release => (None, None),
        _ => (old, new),
    };
    Change { unit: unit(name), action, key, before, after, from: None, ids: vec!["id".into()] }
}

/// The plan of these changes.
pub(crate) fn plan(changes: impl IntoIterator<Item = Change>) -> Plan {
    let mut units: BTreeMap<UnitName, UnitPlan> = BTreeMap::new();
    for change in changes {
        let empty = UnitPlan {
            origin: Origin::Changed,
            hash: None,
            changes: Vec::new(),
            conflicts: Vec::new(),
        };
        units.entry(change.unit.clone()).or_insert(empty).changes.push(change);
    }
    let environment = "production".parse().unwrap();
    Plan { environment, units, containers: BTreeMap::new() }
}

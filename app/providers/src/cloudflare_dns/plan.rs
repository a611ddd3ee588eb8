//! What a component wants of its zones, and how its changes become requests: pure.

use landfall_core::config::kind::Connection;
use landfall_core::diagnostic::Diagnostic;
use landfall_core::name::DnsName;
use landfall_core::plan::{Change, Desired, Effect, ResourceKey, Target};
use landfall_core::yaml::Spanned;

use super::config::{CloudflareDns, Entry};
use super::set::{Content, Record, RecordSet, tunnel_uuid};
use crate::cloudflare::{tunnel_lookup, zone_scope, zone_target};
use crate::provider::{Found, Needs};

/// The most operations of one batch that every plan of the vendor allows.
const MAX_OPERATIONS: usize = 200;

/// The zones of the names, and the names of tunnels that are written by uuid.
pub(super) fn needs(config: &CloudflareDns, connection: &dyn Connection) -> Needs {
    let zones = connection.zones();
    let mut needs = Needs::default();
    for (name, entry) in &config.0.0 {
        needs.scopes.extend(name.zone(&zones).map(zone_scope));
        needs.lookups.extend(
            entry
                .cname
                .iter()
                .filter_map(|to| tunnel_uuid("CNAME", to.as_str()))
                .map(tunnel_lookup),
        );
    }
    needs
}

/// One resource for each type of each name.
pub(super) fn desired(
    config: &CloudflareDns,
    connection: &dyn Connection,
    found: &Found,
) -> Result<Vec<Desired>, Vec<Diagnostic>> {
    let zones = connection.zones();
    let (mut desired, mut findings) = (Vec::new(), Vec::new());
    for (name, entry) in &config.0.0 {
        match zone_target(name, &zones, found) {
            Ok(target) => desired.extend(sets(target, name, entry, found)),
            Err(finding) => findings.push(finding),
        }
    }
    if findings.is_empty() { Ok(desired) } else { Err(findings) }
}

fn sets(target: &Target, name: &Spanned<DnsName>, entry: &Entry, found: &Found) -> Vec<Desired> {
    let set = |(rtype, contents): (&'static str, Vec<String>)| {
        let (ttl, proxied) = entry.settings(rtype);
        let records = contents.into_iter().map(|text| Record {
            content: content(rtype, text, found),
            ttl,
            proxied,
        });
        Desired {
            key: ResourceKey::new(target.clone(), rtype, name.as_str()),
            value: RecordSet::new(records.collect()).to_value(rtype),
            adopt: entry.adopt,
            span: name.span.clone(),
        }
    };
    entry.sets().into_iter().map(set).collect()
}

/// A tunnel written by uuid stands by its name, as it does when it is read from the zone.
fn content(rtype: &str, text: String, found: &Found) -> Content {
    let name = tunnel_uuid(rtype, &text).and_then(|uuid| found.answers.get(&tunnel_lookup(uuid)));
    name.cloned().map_or(Content::Text(text), Content::Tunnel)
}

/// One effect for a zone, or several where the changes are more than one batch takes. Changes of
/// one name stay together: a delete there may make room for a create.
pub(super) fn effects(target: &Target, changes: Vec<Change>) -> Vec<Effect> {
    let mut effects: Vec<Effect> = Vec::new();
    let mut room = 0;
    let mut changes = changes.into_iter().peekable();
    while let Some(first) = changes.next() {
        let mut together = vec![first];
        while let Some(next) = changes.next_if(|next| next.key.name == together[0].key.name) {
            together.push(next);
        }
        let operations: usize = together.iter().map(operations).sum();
        match effects.last_mut() {
            Some(effect) if operations <= room => {
                room -= operations;
                effect.changes.append(&mut together);
            }
            _ => {
                room = MAX_OPERATIONS.saturating_sub(operations);
                effects.push(Effect { target: target.clone(), changes: together });
            }
        }
    }
    effects
}

/// The most operations that a change can take: every record found or wanted is one.
fn operations(change: &Change) -> usize {
    let records = |value: &Option<_>| {
        value.as_ref().and_then(RecordSet::from_value).map_or(0, |set| set.records().len())
    };
    records(&change.before).max(records(&change.after))
}

#[cfg(test)]
mod tests {
    use super::*;
    use landfall_core::plan::Action;
    use serde_json::json;

    fn change(name: &str, rtype: &str, values: usize, action: Action) -> Change {
        let values: Vec<String> = (0..values).map(|n| format!("192.0.2.{n}")).collect();
        Change {
            unit: "production/web/cloudflare_dns".parse().unwrap(),
            action,
            key: ResourceKey::new("cloudflare_dns:z".parse().unwrap(), rtype, name),
            before: None,
            after: Some(json!({ "values": values, "ttl": 1, "proxied": false })),
            from: None,
            ids: Vec::new(),
        }
    }

    fn split(changes: Vec<Change>) -> Vec<usize> {
        let target = "cloudflare_dns:z".parse().unwrap();
        effects(&target, changes).iter().map(|effect| effect.changes.len()).collect()
    }

    #[test]
    fn a_zone_is_one_effect_until_a_batch_is_full() {
        let changes = |n: usize| {
            (0..n).map(|n| change(&format!("n{n}.example.com"), "A", 1, Action::Create)).collect()
        };
        assert!(split(changes(0)).is_empty());
        assert_eq!(split(changes(200)), [200]);
        assert_eq!(split(changes(201)), [200, 1]);
    }

    #[test]
    fn what_makes_room_is_never_parted_from_what_takes_it() {
        let mut changes: Vec<_> =
            (0..199).map(|n| change(&format!("a{n}"), "A", 1, Action::Create)).collect();
        changes.push(change("z", "CNAME", 1, Action::Delete));
        changes.push(change("z", "A", 1, Action::Create));
        assert_eq!(split(changes), [199, 2]);
    }

    #[test]
    fn a_set_counts_by_its_records() {
        let changes =
            vec![change("a", "A", 150, Action::Create), change("b", "A", 60, Action::Create)];
        assert_eq!(split(changes), [1, 1]);
    }
}

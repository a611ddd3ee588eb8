//! Ways: how a public hostname reaches its origin, hop by hop, and what a merge makes public.
//!
//! Pure, from what is declared, planned and found. A hop that does not exist after the merge is
//! where the way breaks.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::config::names::{Names, Record, Route};
use crate::name::{DnsName, UnitName};
use crate::plan::{Action, Change, Live, LiveResource, Plan, ResourceKey, ResourceName, Target};

/// At most this many names are followed from an origin: more is a loop.
const MOST_HOPS: usize = 8;

/// The way of one public hostname, or of one path of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Way {
    /// The hops, the public hostname first.
    pub hops: Vec<Hop>,
}

/// One hop.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Hop {
    /// What people know it by: a name, a tunnel, an address.
    pub label: String,
    /// What the plan does with it.
    pub mark: Mark,
}

/// What a plan does with a hop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Mark {
    /// It is there and stays as it is.
    Existing,
    /// Nobody declares it, and it was not found where this plan looked: it may be elsewhere.
    Unseen,
    /// It will be there.
    Created,
    /// It is there and will be another.
    Changed,
    /// It will not be there: the way ends here.
    Broken,
}

/// What a merge makes public, and what it takes from the public.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Exposure {
    /// Public names that lead somewhere after the merge and did not before.
    pub opens: Vec<String>,
    /// Public names that led somewhere and do no more.
    pub closes: Vec<String>,
}

/// What a plan makes public and what it takes from the public: the names that come and go at
/// targets that are public. What only becomes ours was public before.
#[must_use]
pub fn exposure(plan: &Plan, is_public: impl Fn(&Target) -> bool) -> Exposure {
    let names = |concerns: fn(&Change) -> bool| -> BTreeSet<String> {
        let changes = plan.changes().filter(|change| concerns(change));
        let public = changes.filter(|change| {
            matches!(change.key.rtype.as_str(), "A" | "AAAA" | "CNAME" | "rule")
                && is_public(&change.key.target)
        });
        public.map(|change| change.key.name.clone()).collect()
    };
    let comes = names(|change| match change.action {
        Action::Create => true,
        Action::Adopt => change.touches_provider(),
        _ => false,
    });
    let goes = names(|change| change.action == Action::Delete);
    let only =
        |one: &BTreeSet<String>, other: &BTreeSet<String>| one.difference(other).cloned().collect();
    Exposure { opens: only(&comes, &goes), closes: only(&goes, &comes) }
}

fn public_name(route: &Route) -> String {
    format!("{}{}", route.hostname, route.path.as_deref().unwrap_or_default())
}

/// The names, rules and records that the ways lead through.
#[derive(Debug)]
pub struct Network<'a> {
    planned: BTreeMap<&'a str, Vec<&'a Change>>,
    declared: BTreeMap<&'a DnsName, Vec<&'a Record>>,
    /// Type and name of what is declared and not applied, because its unit is blocked.
    blocked: BTreeSet<ResourceName>,
    live: &'a BTreeMap<Target, Live>,
    new_containers: BTreeSet<&'a str>,
}

impl<'a> Network<'a> {
    /// What each unit of the whole environment declares after the merge, what is planned, what was
    /// found.
    pub fn new(
        declared: impl IntoIterator<Item = (&'a UnitName, &'a Names)>,
        plan: &'a Plan,
        live: &'a BTreeMap<Target, Live>,
    ) -> Self {
        let mut planned: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for change in plan.changes() {
            planned.entry(change.key.name.as_str()).or_default().push(change);
        }
        let mut by_name: BTreeMap<_, Vec<_>> = BTreeMap::new();
        let mut blocked = BTreeSet::new();
        for (unit, names) in declared {
            for record in &names.records {
                by_name.entry(&record.name).or_default().push(record);
            }
            if plan.units.get(unit).is_some_and(|unit| !unit.conflicts.is_empty()) {
                blocked.extend(names.resources());
            }
        }
        let new_containers = plan.containers.values().flatten().map(String::as_str).collect();
        Self { planned, declared: by_name, blocked, live, new_containers }
    }

    /// The ways of `routes` on which the plan changes something.
    pub fn ways(&self, routes: impl IntoIterator<Item = &'a Route>) -> Vec<Way> {
        let ways = routes.into_iter().map(|route| self.way(route));
        let changes = |hop: &Hop| !matches!(hop.mark, Mark::Existing | Mark::Unseen);
        let concerned = ways.filter(|way| way.hops.iter().any(changes));
        let mut ways: Vec<Way> = concerned.collect();
        ways.sort_by(|a, b| a.hops[0].label.cmp(&b.hops[0].label));
        ways
    }

    fn way(&self, route: &Route) -> Way {
        let label = public_name(route);
        let rule = self.mark(&route.rule, "rule").max(self.mark(route.hostname.as_str(), "CNAME"));
        // As the provider words a container that is missing.
        let tunnel = format!("tunnel {}", route.tunnel);
        let created = self.new_containers.contains(tunnel.as_str());
        let created = if created { Mark::Created } else { Mark::Existing };
        let mut hops = vec![Hop { label, mark: rule }, Hop { label: tunnel, mark: created }];
        match &route.origin_name {
            Some(name) => self.follow(name, &mut hops),
            None => hops.push(Hop { label: route.origin.clone(), mark: Mark::Existing }),
        }
        Way { hops }
    }

    /// Follows a name to its addresses.
    fn follow(&self, origin: &DnsName, hops: &mut Vec<Hop>) {
        let mut next = Some(origin.clone());
        while let Some(name) = next.take() {
            let (mark, values) = self.resolve(&name);
            hops.push(Hop { label: name.to_string(), mark });
            if matches!(mark, Mark::Broken | Mark::Unseen) || hops.len() > MOST_HOPS {
                return;
            }
            match values {
                Resolved::Name(target) => next = Some(target),
                Resolved::Addresses(addresses) if addresses.is_empty() => {}
                Resolved::Addresses(addresses) => {
                    hops.push(Hop { label: addresses.join(", "), mark });
                }
            }
        }
    }

    fn resolve(&self, name: &DnsName) -> (Mark, Resolved) {
        let records = self.declared.get(name).map(Vec::as_slice).unwrap_or_default();
        if let Some(cname) = records.iter().find(|record| record.rtype == "CNAME") {
            let target = cname.values.first().and_then(|value| DnsName::new(value.as_str()).ok());
            let values = target.map_or(Resolved::Addresses(Vec::new()), Resolved::Name);
            return (self.mark(name.as_str(), "CNAME"), values);
        }
        let addresses: Vec<&&Record> =
            records.iter().filter(|r| matches!(r.rtype, "A" | "AAAA")).collect();
        if addresses.is_empty() {
            return self.resolve_undeclared(name);
        }
        let mark = addresses.iter().map(|record| self.mark(name.as_str(), record.rtype)).max();
        let mut values: Vec<String> =
            addresses.iter().flat_map(|record| record.values.clone()).collect();
        if values.is_empty() {
            values = self.planned_values(name.as_str());
        }
        (mark.unwrap_or(Mark::Existing), Resolved::Addresses(values))
    }

    /// A name that nobody declares: it is there if it was found and stays. If it was not found it
    /// may still be, at another server or a console that nothing in this plan asks.
    fn resolve_undeclared(&self, name: &DnsName) -> (Mark, Resolved) {
        let goes =
            |rtype: &str| self.changes(name.as_str(), rtype).any(|c| c.action == Action::Delete);
        let types = ["A", "AAAA", "CNAME"];
        let mut found =
            types.into_iter().filter_map(|rtype| Some((rtype, self.found(name.as_str(), rtype)?)));
        match found.find(|(rtype, _)| !goes(rtype)) {
            Some((_, live)) => (Mark::Existing, Resolved::Addresses(values(&live.value))),
            None if types.into_iter().any(goes) => (Mark::Broken, Resolved::Addresses(Vec::new())),
            None => (Mark::Unseen, Resolved::Addresses(Vec::new())),
        }
    }

    /// Addresses that were looked up stand only in the plan or in what was found.
    fn planned_values(&self, name: &str) -> Vec<String> {
        let planned = ["A", "AAAA"].into_iter().flat_map(|rtype| self.changes(name, rtype));
        planned.filter_map(|change| change.after.as_ref()).flat_map(values).collect()
    }

    fn changes(&self, name: &str, rtype: &str) -> impl Iterator<Item = &'a Change> {
        let at_name = self.planned.get(name).into_iter().flatten().copied();
        at_name.filter(move |change| change.key.rtype == rtype)
    }

    fn found(&self, name: &str, rtype: &str) -> Option<&'a LiveResource> {
        self.live.iter().find_map(|(target, live)| {
            live.resources.get(&ResourceKey::new(target.clone(), rtype, name))
        })
    }

    fn mark(&self, name: &str, rtype: &str) -> Mark {
        let marks = self.changes(name, rtype).map(|change| match change.action {
            Action::Create => Mark::Created,
            Action::Delete | Action::Release => Mark::Broken,
            Action::Update | Action::Replace | Action::Run => Mark::Changed,
            Action::Adopt | Action::Transfer if change.before != change.after => Mark::Changed,
            Action::Adopt | Action::Transfer | Action::Forget => Mark::Existing,
        });
        let missing = || {
            self.blocked.contains(&ResourceName::new(rtype, name))
                && self.found(name, rtype).is_none()
        };
        let unchanged = || if missing() { Mark::Broken } else { Mark::Existing };
        marks.max().unwrap_or_else(unchanged)
    }
}

enum Resolved {
    Name(DnsName),
    Addresses(Vec<String>),
}

/// The texts under `values` of a record set's value, as both DNS providers write it.
fn values(value: &crate::plan::Value) -> Vec<String> {
    let list = value.get("values").and_then(|values| values.as_array());
    list.into_iter().flatten().filter_map(|value| value.as_str().map(str::to_owned)).collect()
}

#[cfg(test)]
mod tests;

//! The changes of a plan as they are shown: in the order in which they are carried out, grouped by
//! unit, and told apart where two zones have a record of one name.

use std::collections::{BTreeMap, BTreeSet};

use super::diff_lines;
use crate::name::UnitName;
use crate::plan::{Change, Plan, ResourceKey, order};
use crate::report::Legend;

/// A unit with its changes.
pub(super) type UnitChanges<'c> = (&'c UnitName, Vec<&'c Change>);

/// A plan that is being shown.
pub(super) struct Shown<'a> {
    /// The place of each resource in the order in which changes are carried out. What no provider is
    /// told of has none, and comes first.
    places: BTreeMap<ResourceKey, usize>,
    /// Type and name of what is changed at more than one target.
    twice: BTreeSet<(&'a str, &'a str)>,
    legend: &'a Legend,
}

impl<'a> Shown<'a> {
    pub(super) fn new(plan: &'a Plan, legend: &'a Legend) -> Self {
        // Services that need each other have no order; then that of the keys has to do.
        let batches = order(plan, &legend.ranks, &legend.needs).unwrap_or_default();
        let changes = batches.into_iter().flat_map(|batch| batch.changes);
        let places = changes.zip(0..).map(|(change, place)| (change.key, place)).collect();
        let mut seen = BTreeSet::new();
        let names =
            plan.changes().map(|change| (change.key.rtype.as_str(), change.key.name.as_str()));
        let twice = names.filter(|name| !seen.insert(*name)).collect();
        Self { places, twice, legend }
    }

    /// `changes` unit by unit, the one that is begun first at the top.
    pub(super) fn units<'c>(
        &self,
        changes: impl IntoIterator<Item = &'c Change>,
    ) -> Vec<UnitChanges<'c>> {
        let mut changes: Vec<&Change> = changes.into_iter().collect();
        changes.sort_by_key(|change| self.places.get(&change.key));
        let mut at: BTreeMap<&UnitName, usize> = BTreeMap::new();
        let mut units: Vec<UnitChanges<'_>> = Vec::new();
        for change in changes {
            let at = *at.entry(&change.unit).or_insert(units.len());
            match units.get_mut(at) {
                Some((_, changes)) => changes.push(change),
                None => units.push((&change.unit, vec![change])),
            }
        }
        units
    }

    /// The lines of a diff of one unit's changes.
    pub(super) fn lines(&self, changes: &[&Change]) -> Vec<String> {
        let zone = |change: &Change| {
            let key = &change.key;
            let zone = self.legend.zones.get(&key.target);
            zone.filter(|_| self.twice.contains(&(key.rtype.as_str(), key.name.as_str())))
        };
        changes.iter().flat_map(|change| diff_lines(change, zone(change))).collect()
    }

    /// The lines of a diff of `changes`, with a headline for each unit.
    pub(super) fn diff<'c>(&self, changes: impl IntoIterator<Item = &'c Change>) -> Vec<String> {
        let unit = |(unit, changes): UnitChanges<'_>| {
            let headline = format!("@@ {}/{} @@", unit.service, unit.kind);
            std::iter::once(headline).chain(self.lines(&changes)).collect::<Vec<_>>()
        };
        self.units(changes).into_iter().flat_map(unit).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Action;
    use crate::plan::testing::{change, key, plan};

    fn legend() -> Legend {
        let ranks = [("unifi_dns", 0), ("cloudflare_tunnel", 1), ("cloudflare_dns", 2)];
        let ranks = ranks.map(|(kind, rank)| (kind.parse().unwrap(), rank)).into();
        let zones = [("one", "example.com"), ("two", "lab.example.com")].map(|(id, zone)| {
            (format!("cloudflare_dns:{id}").parse().unwrap(), zone.parse().unwrap())
        });
        Legend { ranks, zones: zones.into(), ..Legend::default() }
    }

    #[test]
    fn what_is_carried_out_first_stands_first() {
        let changes = [
            ("app/cloudflare_tunnel", "cloudflare_dns:one", "CNAME"),
            ("app/cloudflare_tunnel", "cloudflare_tunnel:a/media", "rule"),
            ("app/unifi_dns", "unifi_dns:s", "A"),
        ];
        let changes = changes
            .map(|(unit, target, rtype)| change(unit, Action::Create, key(target, rtype, "a.b")));
        let (plan, legend) = (plan(changes), legend());
        let lines = Shown::new(&plan, &legend).diff(plan.changes());
        let order: Vec<&str> =
            lines.iter().map(|line| line.split(" a.b").next().unwrap()).collect();
        assert_eq!(
            order,
            [
                "@@ app/unifi_dns @@",
                "+ create A",
                "@@ app/cloudflare_tunnel @@",
                "+ create rule",
                "+ create CNAME",
            ]
        );
    }

    #[test]
    fn one_name_in_two_zones_is_told_apart() {
        let changes = [
            change("www/cloudflare_dns", Action::Delete, key("cloudflare_dns:one", "A", "a.b")),
            change("www/cloudflare_dns", Action::Create, key("cloudflare_dns:two", "A", "a.b")),
            change("www/cloudflare_dns", Action::Create, key("cloudflare_dns:two", "A", "b.b")),
        ];
        let (plan, legend) = (plan(changes), legend());
        let lines = Shown::new(&plan, &legend).diff(plan.changes());
        let told = lines.iter().filter(|line| line.contains(" in zone "));
        let told: Vec<&str> = told.map(|line| line.split(" =").next().unwrap()).collect();
        assert_eq!(
            told,
            ["+ create A a.b in zone lab.example.com", "- delete A a.b in zone example.com"]
        );
    }
}

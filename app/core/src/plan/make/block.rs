//! Blocking: which units cannot be applied, because of what lives, or because of each other.
//!
//! A unit is applied whole or not at all. So one that is blocked keeps what it has, which may stand
//! in the way of another, and neither takes from others nor gives to them.

use std::collections::BTreeSet;

use super::super::beside::excludes;
use super::super::{Action, Conflict, ResourceKey};
use super::Draft;
use crate::name::UnitName;

impl Draft<'_> {
    /// Whoever is blocked keeps what it has, which may block others; repeated until nobody is added.
    pub(super) fn block(&mut self) {
        let mut before = usize::MAX;
        while before != self.conflicts() {
            before = self.conflicts();
            self.find_what_stands_in_the_way();
            self.find_entangled();
        }
    }

    fn conflicts(&self) -> usize {
        self.units.values().map(|plan| plan.conflicts.len()).sum()
    }

    /// A wanted resource beside one of another type at the same name, where one of them is a CNAME.
    /// What is deleted by this plan does not count.
    fn find_what_stands_in_the_way(&mut self) {
        let wanted: Vec<_> = self.wanted.values().copied().collect();
        for (unit, desired) in wanted {
            let Some(live) = self.facts.live.get(&desired.key.target) else { continue };
            let key = &desired.key;
            let first = ResourceKey::new(key.target.clone(), "", key.name.as_str());
            let at_name = live.resources.range(first..).map(|(other, _)| other);
            let at_name = at_name.take_while(|other| other.name == key.name);
            let others = at_name.filter(|other| excludes(key, other, live.cnames));
            let others: Vec<_> = others.filter(|other| !self.goes(other)).cloned().collect();
            for other in others {
                self.record(unit, Err(Conflict::InTheWay { key: desired.key.clone(), other }));
            }
        }
    }

    fn goes(&self, key: &ResourceKey) -> bool {
        let owner = self.facts.owned.get(key).map(|owned| &owned.owner.unit);
        let plan = owner.and_then(|owner| self.units.get(owner));
        plan.filter(|plan| plan.conflicts.is_empty()).is_some_and(|plan| {
            plan.changes.iter().any(|change| change.action == Action::Delete && change.key == *key)
        })
    }

    /// A blocked unit takes nothing over and gives nothing away, so the other side waits as well.
    fn find_entangled(&mut self) {
        let moves = self.units.iter().flat_map(|(name, plan)| {
            let sources = plan.changes.iter().filter_map(|change| change.from.clone());
            sources.map(move |from| ((*name).clone(), from))
        });
        let moves: BTreeSet<(UnitName, UnitName)> = moves.collect();
        for (to, from) in moves {
            match (self.is_blocked(&to), self.is_blocked(&from)) {
                (true, false) => self.record(&from, Err(Conflict::Entangled { other: to })),
                (false, true) => self.record(&to, Err(Conflict::Entangled { other: from })),
                _ => {}
            }
        }
    }

    fn is_blocked(&self, unit: &UnitName) -> bool {
        self.units.get(unit).is_some_and(|plan| !plan.conflicts.is_empty())
    }
}

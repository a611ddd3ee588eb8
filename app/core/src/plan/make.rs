//! Making a plan: for every resource that a pending unit wants or owns, one decision; then what
//! stands in the way of each unit.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Action, Change, Conflict, Desired, Live, LiveResource, Origin, Owned, Owner, Plan, ResourceKey,
    ResourceName, Target, UnitHash, UnitPlan,
};
use crate::name::{EnvironmentName, RepositoryId, UnitName};

mod block;

/// A pending unit, with what it wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// Why it is planned.
    pub origin: Origin,
    /// Its hash in the tree; none when the tree has it no more, and then it wants nothing.
    pub hash: Option<UnitHash>,
    /// What it wants, or why that could not be found out.
    pub desired: Result<Vec<Desired>, Unanswered>,
}

/// Why nobody knows what a unit wants: a look-up without an answer, an unresolved step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unanswered {
    /// What was asked and what came back; fit for a comment.
    pub message: String,
    /// What the configuration says that it declares. Whoever has one of these keeps it until it is
    /// known whether it moves here.
    pub declares: BTreeSet<ResourceName>,
}

/// Which resources that exist and are nobody's may be taken over without `adopt: true` at the entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Adoption {
    /// None.
    #[default]
    Listed,
    /// Those that are already as wanted: `adopt: equal` on the environment.
    Equal,
    /// All that are wanted: `--adopt` on the command line.
    All,
}

/// Everything that a plan is made of.
#[derive(Debug, Clone)]
pub struct Facts<'a> {
    /// The repository that plans.
    pub repository: RepositoryId,
    /// The environment.
    pub environment: EnvironmentName,
    /// The pending units.
    pub units: BTreeMap<UnitName, Wanted>,
    /// What was found at each target.
    pub live: &'a BTreeMap<Target, Live>,
    /// Who owns what, at least for every resource that is wanted or owned by a pending unit.
    pub owned: &'a BTreeMap<ResourceKey, Owned>,
    /// What may be taken over.
    pub adoption: Adoption,
}

/// Makes the plan. Depends on nothing but the facts, and not on their order.
#[must_use]
pub fn make(facts: &Facts<'_>) -> Plan {
    let mut draft = Draft::new(facts);
    draft.decide_wanted();
    draft.decide_unwanted();
    draft.block();
    draft.finish()
}

/// What a decision comes to: a change, or a reason why there cannot be one.
type Decision = Result<Option<Change>, Conflict>;

struct Draft<'a> {
    facts: &'a Facts<'a>,
    wanted: BTreeMap<&'a ResourceKey, (&'a UnitName, &'a Desired)>,
    /// Type and name of what units declare of which nobody knows what they want.
    declared: BTreeMap<(&'a str, &'a str), &'a UnitName>,
    units: BTreeMap<&'a UnitName, UnitPlan>,
}

impl<'a> Draft<'a> {
    fn new(facts: &'a Facts<'a>) -> Self {
        let empty = |unit: &Wanted| UnitPlan {
            origin: unit.origin,
            hash: unit.hash.clone(),
            changes: Vec::new(),
            conflicts: Vec::new(),
        };
        let units = facts.units.iter().map(|(name, unit)| (name, empty(unit))).collect();
        let (wanted, declared) = (BTreeMap::new(), BTreeMap::new());
        let mut draft = Self { facts, wanted, declared, units };
        for (name, unit) in &facts.units {
            match &unit.desired {
                Err(unanswered) => draft.note_unanswered(name, unanswered),
                Ok(desired) => desired.iter().for_each(|desired| draft.note_wanted(name, desired)),
            }
        }
        draft
    }

    fn note_unanswered(&mut self, unit: &'a UnitName, unanswered: &'a Unanswered) {
        let Unanswered { message, declares } = unanswered;
        for ResourceName { rtype, name } in declares {
            self.declared.entry((rtype, name)).or_insert(unit);
        }
        self.record(unit, Err(Conflict::Unanswered { message: message.clone() }));
    }

    /// What two units want neither gets: with one of them it would be applied in part.
    fn note_wanted(&mut self, unit: &'a UnitName, desired: &'a Desired) {
        let key = &desired.key;
        let Some((other, _)) = self.wanted.insert(key, (unit, desired)) else { return };
        for (unit, other) in [(unit, other), (other, unit)] {
            let (key, other) = (key.clone(), other.clone());
            self.record(unit, Err(Conflict::WantedTwice { key, other }));
        }
    }

    fn decide_wanted(&mut self) {
        let wanted: Vec<_> = self.wanted.values().copied().collect();
        for (unit, desired) in wanted {
            let decision = self.decide(unit, desired);
            self.record(unit, decision);
        }
    }

    /// What a pending unit owns and nobody wants any more goes, unless what the unit wants could
    /// not be found out: then nobody knows, and it stays. So does what may move to another unit of
    /// which that is not known. At a target that could not be looked at,
    /// because no connection leads there any more, it can only be forgotten.
    fn decide_unwanted(&mut self) {
        for (key, owned) in self.facts.owned {
            let unit = &owned.owner.unit;
            let ours = owned.owner.repository == self.facts.repository;
            let known = self.facts.units.get(unit).is_some_and(|wanted| wanted.desired.is_ok());
            if !ours || !known || self.wanted.contains_key(key) {
                continue;
            }
            if let Some(other) = self.may_move_to(key) {
                self.record(unit, Err(Conflict::Entangled { other: other.clone() }));
                continue;
            }
            let live = self.live(key);
            let (action, before) = match live {
                Some(live) => (Action::Delete, Some(live.value.clone())),
                None if self.facts.live.contains_key(&key.target) => (Action::Release, None),
                None => (Action::Forget, Some(owned.value.clone())),
            };
            let change = self.change(unit, action, key);
            self.record(unit, Ok(Some(Change { before, ..change })));
        }
    }

    /// The unit that declares the resource, if nobody knows where it wants it.
    fn may_move_to(&self, key: &ResourceKey) -> Option<&'a UnitName> {
        self.declared.get(&(key.rtype.as_str(), key.name.as_str())).copied()
    }

    fn decide(&self, unit: &UnitName, desired: &Desired) -> Decision {
        let key = &desired.key;
        let live = self.live(key);
        let same = live.is_some_and(|live| live.value == desired.value);
        let after = Some(desired.value.clone());
        let before = live.map(|live| live.value.clone());
        let change = |action| Change {
            before: before.clone(),
            after: after.clone(),
            ..self.change(unit, action, key)
        };
        match self.facts.owned.get(key) {
            Some(owned) if self.is_mine(&owned.owner, unit) => Ok(match live {
                None => Some(change(Action::Create)),
                Some(_) if same => None,
                Some(_) if self.replaces(key) => Some(change(Action::Replace)),
                Some(_) => Some(change(Action::Update)),
            }),
            Some(owned) if self.gives_up(&owned.owner) => {
                let from = Some(owned.owner.unit.clone());
                Ok(Some(Change { from, ..change(Action::Transfer) }))
            }
            Some(Owned { owner: Owner { repository, unit }, .. }) => {
                let repository = Some(*repository).filter(|id| *id != self.facts.repository);
                Err(Conflict::OwnedElsewhere { key: key.clone(), unit: unit.clone(), repository })
            }
            None => match live {
                None => Ok(Some(change(Action::Create))),
                Some(_) if self.is_fixed(key) => Err(Conflict::Fixed { key: key.clone() }),
                Some(_) if self.may_adopt(desired, same) => Ok(Some(change(Action::Adopt))),
                Some(live) => Err(Conflict::Exists {
                    key: key.clone(),
                    live: live.value.clone(),
                    desired: desired.value.clone(),
                }),
            },
        }
    }

    fn is_fixed(&self, key: &ResourceKey) -> bool {
        self.facts.live.get(&key.target).is_some_and(|live| live.fixed.contains(key))
    }

    fn may_adopt(&self, desired: &Desired, same: bool) -> bool {
        match self.facts.adoption {
            Adoption::All => true,
            Adoption::Equal => same || desired.adopt,
            Adoption::Listed => desired.adopt,
        }
    }

    fn is_mine(&self, owner: &Owner, unit: &UnitName) -> bool {
        owner.repository == self.facts.repository && owner.unit == *unit
    }

    /// Whether the owner is a unit of this plan that is known to want the resource no more.
    /// (That it does not want it follows from another one wanting it: two would be a conflict.)
    fn gives_up(&self, owner: &Owner) -> bool {
        let planned = self.facts.units.get(&owner.unit);
        owner.repository == self.facts.repository
            && planned.is_some_and(|unit| unit.desired.is_ok())
    }

    fn finish(mut self) -> Plan {
        for plan in self.units.values_mut() {
            if !plan.conflicts.is_empty() {
                plan.changes.clear();
            }
            plan.changes.sort_by(|a, b| a.key.cmp(&b.key));
        }
        let used: BTreeSet<&Target> =
            self.units.values().flat_map(|u| &u.changes).map(|c| &c.key.target).collect();
        let missing =
            self.facts.live.iter().filter(|(target, live)| {
                used.contains(target) && !live.missing_containers.is_empty()
            });
        let containers = missing
            .map(|(target, live)| (target.clone(), live.missing_containers.clone()))
            .collect();
        let units = self.units.into_iter().map(|(name, plan)| (name.clone(), plan)).collect();
        Plan { environment: self.facts.environment.clone(), units, containers }
    }

    fn record(&mut self, unit: &UnitName, decision: Decision) {
        let Some(plan) = self.units.get_mut(unit) else { return };
        match decision {
            Ok(change) => plan.changes.extend(change),
            Err(conflict) if plan.conflicts.contains(&conflict) => {}
            Err(conflict) => plan.conflicts.push(conflict),
        }
    }

    fn live(&self, key: &ResourceKey) -> Option<&'a LiveResource> {
        self.facts.live.get(&key.target)?.resources.get(key)
    }

    fn replaces(&self, key: &ResourceKey) -> bool {
        self.facts.live.get(&key.target).is_some_and(|live| live.replaces)
    }

    fn change(&self, unit: &UnitName, action: Action, key: &ResourceKey) -> Change {
        let ids = self.live(key).map(|live| live.ids.clone()).unwrap_or_default();
        Change {
            unit: unit.clone(),
            action,
            key: key.clone(),
            before: None,
            after: None,
            from: None,
            ids,
        }
    }
}

#[cfg(test)]
mod tests;

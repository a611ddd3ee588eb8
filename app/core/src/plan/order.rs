//! The order of changes: names before what points at them, what is needed before who needs it,
//! deletes last and the other way round.
//!
//! A service's changes at one target form a block; blocks wait for blocks. Where several may go,
//! the lowest rank goes first, and all free blocks of one target go together, so that a provider
//! that writes many things at once is called once. A delete that makes room for a create at the
//! same name goes with it, right before.

use std::collections::{BTreeMap, BTreeSet};

use super::beside::excludes;
use super::{Action, Change, Plan, Target};
use crate::name::{KindName, ServiceName};

/// Where each provider stands among forward changes, from [`crate::config::kind::Kind::rank`].
pub type Ranks = BTreeMap<KindName, u8>;

/// Which services each service needs.
pub type Needs = BTreeMap<ServiceName, BTreeSet<ServiceName>>;

/// Changes of one target that may go together, in this order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// What is written to.
    pub target: Target,
    /// The changes.
    pub changes: Vec<Change>,
}

/// Services that need each other, so that none can go first.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("these services need each other: {}", names(.0))]
pub struct Cycle(pub Vec<ServiceName>);

fn names(services: &[ServiceName]) -> String {
    let names: Vec<&str> = services.iter().map(ServiceName::as_str).collect();
    names.join(", ")
}

/// The changes of `plan` that touch a provider, in order.
///
/// # Errors
/// Services with changes need each other. The checks find that earlier; a plan that was stored may
/// still carry it.
pub fn order(plan: &Plan, ranks: &Ranks, needs: &Needs) -> Result<Vec<Batch>, Cycle> {
    let (mut forward, mut deletes) = (Vec::new(), Vec::new());
    let touching = plan.changes().filter(|change| change.touches_provider());
    let (going, coming): (Vec<&Change>, Vec<&Change>) =
        touching.partition(|c| c.action == Action::Delete);
    for change in going {
        let makes_room = coming.iter().any(|other| excludes(&change.key, &other.key));
        if makes_room { forward.push(change) } else { deletes.push(change) }
    }
    forward.extend(coming);
    let mut batches = Blocks::new(&forward, ranks, needs, Direction::Forward).arrange()?;
    batches.extend(Blocks::new(&deletes, ranks, needs, Direction::Backward).arrange()?);
    Ok(batches)
}

/// Whether `service` needs one of `failed`, directly or through others, or is one of them.
#[must_use]
pub fn stands_behind(service: &ServiceName, failed: &BTreeSet<ServiceName>, needs: &Needs) -> bool {
    failed.contains(service) || !all_needs(service, needs).is_disjoint(&failed.iter().collect())
}

/// Everything that `service` needs, through whatever lies between; itself only if there is a cycle.
fn all_needs<'a>(service: &ServiceName, needs: &'a Needs) -> BTreeSet<&'a ServiceName> {
    let mut found = BTreeSet::new();
    let mut next: Vec<&ServiceName> = needs.get(service).into_iter().flatten().collect();
    while let Some(service) = next.pop() {
        if found.insert(service) {
            next.extend(needs.get(service).into_iter().flatten());
        }
    }
    found
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Direction {
    Forward,
    Backward,
}

/// A service's changes at one target. The rank comes first: it is the order of preference.
type BlockKey<'a> = (u8, &'a Target, &'a ServiceName);

struct Blocks<'a> {
    blocks: BTreeMap<BlockKey<'a>, Vec<&'a Change>>,
    /// For each service the others whose blocks go first.
    before: BTreeMap<&'a ServiceName, BTreeSet<&'a ServiceName>>,
    direction: Direction,
}

impl<'a> Blocks<'a> {
    fn new(changes: &[&'a Change], ranks: &Ranks, needs: &'a Needs, direction: Direction) -> Self {
        let mut blocks: BTreeMap<_, Vec<&Change>> = BTreeMap::new();
        for change in changes {
            let target = &change.key.target;
            let rank = ranks.get(&target.provider).copied().unwrap_or(u8::MAX);
            blocks.entry((rank, target, &change.unit.service)).or_default().push(change);
        }
        let services: BTreeSet<&ServiceName> =
            blocks.keys().map(|(_, _, service)| *service).collect();
        let mut before: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
        for service in &services {
            for needed in all_needs(service, needs).into_iter().filter(|s| services.contains(s)) {
                match direction {
                    Direction::Forward => before.entry(*service).or_default().insert(needed),
                    Direction::Backward => before.entry(needed).or_default().insert(*service),
                };
            }
        }
        Self { blocks, before, direction }
    }

    /// Takes free blocks until none is left. A block is free when no remaining one goes before it.
    fn arrange(mut self) -> Result<Vec<Batch>, Cycle> {
        let mut batches = Vec::new();
        while !self.blocks.is_empty() {
            let free = self.free();
            let first = match self.direction {
                Direction::Forward => free.first(),
                Direction::Backward => free.last(),
            };
            let Some(&(rank, target, _)) = first else {
                let services: BTreeSet<_> =
                    self.blocks.keys().map(|(_, _, service)| *service).collect();
                return Err(Cycle(services.into_iter().cloned().collect()));
            };
            let mut changes = Vec::new();
            for key in free.into_iter().filter(|(r, t, _)| *r == rank && *t == target) {
                changes.extend(self.blocks.remove(&key).into_iter().flatten().cloned());
            }
            sort_within(&mut changes);
            batches.push(Batch { target: target.clone(), changes });
        }
        Ok(batches)
    }

    fn free(&self) -> Vec<BlockKey<'a>> {
        let mut turn: BTreeMap<&ServiceName, u8> = BTreeMap::new();
        for (rank, _, service) in self.blocks.keys() {
            let next = turn.entry(service).or_insert(*rank);
            *next = match self.direction {
                Direction::Forward => (*next).min(*rank),
                Direction::Backward => (*next).max(*rank),
            };
        }
        let waits = |service: &ServiceName| {
            let before = self.before.get(service);
            before.is_some_and(|before| before.iter().any(|other| turn.contains_key(other)))
        };
        let free = self
            .blocks
            .keys()
            .filter(|(rank, _, service)| turn[service] == *rank && !waits(service));
        free.copied().collect()
    }
}

/// By name; at one name what goes comes before what takes its place.
fn sort_within(changes: &mut [Change]) {
    changes.sort_by_key(|change| {
        let stays = change.action != Action::Delete;
        (change.key.name.clone(), stays, change.key.rtype.clone())
    });
}

#[cfg(test)]
mod tests;

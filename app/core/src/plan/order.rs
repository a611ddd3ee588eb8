//! The order of changes: names before what points at them, what is needed before who needs it,
//! deletes last and the other way round.
//!
//! A service's changes at one target form a block; blocks wait for blocks. Where several may go,
//! the lowest rank goes first, and all free blocks of one target go together, so that a provider
//! that writes many things at once is called once. A delete that makes room for a create at the
//! same name waits for nobody: it goes with the create, right before.

use std::collections::{BTreeMap, BTreeSet};

use super::beside::excludes;
use super::{Action, Change, Cnames, Plan, Target};
use crate::name::{KindName, ServiceName};
use turns::Turns;

mod turns;

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
/// Services need each other. The checks find that earlier; a plan that was stored may still carry it.
pub fn order(plan: &Plan, ranks: &Ranks, needs: &Needs) -> Result<Vec<Batch>, Cycle> {
    let touching = plan.changes().filter(|change| change.touches_provider());
    let (going, coming): (Vec<&Change>, Vec<&Change>) =
        touching.partition(|c| c.action == Action::Delete);
    let mut batches = Blocks::new(coming, ranks, Direction::Forward).arrange(needs)?;
    let deletes = make_room(going, &mut batches);
    batches.extend(Blocks::new(deletes, ranks, Direction::Backward).arrange(needs)?);
    batches.iter_mut().for_each(|batch| sort_within(&mut batch.changes));
    Ok(batches)
}

/// Puts each delete that makes room for something into the first batch that has it. Gives back the
/// others.
fn make_room<'a>(deletes: Vec<&'a Change>, batches: &mut [Batch]) -> Vec<&'a Change> {
    let mut at: BTreeMap<&Target, BTreeMap<&str, Vec<&Change>>> = BTreeMap::new();
    for delete in deletes {
        let names = at.entry(&delete.key.target).or_default();
        names.entry(&delete.key.name).or_default().push(delete);
    }
    for batch in batches {
        let Some(names) = at.get_mut(&batch.target) else { continue };
        let mut rooms = Vec::new();
        for change in &batch.changes {
            if let Some(deletes) = names.get_mut(change.key.name.as_str()) {
                // Where CNAMEs exclude less, a delete that comes early does no harm.
                let makes_room =
                    |delete: &mut &Change| excludes(&delete.key, &change.key, Cnames::Alone);
                rooms.extend(deletes.extract_if(.., makes_room));
            }
        }
        batch.changes.extend(rooms.into_iter().cloned());
    }
    at.into_values().flat_map(BTreeMap::into_values).flatten().collect()
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

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Direction {
    Forward,
    Backward,
}

/// A service's changes at one target. The rank comes first: it is the order of preference.
type BlockKey<'a> = (u8, &'a Target, &'a ServiceName);

struct Blocks<'a> {
    /// What is left of each service, by rank and target.
    left: BTreeMap<&'a ServiceName, BTreeMap<(u8, &'a Target), Vec<&'a Change>>>,
    /// The blocks that wait for nothing.
    free: BTreeSet<BlockKey<'a>>,
    direction: Direction,
}

impl<'a> Blocks<'a> {
    fn new(changes: Vec<&'a Change>, ranks: &Ranks, direction: Direction) -> Self {
        let mut left: BTreeMap<_, BTreeMap<_, Vec<_>>> = BTreeMap::new();
        for change in changes {
            let target = &change.key.target;
            let rank = ranks.get(&target.provider).copied().unwrap_or(u8::MAX);
            let of_service = left.entry(&change.unit.service).or_default();
            of_service.entry((rank, target)).or_default().push(change);
        }
        Self { left, free: BTreeSet::new(), direction }
    }

    /// Takes free blocks until none is left. A service's first blocks are free when every service
    /// that goes before it has none left; those of its next rank when the ones before are taken.
    fn arrange(mut self, needs: &'a Needs) -> Result<Vec<Batch>, Cycle> {
        let mut turns = Turns::new(self.left.keys().copied(), needs, self.direction);
        let mut batches = Vec::new();
        let mut next = turns.first();
        loop {
            while let Some(service) = next.pop() {
                if !self.set_free(service) {
                    next.extend(turns.end(service));
                }
            }
            let first = match self.direction {
                Direction::Forward => self.free.first(),
                Direction::Backward => self.free.last(),
            };
            let Some(&(rank, target, _)) = first else { break };
            let together = self.free.extract_if(.., |(r, t, _)| (*r, *t) == (rank, target));
            next = together.map(|(_, _, service)| service).collect();
            let blocks = next.iter().filter_map(|service| {
                self.left.get_mut(service).and_then(|blocks| blocks.remove(&(rank, target)))
            });
            let changes = blocks.flatten().cloned().collect();
            batches.push(Batch { target: target.clone(), changes });
        }
        turns.cycle().map_or(Ok(batches), Err)
    }

    /// Frees the blocks of the rank that is next; or there is none left.
    fn set_free(&mut self, service: &'a ServiceName) -> bool {
        let Some(blocks) = self.left.get(service) else { return false };
        let next = match self.direction {
            Direction::Forward => blocks.first_key_value(),
            Direction::Backward => blocks.last_key_value(),
        };
        let Some((&(rank, _), _)) = next else { return false };
        let of_rank = blocks.keys().filter(|(other, _)| *other == rank);
        self.free.extend(of_rank.map(|(rank, target)| (*rank, *target, service)));
        true
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

//! Whose turn it is: services in an order in which each comes after those that go before it.
//!
//! Only direct needs are kept, also of services that have nothing to do themselves: they pass the
//! turn on. So a chain of ten thousand services costs as much as it has links.

use std::collections::{BTreeMap, BTreeSet};

use super::{Cycle, Direction, Needs};
use crate::name::ServiceName;

pub(super) struct Turns<'a> {
    /// Of every service that has not ended, those it still waits for.
    waits: BTreeMap<&'a ServiceName, BTreeSet<&'a ServiceName>>,
    /// Those that wait for a service.
    followers: BTreeMap<&'a ServiceName, Vec<&'a ServiceName>>,
}

impl<'a> Turns<'a> {
    pub(super) fn new(
        services: impl Iterator<Item = &'a ServiceName>,
        needs: &'a Needs,
        direction: Direction,
    ) -> Self {
        let mut waits: BTreeMap<_, BTreeSet<_>> =
            services.map(|service| (service, BTreeSet::new())).collect();
        let mut followers: BTreeMap<_, Vec<_>> = BTreeMap::new();
        let pairs =
            needs.iter().flat_map(|(service, needed)| needed.iter().map(move |n| (service, n)));
        for (service, needed) in pairs {
            let (first, then) = match direction {
                Direction::Forward => (needed, service),
                Direction::Backward => (service, needed),
            };
            waits.entry(first).or_default();
            waits.entry(then).or_default().insert(first);
            followers.entry(first).or_default().push(then);
        }
        Self { waits, followers }
    }

    /// Those that wait for nobody.
    pub(super) fn first(&self) -> Vec<&'a ServiceName> {
        let free = self.waits.iter().filter(|(_, waits)| waits.is_empty());
        free.map(|(service, _)| *service).collect()
    }

    /// `service` has nothing left to do: whose turn is it now?
    pub(super) fn end(&mut self, service: &'a ServiceName) -> Vec<&'a ServiceName> {
        self.waits.remove(service);
        let mut free = Vec::new();
        for follower in self.followers.remove(service).into_iter().flatten() {
            if let Some(waits) = self.waits.get_mut(follower) {
                waits.remove(service);
                free.extend(waits.is_empty().then_some(follower));
            }
        }
        free
    }

    /// Once it is nobody's turn: services that wait for each other, if any wait at all.
    pub(super) fn cycle(&self) -> Option<Cycle> {
        let mut service = self.waits.first_key_value()?.0;
        let mut path: Vec<&ServiceName> = Vec::new();
        loop {
            if let Some(from) = path.iter().position(|seen| seen == service) {
                let mut round = path.split_off(from);
                round.sort();
                return Some(Cycle(round.into_iter().cloned().collect()));
            }
            path.push(service);
            service = self.waits.get(service)?.first()?;
        }
    }
}

//! The folded sections of a comment: what changes of one service in one environment.

use std::collections::BTreeMap;

use serde::Serialize;

use super::shown::{Shown, UnitChanges};
use super::{HopView, counts, way};
use crate::name::{KindName, ServiceName, UnitName};
use crate::plan::{Origin, Plan};
use crate::report::{Declares, EnvironmentReport, Opened};

/// A folded section: one service in one environment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ServiceSection {
    /// The service.
    pub service: String,
    /// The environment.
    pub environment: String,
    /// `2 to create`.
    pub changes: String,
    /// Whether it is here without this pull request having changed it.
    pub pending: bool,
    /// Whether it is open or folded, if somebody said what they want to look at.
    pub opened: Option<bool>,
    /// For each component its kind and the lines of its diff.
    pub components: Vec<(String, Vec<String>)>,
    /// The ways of its public names.
    pub ways: Vec<Vec<HopView>>,
}

impl ServiceSection {
    /// Whether somebody who wants to look at `opened` wants to look at it.
    pub(super) fn is_in(&self, opened: &Opened) -> bool {
        let here = opened.environment.as_ref().is_none_or(|name| name.as_str() == self.environment);
        let (services, kinds) = (&opened.services, &opened.kinds);
        let named = services.iter().any(|service| service.as_str() == self.service);
        let of_kind = |kind: &KindName| self.components.iter().any(|(has, _)| has == kind.as_str());
        here && (named || services.is_empty()) && (kinds.is_empty() || kinds.iter().any(of_kind))
    }
}

/// The sections of an environment, the service that is begun first at the top.
pub(super) fn sections(report: &EnvironmentReport, plan: &Plan) -> Vec<ServiceSection> {
    let shown = Shown::new(plan, &report.legend);
    let services = services(&shown, plan);
    let is_pending = |unit: &UnitName| plan.units[unit].origin == Origin::Pending;
    let section = |(service, units): &Service<'_>| {
        let components = units.iter().map(|(unit, of)| (unit.kind.to_string(), shown.lines(of)));
        ServiceSection {
            service: service.to_string(),
            environment: report.environment.to_string(),
            changes: counts(units.iter().flat_map(|(_, changes)| changes.iter().copied())),
            pending: !report.is_first() && units.iter().all(|(unit, _)| is_pending(unit)),
            opened: None,
            components: components.collect(),
            ways: Vec::new(),
        }
    };
    let mut sections: Vec<ServiceSection> = services.iter().map(section).collect();
    let mut changed: BTreeMap<&str, usize> = BTreeMap::new();
    for (at, (_, units)) in services.iter().enumerate() {
        for change in units.iter().flat_map(|(_, changes)| changes) {
            changed.entry(&change.key.name).or_insert(at);
        }
    }
    for found in &report.ways {
        // With the public name if that changes, else with what changes first behind it.
        let at = found.hops.iter().find_map(|hop| changed.get(hop.label.as_str()));
        if let Some(section) = at.and_then(|at| sections.get_mut(*at)) {
            section.ways.push(way(found));
        }
    }
    sections
}

/// What is declared otherwise, service by service, where there is no plan.
pub(super) fn declared(report: &EnvironmentReport) -> impl Iterator<Item = ServiceSection> {
    report.declares.iter().map(|service| {
        let changes = match service {
            Declares { is_new: true, .. } => "is new",
            Declares { is_gone: true, .. } => "is gone",
            _ => "changes",
        };
        ServiceSection {
            service: service.service.to_string(),
            environment: report.environment.to_string(),
            changes: changes.to_owned(),
            pending: false,
            opened: None,
            components: vec![("declared".to_owned(), service.lines.clone())],
            ways: Vec::new(),
        }
    })
}

/// A service with those of its units that change.
type Service<'a> = (&'a ServiceName, Vec<UnitChanges<'a>>);

/// The services of a plan, the one that is begun first at the top.
fn services<'a>(shown: &Shown<'_>, plan: &'a Plan) -> Vec<Service<'a>> {
    let mut services: Vec<Service<'a>> = Vec::new();
    let mut at: BTreeMap<&ServiceName, usize> = BTreeMap::new();
    for unit in shown.units(plan.changes()) {
        let at = *at.entry(&unit.0.service).or_insert(services.len());
        match services.get_mut(at) {
            Some((_, units)) => units.push(unit),
            None => services.push((&unit.0.service, vec![unit])),
        }
    }
    services
}

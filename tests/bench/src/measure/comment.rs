//! From a pull request's event to its comment, where one of many services changes.
//!
//! Warm: the mirror is there, every service was parsed before, tokens and zone ids are known.

use landfall_sim::exchange::Wire;

use super::Extent;
use crate::fleet::{Fleet, Planned};
use crate::report::{Figure, Unit};
use crate::samples::{Samples, millis};

/// Pull requests before the first that counts.
const WARM_UP: usize = 3;

/// A size, with what is allowed for it.
#[derive(Debug)]
pub(super) struct Case {
    services: u32,
    environments: usize,
    /// In milliseconds.
    p50: f64,
    p99: f64,
    calls: f64,
}

pub(super) const THOUSAND: Case =
    Case { services: 1_000, environments: 1, p50: 150.0, p99: 500.0, calls: 5.0 };
pub(super) const THOUSAND_TWICE: Case = Case { environments: 2, calls: 6.0, ..THOUSAND };
pub(super) const TEN_THOUSAND: Case =
    Case { services: 10_000, p50: 2.0 * THOUSAND.p50, p99: 2.0 * THOUSAND.p99, ..THOUSAND };

pub(super) async fn measure(case: &Case, extent: &Extent) -> anyhow::Result<Vec<Figure>> {
    let mut fleet = Fleet::start(case.services, case.environments).await?;
    let before = fleet.town.server.resident()?;
    let processor = fleet.town.server.processor_time()?;
    let planned = events(&mut fleet, extent.events).await?;
    let processor = fleet.town.server.processor_time()? - processor;
    let after = fleet.town.server.resident()?;
    let took = Samples::new(planned.iter().map(|one| one.took).collect())?;
    let each = processor / u32::try_from(WARM_UP + planned.len())?;
    let most = planned.iter().map(|one| one.requests(Wire::GitHub)).max().unwrap_or_default();
    let how = format!(
        "{} events one after the other, 1 of {} services, {} environments",
        took.count(),
        case.services,
        case.environments
    );
    Ok(vec![
        Figure::millis("event to comment stored, p50", took.percentile(50))
            .at_most(case.p50)
            .how(how),
        Figure::millis("event to comment stored, p99", took.percentile(99)).at_most(case.p99),
        Figure::millis("event to comment stored, longest", took.longest()),
        Figure::millis("processor time for an event", millis(each))
            .how("the server and its git, mean, with the push before"),
        Figure::count("GitHub API calls for an event, most", most)
            .at_most(case.calls)
            .how("checks included, git's own requests not"),
        Figure::new("resident memory after the first run", before, Unit::Mebibytes)
            .how("VmRSS; every service was planned and applied once"),
        Figure::new("resident memory after the events", after, Unit::Mebibytes),
    ])
}

/// Times `count` pull requests, each after the last has settled.
pub(super) async fn events(fleet: &mut Fleet, count: usize) -> anyhow::Result<Vec<Planned>> {
    for _ in 0..WARM_UP {
        fleet.change_one().await?;
    }
    let mut planned = Vec::with_capacity(count);
    for _ in 0..count {
        planned.push(fleet.change_one().await?);
    }
    Ok(planned)
}

//! A change of one service in a zone that has 5,000 records of others.

use landfall_sim::exchange::Wire;

use super::{Extent, comment};
use crate::fleet::Fleet;
use crate::report::Figure;
use crate::samples::Samples;

const RECORDS: u32 = 5_000;
/// A few more than there are events, so that each changes another.
const SERVICES: u32 = 100;

pub(super) async fn measure(extent: &Extent) -> anyhow::Result<Vec<Figure>> {
    let mut fleet = Fleet::start(SERVICES, 1).await?;
    fleet.town.cloudflare.zone("example.com").seed_hosts(RECORDS);
    let planned = comment::events(&mut fleet, extent.events).await?;
    let took = Samples::new(planned.iter().map(|one| one.took).collect())?;
    let reads = planned.iter().map(|one| one.requests(Wire::Cloudflare)).max().unwrap_or_default();
    let how = format!("{} events; the whole way from the event to the comment", took.count());
    Ok(vec![
        Figure::millis("event to comment stored, p50", took.percentile(50)).at_most(300.0).how(how),
        Figure::millis("event to comment stored, p99", took.percentile(99)).at_most(300.0),
        Figure::count("provider reads for a plan, most", reads)
            .at_most(3.0)
            .how("ids of zones are known"),
    ])
}

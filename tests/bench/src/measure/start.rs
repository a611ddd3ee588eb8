//! From the start of the process to ready, and the memory that it takes at rest.

use std::time::Duration;

use crate::report::{Figure, Unit};
use crate::samples::Samples;
use crate::town::Town;

const STARTS: usize = 20;
/// What a start leaves to do is done after this long.
const REST: Duration = Duration::from_secs(3);

pub(super) async fn measure() -> anyhow::Result<Vec<Figure>> {
    let (mut starts, mut resident) = (Vec::new(), 0.0_f64);
    for start in 1..=STARTS {
        let town = Town::start().await?;
        starts.push(town.server.started_in);
        if start == STARTS {
            tokio::time::sleep(REST).await;
            resident = town.server.resident()?;
        }
    }
    let starts = Samples::new(starts)?;
    let how = format!("{STARTS} starts on an empty folder, asked each millisecond");
    Ok(vec![
        Figure::millis("start to ready, p50", starts.percentile(50)).at_most(300.0).how(how),
        Figure::millis("start to ready, longest", starts.longest()).at_most(300.0),
        Figure::new("resident memory, idle", resident, Unit::Mebibytes)
            .at_most(40.0)
            .how("VmRSS, three seconds after the start"),
    ])
}

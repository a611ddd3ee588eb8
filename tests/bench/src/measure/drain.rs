//! How many jobs in a second are claimed, begun and done, by one server and by four that share a store.
//!
//! The jobs are for repositories that nobody has heard of, so each is done as soon as that is found:
//! what is measured is the queue, not the work. They are there before the first server starts.

use std::time::{Duration, Instant};

use landfall_core::name::{InstallationId, RepositoryId};
use landfall_sim::cloudflare::ZoneSettings;
use landfall_store::{JobKey, NewJob};

use crate::engine::{Database, Engine};
use crate::report::{Figure, Unit};
use crate::town::Town;

const JOBS: u32 = 20_000;
const INSTALLATIONS: u32 = 50;
/// How many are put at once.
const BATCH: u32 = 500;
/// Between two looks at what is left.
const LOOK: Duration = Duration::from_millis(20);

pub(super) async fn measure() -> anyhow::Result<Vec<Figure>> {
    let mut figures = Vec::new();
    for (engine, servers) in [(Engine::Sqlite, 1), (Engine::Postgres, 1), (Engine::Postgres, 4)] {
        let took = drain(engine, servers).await?;
        let what = format!("jobs in a second, {engine}, servers: {servers}");
        let how =
            format!("{JOBS} jobs of {INSTALLATIONS} installations, with the starts of the servers");
        let figure = Figure::new(what, f64::from(JOBS) / took.as_secs_f64(), Unit::Count);
        figures.push(figure.how(how));
    }
    Ok(figures)
}

async fn drain(engine: Engine, servers: usize) -> anyhow::Result<Duration> {
    let zones = vec![ZoneSettings::active("example.com")];
    let mut began = Instant::now();
    let town = Town::start_as(engine, zones, async |database| {
        fill(database).await?;
        began = Instant::now();
        Ok(())
    })
    .await?;
    let mut others = Vec::new();
    for _ in 1..servers {
        others.push(town.another_server().await?);
    }
    let store = town.database.open().await?;
    while store.backlog().await?.jobs > 0 {
        tokio::time::sleep(LOOK).await;
    }
    Ok(began.elapsed())
}

async fn fill(database: &Database) -> anyhow::Result<()> {
    let store = database.open().await?;
    for batch in 0..JOBS / BATCH {
        let jobs: Vec<NewJob> = (batch * BATCH..(batch + 1) * BATCH).map(job).collect();
        store.enqueue(&jobs).await?;
    }
    store.close().await;
    Ok(())
}

fn job(number: u32) -> NewJob {
    let repository = RepositoryId(u64::from(number) + 1);
    let pull = landfall_core::name::PullNumber(1);
    NewJob {
        key: JobKey::Plan { repository, pull },
        installation: InstallationId(u64::from(number % INSTALLATIONS) + 1),
        run_at: None,
    }
}

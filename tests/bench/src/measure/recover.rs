//! What a kill -9 costs: until the server that is started again is ready, and until what it was in the
//! middle of is done.
//!
//! A job that died with its server is taken up when its claim has run out, which is a minute after
//! the last heartbeat. Everything else goes on at once.

use std::time::{Duration, Instant};

use landfall_sim::fault::{Fault, Gate, On};

use crate::engine::Engine;
use crate::homelab::Homelab;
use crate::report::Figure;
use crate::samples::{Samples, millis};
use crate::seen::Seen;
use crate::town::Town;

/// How often a server is killed under load.
const KILLS: u32 = 10;
/// How many services there are.
const SERVICES: u32 = 20;

pub(super) async fn measure() -> anyhow::Result<Vec<Figure>> {
    let mut figures = Vec::new();
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let mut town = Town::start_on(engine).await?;
        let homelab = Homelab::create(&town, "acme/fleet", "example.com", 1).await?;
        let pull = homelab.propose(SERVICES).await?;
        town.settle().await;
        homelab.bring_up(pull).await?;
        town.settle().await;
        let resumed = resumed(&mut town, &homelab).await?;
        let what = format!("killed in the middle of a plan to its comment, {engine}");
        let how = "its claim has to run out, a minute after its last heartbeat";
        figures.push(Figure::millis(what, millis(resumed)).how(how));
        let starts = starts(&mut town, &homelab).await?;
        let how = format!("{KILLS} kills while it planned, started again on what it left");
        let what = format!("start to ready after a kill, {engine}");
        let median = Figure::millis(format!("{what}, p50"), starts.percentile(50));
        figures.push(median.at_most(300.0).how(how));
        figures.push(Figure::millis(format!("{what}, longest"), starts.longest()));
    }
    Ok(figures)
}

/// Kills the server while it plans, and starts it again at once.
async fn starts(town: &mut Town, homelab: &Homelab) -> anyhow::Result<Samples> {
    let mut starts = Vec::new();
    for service in 2..2 + KILLS {
        let branch = homelab.move_one(service).await?;
        homelab.open(&branch).await?;
        town.github.hooks().deliver_all().await;
        town.kill_and_start().await?;
        starts.push(town.server.started_in);
    }
    Samples::new(starts)
}

/// From the kill of a server that was about to look at the zone for a plan until the comment is there.
async fn resumed(town: &mut Town, homelab: &Homelab) -> anyhow::Result<Duration> {
    let gate = Gate::closed();
    town.cloudflare.faults().inject(On::get("/**"), Fault::Hold(gate.clone()));
    let branch = homelab.move_one(1).await?;
    homelab.open(&branch).await?;
    gate.arrival().await;
    let began = Instant::now();
    town.kill_and_start().await?;
    gate.open();
    town.watch.until(Seen::is_new_comment).await?;
    Ok(began.elapsed())
}

//! Deliveries under load: how long each waits for its answer, and whether each is on disk.
//!
//! They are sent at a steady rate whether or not earlier ones were answered, so a server that
//! stalls is seen to stall. Meanwhile it handles what it took. At the end it is killed, and its store,
//! opened again, says which deliveries it knows.

use std::time::Duration;

use anyhow::Context as _;
use landfall_sim::github::{NewPull, edit};
use landfall_store::{DeliveryId, Inserted, NewDelivery, Store};
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;
use uuid::Uuid;

use super::Extent;
use crate::delivery::{Payload, Sender, Sent};
use crate::engine::Engine;
use crate::report::Figure;
use crate::samples::Samples;
use crate::town::Town;

const EACH_SECOND: u32 = 500;
const EVENT: &str = "pull_request";

pub(super) async fn measure(engine: Engine, extent: &Extent) -> anyhow::Result<Vec<Figure>> {
    let mut town = Town::start_on(engine).await?;
    let payload = Payload::sign(EVENT, &body(&mut town).await?);
    let sent = send(&town, &payload, EACH_SECOND * extent.seconds).await?;
    let resident = town.server.resident()?;
    town.server.kill().await?;
    let store = town.database.open().await?;
    let waiting = usize::try_from(store.pending_deliveries().await?)?;
    let lost = lost(&*store, &sent).await?;
    let refused = sent.iter().filter(|sent| !sent.is_accepted()).count();
    let took = Samples::new(sent.iter().map(|sent| sent.took).collect())?;
    let how = format!(
        "{} deliveries of {} bytes, {EACH_SECOND} each second; from sending to the whole answer",
        took.count(),
        payload.body.len()
    );
    Ok(vec![
        Figure::millis("acknowledged, p50", took.percentile(50)).how(how),
        Figure::millis("acknowledged, p99", took.percentile(99)).at_most(10.0),
        Figure::millis("acknowledged, longest", took.longest()),
        Figure::count("not answered with 202", refused).at_most(0.0),
        Figure::count("lost", lost)
            .at_most(0.0)
            .how("not in the store after the server was killed"),
        Figure::count("still waiting to be handled", waiting)
            .how("when the server was killed, right after the last answer"),
        Figure::new("resident memory", resident, crate::report::Unit::Mebibytes).how("at the end"),
    ])
}

/// What GitHub sends when a pull request gets a label: a large body that is read and kept, and
/// after which nothing is planned.
async fn body(town: &mut Town) -> anyhow::Result<String> {
    let files = [edit("README.md", "Nothing is looked after here yet.\n")];
    let repo = town.github.create_repository("acme/quiet", files).await?;
    repo.push("change", "alice", "Change", [edit("notes.md", "A note.\n")]).await?;
    let pull = repo.open(NewPull::from("change")).await?;
    repo.label(pull, "later", "alice")?;
    town.settle().await;
    let log = town.github.hooks().log();
    let labeled = log.iter().find(|attempt| attempt.action.as_deref() == Some("labeled"));
    Ok(labeled.context("no delivery about the label")?.payload.to_string())
}

async fn send(town: &Town, payload: &Payload, count: u32) -> anyhow::Result<Vec<Sent>> {
    let sender = Sender::to(town)?;
    let mut ticks = tokio::time::interval(Duration::from_secs(1) / EACH_SECOND);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let mut sending = JoinSet::new();
    for _ in 0..count {
        ticks.tick().await;
        let (sender, payload) = (sender.clone(), payload.clone());
        sending.spawn(async move { sender.send(Uuid::new_v4(), &payload).await });
    }
    Ok(sending.join_all().await)
}

/// How many of those that were answered with 202 the store does not know: handing one in again
/// tells.
async fn lost(store: &dyn Store, sent: &[Sent]) -> anyhow::Result<usize> {
    let received_at = store.now().await?;
    let mut lost = 0;
    for sent in sent.iter().filter(|sent| sent.is_accepted()) {
        let again = NewDelivery {
            id: DeliveryId(sent.id),
            event: EVENT.to_owned(),
            action: None,
            installation: None,
            repository: None,
            body: Vec::new(),
            received_at,
        };
        lost += usize::from(store.insert_delivery(&again).await? == Inserted::New);
    }
    Ok(lost)
}

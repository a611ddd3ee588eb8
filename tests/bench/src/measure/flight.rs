//! Many pull requests at once: how much memory they take, and whether each gets its comment.
//!
//! Every installation has a repository of its own with services that were all applied. All pull
//! requests are opened while the server cannot be reached. Then their deliveries are sent, many at
//! a time, which is far quicker than plans are made; so nearly all wait in the store together.

use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use landfall_sim::cloudflare::ZoneSettings;
use landfall_sim::github::{Fate, OnDelivery};
use landfall_store::{Store, SystemClock};
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::delivery::{Payload, Sender, Sent};
use crate::homelab::{Homelab, moved_to};
use crate::report::{Figure, Unit};
use crate::samples::millis;
use crate::seen::Seen;
use crate::town::Town;

const EVENT: &str = "pull_request";
const INSTALLATIONS: u32 = 50;
/// Each changes another service, so there are as many of these.
const PULLS_EACH: u32 = 20;
const SERVICES_EACH: u32 = PULLS_EACH;
const PULLS: u32 = INSTALLATIONS * PULLS_EACH;
/// How many deliveries are on their way at the same time.
const LANES: usize = 32;
/// Between two looks at what waits.
const LOOK: Duration = Duration::from_millis(100);

/// A pull request that was opened.
struct Opened {
    homelab: Homelab,
    number: u64,
    /// Which service it moves.
    service: u32,
}

/// What was seen from outside while they were in flight.
struct Flight {
    /// Until the last delivery was answered.
    answered: Duration,
    /// How many were not answered with 202.
    refused: usize,
    /// Until the last comment was stored.
    commented: Duration,
    /// The most that waited at one time.
    jobs: u64,
    items: u64,
}

pub(super) async fn measure() -> anyhow::Result<Vec<Figure>> {
    let zones = (1..=INSTALLATIONS).map(|number| ZoneSettings::active(&zone(number)));
    let mut town = Town::start_with(zones.collect()).await?;
    let homelabs = homelabs(&mut town).await?;
    let before = town.server.resident()?;
    let opened = open(&mut town, homelabs).await?;
    let processor = town.server.processor_time()?;
    let flight = fly(&mut town).await?;
    let processor = (town.server.processor_time()? - processor) / PULLS;
    town.settle().await;
    let without = opened.iter().filter(|opened| !opened.has_its_comment()).count();
    let how = format!(
        "{PULLS} pull requests, {INSTALLATIONS} installations with {SERVICES_EACH} services each"
    );
    Ok(vec![
        Figure::new("resident memory, peak", town.server.peak()?, Unit::Mebibytes)
            .at_most(200.0)
            .how("VmHWM of the server since its start; git's processes are not in it"),
        Figure::new("resident memory before", before, Unit::Mebibytes)
            .how("every service was planned and applied once"),
        Figure::new("resident memory after", town.server.resident()?, Unit::Mebibytes),
        Figure::count("pull requests without their comment", without).at_most(0.0).how(how),
        Figure::count("deliveries not answered with 202", flight.refused).at_most(0.0),
        Figure::millis("until all deliveries were answered", millis(flight.answered))
            .how(format!("{LANES} at a time")),
        Figure::millis("until all comments were stored", millis(flight.commented)),
        Figure::millis("processor time for a pull request", millis(processor))
            .how("the server and its git, mean"),
        Figure::count("jobs in the store, most", usize::try_from(flight.jobs)?),
        Figure::count("items to publish in the store, most", usize::try_from(flight.items)?),
    ])
}

/// All of them with their services applied.
async fn homelabs(town: &mut Town) -> anyhow::Result<Vec<Homelab>> {
    let mut created = Vec::new();
    for number in 1..=INSTALLATIONS {
        let name = format!("owner-{number}/homelab");
        created.push(Homelab::create(town, &name, &zone(number), 1).await?);
    }
    let proposed = together(created, async |homelab| {
        let pull = homelab.propose(SERVICES_EACH).await?;
        Ok((homelab, pull))
    });
    let proposed = proposed.await?;
    town.settle().await;
    let live = together(proposed, async |(homelab, pull)| {
        homelab.bring_up(pull).await?;
        Ok(homelab)
    });
    let live = live.await?;
    town.settle().await;
    Ok(live)
}

/// Opens all pull requests. The server does not hear of them.
async fn open(town: &mut Town, homelabs: Vec<Homelab>) -> anyhow::Result<Vec<Opened>> {
    let unheard = OnDelivery::event(EVENT).action("opened").times(PULLS.try_into()?);
    town.github.hooks().fate(unheard, Fate::Unreachable);
    let opened = together(homelabs, async |homelab| {
        let mut opened = Vec::new();
        for service in 1..=PULLS_EACH {
            let branch = homelab.move_one(service).await?;
            let number = homelab.open(&branch).await?;
            opened.push(Opened { homelab: homelab.clone(), number, service });
        }
        Ok(opened)
    });
    let opened = opened.await?.into_iter().flatten().collect();
    town.settle().await;
    Ok(opened)
}

/// Sends what the server did not hear of, and looks on until every pull request has its comment.
async fn fly(town: &mut Town) -> anyhow::Result<Flight> {
    let url = format!("sqlite:{}", town.folder.path().join("landfall.db").display());
    let store = landfall_store::open(&url, Arc::new(SystemClock)).await?;
    let (sender, lanes) = (Sender::to(town)?, lanes(town)?);
    let began = Instant::now();
    let answered = async {
        let sent = together(lanes, |lane| send(sender.clone(), lane)).await?;
        let refused = sent.iter().flatten().filter(|sent| !sent.is_accepted()).count();
        anyhow::Ok((began.elapsed(), refused))
    };
    let commented = async {
        for _ in 0..PULLS {
            town.watch.until(Seen::is_new_comment).await?;
        }
        anyhow::Ok(began.elapsed())
    };
    let (mut jobs, mut items) = (0, 0);
    let both = async { tokio::try_join!(answered, commented) };
    let ((answered, refused), commented) = tokio::select! {
        both = both => both?,
        failed = look(&*store, &mut jobs, &mut items) => return Err(failed),
    };
    store.close().await;
    Ok(Flight { answered, refused, commented, jobs, items })
}

/// The deliveries that did not arrive, dealt out.
fn lanes(town: &Town) -> anyhow::Result<Vec<Vec<(Uuid, Payload)>>> {
    let mut lanes = vec![Vec::new(); LANES];
    let log = town.github.hooks().log();
    let missed = log.iter().filter(|attempt| attempt.status_code != 202);
    for (number, attempt) in missed.enumerate() {
        anyhow::ensure!(attempt.event == EVENT, "`{}` was not delivered", attempt.event);
        let payload = Payload::sign(EVENT, &attempt.payload.to_string());
        lanes[number % LANES].push((attempt.guid.parse()?, payload));
    }
    Ok(lanes)
}

async fn send(sender: Sender, lane: Vec<(Uuid, Payload)>) -> anyhow::Result<Vec<Sent>> {
    let mut sent = Vec::with_capacity(lane.len());
    for (id, payload) in &lane {
        sent.push(sender.send(*id, payload).await);
    }
    Ok(sent)
}

/// Notes the most that there is to do, until nobody waits for it any more.
async fn look(store: &dyn Store, jobs: &mut u64, items: &mut u64) -> anyhow::Error {
    loop {
        match store.backlog().await {
            Ok(backlog) => {
                *jobs = backlog.jobs.max(*jobs);
                *items = backlog.items.max(*items);
            }
            Err(error) => return error.into(),
        }
        tokio::time::sleep(LOOK).await;
    }
}

impl Opened {
    /// Whether there is one comment, about what it changes.
    fn has_its_comment(&self) -> bool {
        let comments = self.homelab.comments(self.number);
        matches!(comments.as_slice(), [comment] if comment.contains(&moved_to(self.service)))
    }
}

fn zone(number: u32) -> String {
    format!("owner-{number}.example")
}

/// Does something with each, all at the same time.
async fn together<T, U, F>(all: Vec<T>, act: impl Fn(T) -> F) -> anyhow::Result<Vec<U>>
where
    F: Future<Output = anyhow::Result<U>> + Send + 'static,
    U: Send + 'static,
{
    let acting: JoinSet<_> = all.into_iter().map(act).collect();
    acting.join_all().await.into_iter().collect()
}

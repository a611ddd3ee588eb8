//! Workers: they take work from the store, carry it out, and note what came of it.
//!
//! Three loops, each asking the store and then sleeping until something new is announced or a few
//! seconds have passed: the inbox (deliveries to rows), the jobs (plans and runs), the outbox (what
//! is published). A fourth tidies up, a fifth backs up, and clocks ask for what is due with time
//! (`clock`). They share nothing but the store. Each claim has a lease, so a worker that dies only
//! delays what it held. A piece of work that panics is an attempt that failed; a loop that panics
//! ends, and the server with it.
//!
//! Stopping ([`Stop`]): first no loop claims anything more and what is under way is finished; what is not
//! done after a while is put back as it stands, for the next server to take up. Cutting
//! it off there is as safe as losing the process: a step has its intent on disk, an item is looked up.

mod backup;
mod clock;
mod housekeeping;
mod inbox;
mod jobs;
mod outbox;
mod told;

pub(crate) use jobs::keep_alive;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use landfall_store::{Addressee, JobKey, StoreError, Topic};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::house::House;
use crate::settings::Webhooks;

/// How many jobs are carried out at once.
const JOB_WORKERS: usize = 8;
/// How many installations are told things at GitHub at once.
const OUTBOX_WORKERS: usize = 4;
/// How many installations have others notified at once. Those others may be slow, and nothing that
/// GitHub is told waits for them.
const NOTIFICATION_WORKERS: usize = 2;
/// How long a worker waits at least before it asks again for what somebody else may just be taking.
const SHORTEST_WAIT: Duration = Duration::from_millis(10);

/// How workers are told to end.
#[derive(Debug, Clone, Default)]
pub struct Stop {
    /// Nothing more is taken.
    pub closing: CancellationToken,
    /// What is not done by now is put back.
    pub over: CancellationToken,
}

/// Starts all workers. They end some time after they are told to.
pub fn start(house: &Arc<House>, stop: &Stop) -> JoinSet<()> {
    let mut workers = JoinSet::new();
    let name = format!("{}", uuid::Uuid::new_v4());
    let (one, token) = (Arc::clone(house), stop.closing.clone());
    workers.spawn(async move { rounds(&one, &token, Topic::Inbox, || inbox::round(&one)).await });
    for _ in 0..JOB_WORKERS {
        let (one, stop, name) = (Arc::clone(house), stop.clone(), name.clone());
        workers.spawn(async move {
            let round = || jobs::round(&one, &name, &stop.over);
            rounds(&one, &stop.closing, Topic::Jobs, round).await;
        });
    }
    let to_github = [Addressee::GitHub; OUTBOX_WORKERS];
    let to_others = [Addressee::Notified; NOTIFICATION_WORKERS];
    for addressee in to_github.into_iter().chain(to_others) {
        let (one, stop) = (Arc::clone(house), stop.clone());
        workers.spawn(async move {
            let round = || outbox::round(&one, addressee, &stop.over);
            rounds(&one, &stop.closing, Topic::Outbox, round).await;
        });
    }
    let (one, token) = (Arc::clone(house), stop.closing.clone());
    workers.spawn(async move { housekeeping::rounds(&one, &token).await });
    let (one, token) = (Arc::clone(house), stop.closing.clone());
    workers.spawn(async move { backup::rounds(&one, &token).await });
    start_clocks(house, &stop.closing, &mut workers);
    workers
}

fn start_clocks(house: &Arc<House>, stop: &CancellationToken, workers: &mut JoinSet<()>) {
    let recurring =
        [(JobKey::Deliveries, house.timing.sweep), (JobKey::Installations, house.timing.reconcile)];
    for (key, every) in recurring {
        let (one, token) = (Arc::clone(house), stop.clone());
        workers.spawn(async move { clock::recurring(&one, &token, key, every).await });
    }
    if house.webhooks == Webhooks::Pull {
        let (one, token) = (Arc::clone(house), stop.clone());
        workers.spawn(async move { clock::pull(&one, &token).await });
    }
}

/// Waits for `pause`, or until stopped.
async fn rest(stop: &CancellationToken, pause: Duration) {
    tokio::select! {
        () = stop.cancelled() => {}
        () = tokio::time::sleep(pause) => {}
    }
}

/// Whether what was worked on is somebody else's now.
fn is_stale(error: &anyhow::Error) -> bool {
    matches!(error.downcast_ref::<StoreError>(), Some(StoreError::StaleEpoch))
}

/// What a round of a loop came to.
#[derive(Debug, PartialEq, Eq)]
enum Round {
    /// There was work; there may be more.
    Worked,
    /// There was none.
    Idle,
    /// There was none, and there may be some after this time.
    IdleFor(Duration),
}

/// Rounds until stopped. After an idle one it sleeps until work is announced; the announcement is
/// subscribed to before the store is asked, so none is missed.
async fn rounds<F, R>(house: &House, stop: &CancellationToken, topic: Topic, mut round: F)
where
    F: FnMut() -> R,
    R: Future<Output = anyhow::Result<Round>>,
{
    let mut news = house.store.watch(topic);
    while !stop.is_cancelled() {
        news.mark_unchanged();
        let pause = match round().await {
            Ok(Round::Worked) => continue,
            Ok(Round::Idle) => house.timing.poll,
            Ok(Round::IdleFor(wait)) => wait.clamp(SHORTEST_WAIT, house.timing.poll),
            Err(error) => {
                tracing::error!(
                    error = format!("{error:#}"),
                    "the {topic:?} worker could not go on"
                );
                Duration::from_secs(1)
            }
        };
        tokio::select! {
            () = stop.cancelled() => {}
            _ = news.changed() => {}
            () = tokio::time::sleep(pause) => {}
        }
    }
}

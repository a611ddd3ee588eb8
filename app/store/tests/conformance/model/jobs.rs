//! Jobs: at most one that waits and one that runs for each pull request, and installations in turn.

use std::collections::BTreeMap;
use std::time::Duration;

use landfall_core::name::InstallationId;
use landfall_store::{ClaimJob, Fence, JobKey, NewJob, Retry, Store};
use proptest::prelude::*;

use super::histories;
use crate::engine::Engine;
use crate::given::{HOMELAB, LEASE, plan_job};

const HISTORIES: usize = 24;
const MAX_ATTEMPTS: u32 = 3;

#[derive(Debug, Clone, Copy)]
enum Op {
    Enqueue(u64),
    Claim,
    Pass(u64),
    /// The operation on the n-th claim that was ever given out, stale or not.
    Heartbeat(usize),
    Complete(usize),
    Retry(usize),
    GiveUp(usize),
    Park(usize),
    PutOff(usize),
}

fn op() -> impl Strategy<Value = Op> {
    let nth = 0..6_usize;
    prop_oneof![
        4 => (1..6_u64).prop_map(Op::Enqueue),
        5 => Just(Op::Claim),
        2 => (1..40_u64).prop_map(Op::Pass),
        2 => nth.clone().prop_map(Op::Heartbeat),
        2 => nth.clone().prop_map(Op::Complete),
        2 => nth.clone().prop_map(Op::Retry),
        1 => nth.clone().prop_map(Op::GiveUp),
        1 => nth.clone().prop_map(Op::Park),
        1 => nth.prop_map(Op::PutOff),
    ]
}

#[derive(Debug, Clone, Copy)]
struct Waiting {
    place: u64,
    attempt: u32,
    run_at: u64,
}

#[derive(Debug, Clone, Copy)]
struct Running {
    claim: usize,
    place: u64,
    attempt: u32,
    until: u64,
}

/// What should be true: per pull request at most one waiting and one running job. Times in seconds.
#[derive(Debug, Default)]
struct Model {
    /// The first of its three installations: nobody else has had a turn for them.
    first: u64,
    now: u64,
    turns: u64,
    /// The last turn of each installation.
    served: BTreeMap<InstallationId, u64>,
    next_place: u64,
    waiting: BTreeMap<u64, Waiting>,
    running: BTreeMap<u64, Running>,
}

impl Model {
    fn of(history: u64) -> Self {
        Self { first: 100 + 3 * history, ..Self::default() }
    }

    fn installation(&self, pull: u64) -> InstallationId {
        InstallationId(self.first + pull % 3)
    }

    /// The pull request whose job is next: the oldest of the installation with the fewest running jobs,
    /// and of several such the one that was not served for longest.
    fn next(&self) -> Option<u64> {
        let mut offers: BTreeMap<InstallationId, (u64, u64)> = BTreeMap::new();
        for (pull, job) in &self.waiting {
            if job.run_at <= self.now && !self.running.contains_key(pull) {
                let offer = offers.entry(self.installation(*pull)).or_insert((job.place, *pull));
                *offer = (*offer).min((job.place, *pull));
            }
        }
        let rank = |(installation, (place, _)): &(InstallationId, (u64, u64))| {
            let of_it = |pull: &&u64| self.installation(**pull) == *installation;
            let running = self.running.keys().filter(of_it).count();
            (running, self.served.get(installation).copied().unwrap_or_default(), *place)
        };
        offers.into_iter().min_by_key(rank).map(|(_, (_, pull))| pull)
    }

    fn enqueue(&mut self, pull: u64) {
        let (now, place) = (self.now, self.next_place);
        self.next_place += 1;
        let waiting =
            self.waiting.entry(pull).or_insert(Waiting { place, attempt: 0, run_at: now });
        waiting.attempt = 0;
        waiting.run_at = waiting.run_at.min(now);
    }

    /// A running job goes back to waiting, unless a later one waits there already.
    fn put_back(&mut self, pull: u64, attempt: u32, run_at: u64) {
        let Some(Running { place, .. }) = self.running.remove(&pull) else { return };
        self.waiting.entry(pull).or_insert(Waiting { place, attempt, run_at });
    }

    fn claim(&mut self, claim: usize) -> Option<(u64, u32)> {
        let now = self.now;
        let expired: Vec<_> = self
            .running
            .iter()
            .filter(|(_, job)| job.until <= now)
            .map(|(p, j)| (*p, *j))
            .collect();
        for (pull, job) in expired {
            self.put_back(pull, job.attempt, now);
        }
        self.waiting.retain(|_, job| job.attempt < MAX_ATTEMPTS);
        let pull = self.next()?;
        let job = self.waiting.remove(&pull)?;
        self.turns += 1;
        self.served.insert(self.installation(pull), self.turns);
        let attempt = job.attempt + 1;
        self.running.insert(
            pull,
            Running { claim, place: job.place, attempt, until: now + LEASE.as_secs() },
        );
        Some((pull, attempt))
    }

    fn hold(&mut self, pull: u64) {
        let until = self.now + LEASE.as_secs();
        self.running.entry(pull).and_modify(|job| job.until = until);
    }

    fn end(&mut self, pull: u64) {
        self.running.remove(&pull);
    }

    /// The pull request whose running job has this claim, if it is good still.
    fn holder(&self, claim: usize) -> Option<(u64, u32)> {
        let good = |job: &Running| job.claim == claim && job.until > self.now;
        self.running.iter().find(|(_, job)| good(job)).map(|(pull, job)| (*pull, job.attempt))
    }
}

async fn claim_like_the_model(store: &dyn Store, model: &mut Model, claims: &mut Vec<Fence>) {
    let request = ClaimJob { worker: "model".to_owned(), lease: LEASE, max_attempts: MAX_ATTEMPTS };
    let claimed = store.claim_job(&request).await.unwrap();
    let found = claimed.as_ref().map(|job| match job.key {
        JobKey::Plan { repository, pull } if repository == HOMELAB => (pull.0, job.attempt),
        _ => panic!("{job:?}"),
    });
    assert_eq!(found, model.claim(claims.len()));
    claims.extend(claimed.map(|job| job.fence));
}

async fn write_like_the_model(engine: &Engine, model: &mut Model, claims: &[Fence], op: Op) {
    let (Op::Heartbeat(nth)
    | Op::Complete(nth)
    | Op::Retry(nth)
    | Op::GiveUp(nth)
    | Op::Park(nth)
    | Op::PutOff(nth)) = op
    else {
        return;
    };
    // The newest claims are the interesting ones.
    let Some(claim) = claims.len().checked_sub(nth + 1) else { return };
    let (store, fence) = (&engine.store, &claims[claim]);
    let at = engine.later(10).await;
    let result = match op {
        Op::Heartbeat(_) => store.heartbeat(fence, LEASE).await,
        Op::Complete(_) => store.complete_job(fence).await,
        Op::Retry(_) => store.fail_job(fence, "no", Retry::At(at)).await,
        Op::GiveUp(_) => store.fail_job(fence, "no", Retry::Never).await,
        Op::Park(_) => store.park_job(fence, None).await,
        _ => store.park_job(fence, Some(at)).await,
    };
    let holder = model.holder(claim);
    assert_eq!(result.is_ok(), holder.is_some(), "{op:?} on claim {claim}: {result:?}");
    let Some((pull, attempt)) = holder else { return };
    let now = model.now;
    match op {
        Op::Heartbeat(_) => model.hold(pull),
        Op::Retry(_) => model.put_back(pull, attempt, now + 10),
        Op::Park(_) => model.put_back(pull, attempt - 1, now),
        Op::PutOff(_) => model.put_back(pull, attempt - 1, now + 10),
        _ => model.end(pull),
    }
}

pub(crate) async fn jobs_behave_like_the_model(engine: &Engine) {
    for (number, history) in (0..).zip(histories(op(), HISTORIES)) {
        let (mut model, mut claims) = (Model::of(number), Vec::new());
        for op in history {
            match op {
                Op::Enqueue(pull) => {
                    let installation = model.installation(pull);
                    let job = NewJob { installation, ..plan_job(pull) };
                    engine.store.enqueue(&[job]).await.unwrap();
                    model.enqueue(pull);
                }
                Op::Claim => claim_like_the_model(&*engine.store, &mut model, &mut claims).await,
                Op::Pass(seconds) => {
                    engine.pass(seconds);
                    model.now += seconds;
                }
                write => write_like_the_model(engine, &mut model, &claims, write).await,
            }
        }
        drain(engine).await;
    }
}

/// Leaves no job behind, so that the next history begins with none.
async fn drain(engine: &Engine) {
    let request = ClaimJob {
        worker: "drain".to_owned(),
        lease: Duration::from_secs(1),
        max_attempts: u32::MAX,
    };
    engine.pass(100);
    while let Some(job) = engine.store.claim_job(&request).await.unwrap() {
        engine.store.complete_job(&job.fence).await.unwrap();
    }
}

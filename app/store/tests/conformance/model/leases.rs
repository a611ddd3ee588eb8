//! Target leases: at most one who may write to a target, and never again who lost it.

use std::collections::BTreeMap;
use std::time::Duration;

use landfall_core::lease::LeaseProof;
use landfall_store::{Acquired, ClaimJob, Store};
use proptest::prelude::*;

use super::histories;
use crate::engine::Engine;
use crate::given::{LEASE, lease_request, production, run_id, run_job};

const HISTORIES: usize = 24;
const TARGETS: [&str; 3] = ["a", "b", "c"];

#[derive(Debug, Clone, Copy)]
enum Op {
    /// These of the targets, as bits, for a run of its own.
    Acquire(u8),
    Pass(u64),
    /// The operation on all leases of the n-th last who got some, good or lost.
    Renew(usize),
    Check(usize),
    Release(usize),
}

fn op() -> impl Strategy<Value = Op> {
    let nth = 0..4_usize;
    prop_oneof![
        5 => (1..8_u8).prop_map(Op::Acquire),
        2 => (1..40_u64).prop_map(Op::Pass),
        2 => nth.clone().prop_map(Op::Renew),
        2 => nth.clone().prop_map(Op::Check),
        2 => nth.prop_map(Op::Release),
    ]
}

#[derive(Debug, Clone, Copy)]
struct Held {
    by: usize,
    until: u64,
}

/// Who holds which target, and until when, in seconds.
#[derive(Debug, Default)]
struct Model {
    now: u64,
    held: BTreeMap<&'static str, Held>,
}

impl Model {
    fn is_held(&self, target: &str) -> bool {
        self.held.get(target).is_some_and(|held| held.until > self.now)
    }

    fn acquire(&mut self, targets: &[&'static str], by: usize) -> bool {
        if targets.iter().any(|target| self.is_held(target)) {
            return false;
        }
        let until = self.now + LEASE.as_secs();
        self.held.extend(targets.iter().map(|target| (*target, Held { by, until })));
        true
    }

    fn is_good(&self, target: &str, by: usize) -> bool {
        self.held.get(target).is_some_and(|held| held.by == by && held.until > self.now)
    }

    fn renew(&mut self, targets: &[&'static str], by: usize) -> bool {
        let good = targets.iter().all(|target| self.is_good(target, by));
        if good {
            let until = self.now + LEASE.as_secs();
            self.held.extend(targets.iter().map(|target| (*target, Held { by, until })));
        }
        good
    }

    fn release(&mut self, by: usize) {
        self.held.retain(|_, held| held.by != by);
    }
}

/// The leases that were given out, in order.
type Given = Vec<(Vec<&'static str>, Vec<LeaseProof>)>;

async fn told(store: &dyn Store, model: &mut Model, given: &mut Given, op: Op) {
    let (Op::Renew(nth) | Op::Check(nth) | Op::Release(nth)) = op else { return };
    let Some(by) = given.len().checked_sub(nth + 1) else { return };
    let (targets, leases) = &given[by];
    match op {
        Op::Renew(_) => {
            let renewed = store.renew_leases(leases, LEASE).await.is_ok();
            assert_eq!(renewed, model.renew(targets, by), "{op:?} of {by}");
        }
        Op::Check(_) => {
            for (target, lease) in targets.iter().zip(leases) {
                let good = store.check_lease(lease).await.is_ok();
                assert_eq!(good, model.is_good(target, by), "{target} of {by}");
            }
        }
        _ => {
            store.release_leases(leases).await.unwrap();
            model.release(by);
        }
    }
}

pub(crate) async fn leases_behave_like_the_model(engine: &Engine) {
    let store = &*engine.store;
    store.enqueue(&[run_job(&production())]).await.unwrap();
    let forever = Duration::from_hours(24 * 365);
    let claim = ClaimJob { worker: "model".to_owned(), lease: forever, max_attempts: 1 };
    let fence = store.claim_job(&claim).await.unwrap().unwrap().fence;
    for history in histories(op(), HISTORIES) {
        let (mut model, mut given) = (Model::default(), Given::new());
        for op in history {
            match op {
                Op::Acquire(bits) => {
                    let wanted = TARGETS.iter().zip(0..).filter(|(_, bit)| bits & (1 << bit) != 0);
                    let targets: Vec<&'static str> = wanted.map(|(target, _)| *target).collect();
                    let request = lease_request(run_id(given.len() as u128), &targets);
                    let acquired = store.acquire_leases(&fence, &request).await.unwrap();
                    let free = model.acquire(&targets, given.len());
                    assert_eq!(matches!(acquired, Acquired::Held(_)), free, "{op:?}");
                    match acquired {
                        Acquired::Held(leases) => given.push((targets, leases)),
                        Acquired::Busy { target, .. } => assert!(model.is_held(&target.id)),
                    }
                }
                Op::Pass(seconds) => {
                    engine.pass(seconds);
                    model.now += seconds;
                }
                other => told(store, &mut model, &mut given, other).await,
            }
        }
        // The next history begins with none held.
        engine.pass(LEASE.as_secs());
    }
}

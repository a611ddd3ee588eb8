//! Deliveries: each handled once, however often it comes and whoever dies meanwhile.

use std::collections::BTreeMap;

use landfall_store::{Consequences, DeliveryId, Inserted, Retry, Store};
use proptest::prelude::*;
use uuid::Uuid;

use super::histories;
use crate::engine::Engine;
use crate::given::LEASE;
use crate::inbox::delivery;

const HISTORIES: usize = 24;

#[derive(Debug, Clone, Copy)]
enum Op {
    Arrive(u8),
    Claim(u32),
    Finish(u8),
    Retry(u8),
    Fail(u8),
    Pass(u64),
}

fn op() -> impl Strategy<Value = Op> {
    let which = 0..5_u8;
    prop_oneof![
        4 => which.clone().prop_map(Op::Arrive),
        4 => (1..4_u32).prop_map(Op::Claim),
        3 => which.clone().prop_map(Op::Finish),
        1 => which.clone().prop_map(Op::Retry),
        1 => which.prop_map(Op::Fail),
        2 => (1..40_u64).prop_map(Op::Pass),
    ]
}

/// Where a delivery stands. Times in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// To be claimed from then on.
    Pending(u64),
    Processed,
    Failed,
}

/// The deliveries by the order in which they came.
#[derive(Debug, Default)]
struct Model {
    now: u64,
    arrived: Vec<u8>,
    states: BTreeMap<u8, State>,
}

impl Model {
    fn arrive(&mut self, which: u8) -> Inserted {
        match self.states.get(&which) {
            None => {
                self.arrived.push(which);
                self.states.insert(which, State::Pending(self.now));
                Inserted::New
            }
            Some(State::Failed) => {
                self.states.insert(which, State::Pending(self.now));
                Inserted::Known { processed: false }
            }
            Some(state) => Inserted::Known { processed: *state == State::Processed },
        }
    }

    fn claim(&mut self, limit: u32) -> Vec<u8> {
        let now = self.now;
        let free = |which: &&u8| matches!(self.states[which], State::Pending(at) if at <= now);
        let limit = usize::try_from(limit).expect("a few");
        let claimed: Vec<u8> = self.arrived.iter().filter(free).take(limit).copied().collect();
        let held = State::Pending(now + LEASE.as_secs());
        self.states.extend(claimed.iter().map(|which| (*which, held)));
        claimed
    }

    /// What becomes of one that is to be handled. One that was handled stays so, and one that failed
    /// for good is tried again only when it comes again.
    fn end(&mut self, which: u8, state: State) {
        match (self.states.get_mut(&which), state) {
            (None | Some(State::Processed), _) | (Some(State::Failed), State::Pending(_)) => {}
            (Some(known), state) => *known = state,
        }
    }
}

fn id(history: usize, which: u8) -> u128 {
    history as u128 * 1_000 + u128::from(which)
}

async fn told(engine: &Engine, model: &mut Model, history: usize, op: Op) {
    let store: &dyn Store = &*engine.store;
    let name = |which| DeliveryId(Uuid::from_u128(id(history, which)));
    match op {
        Op::Arrive(which) => {
            let inserted = store.insert_delivery(&delivery(id(history, which), "push")).await;
            assert_eq!(inserted.unwrap(), model.arrive(which), "{op:?}");
        }
        Op::Claim(limit) => {
            let claimed = store.claim_deliveries(limit, LEASE).await.unwrap();
            let claimed: Vec<u128> =
                claimed.iter().map(|claimed| claimed.delivery.id.0.as_u128()).collect();
            let wanted: Vec<u128> =
                model.claim(limit).into_iter().map(|which| id(history, which)).collect();
            assert_eq!(claimed, wanted, "{op:?}");
        }
        Op::Pass(seconds) => {
            engine.pass(seconds);
            model.now += seconds;
        }
        Op::Finish(which) | Op::Retry(which) | Op::Fail(which)
            if !model.states.contains_key(&which) => {}
        Op::Finish(which) => {
            store.finish_delivery(name(which), &Consequences::default()).await.unwrap();
            model.end(which, State::Processed);
        }
        Op::Retry(which) => {
            let at = engine.later(10).await;
            store.fail_delivery(name(which), "no", Retry::At(at)).await.unwrap();
            model.end(which, State::Pending(model.now + 10));
        }
        Op::Fail(which) => {
            store.fail_delivery(name(which), "no", Retry::Never).await.unwrap();
            model.end(which, State::Failed);
        }
    }
}

pub(crate) async fn deliveries_behave_like_the_model(engine: &Engine) {
    for (number, history) in histories(op(), HISTORIES).enumerate() {
        let mut model = Model::default();
        for op in history {
            told(engine, &mut model, number, op).await;
        }
        // The next history begins with none that is to be handled.
        engine.pass(100);
        while let [first, ..] = engine.store.claim_deliveries(9, LEASE).await.unwrap().as_slice() {
            let id = first.delivery.id;
            engine.store.finish_delivery(id, &Consequences::default()).await.unwrap();
            engine.pass(LEASE.as_secs());
        }
    }
}

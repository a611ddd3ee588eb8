//! Target leases: all or none, with an epoch that only grows.

use landfall_core::lease::LeaseProof;
use landfall_store::{Acquired, StoreError};

use crate::engine::Engine;
use crate::given::{LEASE, fence, lease_request, leases, run_id, target};

fn lost(result: &Result<(), StoreError>, id: &str) -> bool {
    matches!(result, Err(StoreError::LeaseLost(lost)) if *lost == target(id))
}

pub(crate) async fn all_or_none_are_taken(engine: &Engine) {
    let store = &*engine.store;
    let fence = fence(store).await;
    let held = leases(store, &fence, run_id(1), &["b"]).await;
    let busy =
        store.acquire_leases(&fence, &lease_request(run_id(2), &["a", "b", "c"])).await.unwrap();
    let until = engine.later(30).await;
    assert_eq!(busy, Acquired::Busy { target: target("b"), holder: run_id(1), until });
    let others = leases(store, &fence, run_id(3), &["c", "a"]).await;
    assert_eq!(
        others.iter().map(LeaseProof::target).collect::<Vec<_>>(),
        [&target("a"), &target("c")]
    );
    store.release_leases(&held).await.unwrap();
    leases(store, &fence, run_id(2), &["b"]).await;
}

pub(crate) async fn of_two_who_ask_at_once_one_gets_them(engine: &Engine) {
    let fence = fence(&*engine.store).await;
    let ask = |number| {
        let store = engine.store.clone();
        tokio::spawn(async move {
            store.acquire_leases(&fence, &lease_request(run_id(number), &["a", "b"])).await.unwrap()
        })
    };
    let asked = [ask(1), ask(2), ask(3)];
    let mut held = 0;
    for answer in asked {
        held += usize::from(matches!(answer.await.unwrap(), Acquired::Held(_)));
    }
    assert_eq!(held, 1);
}

pub(crate) async fn an_epoch_never_goes_back(engine: &Engine) {
    let store = &*engine.store;
    let mut latest = 0;
    for round in 0..4 {
        let fence = fence(store).await;
        let lease = leases(store, &fence, run_id(round), &["a"]).await.remove(0);
        assert!(lease.epoch() > latest);
        latest = lease.epoch();
        if round % 2 == 0 {
            store.release_leases(&[lease]).await.unwrap();
        }
        store.complete_job(&fence).await.unwrap();
        engine.pass(30);
    }
}

pub(crate) async fn a_lost_lease_is_neither_good_nor_renewed(engine: &Engine) {
    let store = &*engine.store;
    let held = leases(store, &fence(store).await, run_id(1), &["a"]).await;
    engine.pass(29);
    store.check_lease(&held[0]).await.unwrap();
    store.renew_leases(&held, LEASE).await.unwrap();
    engine.pass(29);
    store.check_lease(&held[0]).await.unwrap();
    engine.pass(1);
    assert!(lost(&store.check_lease(&held[0]).await, "a"));
    assert!(lost(&store.renew_leases(&held, LEASE).await, "a"));
    let job = crate::given::claim(store).await.expect("the job's claim has expired too");
    let next = leases(store, &job.fence, run_id(2), &["a"]).await;
    assert!(lost(&store.check_lease(&held[0]).await, "a"));
    store.release_leases(&held).await.unwrap();
    store.check_lease(&next[0]).await.expect("who lost a lease cannot take it from the next");
}

pub(crate) async fn renewing_is_all_or_nothing(engine: &Engine) {
    let store = &*engine.store;
    let held = leases(store, &fence(store).await, run_id(1), &["a", "b"]).await;
    store.release_leases(&held[1..]).await.unwrap();
    engine.pass(29);
    assert!(lost(&store.renew_leases(&held, LEASE).await, "b"));
    engine.pass(1);
    assert!(lost(&store.check_lease(&held[0]).await, "a"), "it was not renewed either");
}

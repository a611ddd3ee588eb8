//! Deliveries: on disk once, handled once, kept long enough to be known again.

use std::time::Duration;

use landfall_core::name::PullNumber;
use landfall_store::{
    Consequences, DeliveryId, Inserted, JobKey, NewDelivery, Purge, Retry, Store, StoreError,
};
use uuid::Uuid;

use crate::engine::Engine;
use crate::given::{ACME, HOMELAB, LEASE, claim, plan_job};

const DAY: u64 = 24 * 60 * 60;
const AFTER_A_DAY: Purge =
    Purge { bodies_after: Duration::from_secs(DAY), ids_after: Duration::from_secs(DAY) };

pub(crate) fn delivery(number: u128, event: &str) -> NewDelivery {
    NewDelivery {
        id: DeliveryId(Uuid::from_u128(number)),
        event: event.to_owned(),
        action: Some("opened".to_owned()),
        installation: Some(ACME),
        repository: Some(HOMELAB),
        body: br#"{"action":"opened"}"#.to_vec(),
        received_at: "2026-01-05T09:00:00Z".parse().unwrap(),
    }
}

async fn claimed(store: &dyn Store) -> Vec<u128> {
    let claimed = store.claim_deliveries(10, LEASE).await.unwrap();
    claimed.iter().map(|claimed| claimed.delivery.id.0.as_u128()).collect()
}

pub(crate) async fn a_delivery_is_new_once(engine: &Engine) {
    let store = &*engine.store;
    let delivery = delivery(1, "pull_request");
    assert_eq!(store.insert_delivery(&delivery).await.unwrap(), Inserted::New);
    assert_eq!(
        store.insert_delivery(&delivery).await.unwrap(),
        Inserted::Known { processed: false }
    );
    let claimed = store.claim_deliveries(10, LEASE).await.unwrap();
    assert_eq!(claimed.len(), 1);
    assert_eq!((&claimed[0].delivery, claimed[0].attempt), (&delivery, 1));
    store.finish_delivery(delivery.id, &Consequences::default()).await.unwrap();
    assert_eq!(
        store.insert_delivery(&delivery).await.unwrap(),
        Inserted::Known { processed: true }
    );
    assert_eq!(store.pending_deliveries().await.unwrap(), 0);
}

pub(crate) async fn deliveries_are_claimed_in_the_order_in_which_they_came(engine: &Engine) {
    let store = &*engine.store;
    for number in [3, 1, 2] {
        store.insert_delivery(&delivery(number, "push")).await.unwrap();
    }
    assert_eq!(claimed(store).await, [3, 1, 2]);
    assert!(claimed(store).await.is_empty(), "they are claimed");
    engine.pass(30);
    let again = store.claim_deliveries(2, LEASE).await.unwrap();
    assert_eq!(again.iter().map(|claimed| claimed.attempt).collect::<Vec<_>>(), [2, 2]);
}

pub(crate) async fn consequences_are_written_once(engine: &Engine) {
    let store = &*engine.store;
    let delivery = delivery(1, "pull_request");
    store.insert_delivery(&delivery).await.unwrap();
    let follow = |pull| Consequences { jobs: vec![plan_job(pull)], ..Default::default() };
    store.finish_delivery(delivery.id, &follow(7)).await.unwrap();
    store.finish_delivery(delivery.id, &follow(8)).await.unwrap();
    let job = claim(store).await.unwrap();
    assert_eq!(job.key, JobKey::Plan { repository: HOMELAB, pull: PullNumber(7) });
    assert_eq!(claim(store).await, None);
    let missing = store.finish_delivery(DeliveryId(Uuid::from_u128(9)), &follow(9)).await;
    assert!(matches!(missing, Err(StoreError::Missing(_))), "{missing:?}");
}

pub(crate) async fn a_failed_delivery_is_handled_when_it_comes_again(engine: &Engine) {
    let store = &*engine.store;
    let delivery = delivery(1, "pull_request");
    store.insert_delivery(&delivery).await.unwrap();
    claimed(store).await;
    store.fail_delivery(delivery.id, "the payload has no number", Retry::Never).await.unwrap();
    engine.pass(2 * DAY);
    assert!(claimed(store).await.is_empty());
    assert_eq!(store.purge_deliveries(AFTER_A_DAY).await.unwrap(), 1, "its body goes");
    assert_eq!(
        store.insert_delivery(&delivery).await.unwrap(),
        Inserted::Known { processed: false }
    );
    let again = store.claim_deliveries(10, LEASE).await.unwrap();
    assert_eq!(again.len(), 1);
    assert_eq!((&again[0].delivery, again[0].attempt), (&delivery, 1), "and comes again");
}

pub(crate) async fn a_retry_waits_for_its_time(engine: &Engine) {
    let store = &*engine.store;
    let delivery = delivery(1, "pull_request");
    store.insert_delivery(&delivery).await.unwrap();
    claimed(store).await;
    let at = engine.later(60).await;
    store.fail_delivery(delivery.id, "GitHub does not answer", Retry::At(at)).await.unwrap();
    engine.pass(59);
    assert!(claimed(store).await.is_empty());
    engine.pass(1);
    assert_eq!(claimed(store).await, [1]);
}

pub(crate) async fn purging_spares_ids_and_whatever_is_pending(engine: &Engine) {
    let store = &*engine.store;
    for number in [1, 2] {
        store.insert_delivery(&delivery(number, "push")).await.unwrap();
    }
    store.finish_delivery(DeliveryId(Uuid::from_u128(1)), &Consequences::default()).await.unwrap();
    engine.pass(2 * DAY);
    assert_eq!(
        store.purge_deliveries(AFTER_A_DAY).await.unwrap(),
        1,
        "one body goes, and no id before seven days"
    );
    let known = store.insert_delivery(&delivery(1, "push")).await.unwrap();
    assert_eq!(known, Inserted::Known { processed: true });
    engine.pass(6 * DAY);
    assert_eq!(store.purge_deliveries(AFTER_A_DAY).await.unwrap(), 1, "the id goes");
    assert_eq!(claimed(store).await, [2], "what is pending stays, whatever its age");
}

pub(crate) async fn what_was_accepted_is_there_after_a_restart(engine: &Engine) {
    engine.store.insert_delivery(&delivery(1, "push")).await.unwrap();
    let store = engine.reopen().await;
    assert_eq!(claimed(&*store).await, [1]);
    store.ready().await.unwrap();
}

//! Missed deliveries: noted once, fetched when it is their turn, the same as those that come.

use jiff::Timestamp;
use landfall_store::{
    Consequences, DeliveryId, Inserted, LogRead, LoggedDelivery, Retry, Store, StoreError,
};
use uuid::Uuid;

use crate::engine::Engine;
use crate::given::{ACME, HOMELAB, LEASE, claim, fence};
use crate::inbox::delivery;

fn logged(number: u128, attempt: u64) -> LoggedDelivery {
    LoggedDelivery {
        id: DeliveryId(Uuid::from_u128(number)),
        attempt,
        redelivery: false,
        event: "pull_request".to_owned(),
        action: Some("opened".to_owned()),
        installation: Some(ACME),
        repository: Some(HOMELAB),
    }
}

fn read_to(second: i64) -> LogRead {
    LogRead { after: 100, to: Timestamp::from_second(second).unwrap() }
}

/// The numbers of what is missed, in the order in which it is to be fetched.
async fn missed(store: &dyn Store) -> Vec<u128> {
    let missed = store.missed_deliveries(10).await.unwrap();
    missed.iter().map(|missed| missed.logged.id.0.as_u128()).collect()
}

pub(crate) async fn what_lacks_is_noted_with_how_far_was_read(engine: &Engine) {
    let store = &*engine.store;
    let fence = fence(store).await;
    assert_eq!(store.log_read().await.unwrap(), None, "nothing was read");
    store.insert_delivery(&delivery(2, "pull_request")).await.unwrap();

    let found = [logged(3, 103), logged(2, 102), logged(1, 101)];
    assert_eq!(store.note_missed(&fence, &found, read_to(60)).await.unwrap(), 2);
    assert_eq!(missed(store).await, [3, 1], "in this order, and what came lacks not");
    assert_eq!(store.missed_deliveries(10).await.unwrap()[0].logged, found[0]);
    assert_eq!(store.backlog().await.unwrap().deliveries, 3);
    assert_eq!(store.log_read().await.unwrap(), Some(read_to(60)));

    let other = LogRead { after: 7, ..read_to(59) };
    assert_eq!(store.note_missed(&fence, &found, other).await.unwrap(), 0, "it is known");
    assert_eq!(store.log_read().await.unwrap(), Some(read_to(60)), "no end goes back");
}

pub(crate) async fn nothing_is_noted_by_a_stale_worker(engine: &Engine) {
    let store = &*engine.store;
    let fence = fence(store).await;
    engine.pass(30);
    let noted = store.note_missed(&fence, &[logged(1, 101)], read_to(60)).await;
    assert!(matches!(noted, Err(StoreError::StaleEpoch)), "{noted:?}");
    assert!(missed(store).await.is_empty());
    assert_eq!(store.log_read().await.unwrap(), None);
}

pub(crate) async fn one_that_was_fetched_is_handled_like_any_other(engine: &Engine) {
    let store = &*engine.store;
    let fence = fence(store).await;
    store.note_missed(&fence, &[logged(1, 101)], read_to(60)).await.unwrap();
    assert!(store.claim_deliveries(10, LEASE).await.unwrap().is_empty(), "it has no body yet");

    let fetched = delivery(1, "pull_request");
    assert_eq!(store.insert_delivery(&fetched).await.unwrap(), Inserted::New);
    assert!(missed(store).await.is_empty());
    let came = store.insert_delivery(&fetched).await.unwrap();
    assert_eq!(came, Inserted::Known { processed: false }, "it came by itself after all");
    let claimed = store.claim_deliveries(10, LEASE).await.unwrap();
    assert_eq!((claimed.len(), claimed[0].attempt), (1, 1));
    assert_eq!(claimed[0].delivery.body, fetched.body);
    store.finish_delivery(fetched.id, &Consequences::default()).await.unwrap();
    let again = LoggedDelivery { redelivery: true, ..logged(1, 102) };
    assert_eq!(store.note_missed(&fence, &[again], read_to(61)).await.unwrap(), 0, "it is done");
    assert!(store.backlog().await.unwrap().deliveries == 0);
}

pub(crate) async fn one_that_cannot_be_fetched_holds_up_no_other(engine: &Engine) {
    let store = &*engine.store;
    let fence = fence(store).await;
    store.note_missed(&fence, &[logged(1, 101), logged(2, 102)], read_to(60)).await.unwrap();
    let id = DeliveryId(Uuid::from_u128(1));
    let at = engine.later(10).await;
    store.fail_delivery(id, "GitHub does not answer", Retry::At(at)).await.unwrap();
    assert_eq!(missed(store).await, [2, 1]);
    let waiting = &store.missed_deliveries(10).await.unwrap()[1];
    assert_eq!((waiting.failures, waiting.ready_at), (1, at));
    assert!(store.claim_deliveries(10, LEASE).await.unwrap().is_empty());

    store.fail_delivery(id, "GitHub has it no more", Retry::Never).await.unwrap();
    assert_eq!(missed(store).await, [2]);
    let known = store.note_missed(&fence, &[logged(1, 101)], read_to(60)).await.unwrap();
    assert_eq!(known, 0, "it is not tried again by itself");
}

pub(crate) async fn one_that_failed_is_missed_again_once_somebody_has_it_redelivered(
    engine: &Engine,
) {
    let store = &*engine.store;
    let fence = fence(store).await;
    store.insert_delivery(&delivery(1, "pull_request")).await.unwrap();
    store.claim_deliveries(10, LEASE).await.unwrap();
    let id = DeliveryId(Uuid::from_u128(1));
    store.fail_delivery(id, "no", Retry::Never).await.unwrap();
    let note = async |found: LoggedDelivery| {
        store.note_missed(&fence, &[found], read_to(60)).await.unwrap()
    };
    assert_eq!(note(logged(1, 101)).await, 0);
    let redelivered = LoggedDelivery { redelivery: true, ..logged(1, 105) };
    assert_eq!(note(redelivered.clone()).await, 1);
    assert_eq!(missed(store).await, [1]);
    store.fail_delivery(id, "no", Retry::Never).await.unwrap();
    assert_eq!(note(redelivered).await, 0, "that attempt was heard of");
    assert!(claim(store).await.is_none());
}

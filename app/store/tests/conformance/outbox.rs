//! The outbox: the newest body, one at a time, and no doubt about what was accepted.

use std::time::Duration;

use landfall_core::name::{InstallationId, RepositoryId};
use landfall_store::{
    Addressee, ClaimedItem, Item, ItemKey, ItemKind, Pace, Store, StoreError, Turn,
};
use serde_json::json;

use crate::engine::Engine;
use crate::given::{ACME, HOMELAB, LEASE, fence};

fn item(kind: ItemKind, subject: &str, body: &str) -> Item {
    let key =
        ItemKey { installation: ACME, repository: HOMELAB, kind, subject: subject.to_owned() };
    Item { key, body: json!(body), priority: 1 }
}

fn comment(body: &str) -> Item {
    item(ItemKind::Comment, "pull/7", body)
}

async fn next(store: &dyn Store) -> Option<ClaimedItem> {
    store.claim_item(Addressee::GitHub, LEASE).await.unwrap()
}

fn says(claimed: &ClaimedItem) -> &str {
    claimed.item.body.as_str().unwrap()
}

pub(crate) async fn the_newest_body_wins(engine: &Engine) {
    let store = &*engine.store;
    let fence = fence(store).await;
    store.put(&fence, &comment("one")).await.unwrap();
    store.put(&fence, &comment("two")).await.unwrap();
    let claimed = next(store).await.unwrap();
    assert_eq!((&claimed.item, claimed.attempt, claimed.uncertain), (&comment("two"), 1, false));
    assert!(claimed.external.is_empty());
    store.item_done(&claimed.claim, &[11, 12]).await.unwrap();
    assert_eq!(next(store).await, None);
    assert_eq!(store.external_ids(&comment("").key).await.unwrap(), [11, 12]);
    let newest = store.item_body(&comment("").key).await.unwrap();
    assert!(newest.is_some());
}

pub(crate) async fn items_are_found_by_the_beginning_of_their_subject(engine: &Engine) {
    let store = &*engine.store;
    let fence = fence(store).await;
    let check = |subject| item(ItemKind::Check, subject, subject);
    let elsewhere = Item {
        key: ItemKey { repository: RepositoryId(4711), ..check("check/a/1").key },
        ..check("check/a/elsewhere")
    };
    for other in ["check/a/2", "check/a/1", "check/a", "check/ab/1", "check/b/1"] {
        store.put(&fence, &check(other)).await.unwrap();
    }
    store.put(&fence, &elsewhere).await.unwrap();
    store.put(&fence, &item(ItemKind::Comment, "check/a/3", "a comment")).await.unwrap();
    let found = store.items_under(HOMELAB, ItemKind::Check, "check/a/").await.unwrap();
    assert_eq!(found, [json!("check/a/1"), json!("check/a/2")]);
    let none = store.items_under(HOMELAB, ItemKind::Check, "check/%").await.unwrap();
    assert!(none.is_empty());
}

pub(crate) async fn a_body_put_while_publishing_is_published_after(engine: &Engine) {
    let store = &*engine.store;
    let fence = fence(store).await;
    store.put(&fence, &comment("one")).await.unwrap();
    let first = next(store).await.unwrap();
    store.put(&fence, &comment("two")).await.unwrap();
    assert_eq!(next(store).await, None, "one at a time");
    store.item_done(&first.claim, &[11]).await.unwrap();
    let second = next(store).await.unwrap();
    assert_eq!((says(&second), second.external.as_slice()), ("two", [11].as_slice()));
    store.item_done(&second.claim, &[11]).await.unwrap();
    assert_eq!(next(store).await, None);
}

pub(crate) async fn the_same_body_is_published_once(engine: &Engine) {
    let store = &*engine.store;
    let fence = fence(store).await;
    store.put(&fence, &comment("one")).await.unwrap();
    let claimed = next(store).await.unwrap();
    store.put(&fence, &comment("one")).await.unwrap();
    store.item_done(&claimed.claim, &[11]).await.unwrap();
    store.put(&fence, &comment("one")).await.unwrap();
    assert_eq!(next(store).await, None);
}

pub(crate) async fn one_item_per_installation_is_in_flight_and_comments_go_first(engine: &Engine) {
    let store = &*engine.store;
    let fence = fence(store).await;
    let urgent = Item { priority: 0, ..item(ItemKind::Check, "check/b", "urgent") };
    for item in [&item(ItemKind::Check, "check/a", "check"), &comment("comment"), &urgent] {
        store.put(&fence, item).await.unwrap();
    }
    let mut order = Vec::new();
    while let Some(claimed) = next(store).await {
        assert_eq!(next(store).await, None);
        order.push(says(&claimed).to_owned());
        store.item_done(&claimed.claim, &[1]).await.unwrap();
    }
    assert_eq!(order, ["urgent", "comment", "check"]);
}

pub(crate) async fn an_expired_claim_makes_an_item_uncertain(engine: &Engine) {
    let store = &*engine.store;
    let fence = fence(store).await;
    store.put(&fence, &comment("one")).await.unwrap();
    let first = next(store).await.unwrap();
    engine.pass(30);
    let second = next(store).await.unwrap();
    assert_eq!((second.attempt, second.uncertain), (2, true));
    assert!(matches!(store.item_done(&first.claim, &[11]).await, Err(StoreError::StaleEpoch)));
    assert!(matches!(store.note_external(&first.claim, &[11]).await, Err(StoreError::StaleEpoch)));
    store.retry_item(&second.claim, engine.later(60).await, "503").await.unwrap();
    engine.pass(59);
    assert_eq!(next(store).await, None);
    engine.pass(1);
    let third = next(store).await.unwrap();
    assert!(third.uncertain, "that one attempt was refused says nothing about the one before");
    store.item_done(&third.claim, &[11]).await.unwrap();
    store.distrust_items().await.unwrap();
    let fence = crate::given::claim(store).await.unwrap().fence;
    store.put(&fence, &comment("two")).await.unwrap();
    assert!(next(store).await.unwrap().uncertain, "after a restore nothing is certain");
}

pub(crate) async fn ids_noted_on_the_way_are_kept(engine: &Engine) {
    let store = &*engine.store;
    let fence = fence(store).await;
    store.put(&fence, &comment("two parts")).await.unwrap();
    let first = next(store).await.unwrap();
    store.note_external(&first.claim, &[11]).await.unwrap();
    let at = engine.later(0).await;
    store.retry_uncertain_item(&first.claim, at, "the connection was cut").await.unwrap();
    let second = next(store).await.unwrap();
    assert_eq!((second.external.as_slice(), second.uncertain), ([11].as_slice(), true));
}

pub(crate) async fn a_dropped_version_is_not_tried_again_and_a_new_body_is(engine: &Engine) {
    let store = &*engine.store;
    let fence = fence(store).await;
    store.put(&fence, &comment("one")).await.unwrap();
    let claimed = next(store).await.unwrap();
    store.drop_item(&claimed.claim, "the pull request is gone").await.unwrap();
    assert_eq!(next(store).await, None);
    store.put(&fence, &comment("one")).await.unwrap();
    assert_eq!(next(store).await.unwrap().attempt, 1, "it was never published, so it is new");
}

pub(crate) async fn a_parked_version_waits_for_its_repository_and_a_new_body_does_not(
    engine: &Engine,
) {
    let store = &*engine.store;
    let fence = fence(store).await;
    let there = comment("").key.repository;
    let park = async || {
        let claimed = next(store).await.unwrap();
        store.park_item(&claimed.claim, "suspended").await.unwrap();
        assert_eq!(next(store).await, None);
    };
    store.put(&fence, &comment("one")).await.unwrap();
    park().await;
    store.unpark_items(InstallationId(9), RepositoryId(there.0 + 1)).await.unwrap();
    assert_eq!(next(store).await, None, "another repository");
    store.unpark_items(InstallationId(9), there).await.unwrap();
    let again = next(store).await.unwrap();
    assert_eq!((says(&again), again.attempt), ("one", 1));
    assert_eq!(again.item.key.installation, InstallationId(9), "it came back as another");
    store.park_item(&again.claim, "suspended").await.unwrap();

    store.put(&fence, &comment("two")).await.unwrap();
    let newer = next(store).await.unwrap();
    assert_eq!(says(&newer), "two");
    store.put(&fence, &comment("three")).await.unwrap();
    store.park_item(&newer.claim, "suspended").await.unwrap();
    let newest = next(store).await.unwrap();
    assert_eq!(says(&newest), "three", "nobody refused that");
    store.item_done(&newest.claim, &[1]).await.unwrap();
    store.unpark_items(InstallationId(1), there).await.unwrap();
    assert_eq!(next(store).await, None);
}

pub(crate) async fn a_flood_of_one_installation_starves_no_other(engine: &Engine) {
    let store = &*engine.store;
    let fence = fence(store).await;
    for number in 0..10 {
        store
            .put(&fence, &item(ItemKind::Comment, &format!("pull/{number}"), "flood"))
            .await
            .unwrap();
    }
    let mut quiet = item(ItemKind::Comment, "pull/100", "quiet");
    quiet.key.installation = InstallationId(2);
    store.put(&fence, &quiet).await.unwrap();
    let first = next(store).await.unwrap();
    store.item_done(&first.claim, &[1]).await.unwrap();
    assert_eq!((says(&first), says(&next(store).await.unwrap())), ("flood", "quiet"));
}

pub(crate) async fn of_two_who_amend_a_body_neither_is_lost(engine: &Engine) {
    let store = &*engine.store;
    let fence = fence(store).await;
    let key = comment("").key;
    store.amend(&fence, &key, &|_| panic!("there is nothing to amend")).await.unwrap();
    store.put(&fence, &Item { body: json!({}), ..comment("") }).await.unwrap();
    let first = next(store).await.unwrap();
    store.item_done(&first.claim, &[11]).await.unwrap();
    let add = async |name: &'static str| {
        store.amend(&fence, &key, &move |body| body[name] = json!(true)).await.unwrap();
    };
    tokio::join!(add("staging"), add("production"));
    let amended = next(store).await.unwrap();
    assert_eq!(amended.item.body, json!({ "staging": true, "production": true }));
    store.item_done(&amended.claim, &[11]).await.unwrap();
    store.amend(&fence, &key, &|_| ()).await.unwrap();
    assert_eq!(next(store).await, None, "the same body is nothing new");
}

pub(crate) async fn of_two_who_have_a_part_in_a_body_neither_is_lost(engine: &Engine) {
    let store = &*engine.store;
    let fence = fence(store).await;
    let key = comment("").key;
    store.put_with(&fence, &key, 1, &|newest| newest).await.unwrap();
    assert_eq!(store.item_body(&key).await.unwrap(), None, "nothing was made of nothing");
    let add = async |name: &'static str| {
        let compose = move |newest: Option<serde_json::Value>| {
            let mut body = newest.unwrap_or_else(|| json!({}));
            body[name] = json!(true);
            Some(body)
        };
        store.put_with(&fence, &key, 1, &compose).await.unwrap();
    };
    tokio::join!(add("staging"), add("production"));
    let composed = next(store).await.unwrap();
    assert_eq!(composed.item.body, json!({ "staging": true, "production": true }));
    store.item_done(&composed.claim, &[11]).await.unwrap();
    store.put_with(&fence, &key, 1, &|_| None).await.unwrap();
    assert_eq!(next(store).await, None, "it stays as it is");
}

/// A burst of two, then one every fifteen seconds.
const PACE: [Pace; 1] = [Pace::at_most(8, Duration::from_secs(90))];

pub(crate) async fn what_has_to_wait_for_its_pace_has_not_failed_and_a_comment_goes_first(
    engine: &Engine,
) {
    let store = &*engine.store;
    let fence = fence(store).await;
    for number in 1..=3 {
        let check = item(ItemKind::Check, &format!("check/{number}"), "check");
        store.put(&fence, &check).await.unwrap();
    }
    for _ in 0..2 {
        let check = next(store).await.unwrap();
        assert_eq!(store.spend(&check.claim, 1, &PACE).await.unwrap(), Turn::Now);
        store.item_done(&check.claim, &[1]).await.unwrap();
    }
    assert_eq!(next(store).await, None, "the lane is closed for whatever comes next");
    assert_eq!(store.next_item_at(Addressee::GitHub).await.unwrap(), Some(engine.later(15).await));
    store.put(&fence, &comment("in two parts")).await.unwrap();
    engine.pass(15);
    let waits = next(store).await.unwrap();
    assert_eq!(says(&waits), "in two parts");
    let due = engine.later(15).await;
    assert_eq!(store.spend(&waits.claim, 2, &PACE).await.unwrap(), Turn::Later(due));
    assert_eq!(next(store).await, None, "the check takes nothing from what the comment waits for");
    engine.pass(15);
    let first = next(store).await.unwrap();
    assert_eq!((says(&first), first.attempt, first.uncertain), ("in two parts", 1, false));
    assert_eq!(store.spend(&first.claim, 2, &PACE).await.unwrap(), Turn::Now);
    store.item_done(&first.claim, &[11, 12]).await.unwrap();
    engine.pass(15);
    assert_eq!(says(&next(store).await.unwrap()), "check");
}

pub(crate) async fn silence_holds_for_all_of_an_installation_and_for_no_other(engine: &Engine) {
    let store = &*engine.store;
    let fence = fence(store).await;
    store.put(&fence, &comment("one")).await.unwrap();
    store.put(&fence, &item(ItemKind::Check, "check/a", "check")).await.unwrap();
    let told = next(store).await.unwrap();
    let until = engine.later(60).await;
    store.close_lane(&told.claim, until, "retry-after").await.unwrap();
    let stale = store.spend(&told.claim, 1, &PACE).await;
    assert!(matches!(stale, Err(StoreError::StaleEpoch)));
    let mut other = comment("other");
    other.key.installation = InstallationId(2);
    "pull/8".clone_into(&mut other.key.subject);
    store.put(&fence, &other).await.unwrap();
    let elsewhere = next(store).await.unwrap();
    assert_eq!(says(&elsewhere), "other");
    store.item_done(&elsewhere.claim, &[12]).await.unwrap();
    assert_eq!(next(store).await, None);
    engine.pass(59);
    assert_eq!(next(store).await, None);
    engine.pass(1);
    let again = next(store).await.unwrap();
    assert_eq!((says(&again), again.attempt, again.uncertain), ("one", 1, false));
}

pub(crate) async fn who_is_notified_has_a_lane_of_their_own(engine: &Engine) {
    let store = &*engine.store;
    let fence = fence(store).await;
    store.put(&fence, &comment("one")).await.unwrap();
    for target in ["chat", "pager"] {
        let message = item(ItemKind::Notification, &format!("run/1/held/{target}"), target);
        store.put(&fence, &message).await.unwrap();
    }
    let told = next(store).await.unwrap();
    let notified = async || store.claim_item(Addressee::Notified, LEASE).await.unwrap();
    let message = notified().await.unwrap();
    assert_eq!((says(&told), says(&message)), ("one", "chat"));
    assert_eq!((next(store).await, notified().await), (None, None), "one at a time in each");
    store.close_lane(&told.claim, engine.later(60).await, "retry-after").await.unwrap();
    store.item_done(&message.claim, &[1]).await.unwrap();
    assert_eq!(says(&notified().await.unwrap()), "pager", "GitHub's silence is GitHub's alone");
}

pub(crate) async fn it_is_known_when_to_look_again(engine: &Engine) {
    let store = &*engine.store;
    let fence = fence(store).await;
    let next_at = async || store.next_item_at(Addressee::GitHub).await.unwrap();
    assert_eq!(next_at().await, None);
    store.put(&fence, &comment("one")).await.unwrap();
    assert_eq!(next_at().await, Some(engine.later(0).await));
    store.put(&fence, &item(ItemKind::Check, "check/a", "check")).await.unwrap();
    let claimed = next(store).await.unwrap();
    assert_eq!(next_at().await, Some(engine.later(30).await), "when the claim may have expired");
    let at = engine.later(600).await;
    store.retry_item(&claimed.claim, at, "502").await.unwrap();
    let check = next(store).await.unwrap();
    store.item_done(&check.claim, &[1]).await.unwrap();
    assert_eq!(next_at().await, Some(at));
    assert_eq!(store.next_item_at(Addressee::Notified).await.unwrap(), None);
}

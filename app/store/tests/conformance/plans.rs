//! Plans are found by what they are for, and count from when people could read them.

use std::collections::BTreeSet;

use landfall_core::command::DigestPrefix;
use landfall_core::name::PullNumber;
use landfall_core::plan::Change;
use landfall_store::{NewPlan, PlanScope, Published, StoredPlan};

use crate::engine::Engine;
use crate::given::{HOMELAB, commit, fence, new_plan, production, staging};

fn scope() -> PlanScope {
    PlanScope { repository: HOMELAB, pull: PullNumber(7), environment: production() }
}

fn numbers(plans: &[StoredPlan]) -> Vec<u128> {
    plans.iter().map(|stored| stored.plan.id.0.as_u128()).collect()
}

pub(crate) async fn a_plan_is_found_by_what_it_is_for(engine: &Engine) {
    let store = &*engine.store;
    let fence = fence(store).await;
    let older = new_plan(1, Some(7), &["nas"]);
    let newer =
        NewPlan { head: commit('d'), provisional: true, ..new_plan(2, Some(7), &["nas", "tv"]) };
    let stored = store.insert_plan(&fence, &older).await.unwrap();
    assert_eq!(stored.digest, older.plan.digest());
    assert_eq!(stored.changes, older.plan.changes().map(Change::digest).collect::<BTreeSet<_>>());
    store.insert_plan(&fence, &newer).await.unwrap();
    store.insert_plan(&fence, &new_plan(3, Some(8), &["nas"])).await.unwrap();
    store.insert_plan(&fence, &new_plan(4, None, &["nas"])).await.unwrap();
    assert_eq!(
        store.plan(older.id).await.unwrap(),
        Some(stored.clone()),
        "it reads back as written"
    );
    assert_eq!(store.latest_plan(&scope()).await.unwrap().unwrap().plan, newer);
    let elsewhere = PlanScope { environment: staging(), ..scope() };
    assert_eq!(store.latest_plan(&elsewhere).await.unwrap(), None);
    let for_head = store.plans_for_head(HOMELAB, PullNumber(7), &commit('a')).await.unwrap();
    assert_eq!(for_head, [stored]);
}

pub(crate) async fn a_plan_is_found_by_the_beginning_of_its_digest(engine: &Engine) {
    let store = &*engine.store;
    let fence = fence(store).await;
    let (one, other) = (new_plan(1, Some(7), &["nas"]), new_plan(2, Some(7), &["tv"]));
    for plan in [&one, &other, &new_plan(3, None, &["nas"])] {
        store.insert_plan(&fence, plan).await.unwrap();
    }
    let whole = one.plan.digest().to_string();
    for digits in [&whole[..8], &whole[..20], &whole] {
        let prefix = DigestPrefix::new(digits).unwrap();
        let found = store.plans_by_digest(HOMELAB, &production(), &prefix).await.unwrap();
        assert_eq!(numbers(&found), [1, 3], "{digits}");
    }
    let prefix = DigestPrefix::new("00000000").unwrap();
    assert!(store.plans_by_digest(HOMELAB, &production(), &prefix).await.unwrap().is_empty());
}

pub(crate) async fn the_first_publication_counts(engine: &Engine) {
    let store = &*engine.store;
    let fence = fence(store).await;
    let (read, unread) = (new_plan(1, Some(7), &["nas"]), new_plan(2, Some(7), &["tv"]));
    store.insert_plan(&fence, &read).await.unwrap();
    store.insert_plan(&fence, &unread).await.unwrap();
    let (first, second) = (engine.later(10).await, engine.later(20).await);
    store.mark_published(read.id, Published { at: first, subject: 11 }).await.unwrap();
    store.mark_published(read.id, Published { at: second, subject: 12 }).await.unwrap();
    let published = store.plan(read.id).await.unwrap().unwrap().published;
    assert_eq!(published, Some(Published { at: first, subject: 11 }));
    assert!(store.published_digests(&scope(), first).await.unwrap().is_empty(), "before, not at");
    let digests = store.published_digests(&scope(), second).await.unwrap();
    assert_eq!(digests, BTreeSet::from([read.plan.digest()]));
}

pub(crate) async fn discarded_plans_are_found_by_nobody(engine: &Engine) {
    let store = &*engine.store;
    let fence = fence(store).await;
    let plan = new_plan(1, Some(7), &["nas"]);
    store.insert_plan(&fence, &plan).await.unwrap();
    store
        .mark_published(plan.id, Published { at: engine.later(0).await, subject: 11 })
        .await
        .unwrap();
    let other = new_plan(2, Some(8), &["tv"]);
    store.insert_plan(&fence, &other).await.unwrap();
    store.discard_plans(&fence, HOMELAB, PullNumber(7)).await.unwrap();
    assert!(store.plan(other.id).await.unwrap().is_some(), "it is of another pull request");
    let prefix = DigestPrefix::new(&plan.plan.digest().to_string()).unwrap();
    assert_eq!(store.plan(plan.id).await.unwrap(), None);
    assert_eq!(store.latest_plan(&scope()).await.unwrap(), None);
    assert!(store.plans_for_head(HOMELAB, PullNumber(7), &commit('a')).await.unwrap().is_empty());
    assert!(store.plans_by_digest(HOMELAB, &production(), &prefix).await.unwrap().is_empty());
    assert!(store.published_digests(&scope(), engine.later(60).await).await.unwrap().is_empty());
}

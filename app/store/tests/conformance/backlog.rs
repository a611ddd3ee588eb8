//! The backlog: nothing that is under way or waits for its time is taken for done.

use landfall_store::{
    Addressee, BACKGROUND, Backlog, Consequences, Item, ItemKey, ItemKind, JobKey, NewJob,
};
use serde_json::json;

use crate::engine::Engine;
use crate::given::{ACME, HOMELAB, LEASE, claim, plan_job};
use crate::inbox::delivery;

pub(crate) async fn it_counts_what_is_not_done_in_every_queue(engine: &Engine) {
    let store = &*engine.store;
    assert!(store.backlog().await.unwrap().is_empty());

    let one = delivery(1, "pull_request");
    store.insert_delivery(&one).await.unwrap();
    store.claim_deliveries(10, LEASE).await.unwrap();
    let waiting = Backlog { deliveries: 1, ..Backlog::default() };
    assert_eq!(store.backlog().await.unwrap(), waiting, "claimed is not handled");

    let consequences = Consequences { jobs: vec![plan_job(7)], ..Consequences::default() };
    store.finish_delivery(one.id, &consequences).await.unwrap();
    assert_eq!(store.backlog().await.unwrap(), Backlog { jobs: 1, ..Backlog::default() });

    let fence = claim(store).await.unwrap().fence;
    let subject = "pull/7".to_owned();
    let key = ItemKey { installation: ACME, repository: HOMELAB, kind: ItemKind::Comment, subject };
    store.put(&fence, &Item { key, body: json!("plan"), priority: 0 }).await.unwrap();
    let working = Backlog { jobs: 1, items: 1, ..Backlog::default() };
    assert_eq!(store.backlog().await.unwrap(), working);

    store.complete_job(&fence).await.unwrap();
    let item = store.claim_item(Addressee::GitHub, LEASE).await.unwrap().unwrap();
    assert_eq!(store.backlog().await.unwrap(), Backlog { items: 1, ..Backlog::default() });
    store.item_done(&item.claim, &[11]).await.unwrap();
    assert!(store.backlog().await.unwrap().is_empty());
}

pub(crate) async fn what_comes_by_itself_disturbs_no_quiet(engine: &Engine) {
    let store = &*engine.store;
    let sweep = NewJob { key: JobKey::Deliveries, installation: BACKGROUND, run_at: None };
    store.enqueue(&[sweep]).await.unwrap();
    let backlog = store.backlog().await.unwrap();
    assert_eq!(backlog, Backlog { jobs: 1, background: 1, ..Backlog::default() });
    assert!(backlog.is_quiet() && !backlog.is_empty());

    store.enqueue(&[plan_job(7)]).await.unwrap();
    assert!(!store.backlog().await.unwrap().is_quiet());
}

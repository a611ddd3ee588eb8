//! State: one owner per resource, found in one query.

use std::collections::{BTreeMap, BTreeSet};

use landfall_core::name::EnvironmentName;
use landfall_core::plan::{Action, Change, Outcome, UnitHash};
use landfall_store::{Fence, NewRun, RunId, Step, Store, StoreError};

use crate::engine::Engine;
use crate::given::{
    HOMELAB, OTHER, change, commit, digest, effect, fence, ids, leases, new_run, production,
    running, staging, unit,
};

/// Applies changes of one run, as the bot does: lease, intent, result.
pub(crate) async fn apply(
    store: &dyn Store,
    fence: &Fence,
    run: RunId,
    changes: Vec<Change>,
) -> Result<Step, StoreError> {
    let held = leases(store, fence, run, &["zone"]).await;
    let ids = ids(&changes);
    let finished = match store.intend(fence, &held[0], run, &effect(changes)).await {
        Ok(step) => store.finish_step(fence, step, &Outcome::Done(ids)).await,
        Err(refused) => Err(refused),
    };
    store.release_leases(&held).await.unwrap();
    finished
}

fn create(environment: &EnvironmentName, service: &str, name: &str) -> Change {
    change(environment, service, Action::Create, name)
}

pub(crate) async fn a_resource_has_one_owner_everywhere(engine: &Engine) {
    let store = &*engine.store;
    let fence = fence(store).await;
    let run = running(store, &fence, &new_run(1, commit('a'))).await;
    apply(store, &fence, run, vec![create(&production(), "nas", "nas")]).await.unwrap();
    let abroad = NewRun { repository: OTHER, ..new_run(2, commit('a')) };
    let abroad = running(store, &fence, &abroad).await;
    let beside = NewRun { environment: staging(), ..new_run(3, commit('a')) };
    let beside = running(store, &fence, &beside).await;
    for (run, change) in [
        (run, create(&production(), "tv", "nas")),
        (abroad, create(&production(), "nas", "nas")),
        (beside, create(&staging(), "nas", "nas")),
        (abroad, change(&production(), "nas", Action::Delete, "nas")),
    ] {
        match apply(store, &fence, run, vec![change]).await {
            Err(StoreError::OwnedElsewhere { key, owner }) => {
                assert_eq!((key.name.as_str(), owner.repository), ("nas", HOMELAB));
                assert_eq!(owner.unit, unit(&production(), "nas"));
            }
            other => panic!("{other:?}"),
        }
    }
    let key = create(&production(), "nas", "nas").key;
    assert_eq!(store.owned_resource(&key).await.unwrap().unwrap().run, run);
}

pub(crate) async fn ownership_is_found_by_key_unit_and_environment(engine: &Engine) {
    let store = &*engine.store;
    let fence = fence(store).await;
    let run = running(store, &fence, &new_run(1, commit('a'))).await;
    let changes = vec![create(&production(), "nas", "nas"), create(&production(), "tv", "tv")];
    let keys: BTreeSet<_> = changes.iter().map(|change| change.key.clone()).collect();
    apply(store, &fence, run, changes).await.unwrap();
    let unknown = create(&production(), "nas", "it's \"odd\" [0]").key;
    let asked = keys.iter().cloned().chain([unknown]).collect();
    let owned = store.owned(&asked).await.unwrap();
    assert_eq!(
        owned.keys().cloned().collect::<BTreeSet<_>>(),
        keys,
        "what nobody owns is left out"
    );
    assert_eq!(owned.values().next().unwrap().ids, ["id of nas"]);
    assert_eq!(store.owned_in(HOMELAB, &production()).await.unwrap(), owned);
    assert!(store.owned_in(HOMELAB, &staging()).await.unwrap().is_empty());
    let of_tv =
        store.owned_by(HOMELAB, &BTreeSet::from([unit(&production(), "tv")])).await.unwrap();
    assert_eq!(of_tv.keys().map(|key| key.name.as_str()).collect::<Vec<_>>(), ["tv"]);
}

pub(crate) async fn ten_thousand_units_read_back(engine: &Engine) {
    let store = &*engine.store;
    let fence = fence(store).await;
    let hash = |text: &str| UnitHash::from(digest(text));
    let services = (0..10_000).map(|number| format!("service-{number}"));
    let mut units: BTreeMap<_, _> =
        services.map(|service| (unit(&production(), &service), Some(hash(&service)))).collect();
    store.record_units(&fence, HOMELAB, &units).await.unwrap();
    let gone = unit(&production(), "service-7");
    store.record_units(&fence, HOMELAB, &BTreeMap::from([(gone.clone(), None)])).await.unwrap();
    units.remove(&gone);
    let found = store.unit_hashes(HOMELAB, &production()).await.unwrap();
    assert_eq!(found, units);
    assert!(store.unit_hashes(HOMELAB, &staging()).await.unwrap().is_empty());
}

pub(crate) async fn a_unit_is_as_no_hash_says_once_a_step_for_it_begins(engine: &Engine) {
    let store = &*engine.store;
    let fence = fence(store).await;
    let run = running(store, &fence, &new_run(1, commit('a'))).await;
    let lease = leases(store, &fence, run, &["zone"]).await.remove(0);
    let (known, new) = (unit(&production(), "nas"), unit(&production(), "tv"));
    let hash = UnitHash::from(digest("nas"));
    store
        .record_units(&fence, HOMELAB, &BTreeMap::from([(known.clone(), Some(hash.clone()))]))
        .await
        .unwrap();
    let renamed = Change {
        from: Some(known.clone()),
        ..change(&production(), "tv", Action::Transfer, "nas.lan")
    };
    store.intend(&fence, &lease, run, &effect(vec![renamed])).await.unwrap();
    let begun = store.unit_hashes(HOMELAB, &production()).await.unwrap();
    assert_eq!(begun, BTreeMap::from([(known.clone(), None), (new, None)]));
    store
        .record_units(&fence, HOMELAB, &BTreeMap::from([(known.clone(), Some(hash))]))
        .await
        .unwrap();
    let whole = store.unit_hashes(HOMELAB, &production()).await.unwrap();
    assert!(whole[&known].is_some());
}

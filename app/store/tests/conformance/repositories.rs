//! Repositories and environments remember what was noted.

use landfall_core::name::InstallationId;
use landfall_store::{Consequences, Fence, KnownHeads, PushedHead, Repository, Store};

use crate::engine::Engine;
use crate::given::{ACME, HOMELAB, OTHER, commit, fence, production, staging};
use crate::inbox::delivery;

pub(crate) async fn a_rename_keeps_the_row(engine: &Engine) {
    let store = &*engine.store;
    let before = Repository {
        id: HOMELAB,
        name: "acme/homelab".parse().unwrap(),
        installation: ACME,
        default_branch: "main".parse().unwrap(),
        active: true,
    };
    let after = Repository { name: "acme/lab".parse().unwrap(), active: false, ..before.clone() };
    let other = Repository { id: OTHER, installation: InstallationId(2), ..before.clone() };
    for repository in [&before, &other, &after] {
        store.upsert_repository(repository).await.unwrap();
    }
    assert_eq!(store.repository(HOMELAB).await.unwrap(), Some(after.clone()));
    assert_eq!(store.repositories_of(ACME).await.unwrap(), [after]);
    assert_eq!(store.active_repositories().await.unwrap(), [other]);
}

pub(crate) async fn an_environment_remembers(engine: &Engine) {
    let store = &*engine.store;
    let fence = fence(store).await;
    assert_eq!(store.environment(HOMELAB, &production()).await.unwrap(), None);
    let first = store.now().await.unwrap();
    store.bootstrap(&fence, HOMELAB, &production()).await.unwrap();
    engine.pass(5);
    store.bootstrap(&fence, HOMELAB, &production()).await.unwrap();
    store.follow_branch(&fence, HOMELAB, &production(), &"main".parse().unwrap()).await.unwrap();
    offers_are_settled_by_following(store, &fence).await;
    let known = store.environment(HOMELAB, &production()).await.unwrap().unwrap();
    assert_eq!(known.bootstrapped_at, Some(first), "the first time stays");
    assert_eq!(known.branch, Some("main".parse().unwrap()));
    store.follow_branch(&fence, HOMELAB, &staging(), &"develop".parse().unwrap()).await.unwrap();
    let names: Vec<_> = store
        .environments(HOMELAB)
        .await
        .unwrap()
        .into_iter()
        .map(|environment| environment.name)
        .collect();
    assert_eq!(names, [production(), staging()]);
}

async fn offers_are_settled_by_following(store: &dyn Store, fence: &Fence) {
    let offered = async |branch: &str| {
        let branch = branch.parse().unwrap();
        store.offer_branch(fence, HOMELAB, &production(), &branch).await.unwrap();
        store.environment(HOMELAB, &production()).await.unwrap().unwrap().offered
    };
    assert_eq!(offered("main").await, None, "it follows main already");
    assert_eq!(offered("release").await, Some("release".parse().unwrap()));
    store.follow_branch(fence, HOMELAB, &production(), &"main".parse().unwrap()).await.unwrap();
    let settled = store.environment(HOMELAB, &production()).await.unwrap().unwrap();
    assert_eq!(settled.offered, None);
}

pub(crate) async fn a_pushed_head_is_the_last_that_was_announced(engine: &Engine) {
    let store = &*engine.store;
    let main = "main".parse().unwrap();
    let announce = async |number: u128, head: Option<char>| {
        let delivery = delivery(number, "push");
        store.insert_delivery(&delivery).await.unwrap();
        let pushed = PushedHead {
            repository: HOMELAB,
            branch: "main".parse().unwrap(),
            head: head.map(commit),
        };
        let consequences = Consequences { heads: vec![pushed], ..Consequences::default() };
        store.finish_delivery(delivery.id, &consequences).await.unwrap();
        store.pushed_head(HOMELAB, &main).await.unwrap()
    };
    assert_eq!(store.pushed_head(HOMELAB, &main).await.unwrap(), None);
    assert_eq!(announce(1, Some('a')).await, Some(commit('a')));
    assert_eq!(announce(2, Some('b')).await, Some(commit('b')));
    assert_eq!(announce(3, None).await, None, "it was deleted");
}

pub(crate) async fn a_comparison_is_remembered_with_the_heads_that_it_found(engine: &Engine) {
    let store = &*engine.store;
    let repository = Repository {
        id: HOMELAB,
        name: "acme/homelab".parse().unwrap(),
        installation: ACME,
        default_branch: "main".parse().unwrap(),
        active: true,
    };
    store.upsert_repository(&repository).await.unwrap();
    assert_eq!(store.known_heads(HOMELAB).await.unwrap(), KnownHeads::default());
    let fence = fence(store).await;
    let head = |branch: &str, head: Option<char>| PushedHead {
        repository: HOMELAB,
        branch: branch.parse().unwrap(),
        head: head.map(commit),
    };
    let found = [head("main", Some('a')), head("develop", Some('b'))];
    store.note_heads(&fence, HOMELAB, &found).await.unwrap();
    store.note_heads(&fence, HOMELAB, &[head("develop", None)]).await.unwrap();
    store.upsert_repository(&repository).await.unwrap();
    let heads = [("main".parse().unwrap(), commit('a'))].into();
    let known = KnownHeads { compared: true, heads };
    assert_eq!(store.known_heads(HOMELAB).await.unwrap(), known);
    assert_eq!(store.known_heads(OTHER).await.unwrap(), KnownHeads::default());
}

//! Locks: one on each environment, and no run begins under it.

use landfall_core::name::{EnvironmentName, PullNumber};
use landfall_core::plan::Plan;
use landfall_core::report::Waiting;
use landfall_store::{CommandId, CommandSource, Created, Lock, NewRun, RunState, StoreError};

use crate::engine::Engine;
use crate::given::{
    HOMELAB, OCTOCAT, OTHER, commit, fence, new_run, production, run_id, running, staging,
};

fn lock(environment: EnvironmentName, reason: &str) -> Lock {
    Lock {
        repository: HOMELAB,
        environment,
        command: CommandId { source: CommandSource::Comment(100), index: 1 },
        pull: PullNumber(7),
        by: OCTOCAT,
        login: "octocat".to_owned(),
        reason: reason.to_owned(),
        at: "2026-01-05T09:00:00Z".parse().unwrap(),
    }
}

pub(crate) async fn the_first_lock_stays_until_it_is_taken_off(engine: &Engine) {
    let store = &*engine.store;
    let fence = fence(store).await;
    let (first, second) = (lock(production(), "the disk"), lock(production(), "the moon"));
    let made = store.lock_environment(&fence, &first).await.unwrap();
    assert_eq!(made, Created::New(first.clone()));
    let found = store.lock_environment(&fence, &second).await.unwrap();
    assert_eq!(found, Created::Existing(first.clone()));
    store.lock_environment(&fence, &lock(staging(), "")).await.unwrap();
    assert_eq!(store.locks(HOMELAB).await.unwrap(), [first.clone(), lock(staging(), "")]);
    assert_eq!(store.locks(OTHER).await.unwrap(), []);
    assert_eq!(store.lock_on(HOMELAB, &production()).await.unwrap(), Some(first.clone()));
    let off = store.unlock_environment(&fence, HOMELAB, &production()).await.unwrap();
    assert_eq!(off, Some(first));
    let off = store.unlock_environment(&fence, HOMELAB, &production()).await.unwrap();
    assert_eq!(off, None);
    assert_eq!(store.lock_on(HOMELAB, &production()).await.unwrap(), None);
}

pub(crate) async fn no_run_begins_under_a_lock_and_none_is_stopped_by_it(engine: &Engine) {
    let store = &*engine.store;
    let fence = fence(store).await;
    let busy = running(store, &fence, &new_run(1, commit('a'))).await;
    for (number, letter) in [(2, 'b'), (3, 'c')] {
        store.insert_or_get_run(&fence, &new_run(number, commit(letter))).await.unwrap();
    }
    let plan = Plan::empty(production());
    store.hold_run(&fence, run_id(3), &Waiting::Bootstrap, &plan).await.unwrap();
    store.lock_environment(&fence, &lock(production(), "")).await.unwrap();
    for waiting in [run_id(2), run_id(3)] {
        let begun = store.advance_run(&fence, waiting, RunState::Running, "").await;
        assert!(matches!(begun, Err(StoreError::Locked(_))), "{begun:?}");
    }
    let elsewhere = NewRun { environment: staging(), ..new_run(4, commit('d')) };
    running(store, &fence, &elsewhere).await;
    store.advance_run(&fence, busy, RunState::Succeeded, "").await.unwrap();
    store.advance_run(&fence, run_id(2), RunState::Cancelled, "").await.unwrap();
    store.unlock_environment(&fence, HOMELAB, &production()).await.unwrap();
    store.advance_run(&fence, run_id(3), RunState::Running, "").await.unwrap();
}

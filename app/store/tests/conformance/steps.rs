//! Steps: an intent before, a result after, ownership with the result.

use std::collections::{BTreeMap, BTreeSet};

use landfall_core::lease::LeaseProof;
use landfall_core::plan::{Action, Change, Landed, Outcome};
use landfall_store::{
    Fence, NewRun, ProofQuery, ReadBack, RunId, RunState, StepId, StepState, Store, StoreError,
    Unresolved,
};

use crate::engine::Engine;
use crate::given::{
    HOMELAB, OTHER, change, commit, effect, fence, ids, leases, new_run, production, run_id,
    running, staging, target, unit,
};
use crate::resources::apply;

/// A running run that holds the lease of the zone.
async fn begin(store: &dyn Store) -> (Fence, RunId, LeaseProof) {
    let fence = fence(store).await;
    let run = running(store, &fence, &new_run(1, commit('a'))).await;
    let lease = leases(store, &fence, run, &["zone"]).await.remove(0);
    (fence, run, lease)
}

fn production_change(action: Action, name: &str) -> Change {
    change(&production(), "nas", action, name)
}

async fn owned_names(store: &dyn Store) -> Vec<String> {
    store.owned_in(HOMELAB, &production()).await.unwrap().into_keys().map(|key| key.name).collect()
}

async fn proven(store: &dyn Store, changes: &[Change], since: jiff::Timestamp) -> usize {
    let digests = changes.iter().map(Change::digest).collect();
    let query = ProofQuery { repository: HOMELAB, environment: production(), digests, since };
    store.proven(&query).await.unwrap().done.len()
}

pub(crate) async fn an_intent_needs_a_running_run_and_the_lease_of_its_target(engine: &Engine) {
    let store = &*engine.store;
    let (fence, run, lease) = begin(store).await;
    let wanted = effect(vec![production_change(Action::Create, "nas")]);
    store.insert_or_get_run(&fence, &new_run(2, commit('b'))).await.unwrap();
    let queued = store.intend(&fence, &lease, run_id(2), &wanted).await;
    assert!(
        matches!(queued, Err(StoreError::IllegalTransition { from: RunState::Queued, .. })),
        "{queued:?}"
    );
    let other = leases(store, &fence, run, &["other zone"]).await.remove(0);
    let refused = store.intend(&fence, &other, run, &wanted).await;
    assert!(matches!(refused, Err(StoreError::LeaseLost(_))), "{refused:?}");
    for index in 0..2 {
        assert_eq!(
            store.intend(&fence, &lease, run, &wanted).await.unwrap(),
            StepId { run, index }
        );
    }
    let step = store.steps(run).await.unwrap().remove(0);
    assert_eq!(
        (step.state, &step.effect, step.lease_epoch),
        (StepState::Intent, &wanted, Some(lease.epoch()))
    );
    store.release_leases(std::slice::from_ref(&lease)).await.unwrap();
    let refused = store.intend(&fence, &lease, run, &wanted).await;
    assert!(matches!(refused, Err(StoreError::LeaseLost(_))), "{refused:?}");
}

pub(crate) async fn an_intent_of_which_nothing_was_sent_leaves_no_trace(engine: &Engine) {
    let store = &*engine.store;
    let (fence, run, lease) = begin(store).await;
    let wanted = effect(vec![production_change(Action::Create, "nas")]);
    let first = store.intend(&fence, &lease, run, &wanted).await.unwrap();
    store.withdraw_step(&fence, first).await.unwrap();
    assert_eq!(store.steps(run).await.unwrap(), []);
    let here = Unresolved::In(HOMELAB, production());
    assert_eq!(store.unresolved_steps(&here).await.unwrap(), []);

    let second = store.intend(&fence, &lease, run, &wanted).await.unwrap();
    let done = Outcome::Done(ids(&wanted.changes));
    store.finish_step(&fence, second, &done).await.unwrap();
    let sent = store.withdraw_step(&fence, second).await;
    assert!(matches!(sent, Err(StoreError::StepEnded(_))), "{sent:?}");
    assert_eq!(store.steps(run).await.unwrap().len(), 1);
}

pub(crate) async fn a_result_is_final(engine: &Engine) {
    let store = &*engine.store;
    let (fence, run, lease) = begin(store).await;
    let wanted = effect(vec![production_change(Action::Create, "nas")]);
    let outcomes = [
        (Outcome::Done(ids(&wanted.changes)), StepState::Done, ""),
        (Outcome::Failed("HTTP 403".to_owned()), StepState::Failed, "HTTP 403"),
        (Outcome::Moved("it is 192.0.2.9".to_owned()), StepState::Moved, "it is 192.0.2.9"),
        (Outcome::Unknown("HTTP 502".to_owned()), StepState::Unknown, "HTTP 502"),
    ];
    for (outcome, state, message) in outcomes {
        let step = store.intend(&fence, &lease, run, &wanted).await.unwrap();
        let finished = store.finish_step(&fence, step, &outcome).await.unwrap();
        assert_eq!((finished.state, finished.message.as_str()), (state, message));
        assert_eq!(finished.ended_at.is_none(), state.is_unresolved());
        let again = store.finish_step(&fence, step, &Outcome::Failed(String::new())).await;
        assert!(matches!(again, Err(StoreError::StepEnded(_))), "{again:?}");
    }
    let unresolved = store.unresolved_steps(&Unresolved::In(HOMELAB, production())).await.unwrap();
    assert_eq!(unresolved.iter().map(|step| step.state).collect::<Vec<_>>(), [StepState::Unknown]);
}

pub(crate) async fn a_result_and_its_ownership_are_one(engine: &Engine) {
    let store = &*engine.store;
    let (fence, run, lease) = begin(store).await;
    let abroad =
        running(store, &fence, &NewRun { repository: OTHER, ..new_run(2, commit('a')) }).await;
    let changes =
        vec![production_change(Action::Create, "nas"), production_change(Action::Create, "tv")];
    let since = store.now().await.unwrap();
    let step = store.intend(&fence, &lease, run, &effect(changes.clone())).await.unwrap();
    let adopted = effect(vec![production_change(Action::Adopt, "tv")]);
    store.settle(&fence, abroad, &adopted).await.unwrap();
    let refused = store.finish_step(&fence, step, &Outcome::Done(ids(&changes))).await;
    assert!(matches!(refused, Err(StoreError::OwnedElsewhere { .. })), "{refused:?}");
    let refused = store.intend(&fence, &lease, run, &effect(changes.clone())).await;
    assert!(
        matches!(refused, Err(StoreError::OwnedElsewhere { .. })),
        "nothing is sent: {refused:?}"
    );
    assert!(owned_names(store).await.is_empty(), "not even the change that had no owner");
    assert_eq!(proven(store, &changes, since).await, 0);
    assert_eq!(
        store.steps(run).await.unwrap()[0].state,
        StepState::Intent,
        "and the step has no result"
    );
}

pub(crate) async fn every_action_leaves_the_right_owner(engine: &Engine) {
    let store = &*engine.store;
    let fence = fence(store).await;
    let run = running(store, &fence, &new_run(1, commit('a'))).await;
    let names = ["updated", "replaced", "deleted", "moved", "forgotten", "released"];
    let first: Vec<_> = names.iter().map(|name| production_change(Action::Create, name)).collect();
    apply(store, &fence, run, first).await.unwrap();
    let moved = Change {
        from: Some(unit(&production(), "nas")),
        ..change(&production(), "tv", Action::Transfer, "moved")
    };
    let updated =
        Change { after: Some("new".into()), ..production_change(Action::Update, "updated") };
    let second = vec![
        updated.clone(),
        production_change(Action::Replace, "replaced"),
        production_change(Action::Delete, "deleted"),
        moved.clone(),
        production_change(Action::Forget, "forgotten"),
        production_change(Action::Release, "released"),
        production_change(Action::Adopt, "adopted"),
    ];
    apply(store, &fence, run, second).await.unwrap();
    let owned = store.owned_in(HOMELAB, &production()).await.unwrap();
    let names: Vec<&str> = owned.keys().map(|key| key.name.as_str()).collect();
    assert_eq!(names, ["adopted", "moved", "replaced", "updated"]);
    assert_eq!(owned[&updated.key].value, "new");
    assert_eq!(owned[&moved.key].owner.unit, unit(&production(), "tv"));
}

pub(crate) async fn an_unknown_step_is_resolved_change_by_change(engine: &Engine) {
    let store = &*engine.store;
    let (fence, run, lease) = begin(store).await;
    let changes: Vec<_> =
        ["after", "before", "partly"].map(|name| production_change(Action::Create, name)).into();
    let step = store.intend(&fence, &lease, run, &effect(changes.clone())).await.unwrap();
    store.finish_step(&fence, step, &Outcome::Unknown("HTTP 502".to_owned())).await.unwrap();
    let found = ReadBack {
        landed: vec![Landed::After, Landed::Before, Landed::Partly],
        ids: ids(&changes),
        message: "1 of 3 is in place".to_owned(),
    };
    let since = store.now().await.unwrap();
    let resolved = store.resolve_step(&fence, step, &found).await.unwrap();
    assert_eq!(
        (resolved.state, resolved.message.as_str()),
        (StepState::Failed, "1 of 3 is in place")
    );
    assert_eq!(
        owned_names(store).await,
        ["after", "partly"],
        "what is there in part is ours to finish"
    );
    assert_eq!(proven(store, &changes, since).await, 1);
    assert!(matches!(
        store.resolve_step(&fence, step, &found).await,
        Err(StoreError::StepEnded(_))
    ));
    let cut_off = store.intend(&fence, &lease, run, &effect(changes[..1].to_vec())).await.unwrap();
    let found =
        ReadBack { landed: vec![Landed::After], ids: ids(&changes), message: String::new() };
    let resolved = store.resolve_step(&fence, cut_off, &found).await.unwrap();
    assert_eq!(resolved.state, StepState::Done, "an intent without a result is read back as well");
}

pub(crate) async fn something_foreign_stays_unresolved_until_given_up(engine: &Engine) {
    let store = &*engine.store;
    let (fence, run, lease) = begin(store).await;
    let step = store
        .intend(&fence, &lease, run, &effect(vec![production_change(Action::Create, "nas")]))
        .await
        .unwrap();
    let short = ReadBack { landed: Vec::new(), ids: BTreeMap::new(), message: String::new() };
    assert!(store.resolve_step(&fence, step, &short).await.is_err(), "an answer for every change");
    let found = ReadBack {
        landed: vec![Landed::Foreign],
        ids: BTreeMap::new(),
        message: "192.0.2.9".to_owned(),
    };
    assert_eq!(store.resolve_step(&fence, step, &found).await.unwrap().state, StepState::Attention);
    let at = Unresolved::At(target("zone"));
    assert_eq!(store.unresolved_steps(&at).await.unwrap().len(), 1);
    assert!(store.unresolved_steps(&Unresolved::In(HOMELAB, staging())).await.unwrap().is_empty());
    store.advance_run(&fence, run, RunState::NeedsAttention, "").await.unwrap();
    let dropped = store.cancel_run(&fence, run, "octocat looked at it").await.unwrap().unwrap();
    assert_eq!((dropped.state, dropped.stop), (RunState::Cancelled, None));
    assert_eq!(dropped.reason, "octocat looked at it");
    assert!(store.unresolved_steps(&at).await.unwrap().is_empty());
    assert!(owned_names(store).await.is_empty());
}

pub(crate) async fn what_no_provider_is_told_is_settled_at_once(engine: &Engine) {
    let store = &*engine.store;
    let fence = fence(store).await;
    let run = running(store, &fence, &new_run(1, commit('a'))).await;
    let adopted =
        Change { ids: vec!["found".to_owned()], ..production_change(Action::Adopt, "nas") };
    let since = store.now().await.unwrap();
    let step = store.settle(&fence, run, &effect(vec![adopted.clone()])).await.unwrap();
    assert_eq!((step.state, step.lease_epoch), (StepState::Done, None));
    let owned = store.owned(&BTreeSet::from([adopted.key.clone()])).await.unwrap();
    assert_eq!(owned[&adopted.key].ids, ["found"], "the ids are those that planning found");
    assert_eq!(proven(store, &[adopted], since).await, 1);
}

pub(crate) async fn only_what_was_done_since_proves(engine: &Engine) {
    let store = &*engine.store;
    let fence = fence(store).await;
    let run = running(store, &fence, &new_run(1, commit('a'))).await;
    let created = production_change(Action::Create, "nas");
    let since = store.now().await.unwrap();
    apply(store, &fence, run, vec![created.clone()]).await.unwrap();
    assert_eq!(proven(store, std::slice::from_ref(&created), since).await, 1);
    engine.pass(1);
    let later = store.now().await.unwrap();
    assert_eq!(proven(store, &[created, production_change(Action::Create, "tv")], later).await, 0);
}

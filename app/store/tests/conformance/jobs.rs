//! Jobs: one at a time per key, fenced, fair, and given up in the end.

use std::collections::BTreeMap;
use std::time::Duration;

use landfall_core::name::{InstallationId, PullNumber};
use landfall_core::plan::{Action, Outcome, Plan};
use landfall_core::report::Waiting;
use landfall_store::{
    Addressee, Approval, Asked, BACKGROUND, ClaimedJob, CommandId, CommandSource, Fence, Item,
    ItemKey, ItemKind, JobKey, LogRead, Meant, NewJob, PlanMade, ReadBack, Result, Retry, RunState,
    StepId, Store, StoreError, Topic,
};
use serde_json::json;

use crate::allowed;
use crate::engine::Engine;
use crate::given::{
    ACME, HOMELAB, LEASE, OCTOCAT, change, claim, commit, digest, effect, fence, lease_request,
    new_plan, new_run, plan_job, production, run_id, run_job, running,
};

async fn enqueue(store: &dyn Store, jobs: &[NewJob]) {
    store.enqueue(jobs).await.unwrap();
}

fn pull(job: &ClaimedJob) -> u64 {
    match job.key {
        JobKey::Plan { pull, .. } => pull.0,
        _ => panic!("{job:?}"),
    }
}

pub(crate) async fn the_same_work_waits_once(engine: &Engine) {
    let store = &*engine.store;
    enqueue(store, &[plan_job(7), plan_job(8), plan_job(7)]).await;
    assert_eq!(pull(&claim(store).await.unwrap()), 7, "it keeps its place");
    assert_eq!(pull(&claim(store).await.unwrap()), 8);
    assert_eq!(claim(store).await, None);
}

pub(crate) async fn one_job_runs_per_key(engine: &Engine) {
    let store = &*engine.store;
    enqueue(store, &[plan_job(7)]).await;
    let first = claim(store).await.unwrap();
    enqueue(store, &[plan_job(7)]).await;
    assert_eq!(claim(store).await, None, "the key is taken");
    store.complete_job(&first.fence).await.unwrap();
    let second = claim(store).await.unwrap();
    assert_ne!(second.fence, first.fence);
    store.complete_job(&second.fence).await.unwrap();
    assert_eq!(claim(store).await, None);
}

pub(crate) async fn kinds_of_one_key_do_not_share_a_waiting_job(engine: &Engine) {
    let store = &*engine.store;
    enqueue(store, &[plan_job(7), run_job(&production())]).await;
    assert!(claim(store).await.is_some());
    assert!(claim(store).await.is_some());
}

pub(crate) async fn an_expired_claim_is_taken_with_a_new_epoch(engine: &Engine) {
    let store = &*engine.store;
    enqueue(store, &[plan_job(7)]).await;
    let first = claim(store).await.unwrap();
    engine.pass(29);
    assert_eq!(claim(store).await, None);
    engine.pass(1);
    let refused = store.heartbeat(&first.fence, LEASE).await;
    assert!(
        matches!(refused, Err(StoreError::StaleEpoch)),
        "it is too late, though nobody has it: {refused:?}"
    );
    let second = claim(store).await.unwrap();
    assert_eq!((&second.key, second.attempt), (&first.key, 2));
    assert!(matches!(store.complete_job(&first.fence).await, Err(StoreError::StaleEpoch)));
    store.complete_job(&second.fence).await.unwrap();
}

pub(crate) async fn a_heartbeat_holds_the_claim(engine: &Engine) {
    let store = &*engine.store;
    enqueue(store, &[plan_job(7)]).await;
    let job = claim(store).await.unwrap();
    for _ in 0..4 {
        engine.pass(20);
        store.heartbeat(&job.fence, LEASE).await.unwrap();
        assert_eq!(claim(store).await, None);
    }
    store.complete_job(&job.fence).await.unwrap();
}

/// Every operation that takes a fence, so that a new one cannot be forgotten here for long.
async fn writes(store: &dyn Store, fence: &Fence) -> Vec<(&'static str, Result<()>)> {
    let (run, plan) = (new_run(1, commit('a')), new_plan(1, Some(7), &["nas"]));
    let (id, name, branch) = (run.id, production(), "main".parse().unwrap());
    let step = StepId { run: id, index: 0 };
    let approval = Approval {
        digest: digest("plan"),
        by: OCTOCAT,
        login: "octocat".to_owned(),
        at: store.now().await.unwrap(),
    };
    let effect = effect(vec![change(&production(), "nas", Action::Release, "nas")]);
    let found = ReadBack { landed: Vec::new(), ids: BTreeMap::new(), message: String::new() };
    let key = ItemKey {
        installation: ACME,
        repository: HOMELAB,
        kind: ItemKind::Comment,
        subject: "pull/7".to_owned(),
    };
    let item = Item { key, body: json!("a plan"), priority: 0 };
    let command = CommandId { source: CommandSource::Comment(1), index: 0 };
    let read = LogRead { after: 0, to: store.now().await.unwrap() };
    vec![
        ("heartbeat", store.heartbeat(fence, LEASE).await),
        ("complete_job", store.complete_job(fence).await),
        ("fail_job", store.fail_job(fence, "", Retry::Never).await),
        ("park_job", store.park_job(fence, None).await),
        ("note_meant", store.note_meant(fence, command, &Meant::Run(id)).await),
        ("finish_command", store.finish_command(fence, command, "", None).await),
        (
            "acquire_leases",
            store.acquire_leases(fence, &lease_request(id, &["zone"])).await.map(drop),
        ),
        ("note_missed", store.note_missed(fence, &[], read).await.map(drop)),
        ("note_heads", store.note_heads(fence, HOMELAB, &[]).await),
        ("follow_branch", store.follow_branch(fence, HOMELAB, &name, &branch).await),
        ("bootstrap", store.bootstrap(fence, HOMELAB, &name).await),
        ("unlock", store.unlock_environment(fence, HOMELAB, &name).await.map(drop)),
        (
            "allow_head",
            store.allow_head(fence, &allowed::allowed('a', "main"), &allowed::entry()).await,
        ),
        ("insert_plan", store.insert_plan(fence, &plan).await.map(drop)),
        ("discard_plans", store.discard_plans(fence, HOMELAB, PullNumber(7)).await),
        ("insert_or_get_run", store.insert_or_get_run(fence, &run).await.map(drop)),
        ("advance_run", store.advance_run(fence, id, RunState::Running, "").await.map(drop)),
        ("hold_run", store.hold_run(fence, id, &Waiting::Bootstrap, &plan.plan).await.map(drop)),
        ("offer_branch", store.offer_branch(fence, HOMELAB, &name, &branch).await),
        ("retry_run", store.retry_run(fence, id).await.map(drop)),
        ("set_run_plan", store.set_run_plan(fence, id, &Plan::empty(name)).await),
        ("approve_run", store.approve_run(fence, id, &approval).await),
        ("supersede_older_runs", store.supersede_older_runs(fence, id).await.map(drop)),
        (
            "finish_step",
            store.finish_step(fence, step, &Outcome::Failed(String::new())).await.map(drop),
        ),
        ("withdraw_step", store.withdraw_step(fence, step).await),
        ("resolve_step", store.resolve_step(fence, step, &found).await.map(drop)),
        ("end_cut_off_runs", store.end_cut_off_runs(fence, id).await.map(drop)),
        (
            "plan_made",
            store
                .plan_made(
                    fence,
                    HOMELAB,
                    PullNumber(7),
                    &PlanMade { asked: Asked(1), rules: None, stuck: false },
                )
                .await,
        ),
        ("amend", store.amend(fence, &item.key, &|_| ()).await),
        ("put_with", store.put_with(fence, &item.key, 1, &|_| Some(item.body.clone())).await),
        ("settle", store.settle(fence, id, &effect).await.map(drop)),
        ("record_units", store.record_units(fence, HOMELAB, &BTreeMap::new()).await),
        ("put", store.put(fence, &item).await),
    ]
}

pub(crate) async fn every_write_of_a_stale_worker_is_refused(engine: &Engine) {
    let store = &*engine.store;
    let stale = fence(store).await;
    engine.pass(30);
    let current = claim(store).await.unwrap().fence;
    let run = running(store, &current, &new_run(2, commit('b'))).await;
    let leases = crate::given::leases(store, &current, run, &["other"]).await;
    let other =
        landfall_core::plan::Effect { target: crate::given::target("other"), changes: Vec::new() };
    let intent = store.intend(&stale, &leases[0], run, &other).await.map(drop);
    for (name, result) in writes(store, &stale).await.into_iter().chain([("intend", intent)]) {
        assert!(matches!(result, Err(StoreError::StaleEpoch)), "{name}: {result:?}");
    }
    assert_eq!(store.run(run_id(1)).await.unwrap(), None, "nothing of it was kept");
    assert_eq!(store.claim_item(Addressee::GitHub, LEASE).await.unwrap(), None);
    store.complete_job(&current).await.unwrap();
}

pub(crate) async fn a_retry_waits_for_its_time_unless_asked_for_anew(engine: &Engine) {
    let store = &*engine.store;
    enqueue(store, &[plan_job(7)]).await;
    let job = claim(store).await.unwrap();
    let at = engine.later(60).await;
    store.fail_job(&job.fence, "GitHub does not answer", Retry::At(at)).await.unwrap();
    engine.pass(59);
    assert_eq!(claim(store).await, None);
    engine.pass(1);
    let again = claim(store).await.unwrap();
    assert_eq!(again.attempt, 2);
    store
        .fail_job(&again.fence, "GitHub does not answer", Retry::At(engine.later(600).await))
        .await
        .unwrap();
    enqueue(store, &[plan_job(7)]).await;
    assert_eq!(
        claim(store).await.unwrap().attempt,
        1,
        "somebody asked, so it runs at once and counts anew"
    );
}

pub(crate) async fn a_later_request_replaces_a_failed_attempt(engine: &Engine) {
    let store = &*engine.store;
    enqueue(store, &[plan_job(7)]).await;
    let first = claim(store).await.unwrap();
    enqueue(store, &[plan_job(7)]).await;
    store.fail_job(&first.fence, "no", Retry::At(engine.later(60).await)).await.unwrap();
    let second = claim(store).await.unwrap();
    assert_eq!(second.attempt, 1);
    store.complete_job(&second.fence).await.unwrap();
    engine.pass(60);
    assert_eq!(claim(store).await, None);
    assert!(store.given_up().await.unwrap().is_empty());
}

pub(crate) async fn a_job_that_kills_its_worker_is_given_up(engine: &Engine) {
    let store = &*engine.store;
    enqueue(store, &[plan_job(7)]).await;
    for attempt in 1..=3 {
        assert_eq!(claim(store).await.unwrap().attempt, attempt);
        engine.pass(30);
    }
    assert_eq!(claim(store).await, None);
    let given_up = store.given_up().await.unwrap();
    assert_eq!(given_up.len(), 1);
    assert_eq!(given_up[0].key, JobKey::Plan { repository: HOMELAB, pull: PullNumber(7) });
    assert_eq!(
        (given_up[0].attempt, given_up[0].error.as_str()),
        (3, "worker worker-1 never reported back")
    );
    enqueue(store, &[plan_job(7)]).await;
    assert!(claim(store).await.is_some(), "the key is free for who asks again");
    store.forget_given_up(given_up[0].id).await.unwrap();
    assert!(store.given_up().await.unwrap().is_empty());
}

pub(crate) async fn a_parked_attempt_does_not_count(engine: &Engine) {
    let store = &*engine.store;
    enqueue(store, &[plan_job(7)]).await;
    let job = claim(store).await.unwrap();
    store.park_job(&job.fence, None).await.unwrap();
    assert!(matches!(store.heartbeat(&job.fence, LEASE).await, Err(StoreError::StaleEpoch)));
    let again = claim(store).await.unwrap();
    assert_eq!((&again.key, again.attempt), (&job.key, 1));
    assert_ne!(again.fence, job.fence);
}

pub(crate) async fn an_error_with_any_character_in_it_is_kept(engine: &Engine) {
    let store = &*engine.store;
    enqueue(store, &[plan_job(7)]).await;
    let job = claim(store).await.unwrap();
    store.fail_job(&job.fence, "it said \u{0}\u{1}\u{1f600}'", Retry::Never).await.unwrap();
    let error = store.given_up().await.unwrap().remove(0).error;
    assert_eq!(error.replace('\0', "\u{fffd}"), "it said \u{fffd}\u{1}\u{1f600}'");
}

pub(crate) async fn a_flood_of_one_installation_starves_no_other(engine: &Engine) {
    let store = &*engine.store;
    let flood: Vec<NewJob> = (1..=20).map(plan_job).collect();
    enqueue(store, &flood).await;
    let quiet = InstallationId(2);
    enqueue(store, &[100, 101].map(|pull| NewJob { installation: quiet, ..plan_job(pull) })).await;
    let mut order = Vec::new();
    for _ in 0..5 {
        let job = claim(store).await.unwrap();
        order.push(pull(&job));
        store.complete_job(&job.fence).await.unwrap();
    }
    assert_eq!(order, [1, 100, 2, 101, 3], "one after the other, they take turns");
    enqueue(store, &[NewJob { installation: quiet, ..plan_job(102) }]).await;
    let claims =
        [claim(store).await.unwrap(), claim(store).await.unwrap(), claim(store).await.unwrap()];
    assert_eq!(
        claims.each_ref().map(pull),
        [102, 4, 5],
        "at once, who has fewer running goes first"
    );
}

pub(crate) async fn waiting_workers_are_told(engine: &Engine) {
    let mut jobs = engine.store.watch(Topic::Jobs);
    assert!(!jobs.has_changed().unwrap());
    enqueue(&*engine.store, &[plan_job(7)]).await;
    jobs.changed().await.unwrap();
}

pub(crate) async fn whoever_makes_sure_of_work_hurries_nobody(engine: &Engine) {
    let store = &*engine.store;
    enqueue(store, &[plan_job(7)]).await;
    let job = claim(store).await.unwrap();
    let at = engine.later(60).await;
    store.fail_job(&job.fence, "GitHub does not answer", Retry::At(at)).await.unwrap();
    store.ensure(&[plan_job(7), plan_job(8)]).await.unwrap();
    let other = claim(store).await.unwrap();
    assert_eq!(pull(&other), 8, "it was not there");
    assert_eq!(claim(store).await, None, "the other one waits as before");
    engine.pass(60);
    let again = claim(store).await.unwrap();
    assert_eq!((pull(&again), again.attempt), (7, 2), "and its attempts count on");
    store.ensure(&[plan_job(7)]).await.unwrap();
    assert_eq!(store.backlog().await.unwrap().jobs, 3, "what runs may have looked too early");
}

pub(crate) async fn work_that_comes_again_is_added_once_in_its_time(engine: &Engine) {
    let store = &*engine.store;
    let sweep = NewJob { key: JobKey::Deliveries, installation: BACKGROUND, run_at: None };
    let every = Duration::from_secs(60);
    assert_eq!(store.recur(&sweep, every).await.unwrap(), every);
    let first = claim(store).await.unwrap();
    assert_eq!(first.key, JobKey::Deliveries);
    store.complete_job(&first.fence).await.unwrap();
    engine.pass(20);
    assert_eq!(store.recur(&sweep, every).await.unwrap(), Duration::from_secs(40));
    assert_eq!(claim(store).await, None, "it is not time");

    engine.pass(40);
    assert_eq!(store.recur(&sweep, every).await.unwrap(), every);
    let second = claim(store).await.unwrap();
    store.fail_job(&second.fence, "GitHub is away", Retry::Never).await.unwrap();
    assert_eq!(store.given_up().await.unwrap().len(), 1);
    engine.pass(60);
    store.recur(&sweep, every).await.unwrap();
    assert!(store.given_up().await.unwrap().is_empty(), "it begins anew");
    let third = claim(store).await.unwrap();
    let at = engine.later(90).await;
    store.fail_job(&third.fence, "GitHub is away", Retry::At(at)).await.unwrap();
    engine.pass(60);
    store.recur(&sweep, every).await.unwrap();
    assert_eq!(claim(store).await, None, "its wait is not cut short");
}

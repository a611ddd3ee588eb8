//! Several workers at once, on one store and on two that share a database: whatever comes between
//! what, nothing is done twice and nothing is left out.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::future::join_all;
use landfall_core::name::InstallationId;
use landfall_core::plan::Action;
use landfall_store::{
    Acquired, Addressee, BACKGROUND, Consequences, Inserted, Item, ItemKey, ItemKind, JobKey,
    NewJob, Pace, Retry, Store, StoreError, Topic, Turn,
};
use serde_json::json;

use crate::engine::Engine;
use crate::given::{
    ACME, HOMELAB, LEASE, change, claim, commit, effect, fence, lease_request, new_run, plan_job,
    production, run_id, run_job, running, staging,
};
use crate::inbox::delivery;

const WORKERS: usize = 8;

/// What eight workers do at once, each on the store of its server.
async fn at_once<T, F: Future<Output = T>>(
    servers: &[Arc<dyn Store>],
    work: impl Fn(Arc<dyn Store>, usize) -> F,
) -> Vec<T> {
    let turns = servers.iter().cycle().zip(0..WORKERS);
    join_all(turns.map(|(store, worker)| work(Arc::clone(store), worker))).await
}

pub(crate) async fn a_delivery_that_comes_several_times_at_once_is_new_once(engine: &Engine) {
    let servers = engine.servers().await;
    let insert =
        async |store: Arc<dyn Store>, _| store.insert_delivery(&delivery(1, "push")).await.unwrap();
    let answers = at_once(&servers, insert).await;
    assert_eq!(answers.iter().filter(|answer| **answer == Inserted::New).count(), 1);
    assert_eq!(engine.store.pending_deliveries().await.unwrap(), 1);
}

pub(crate) async fn each_delivery_is_handled_by_one_worker(engine: &Engine) {
    let servers = engine.servers().await;
    for number in 0..60 {
        engine.store.insert_delivery(&delivery(number, "push")).await.unwrap();
    }
    let handle = async |store: Arc<dyn Store>, _| {
        let mut handled = Vec::new();
        loop {
            let claimed = store.claim_deliveries(4, LEASE).await.unwrap();
            if claimed.is_empty() && store.pending_deliveries().await.unwrap() == 0 {
                return handled;
            }
            // Neighbours ask for the same work, in another order.
            let jobs = |id: u128| [id % 3, (id + 1) % 3].map(|pull| plan_job(pull as u64 + 1));
            let follow = claimed.iter().map(|claimed| {
                let id = claimed.delivery.id;
                let jobs = jobs(id.0.as_u128()).to_vec();
                (id, Consequences { jobs, ..Default::default() })
            });
            store.finish_deliveries(&follow.collect::<Vec<_>>()).await.unwrap();
            handled.extend(claimed.iter().map(|claimed| claimed.delivery.id));
        }
    };
    let mut handled = at_once(&servers, handle).await.concat();
    handled.sort_unstable();
    let all: Vec<_> = (0..60).map(|number| delivery(number, "push").id).collect();
    assert_eq!(handled, all);
    assert_eq!(engine.store.backlog().await.unwrap().jobs, 3, "asked for often, each waits once");
}

pub(crate) async fn no_job_is_claimed_twice_and_one_runs_per_key(engine: &Engine) {
    let servers = engine.servers().await;
    let jobs =
        (1..=24).map(|pull| NewJob { installation: InstallationId(pull % 3), ..plan_job(pull) });
    engine.store.enqueue(&jobs.collect::<Vec<_>>()).await.unwrap();
    let running = Mutex::new(BTreeSet::new());
    let again = Mutex::new(BTreeSet::new());
    let (running, again) = (&running, &again);
    let work = async |store: Arc<dyn Store>, _| {
        let mut done = 0;
        while !store.backlog().await.unwrap().is_empty() {
            let Some(job) = claim(&*store).await else { continue };
            assert!(running.lock().unwrap().insert(job.key.clone()), "{:?} runs already", job.key);
            // Each is asked for once more while it runs, which is a job of its own.
            if again.lock().unwrap().insert(job.key.clone()) {
                let job =
                    NewJob { key: job.key.clone(), installation: job.installation, run_at: None };
                store.enqueue(&[job]).await.unwrap();
            }
            store.heartbeat(&job.fence, LEASE).await.unwrap();
            assert!(running.lock().unwrap().remove(&job.key));
            store.complete_job(&job.fence).await.unwrap();
            done += 1;
        }
        done
    };
    assert_eq!(at_once(&servers, work).await.iter().sum::<usize>(), 48);
}

pub(crate) async fn of_eight_who_wait_for_an_expired_claim_one_gets_it(engine: &Engine) {
    let servers = engine.servers().await;
    engine.store.enqueue(&[plan_job(7)]).await.unwrap();
    let mut stale = claim(&*engine.store).await.unwrap();
    for _ in 0..2 {
        engine.pass(30);
        let claims = at_once(&servers, async |store: Arc<dyn Store>, _| claim(&*store).await);
        let claims: Vec<_> = claims.await.into_iter().flatten().collect();
        assert_eq!(claims.len(), 1, "{claims:?}");
        let refused = engine.store.complete_job(&stale.fence).await;
        assert!(matches!(refused, Err(StoreError::StaleEpoch)));
        stale = claims.into_iter().next().unwrap();
    }
}

pub(crate) async fn work_that_is_asked_for_while_it_fails_waits_once(engine: &Engine) {
    let servers = engine.servers().await;
    for round in 0..10 {
        engine.store.enqueue(&[plan_job(7)]).await.unwrap();
        let job = claim(&*engine.store).await.unwrap();
        let at = engine.later(0).await;
        at_once(&servers, async |store: Arc<dyn Store>, worker| match worker {
            0 if round % 2 == 0 => store.park_job(&job.fence, None).await.unwrap(),
            0 => store.fail_job(&job.fence, "no", Retry::At(at)).await.unwrap(),
            _ => store.enqueue(&[plan_job(7)]).await.unwrap(),
        })
        .await;
        assert_eq!(engine.store.backlog().await.unwrap().jobs, 1);
        let next = claim(&*engine.store).await.unwrap();
        engine.store.complete_job(&next.fence).await.unwrap();
        assert!(engine.store.backlog().await.unwrap().is_empty());
    }
}

pub(crate) async fn of_eight_who_want_a_target_one_writes_to_it(engine: &Engine) {
    let servers = engine.servers().await;
    let mut latest = 0;
    for _ in 0..3 {
        let fence = fence(&*engine.store).await;
        let wanted: [&[&str]; 2] = [&["a", "b"], &["b", "c"]];
        let answers = at_once(&servers, async |store: Arc<dyn Store>, worker| {
            let request = lease_request(run_id(worker as u128), wanted[worker % 2]);
            store.acquire_leases(&fence, &request).await.unwrap()
        });
        let mut of_b = Vec::new();
        for answer in answers.await {
            let Acquired::Held(leases) = answer else { continue };
            of_b.extend(
                leases.into_iter().filter(|lease| lease.target().to_string().ends_with('b')),
            );
        }
        assert_eq!(of_b.len(), 1, "{of_b:?}");
        assert!(of_b[0].epoch() > latest);
        latest = of_b[0].epoch();
        engine.store.complete_job(&fence).await.unwrap();
        engine.pass(30);
    }
}

pub(crate) async fn a_resource_that_two_take_at_once_has_one_owner(engine: &Engine) {
    let servers = engine.servers().await;
    let mut runs = Vec::new();
    for (number, environment) in [production(), staging()].into_iter().enumerate() {
        engine.store.enqueue(&[run_job(&environment)]).await.unwrap();
        let fence = claim(&*engine.store).await.unwrap().fence;
        let mut run = new_run(number as u128, commit('a'));
        run.environment = environment.clone();
        runs.push((fence, running(&*engine.store, &fence, &run).await, environment));
    }
    for round in 0..5 {
        let name = format!("{round}.example.org");
        let answers = at_once(&servers[..], async |store: Arc<dyn Store>, worker| {
            let (fence, run, environment) = &runs[worker % 2];
            let adopted = change(environment, "nas", Action::Adopt, &name);
            store.settle(fence, *run, &effect(vec![adopted])).await.map(|_| environment.clone())
        });
        let mut owners = BTreeSet::new();
        for answer in answers.await {
            match answer {
                Ok(environment) => drop(owners.insert(environment)),
                Err(StoreError::OwnedElsewhere { .. }) => {}
                Err(error) => panic!("{error}"),
            }
        }
        assert_eq!(owners.len(), 1, "{owners:?}");
    }
}

pub(crate) async fn each_item_is_published_once_and_one_at_a_time(engine: &Engine) {
    let servers = engine.servers().await;
    let fence = fence(&*engine.store).await;
    for number in 0..24 {
        let (installation, subject) = (InstallationId(number % 3), format!("pull/{number}"));
        let key = ItemKey { installation, repository: HOMELAB, kind: ItemKind::Comment, subject };
        engine.store.put(&fence, &Item { key, body: json!("plan"), priority: 0 }).await.unwrap();
    }
    let flying = Mutex::new(BTreeSet::new());
    let flying = &flying;
    let publish = async |store: Arc<dyn Store>, _| {
        let mut published = Vec::new();
        while store.backlog().await.unwrap().items > 0 {
            let Some(item) = store.claim_item(Addressee::GitHub, LEASE).await.unwrap() else {
                continue;
            };
            let key = item.item.key;
            assert!(flying.lock().unwrap().insert(key.installation), "{key} flies beside another");
            store.note_external(&item.claim, &[11]).await.unwrap();
            assert!(flying.lock().unwrap().remove(&key.installation));
            store.item_done(&item.claim, &[11]).await.unwrap();
            published.push(key.subject);
        }
        published
    };
    let mut published = at_once(&servers, publish).await.concat();
    let all = published.len();
    published.sort_unstable();
    published.dedup();
    assert_eq!((all, published.len()), (24, 24));
}

pub(crate) async fn servers_keep_one_pace_together(engine: &Engine) {
    let servers = engine.servers().await;
    let fence = fence(&*engine.store).await;
    for number in 0..24 {
        let kind = ItemKind::Check;
        let subject = format!("check/{number}");
        let key = ItemKey { installation: ACME, repository: HOMELAB, kind, subject };
        engine.store.put(&fence, &Item { key, body: json!("check"), priority: 1 }).await.unwrap();
    }
    // A burst of four, then one every five seconds.
    let pace = [Pace::at_most(16, Duration::from_secs(60))];
    let publish = async |store: Arc<dyn Store>, _| {
        let mut made = 0;
        while let Some(item) = store.claim_item(Addressee::GitHub, LEASE).await.unwrap() {
            if store.spend(&item.claim, 1, &pace).await.unwrap() == Turn::Now {
                made += 1;
                store.item_done(&item.claim, &[11]).await.unwrap();
            }
        }
        made
    };
    let mut made: Vec<u32> = Vec::new();
    for _ in 0..4 {
        made.push(at_once(&servers, publish).await.iter().sum());
        engine.pass(5);
    }
    assert_eq!(made, [4, 1, 1, 1]);
}

pub(crate) async fn workers_of_every_server_are_told(engine: &Engine) {
    let servers = engine.servers().await;
    for topic in [Topic::Inbox, Topic::Jobs, Topic::Outbox] {
        let mut news: Vec<_> = servers.iter().map(|server| server.watch(topic)).collect();
        match topic {
            Topic::Inbox => drop(engine.store.insert_delivery(&delivery(1, "push")).await.unwrap()),
            Topic::Jobs => engine.store.enqueue(&[plan_job(7)]).await.unwrap(),
            Topic::Outbox => {
                let fence = claim(&*engine.store).await.unwrap().fence;
                let subject = "pull/7".to_owned();
                let kind = ItemKind::Comment;
                let key = ItemKey { installation: ACME, repository: HOMELAB, kind, subject };
                let item = Item { key, body: json!("plan"), priority: 0 };
                engine.store.put(&fence, &item).await.unwrap();
            }
        }
        join_all(news.iter_mut().map(|news| news.changed())).await;
    }
}

pub(crate) async fn of_eight_who_ask_for_work_that_comes_again_one_adds_it(engine: &Engine) {
    let servers = engine.servers().await;
    let every = Duration::from_secs(60);
    let ask = async |store: Arc<dyn Store>, _| {
        let sweep = NewJob { key: JobKey::Deliveries, installation: BACKGROUND, run_at: None };
        store.recur(&sweep, every).await.unwrap()
    };
    assert_eq!(at_once(&servers, ask).await, [every; WORKERS]);
    let store = &*engine.store;
    let job = claim(store).await.unwrap();
    store.complete_job(&job.fence).await.unwrap();
    assert_eq!(claim(store).await, None);
    at_once(&servers, ask).await;
    assert_eq!(claim(store).await, None, "it is not time for any of them");
}

//! Backup and restore: the same rows in either engine, all of them or none, and nothing believed of
//! them that the world may have overtaken.

use std::collections::BTreeMap;
use std::sync::Arc;

use landfall_core::name::{BranchName, PullNumber, UserId};
use landfall_core::plan::{Action, Outcome};
use landfall_core::report::Waiting;
use landfall_store::{
    Addressee, Approval, ArchiveError, AuditEntry, CommandId, CommandSource, Consequences,
    Contents, Created, Item, ItemKey, ItemKind, NewCommand, NewDelivery, Occupied, Published, Pull,
    PullState, PushedHead, Refilled, Repository, RunState, Store, StoreError, Unresolved,
};
use serde_json::json;
use uuid::Uuid;

use crate::allowed::allowed;
use crate::engine::{self, Engine};
use crate::given::{
    ACME, HOMELAB, LEASE, OCTOCAT, change, claim, commit, digest, effect, fence, ids, leases,
    new_plan, new_run, plan_job, production, run_id, running, unit,
};

/// Both engines, empty.
async fn both() -> [Engine; 2] {
    [engine::sqlite().await, engine::postgres().await]
}

pub(crate) async fn back_up(engine: &Engine) -> (Vec<u8>, Contents) {
    let mut archive = Vec::new();
    let contents =
        landfall_store::back_up(engine.url(), engine.clock(), &mut archive).await.unwrap();
    (archive, contents)
}

/// Restores into a closed store, as a server's must be.
async fn restore(
    engine: &Engine,
    occupied: Occupied,
    archive: &[u8],
) -> Result<Refilled, StoreError> {
    engine.store.close().await;
    landfall_store::restore(engine.url(), engine.clock(), occupied, &mut &*archive).await
}

async fn restored(archive: &[u8], engine: &Engine) -> Arc<dyn Store> {
    restore(engine, Occupied::Refuse, archive).await.unwrap();
    engine.reopen().await
}

/// The archive without its first line, decompressed.
async fn lines(archive: &[u8]) -> Vec<String> {
    use tokio::io::AsyncReadExt as _;
    let at = archive.iter().position(|byte| *byte == b'\n').unwrap();
    let mut text = String::new();
    let mut zstd = async_compression::tokio::bufread::ZstdDecoder::new(&archive[at + 1..]);
    zstd.read_to_string(&mut text).await.unwrap();
    text.lines().map(str::to_owned).collect()
}

fn item() -> Item {
    let key = ItemKey {
        installation: ACME,
        repository: HOMELAB,
        kind: ItemKind::Comment,
        subject: "pull/7".to_owned(),
    };
    Item {
        key,
        body: json!({ "text": "a plan with 'quotes', \"more\" and \u{1f600}" }),
        priority: 0,
    }
}

/// Something in every table that a story can put there.
async fn fill(store: &dyn Store) {
    let delivery = NewDelivery {
        id: landfall_store::DeliveryId(Uuid::from_u128(1)),
        event: "issue_comment".to_owned(),
        action: Some("created".to_owned()),
        installation: Some(ACME),
        repository: Some(HOMELAB),
        body: vec![0, 159, 146, 150, 255],
        received_at: store.now().await.unwrap(),
    };
    store.insert_delivery(&delivery).await.unwrap();
    let consequences = Consequences {
        repositories: vec![Repository {
            id: HOMELAB,
            name: "acme/homelab".parse().unwrap(),
            installation: ACME,
            default_branch: "main".parse().unwrap(),
            active: true,
        }],
        pulls: vec![Pull {
            repository: HOMELAB,
            number: PullNumber(7),
            head: commit('a'),
            head_repository: None,
            base: "main".parse().unwrap(),
            author: UserId(u64::MAX),
            state: PullState::Open,
            updated_at: store.now().await.unwrap(),
        }],
        heads: vec![PushedHead {
            repository: HOMELAB,
            branch: "main".parse().unwrap(),
            head: Some(commit('b')),
        }],
        commands: vec![NewCommand {
            id: CommandId { source: CommandSource::Comment(5), index: 0 },
            repository: HOMELAB,
            pull: PullNumber(7),
            author: OCTOCAT,
            login: "octocat".to_owned(),
            text: "/apply".to_owned(),
            said: Some(digest("/apply")),
            commented_at: store.now().await.unwrap(),
        }],
        ..Consequences::default()
    };
    store.claim_deliveries(1, LEASE).await.unwrap();
    store.finish_delivery(delivery.id, &consequences).await.unwrap();
    let fence = fence(store).await;
    let branch: BranchName = "main".parse().unwrap();
    store.follow_branch(&fence, HOMELAB, &production(), &branch).await.unwrap();
    store.insert_plan(&fence, &new_plan(1, Some(7), &["nas"])).await.unwrap();
    let published = Published { at: store.now().await.unwrap(), subject: 99 };
    store.mark_published(new_plan(1, None, &[]).id, published).await.unwrap();
    let run = running(store, &fence, &new_run(1, commit('a'))).await;
    let held = leases(store, &fence, run, &["zone"]).await;
    let create = change(&production(), "nas", Action::Create, "nas.example.com");
    let step = store.intend(&fence, &held[0], run, &effect(vec![create.clone()])).await.unwrap();
    let done = Outcome::Done(ids(&[create]));
    store.finish_step(&fence, step, &done).await.unwrap();
    let hash = "0".repeat(64).parse().unwrap();
    let units = BTreeMap::from([(unit(&production(), "nas"), Some(hash))]);
    store.record_units(&fence, HOMELAB, &units).await.unwrap();
    store.put(&fence, &item()).await.unwrap();
    let entry = AuditEntry {
        who: "octocat".to_owned(),
        what: "apply".to_owned(),
        repository: HOMELAB,
        environment: Some(production()),
        digest: Some(digest("plan")),
        why: String::new(),
    };
    store.append_audit(&entry).await.unwrap();
    store.allow_head(&fence, &allowed('a', "main"), &entry).await.unwrap();
}

pub(crate) async fn what_is_restored_is_the_same_in_either_engine(engine: &Engine) {
    fill(&*engine.store).await;
    let (first, contents) = back_up(engine).await;
    let mut later = Vec::new();
    for other in both().await {
        let store = restored(&first, &other).await;
        assert_eq!(
            store.owned_in(HOMELAB, &production()).await.unwrap(),
            engine.store.owned_in(HOMELAB, &production()).await.unwrap(),
        );
        assert_eq!(
            store.repository(HOMELAB).await.unwrap(),
            engine.store.repository(HOMELAB).await.unwrap()
        );
        let allowed_heads = store.allowed_heads(HOMELAB, PullNumber(7)).await.unwrap();
        assert_eq!(allowed_heads, [allowed('a', "main")]);
        assert_eq!(
            store.item_body(&item().key).await.unwrap(),
            engine.store.item_body(&item().key).await.unwrap()
        );
        let (again, rows) = back_up(&other).await;
        assert_eq!(rows.rows, contents.rows + 1, "one restore more");
        // The header says which engine it was, and the end has a digest of all of it.
        let mut again = lines(&again).await;
        again.remove(0);
        again.pop();
        later.push(again);
    }
    let [from_sqlite, from_postgres] = &later[..] else { panic!("two engines") };
    assert_eq!(sorted(from_sqlite), sorted(from_postgres));
}

/// The lines, each table's in an order of their own. The order of columns is that of the tables.
fn sorted(lines: &[String]) -> Vec<&String> {
    let mut sorted: Vec<&String> = lines.iter().collect();
    sorted.sort();
    sorted
}

pub(crate) async fn an_archive_that_is_not_whole_changes_nothing(engine: &Engine) {
    fill(&*engine.store).await;
    let (archive, _) = back_up(engine).await;
    let empty = match engine.is_shared() {
        true => engine::postgres().await,
        false => engine::sqlite().await,
    };
    let refused = async |archive: &[u8]| match restore(&empty, Occupied::Refuse, archive).await {
        Err(StoreError::Archive(error)) => error,
        other => panic!("{} bytes: {other:?}", archive.len()),
    };
    for end in [archive.len() - 1, archive.len() / 2, 40, 20] {
        let error = refused(&archive[..end]).await;
        assert!(matches!(error, ArchiveError::Cut | ArchiveError::Damaged(_)), "{end}: {error}");
    }
    for at in (25..archive.len()).step_by(101) {
        let mut damaged = archive.clone();
        // The whole byte: of some a single bit means nothing to zstd.
        damaged[at] = !damaged[at];
        refused(&damaged).await;
    }
    let mut longer = archive.clone();
    longer.extend_from_slice(b"landfall");
    refused(&longer).await;
    assert!(matches!(refused(b"PK\x03\x04 something else").await, ArchiveError::NotOne));
    assert!(matches!(refused(b"").await, ArchiveError::NotOne));
    let newer = [b"landfall backup 2\n", &archive[18..]].concat();
    assert!(matches!(refused(&newer).await, ArchiveError::Newer(_)));
    let store = empty.reopen().await;
    assert_eq!(store.last_restore().await.unwrap(), None);
    assert_eq!(store.active_repositories().await.unwrap(), []);
}

pub(crate) async fn a_backup_is_of_one_moment_while_writers_go_on(engine: &Engine) {
    use tokio::io::AsyncReadExt as _;
    let store = engine.store.clone();
    let count = async |numbers: std::ops::Range<u64>| {
        let jobs: Vec<_> = numbers.map(plan_job).collect();
        store.enqueue(&jobs).await.unwrap();
    };
    count(0..3000).await;
    // Nobody reads on before more was written, so the backup is in the middle of it by then.
    let (mut near, mut far) = tokio::io::duplex(64);
    let (url, clock) = (engine.url().to_owned(), engine.clock());
    let backup =
        tokio::spawn(
            async move { landfall_store::back_up(&url, clock, &mut far).await.unwrap().rows },
        );
    let mut archive = vec![0; 30];
    near.read_exact(&mut archive).await.unwrap();
    count(3000..3500).await;
    near.read_to_end(&mut archive).await.unwrap();
    assert_eq!(backup.await.unwrap(), 3000);
    assert_eq!(store.backlog().await.unwrap().jobs, 3500, "nobody waited for the backup");
}

pub(crate) async fn what_is_there_is_replaced_only_when_asked(engine: &Engine) {
    let (archive, _) = back_up(engine).await;
    fill(&*engine.store).await;
    let refused = restore(engine, Occupied::Refuse, &archive).await;
    assert!(matches!(refused, Err(StoreError::NotEmpty)), "{refused:?}");
    let store = engine.reopen().await;
    assert!(store.repository(HOMELAB).await.unwrap().is_some());
    store.close().await;
    let refilled = restore(engine, Occupied::Replace, &archive).await.unwrap();
    assert_eq!(refilled.aside.is_some(), !engine.is_shared(), "a file is kept");
    let store = engine.reopen().await;
    assert_eq!(store.repository(HOMELAB).await.unwrap(), None);
    assert_eq!(store.audit(HOMELAB, 10).await.unwrap(), []);
    if let Some(aside) = refilled.aside {
        let old = format!("sqlite:{}", aside.display());
        let old = landfall_store::open(&old, engine.clock()).await.unwrap();
        assert!(old.repository(HOMELAB).await.unwrap().is_some());
    }
}

pub(crate) async fn nothing_is_restored_under_a_server(engine: &Engine) {
    let (archive, _) = back_up(engine).await;
    for occupied in [Occupied::Refuse, Occupied::Replace] {
        let refused =
            landfall_store::restore(engine.url(), engine.clock(), occupied, &mut &*archive).await;
        assert!(matches!(refused, Err(StoreError::InUse)), "{refused:?}");
    }
    engine.store.ready().await.expect("the server goes on");
}

pub(crate) async fn what_was_given_out_never_becomes_good(engine: &Engine) {
    let store = &*engine.store;
    let before = fence(store).await;
    let lease = leases(store, &before, run_id(1), &["zone"]).await.remove(0);
    let (archive, _) = back_up(engine).await;
    // In the time that is lost: the lease passes on, another target's begins, another job is made.
    engine.pass(31);
    let job = claim(store).await.expect("the claim has expired");
    let later = leases(store, &job.fence, run_id(2), &["zone", "lost"]).await;
    store.enqueue(&[plan_job(8)]).await.unwrap();
    let lost = claim(store).await.expect("the job that was just asked for");
    store.put(&job.fence, &item()).await.unwrap();
    let item_claim = store.claim_item(Addressee::GitHub, LEASE).await.unwrap().unwrap().claim;

    restore(engine, Occupied::Replace, &archive).await.unwrap();
    let store = &*engine.reopen().await;
    let now = claim(store).await.expect("what was under way is free again");
    store.enqueue(&[plan_job(9)]).await.unwrap();
    let other = claim(store).await.expect("the job that was just asked for");
    let held = leases(store, &now.fence, run_id(3), &["zone", "lost"]).await;
    store.put(&now.fence, &item()).await.unwrap();
    let claimed = store.claim_item(Addressee::GitHub, LEASE).await.unwrap().unwrap();
    for lease in [&lease].into_iter().chain(&later) {
        assert!(matches!(store.check_lease(lease).await, Err(StoreError::LeaseLost(_))));
        store.release_leases(std::slice::from_ref(lease)).await.unwrap();
    }
    for fence in [before, job.fence, lost.fence] {
        assert!(matches!(store.complete_job(&fence).await, Err(StoreError::StaleEpoch)));
    }
    assert!(matches!(store.item_done(&item_claim, &[1]).await, Err(StoreError::StaleEpoch)));
    store.check_lease(&held[0]).await.unwrap();
    store.check_lease(&held[1]).await.unwrap();
    store.heartbeat(&other.fence, LEASE).await.unwrap();
    store.item_done(&claimed.claim, &[1]).await.unwrap();
}

pub(crate) async fn nothing_that_was_reviewed_or_found_is_believed(engine: &Engine) {
    let store = &*engine.store;
    fill(store).await;
    let job = claim(store).await;
    assert_eq!(job, None, "one job runs");
    let approval = Approval {
        digest: digest("plan"),
        by: OCTOCAT,
        login: "octocat".to_owned(),
        at: store.now().await.unwrap(),
    };
    let (archive, contents) = back_up(engine).await;
    engine.pass(60);
    let restored_at = store.now().await.unwrap();
    restore(engine, Occupied::Replace, &archive).await.unwrap();
    let store = &*engine.reopen().await;
    let restore = store.last_restore().await.unwrap().unwrap();
    assert_eq!((restore.at, restore.followed_up), (restored_at, false));
    assert_eq!(restore.taken_at, contents.header.taken_at);
    assert_eq!(store.plan(new_plan(1, None, &[]).id).await.unwrap(), None);
    let run = store.run(run_id(1)).await.unwrap().unwrap();
    assert_eq!((run.state, run.plan), (RunState::Queued, None), "it was under way");
    let hashes = store.unit_hashes(HOMELAB, &production()).await.unwrap();
    assert_eq!(hashes, BTreeMap::from([(unit(&production(), "nas"), None)]));
    assert_eq!(
        store.claim_item(Addressee::GitHub, LEASE).await.unwrap(),
        None,
        "what waited to be shown is old"
    );

    let fence = claim(store).await.expect("what was under way is free again").fence;
    store.put(&fence, &item()).await.unwrap();
    let again = store
        .claim_item(Addressee::GitHub, LEASE)
        .await
        .unwrap()
        .expect("the same body is shown once more");
    assert!(again.uncertain, "it may have been published since");
    let new = Item { key: ItemKey { subject: "pull/8".to_owned(), ..item().key }, ..item() };
    store.item_done(&again.claim, &[4]).await.unwrap();
    store.put(&fence, &new).await.unwrap();
    assert!(store.claim_item(Addressee::GitHub, LEASE).await.unwrap().unwrap().uncertain, "it too");
    let row = store.environment(HOMELAB, &production()).await.unwrap().unwrap();
    assert_eq!(row.restored, Some(restored_at));
    store.approve_run(&fence, run_id(1), &approval).await.unwrap();
    store.advance_run(&fence, run_id(1), RunState::Running, "").await.unwrap();
    store.advance_run(&fence, run_id(1), RunState::Succeeded, "").await.unwrap();
    let row = store.environment(HOMELAB, &production()).await.unwrap().unwrap();
    assert_eq!(row.restored, None, "it is known again");
    store.note_followed_up().await.unwrap();
    assert!(store.last_restore().await.unwrap().unwrap().followed_up);
    assert_eq!(store.unresolved_steps(&Unresolved::In(HOMELAB, production())).await.unwrap(), [],);
}

pub(crate) async fn a_run_from_before_a_restore_is_begun_anew_once(engine: &Engine) {
    let store = &*engine.store;
    let fence_before = fence(store).await;
    let new = new_run(1, commit('a'));
    running(store, &fence_before, &new).await;
    store.advance_run(&fence_before, new.id, RunState::Failed, "no answer").await.unwrap();
    store
        .follow_branch(&fence_before, HOMELAB, &production(), &"main".parse().unwrap())
        .await
        .unwrap();
    let held = new_run(2, commit('b'));
    store.insert_or_get_run(&fence_before, &held).await.unwrap();
    let plan = new_plan(2, None, &["nas"]).plan;
    store.hold_run(&fence_before, held.id, &Waiting::Bootstrap, &plan).await.unwrap();
    let by = Approval {
        digest: plan.digest(),
        by: OCTOCAT,
        login: "octocat".to_owned(),
        at: store.now().await.unwrap(),
    };
    store.approve_run(&fence_before, held.id, &by).await.unwrap();
    let (archive, _) = back_up(engine).await;
    engine.pass(1);
    restore(engine, Occupied::Replace, &archive).await.unwrap();
    let store = &*engine.reopen().await;
    let fence = claim(store).await.unwrap().fence;
    let waiting = store.run(held.id).await.unwrap().unwrap();
    assert_eq!((waiting.state, waiting.waiting, waiting.plan), (RunState::Queued, None, None));
    assert_eq!(waiting.approvals, [], "whoever said so saw something else");
    let Created::New(run) = store.insert_or_get_run(&fence, &new).await.unwrap() else {
        panic!("it is as it was");
    };
    assert_eq!((run.state, run.attempt), (RunState::Queued, 2));
    engine.pass(1);
    store.advance_run(&fence, new.id, RunState::Running, "").await.unwrap();
    store.advance_run(&fence, new.id, RunState::Failed, "no answer").await.unwrap();
    let once = store.insert_or_get_run(&fence, &new).await.unwrap();
    assert!(matches!(once, Created::Existing(_)), "it ended after the restore");
}

//! `landfall backup` and `landfall restore`: to files and to S3, over what is there and not.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use landfall_sim::exchange::ExchangeLog;
use landfall_sim::fault::{Answer, Fault, On};
use landfall_sim::s3::{S3Sim, TEST_ACCESS_KEY, TEST_SECRET_KEY};
use landfall_store::{Store, SystemClock};

use crate::world::{Seen, World};

/// A server's store with one repository in it, in the folder of `world`, and where it is.
async fn store(world: &World) -> String {
    fs::create_dir_all(world.path().join("data")).unwrap();
    let url = format!("sqlite:{}", world.path().join("data/landfall.db").display());
    let store = open(&url).await;
    store
        .upsert_repository(&landfall_store::Repository {
            id: landfall_core::name::RepositoryId(42),
            name: "acme/homelab".parse().unwrap(),
            installation: landfall_core::name::InstallationId(1),
            default_branch: "main".parse().unwrap(),
            active: true,
        })
        .await
        .unwrap();
    store.close().await;
    url
}

async fn open(url: &str) -> std::sync::Arc<dyn Store> {
    landfall_store::open(url, std::sync::Arc::new(SystemClock)).await.unwrap()
}

async fn repositories(url: &str) -> usize {
    let store = open(url).await;
    let count = store.active_repositories().await.unwrap().len();
    store.close().await;
    count
}

/// What is seen, with times and sizes replaced by words.
fn steady(seen: &Seen) -> String {
    let mut text = seen.all();
    for (pattern, word) in [
        (r"\d+ KiB in \d+\.\d s", "SIZE in TIME"),
        (r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC", "THEN"),
        (r"\d{8}T\d{6}Z", "THEN"),
    ] {
        text = regex::Regex::new(pattern).unwrap().replace_all(&text, word).into_owned();
    }
    text
}

async fn s3(world: &World, storage: &S3Sim, words: &str) -> Seen {
    let url = storage.url();
    let env = [
        ("AWS_ENDPOINT_URL", url.as_str()),
        ("AWS_REGION", "auto"),
        ("AWS_ACCESS_KEY_ID", TEST_ACCESS_KEY),
        ("AWS_SECRET_ACCESS_KEY", TEST_SECRET_KEY),
    ];
    let seen = world.landfall_with(&env, words).await;
    assert!(!seen.all().contains(TEST_SECRET_KEY), "a secret in what people see: {seen:?}");
    seen
}

#[tokio::test]
async fn a_backup_in_a_file_is_whole_and_its_owner_s_alone() {
    let world = World::empty().await;
    let url = store(&world).await;
    let seen = world.landfall("backup landfall.backup").await;
    insta::assert_snapshot!(steady(&seen), @"
    Backed up 1 row of SQLite to landfall.backup: SIZE in TIME.
    --- exit code 0
    ");
    let file = world.path().join("landfall.backup");
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(!world.path().join("landfall.backup.part").exists());

    let refused = world.landfall("restore landfall.backup").await;
    insta::assert_snapshot!(steady(&refused), @"
    --- stderr
    error: the store has something in it already: say `--replace` to have the backup take its place
    --- exit code 1
    ");
    let server = open(&url).await;
    let refused = world.landfall("restore --replace landfall.backup").await;
    insta::assert_snapshot!(steady(&refused), @"
    --- stderr
    error: the store is in use: stop every server that works on it, then restore
    --- exit code 1
    ");
    server.close().await;
    let restored = world.landfall("restore --replace landfall.backup").await;
    insta::assert_snapshot!(steady(&restored), @"
    Restored 1 row from landfall.backup, taken THEN from SQLite by Landfall 0.1.0.
    What was there is kept as data/landfall.db.before-THEN.

    Next: start the server. It compares every environment with what lives and plans open pull
    requests again. What was reviewed or said before the restore does not count: a run that has
    something to do waits for `/apply`, on its pull requests and on the commit's check.
    --- exit code 0
    ");
    assert_eq!(repositories(&url).await, 1);
}

#[tokio::test]
async fn what_is_no_backup_is_refused_and_nothing_is_made() {
    let world = World::empty().await;
    world.write("notes.txt", "not a backup\n");
    let refused = world.landfall("restore notes.txt").await;
    insta::assert_snapshot!(steady(&refused), @"
    --- stderr
    error: the backup is not used: it is no backup of Landfall
    --- exit code 1
    ");
    let missing = world.landfall("restore landfall.backup").await;
    insta::assert_snapshot!(steady(&missing), @"
    --- stderr
    error: landfall.backup cannot be read: No such file or directory (os error 2)
    --- exit code 1
    ");
    let nothing = world.landfall("backup landfall.backup").await;
    insta::assert_snapshot!(steady(&nothing), @"
    --- stderr
    error: no backup at landfall.backup: there is no store at data/landfall.db
    --- exit code 1
    ");
    assert!(!world.path().join("data/landfall.db").exists());
    assert!(!world.path().join("landfall.backup").exists());
    let nowhere = world.landfall("backup").await;
    insta::assert_snapshot!(steady(&nowhere), @"
    --- stderr
    error: say where to, as in `landfall backup landfall.backup`, or set LANDFALL_BACKUP
    --- exit code 1
    ");
    let unsigned = world.landfall("restore s3://acme/landfall.backup").await;
    insta::assert_snapshot!(steady(&unsigned), @"
    --- stderr
    error: s3://acme/landfall.backup cannot be read: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not set
    --- exit code 1
    ");
}

#[tokio::test]
async fn the_newest_of_a_bucket_is_restored_without_naming_it() {
    let world = World::empty().await;
    let url = store(&world).await;
    let storage = S3Sim::start(&["acme"], ExchangeLog::default()).await.unwrap();
    for day in 10..16 {
        storage.put("acme", &format!("landfall/landfall-202601{day}T000000Z.backup"), "old");
    }
    storage.put("acme", "landfall/zzz.txt", "somebody else's");
    let seen = s3(&world, &storage, "backup s3://acme/landfall/ --format json").await;
    let place = seen.json()["place"].as_str().unwrap().to_owned();
    let key = place.strip_prefix("s3://acme/").unwrap().to_owned();
    let object = storage.object("acme", &key).expect("it is there");
    assert_eq!(seen.json()["bytes"], object.len());
    fs::remove_file(world.path().join("data/landfall.db")).unwrap();
    let restored = s3(&world, &storage, "restore --latest s3://acme/landfall/").await;
    insta::assert_snapshot!(steady(&restored), @"
    Restored 1 row from s3://acme/landfall/landfall-THEN.backup, taken THEN from SQLite by Landfall 0.1.0.

    Next: start the server. It compares every environment with what lives and plans open pull
    requests again. What was reviewed or said before the restore does not count: a run that has
    something to do waits for `/apply`, on its pull requests and on the commit's check.
    --- exit code 0
    ");
    assert_eq!(repositories(&url).await, 1);
    let several = s3(&world, &storage, "restore s3://acme/landfall/").await;
    insta::assert_snapshot!(steady(&several), @"
    --- stderr
    error: s3://acme/landfall/ is for several: name one of them, or say `--latest`
    --- exit code 1
    ");
    let none = s3(&world, &storage, "restore --latest s3://acme/elsewhere/").await;
    insta::assert_snapshot!(steady(&none), @"
    --- stderr
    error: there is no backup with a name of ours at s3://acme/elsewhere/
    --- exit code 1
    ");
}

#[tokio::test]
async fn a_backup_that_is_larger_than_a_part_goes_in_parts() {
    let world = World::empty().await;
    let url = store(&world).await;
    let before = open(&url).await;
    // What does not compress: 12 MiB of it, in a delivery's body.
    let mut noise = vec![0_u8; 12 << 20];
    let mut state = 88_172_645_463_325_252_u64;
    for byte in &mut noise {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        *byte = state.to_le_bytes()[3];
    }
    let delivery = landfall_store::NewDelivery {
        id: landfall_store::DeliveryId(uuid::Uuid::from_u128(1)),
        event: "push".to_owned(),
        action: None,
        installation: None,
        repository: None,
        body: noise,
        received_at: jiff::Timestamp::now(),
    };
    before.insert_delivery(&delivery).await.unwrap();
    before.close().await;
    let storage = S3Sim::start(&["acme"], ExchangeLog::default()).await.unwrap();
    // The first answer is lost; what is sent again does the same.
    let lost = Fault::AfterCommit(Answer::bad_gateway());
    storage.faults().inject(On::method("PUT", "/acme/one.backup"), lost);
    let seen = s3(&world, &storage, "backup s3://acme/one.backup").await;
    assert_eq!(seen.code, 0, "{seen:?}");
    assert_eq!(storage.open_uploads(), 0);
    let parts = storage.exchanges().count(|said| said.query.contains("partNumber="));
    assert!(parts >= 2, "{parts}");
    fs::remove_file(world.path().join("data/landfall.db")).unwrap();
    let restored = s3(&world, &storage, "restore s3://acme/one.backup").await;
    assert_eq!(restored.code, 0, "{restored:?}");
    assert_eq!(open(&url).await.pending_deliveries().await.unwrap(), 1);
}

#[tokio::test]
async fn storage_that_refuses_is_told_without_a_secret() {
    let world = World::empty().await;
    store(&world).await;
    let storage = S3Sim::start(&["acme"], ExchangeLog::default()).await.unwrap();
    let refused = s3(&world, &storage, "backup s3://other/one.backup").await;
    assert_eq!(refused.code, 1);
    assert!(refused.err.contains("NoSuchBucket"), "{refused:?}");
}

//! How long it takes to read a pull request in a large repository.

use std::time::Instant;

use super::*;

/// Prints what it measured. The limit is generous, since tests run beside each other: it is there
/// to notice a process per file.
#[tokio::test]
async fn ten_thousand_files_take_four_processes() {
    let world = World::new().await;
    for n in 0..10_000 {
        world.write(
            &format!("services/service-{n}.yaml"),
            &format!("unifi_dns:\n  s{n}.lan: {{ a: 10.0.0.1 }}\n"),
        );
    }
    world.commit().await;
    world.git(&["checkout", "--quiet", "-b", "topic"]).await;
    world.write("services/service-5.yaml", "unifi_dns: {}\n");
    let head = world.commit().await;
    world.git(&["update-ref", "refs/pull/1/head", head.as_str()]).await;
    world.git(&["checkout", "--quiet", "main"]).await;
    let wanted = [branch("main"), pull(1)];
    let base = world.fetch(&wanted).await.tip(&wanted[0]).unwrap().clone();
    let mirror = world.mirror();

    let start = Instant::now();
    world.fetch(&wanted).await;
    let fetched = start.elapsed();
    let Merged::Tree(tree) = mirror.merge_tree(&base, &head).await.unwrap() else {
        panic!("conflict")
    };
    let merged = start.elapsed();
    let listing = mirror.list(&tree, None).await.unwrap();
    let listed = start.elapsed();
    let ids: Vec<_> = listing.entries.iter().map(|entry| entry.blob.clone()).collect();
    mirror.blobs(&ids[..1], 1 << 20).await.unwrap();
    let warm = start.elapsed();
    assert_eq!(mirror.blobs(&ids, 1 << 20).await.unwrap().len(), 10_000);
    let cold = start.elapsed() - warm;
    println!(
        "fetch {fetched:?}, merge {:?}, list {:?}, 1 blob {:?} = {warm:?}; 10,000 blobs {cold:?}",
        merged - fetched,
        listed - merged,
        warm - listed
    );
    assert!(warm.as_secs() < 5 && cold.as_secs() < 5);
}

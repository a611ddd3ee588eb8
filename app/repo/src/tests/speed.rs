//! How long it takes to read a pull request in a large repository.

use std::time::Instant;

use super::*;

/// A branch with 10,000 files, and a pull request that changes one of them, for `fast-import`.
fn history() -> String {
    let commit = |name| format!("commit {name}\ncommitter A <a@example.com> 0 +0000\ndata 1\nx\n");
    let file = |n, text: &str| {
        format!("M 644 inline services/service-{n}.yaml\ndata {}\n{text}\n", text.len())
    };
    let files =
        (0..10_000).map(|n| file(n, &format!("unifi_dns:\n  s{n}.lan: {{ a: 10.0.0.1 }}\n")));
    let main = commit("refs/heads/main") + &files.collect::<String>();
    main + &commit("refs/pull/1/head") + "from refs/heads/main\n" + &file(5, "unifi_dns: {}\n")
}

/// Prints what it measured. The limit is generous, since tests run beside each other: it is there
/// to notice a process per file.
#[tokio::test]
async fn ten_thousand_files_take_four_processes() {
    let world = World::new().await;
    let import = Command::new("git")
        .args(["fast-import", "--quiet"])
        .current_dir(world.theirs())
        .stdin(history());
    assert!(import.run().await.unwrap().is_success());
    let wanted = [branch("main"), pull(1)];
    let fetched = world.fetch(&wanted).await;
    let [base, head] = [0, 1].map(|n| fetched.tip(&wanted[n]).unwrap().clone());
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

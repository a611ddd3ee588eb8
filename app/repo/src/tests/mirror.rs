//! Fetching and reading.

use super::*;

#[tokio::test]
async fn a_fetch_makes_the_mirror_and_tells_where_the_refs_are() {
    let world = World::new().await;
    let first = world.commit().await;
    world.git(&["update-ref", "refs/pull/3/head", first.as_str()]).await;
    let wanted = [branch("main"), pull(3)];
    for _ in 0..2 {
        let fetched = world.fetch(&wanted).await;
        assert_eq!(
            (fetched.tip(&wanted[0]), fetched.tip(&wanted[1])),
            (Some(&first), Some(&first))
        );
    }
    let mirror = world.mirror();
    assert_eq!(mirror.tip(&BranchName::new("main").unwrap()).await.unwrap(), first);
    assert_eq!(mirror.pull_head(PullNumber(3)).await.unwrap(), first);
    assert!(mirror.has(&first).await.unwrap());
    assert!(!mirror.has(&CommitSha::new("1".repeat(40)).unwrap()).await.unwrap());
    assert_eq!(
        mirror.pull_head(PullNumber(4)).await.unwrap_err(),
        RepoError::Gone("the head of #4".into())
    );
}

#[tokio::test]
async fn a_head_that_lags_behind_its_event_is_not_yet_there() {
    let world = World::new().await;
    let first = world.commit().await;
    let fetched = world.fetch(&[branch("main")]).await;
    let second = world.commit().await;
    assert_eq!(
        fetched.expect(&branch("main"), &second).unwrap_err(),
        RepoError::NotYet {
            wanted: "branch main".into(),
            expected: second.clone(),
            found: Some(first)
        }
    );
    world.fetch(&[branch("main")]).await.expect(&branch("main"), &second).unwrap();
}

#[tokio::test]
async fn what_is_gone_says_what_it_was() {
    let world = World::new().await;
    world.commit().await;
    let gone =
        async |remote: &Remote, wanted| world.mirror().fetch(remote, &[wanted]).await.unwrap_err();
    assert_eq!(gone(&world.remote(), branch("nope")).await, RepoError::Gone("branch nope".into()));
    assert_eq!(gone(&world.remote(), pull(9)).await, RepoError::Gone("the head of #9".into()));
    let nowhere = Remote {
        url: Url::from_directory_path(world.folder.path().join("none")).unwrap(),
        token: None,
    };
    assert_eq!(gone(&nowhere, branch("main")).await, RepoError::Gone("the repository".into()));
}

#[tokio::test]
async fn a_force_push_and_a_deleted_branch_are_followed() {
    let world = World::new().await;
    let first = world.commit().await;
    world.git(&["branch", "old"]).await;
    world.commit().await;
    assert_eq!(world.fetch(&[Wanted::AllBranches]).await.branches().count(), 2);
    world.git(&["reset", "--quiet", "--hard", first.as_str()]).await;
    world.git(&["branch", "--delete", "--force", "old"]).await;
    let fetched = world.fetch(&[Wanted::AllBranches]).await;
    assert_eq!(fetched.branches().map(|(_, tip)| tip).collect::<Vec<_>>(), [&first]);
    let old = BranchName::new("old").unwrap();
    assert_eq!(world.mirror().tip(&old).await.unwrap_err(), RepoError::Gone("branch old".into()));
}

#[tokio::test]
async fn a_branch_may_take_the_place_of_a_folder_of_branches() {
    let world = World::new().await;
    let first = world.commit().await;
    world.git(&["branch", "a"]).await;
    world.fetch(&[branch("a")]).await;
    world.git(&["branch", "--move", "a", "a/b"]).await;
    assert_eq!(world.fetch(&[branch("a/b")]).await.tip(&branch("a/b")), Some(&first));
}

#[tokio::test]
async fn a_killed_fetch_leaves_no_lock_behind() {
    let world = World::new().await;
    world.commit().await;
    world.fetch(&[branch("main")]).await;
    let second = world.commit().await;
    let mirror = world.folder.path().join("mirrors/7.git");
    for left in ["refs/heads/main.lock", "packed-refs.lock", "objects/pack/tmp_pack_x"] {
        std::fs::write(mirror.join(left), "").unwrap();
    }
    let restarted = Mirrors::open(world.folder.path().join("mirrors"), settings()).await.unwrap();
    let fetched =
        restarted.mirror(RepositoryId(7)).fetch(&world.remote(), &[branch("main")]).await.unwrap();
    assert_eq!(fetched.tip(&branch("main")), Some(&second));
    assert!(!mirror.join("objects/pack/tmp_pack_x").exists());
}

#[tokio::test]
async fn many_fetches_of_one_mirror_do_not_meet() {
    let world = Arc::new(World::new().await);
    world.commit().await;
    for n in 0..8 {
        world.git(&["update-ref", &format!("refs/pull/{n}/head"), "HEAD"]).await;
    }
    let tasks: Vec<_> = (0..8)
        .map(|n| {
            let world = world.clone();
            tokio::spawn(async move { world.fetch(&[branch("main"), pull(n)]).await })
        })
        .collect();
    for task in tasks {
        assert!(task.await.unwrap().tip(&branch("main")).is_some());
    }
}

#[tokio::test]
async fn a_merge_gives_a_tree_or_the_paths_in_conflict() {
    let world = World::new().await;
    world.write("a", "1\n");
    world.write("folder/b", "1\n");
    world.commit().await;
    world.git(&["checkout", "--quiet", "-b", "topic"]).await;
    world.write("folder/b", "2\n");
    let head = world.commit().await;
    world.git(&["checkout", "--quiet", "main"]).await;
    world.write("a", "2\n");
    let base = world.commit().await;
    world.git(&["merge", "--quiet", "--no-edit", "topic"]).await;
    let merged = world.git(&["rev-parse", "HEAD^{tree}"]).await;
    world.git(&["reset", "--quiet", "--hard", base.as_str()]).await;
    world.write("folder/b", "3\n");
    let other = world.commit().await;
    world.fetch(&[branch("main"), branch("topic")]).await;

    let mirror = world.mirror();
    let Merged::Tree(tree) = mirror.merge_tree(&base, &head).await.unwrap() else {
        panic!("conflict")
    };
    assert_eq!(tree.as_str(), merged);
    assert_eq!(
        mirror.merge_tree(&other, &head).await.unwrap(),
        Merged::Conflict(vec!["folder/b".into()])
    );
    assert!(mirror.is_ancestor(&base, &other).await.unwrap());
    assert!(!mirror.is_ancestor(&other, &base).await.unwrap());
    let (a, b) = (mirror.tree(&base).await.unwrap(), mirror.tree(&other).await.unwrap());
    assert_eq!(mirror.diff_paths(&a, &b).await.unwrap(), ["folder/b"]);
    assert_eq!(mirror.diff_paths(&a, &a).await.unwrap(), [""; 0]);
}

#[tokio::test]
async fn a_pull_request_does_not_choose_how_it_is_merged() {
    let world = World::new().await;
    world.write("f", "1\n");
    world.commit().await;
    world.git(&["checkout", "--quiet", "-b", "topic"]).await;
    world.write("f", "2\n");
    world.write(".gitattributes", "f merge=union\n");
    let head = world.commit().await;
    world.git(&["checkout", "--quiet", "main"]).await;
    world.write("f", "3\n");
    let base = world.commit().await;
    world.fetch(&[branch("main"), branch("topic")]).await;
    assert_eq!(
        world.mirror().merge_tree(&base, &head).await.unwrap(),
        Merged::Conflict(vec!["f".into()])
    );
}

#[tokio::test]
async fn a_tree_is_listed_and_its_blobs_are_read_at_once() {
    let world = World::new().await;
    world.write("landfall.yaml", "version: 1\n");
    world.write("services/a.yaml", "a");
    world.write("services/ä b.yaml", "");
    world.write("services-x/c.yaml", "c\n\nbinary \0 too");
    world.write("odd\nname", "x");
    std::os::unix::fs::symlink("/etc/passwd", world.theirs().join("services/link.yaml")).unwrap();
    let commit = world.commit().await;
    world.fetch(&[branch("main")]).await;
    let mirror = world.mirror();
    let tree = mirror.tree(&commit).await.unwrap();

    let all = mirror.list(&tree, None).await.unwrap();
    assert_eq!((all.entries.len(), all.odd), (5, vec!["odd\nname".to_owned()]));
    let services = mirror.list(&tree, Some(&path("services"))).await.unwrap().entries;
    let shown: Vec<_> = services.iter().map(|entry| (entry.path.as_str(), entry.kind)).collect();
    let file = EntryKind::File;
    assert_eq!(
        shown,
        [
            ("services/a.yaml", file),
            ("services/link.yaml", EntryKind::Link),
            ("services/ä b.yaml", file)
        ]
    );

    let ids: Vec<_> = all.entries.iter().chain(&services).map(|entry| entry.blob.clone()).collect();
    let blobs = mirror.blobs(&ids, 12).await.unwrap();
    let content = |at: &str| {
        &blobs[&all.entries.iter().find(|entry| entry.path.as_str() == at).unwrap().blob]
    };
    assert_eq!(content("landfall.yaml"), &Blob::Content(b"version: 1\n".to_vec()));
    assert_eq!(content("services/ä b.yaml"), &Blob::Content(Vec::new()));
    assert_eq!(content("services-x/c.yaml"), &Blob::TooLarge { size: 15 });
    assert_eq!(mirror.blobs(&[], 12).await.unwrap().len(), 0);
    let missing = landfall_core::name::BlobSha::new("1".repeat(40)).unwrap();
    assert_eq!(
        mirror.blobs(&[missing], 12).await.unwrap_err(),
        RepoError::Unreadable { what: "cat-file" }
    );
}

#[tokio::test]
async fn the_commits_of_a_push_are_listed_with_their_trees_and_parents() {
    let world = World::new().await;
    let first = world.commit().await;
    world.git(&["checkout", "--quiet", "-b", "topic"]).await;
    world.write("t", "1");
    let topic = world.commit().await;
    world.git(&["checkout", "--quiet", "main"]).await;
    world.git(&["merge", "--quiet", "--no-ff", "--no-edit", "topic"]).await;
    let merge = CommitSha::new(world.git(&["rev-parse", "HEAD"]).await).unwrap();
    world.fetch(&[branch("main")]).await;
    let mirror = world.mirror();
    let commits = mirror.commits_between(&first, &merge).await.unwrap();
    assert_eq!(commits.iter().map(|c| &c.sha).collect::<Vec<_>>(), [&merge, &topic]);
    assert_eq!(commits[0].parents, [first.clone(), topic.clone()]);
    assert_eq!(commits[0].tree, mirror.tree(&merge).await.unwrap());
    assert_eq!(mirror.commits_between(&merge, &merge).await.unwrap(), []);
}

#[tokio::test]
async fn compacting_keeps_what_was_fetched() {
    let world = World::new().await;
    world.write("a", "1");
    let commit = world.commit().await;
    world.fetch(&[branch("main")]).await;
    world.mirror().compact().await.unwrap();
    assert!(world.mirror().has(&commit).await.unwrap());
    assert_eq!(world.fetch(&[branch("main")]).await.tip(&branch("main")), Some(&commit));
}

#[tokio::test]
async fn what_is_too_much_together_is_told_as_such_however_many_ids_are_still_to_be_asked() {
    let world = World::new().await;
    // More ids than a pipe holds, so that some are still being written when we stop reading.
    let file = |n: usize| format!("M 644 inline f{n}\ndata 8\n{n:08}\n");
    let files: String = (0..6000).map(file).collect();
    let commit = "commit refs/heads/main\ncommitter A <a@example.com> 0 +0000\ndata 1\nx\n";
    let import = Command::new("git")
        .args(["fast-import", "--quiet"])
        .current_dir(world.theirs())
        .stdin(format!("{commit}{files}"));
    assert!(import.run().await.unwrap().is_success());
    let fetched = world.fetch(&[branch("main")]).await;
    let mirror = world.mirror();
    let tree = mirror.tree(fetched.tip(&branch("main")).unwrap()).await.unwrap();
    let listing = mirror.list(&tree, None).await.unwrap();
    let ids: Vec<_> = listing.entries.into_iter().map(|entry| entry.blob).collect();
    let limits = objects::Limits { each: 100, together: 1000 };
    let refused = mirror.blobs_within(&ids, limits).await.unwrap_err();
    assert_eq!(refused, RepoError::TooLarge { limit: 1000 });
}

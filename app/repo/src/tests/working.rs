//! A person's own checkout.

use super::*;

async fn copy(world: &World) -> WorkingCopy {
    WorkingCopy::discover(&world.git, &world.theirs(), None).await.unwrap()
}

fn text(blob: &Blob) -> &str {
    match blob {
        Blob::Content(content) => std::str::from_utf8(content).unwrap(),
        Blob::TooLarge { size } => panic!("too large: {size}"),
    }
}

#[tokio::test]
async fn what_is_staged_and_what_lies_in_the_folder_are_told_apart() {
    let world = World::new().await;
    world.write("a.yaml", "committed");
    world.write("gone.yaml", "x");
    world.write(".gitignore", "ignored.yaml\n");
    world.commit().await;
    world.write("a.yaml", "staged");
    world.git(&["add", "a.yaml"]).await;
    world.write("a.yaml", "edited");
    world.write("new.yaml", "untracked");
    world.write("ignored.yaml", "x");
    std::fs::remove_file(world.theirs().join("gone.yaml")).unwrap();

    let copy = copy(&world).await;
    let staged = copy.staged().await.unwrap().entries;
    assert_eq!(
        staged.iter().map(|e| e.path.as_str()).collect::<Vec<_>>(),
        [".gitignore", "a.yaml", "gone.yaml"]
    );
    let blobs = copy.blobs(&[staged[1].blob.clone()], 100).await.unwrap();
    assert_eq!(text(&blobs[&staged[1].blob]), "staged");

    let mut files = copy.files().await.unwrap();
    files.sort();
    assert_eq!(files, [path(".gitignore"), path("a.yaml"), path("new.yaml")]);
    assert_eq!(text(&copy.read(&files[1], 100).await.unwrap()), "edited");
    assert_eq!(copy.read(&files[1], 3).await.unwrap(), Blob::TooLarge { size: 6 });
    assert!(copy.read(&path("gone.yaml"), 100).await.is_err());
}

#[tokio::test]
async fn the_index_of_a_commit_under_way_is_the_one_that_counts() {
    let world = World::new().await;
    world.write("a", "1");
    world.commit().await;
    let index = world.theirs().join(".git/next-index");
    std::fs::copy(world.theirs().join(".git/index"), &index).unwrap();
    world.write("b", "2");
    world.git(&["add", "b"]).await;
    let discover =
        async |index| WorkingCopy::discover(&world.git, &world.theirs(), index).await.unwrap();
    assert_eq!(discover(Some(index)).await.staged().await.unwrap().entries.len(), 1);
    assert_eq!(discover(None).await.staged().await.unwrap().entries.len(), 2);
}

#[tokio::test]
async fn a_checkout_knows_its_branch_its_head_its_origin_and_whether_it_is_clean() {
    let world = World::new().await;
    assert_eq!(copy(&world).await.head().await.unwrap(), None);
    world.write("sub/a", "1");
    let head = world.commit().await;
    let copy = WorkingCopy::discover(&world.git, &world.theirs().join("sub"), None).await.unwrap();
    assert_eq!(copy.root(), world.theirs().canonicalize().unwrap());
    assert_eq!(copy.branch().await.unwrap(), BranchName::new("main").ok());
    assert_eq!(copy.head().await.unwrap(), Some(head));
    assert_eq!(copy.origin().await.unwrap(), None);
    world.git(&["remote", "add", "origin", "https://me:s3cret@github.com/acme/homelab.git"]).await;
    assert_eq!(
        copy.origin().await.unwrap().as_deref(),
        Some("https://github.com/acme/homelab.git")
    );
    world.git(&["remote", "set-url", "origin", "git@github.com:acme/homelab.git"]).await;
    assert_eq!(copy.origin().await.unwrap().as_deref(), Some("git@github.com:acme/homelab.git"));
    assert!(copy.is_clean().await.unwrap());
    world.write("b", "1");
    assert!(!copy.is_clean().await.unwrap());
    world.git(&["checkout", "--quiet", "--detach"]).await;
    assert_eq!(copy.branch().await.unwrap(), None);
}

#[tokio::test]
async fn a_merge_under_way_is_a_conflict_and_no_checkout_is_an_error() {
    let world = World::new().await;
    world.write("f", "1\n");
    world.commit().await;
    world.git(&["checkout", "--quiet", "-b", "topic"]).await;
    world.write("f", "2\n");
    world.commit().await;
    world.git(&["checkout", "--quiet", "main"]).await;
    world.write("f", "3\n");
    world.commit().await;
    let merge = ["-c", "user.name=A", "-c", "user.email=a@example.com", "merge", "topic"];
    let merge = Command::new("git").args(merge).current_dir(world.theirs()).run().await.unwrap();
    assert!(!merge.is_success());
    assert_eq!(
        copy(&world).await.staged().await.unwrap_err(),
        RepoError::Conflict(vec!["f".into()])
    );
    let nowhere = WorkingCopy::discover(&world.git, world.folder.path(), None).await;
    assert!(matches!(nowhere, Err(RepoError::Git { what: "rev-parse", .. })), "{nowhere:?}");
}

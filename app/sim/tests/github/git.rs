//! A real git against the simulated server.

use landfall_sim::github::{NewPull, Role, edit};

use crate::world::{Receiver, World, git, try_git};

#[tokio::test]
async fn a_private_repository_is_cloned_with_an_installation_token_and_not_without() {
    let world = World::new().await;
    let folder = tempfile::tempdir().unwrap();
    let url = world.repo.git_url();
    let anonymous = try_git(folder.path(), &["clone", "--quiet", &url, "no"]).await;
    assert!(anonymous.unwrap_err().contains("could not read Username"));

    let with_token =
        url.replace("http://", &format!("http://x-access-token:{}@", world.token().await));
    git(folder.path(), &["clone", "--quiet", "--mirror", &with_token, "mirror"]).await;
    let tip = git(folder.path(), &["-C", "mirror", "rev-parse", "main"]).await;
    assert_eq!(Some(tip), world.repo.head("main").await.unwrap());
    assert_eq!(
        git(folder.path(), &["-C", "mirror", "cat-file", "blob", "main:landfall.yaml"]).await,
        "version: 1"
    );
}

#[tokio::test]
async fn a_partial_clone_works() {
    let world = World::new().await;
    let folder = tempfile::tempdir().unwrap();
    let url = authorized(&world, "alice");
    git(folder.path(), &["clone", "--quiet", "--bare", "--filter=blob:none", &url, "c"]).await;
    git(folder.path(), &["-C", "c", "cat-file", "-e", "main:services/nas.yaml"]).await;
}

#[tokio::test]
async fn a_push_by_git_moves_the_branch_and_its_pull_request() {
    let world = World::new().await;
    let pull = world.pull("plex").await;
    let receiver = Receiver::start(&world.github).await;
    let folder = tempfile::tempdir().unwrap();
    git(folder.path(), &["clone", "--quiet", "-b", "plex", &authorized(&world, "alice"), "c"])
        .await;
    let clone = folder.path().join("c");
    // Large enough that git compresses the request.
    let text: String = (0..5000).map(|line| format!("line {line}\n")).collect();
    std::fs::write(clone.join("notes"), text).unwrap();
    git(&clone, &["add", "notes"]).await;
    git(&clone, &["commit", "--quiet", "-m", "Take notes"]).await;
    git(&clone, &["push", "--quiet", "origin", "plex"]).await;

    let tip = git(&clone, &["rev-parse", "HEAD"]).await;
    assert_eq!(world.repo.pull(pull).unwrap().head_sha, tip);
    world.github.hooks().deliver_all().await;
    assert_eq!(receiver.names(), ["push", "pull_request.synchronize"]);
    let push = receiver.all()[0].json();
    assert_eq!((&push["after"], &push["pusher"]["name"]), (&tip.into(), &"alice".into()));
    assert_eq!(push["commits"][0]["added"], serde_json::json!(["notes"]));
}

#[tokio::test]
async fn a_reader_cannot_push() {
    let world = World::new().await;
    world.repo.add_user("rob", Role::Read).unwrap();
    let folder = tempfile::tempdir().unwrap();
    git(folder.path(), &["clone", "--quiet", &authorized(&world, "rob"), "c"]).await;
    let pushed = try_git(&folder.path().join("c"), &["push", "origin", "main:other"]).await;
    assert!(pushed.unwrap_err().contains("403"));
    assert_eq!(world.repo.head("other").await.unwrap(), None);
}

#[tokio::test]
async fn the_head_of_a_fork_is_fetched_from_the_repository_itself() {
    let world = World::new().await;
    let fork = world.repo.fork("mallory").await.unwrap();
    let sha = fork.push("idea", "mallory", "An idea", [("x", "1")]).await.unwrap();
    let new = NewPull::from("idea").of_fork(&fork).by("mallory");
    let pull = world.repo.open(new).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    git(folder.path(), &["init", "--quiet", "."]).await;
    let reference = format!("refs/pull/{pull}/head");
    git(folder.path(), &["fetch", "--quiet", &authorized(&world, "alice"), &reference]).await;
    assert_eq!(git(folder.path(), &["rev-parse", "FETCH_HEAD"]).await, sha);
}

#[tokio::test]
async fn the_head_of_a_pull_request_can_lag_behind_its_webhook() {
    let world = World::new().await;
    world.github.lag_pull_refs(1);
    let pull = world.pull("plex").await;
    let sha = world.repo.pull(pull).unwrap().head_sha;
    let folder = tempfile::tempdir().unwrap();
    git(folder.path(), &["init", "--quiet", "."]).await;
    let reference = format!("refs/pull/{pull}/head");
    let url = authorized(&world, "alice");
    let fetch = ["fetch", "--quiet", &url, &reference];
    assert!(try_git(folder.path(), &fetch).await.is_err());
    git(folder.path(), &fetch).await;
    assert_eq!(git(folder.path(), &["rev-parse", "FETCH_HEAD"]).await, sha);
}

#[tokio::test]
async fn ten_thousand_files_are_one_commit() {
    let world = World::new().await;
    let files = (0..10_000).map(|i| edit(format!("services/s{i}.yaml"), format!("a: {i}\n")));
    world.repo.push("main", "alice", "Many services", files).await.unwrap();
    let last = world.repo.file("main", "services/s9999.yaml").await.unwrap();
    assert_eq!(last.as_deref(), Some("a: 9999\n"));
}

#[tokio::test]
async fn the_same_story_makes_the_same_commits() {
    let mut tips = Vec::new();
    for _ in 0..2 {
        let world = World::new().await;
        world.pull("plex").await;
        tips.push(world.repo.head("plex").await.unwrap());
    }
    assert_eq!(tips[0], tips[1]);
}

#[tokio::test]
async fn a_renamed_repository_is_redirected() {
    let world = World::new().await;
    let old = authorized(&world, "alice");
    world.repo.rename("house").unwrap();
    let folder = tempfile::tempdir().unwrap();
    git(folder.path(), &["clone", "--quiet", &old, "c"]).await;
    assert!(folder.path().join("c/landfall.yaml").exists());
}

fn authorized(world: &World, login: &str) -> String {
    let token = world.github.person_token(login);
    world.repo.git_url().replace("http://", &format!("http://{login}:{token}@"))
}

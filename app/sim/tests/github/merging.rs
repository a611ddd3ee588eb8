//! Merges in GitHub's three ways, and what follows from them.

use landfall_os::http::Method;
use landfall_sim::github::{MergeMethod, NewPull};
use serde_json::{Value, json};

use crate::world::{Receiver, World, json_of};

#[tokio::test]
async fn a_merge_commit_has_both_sides_as_parents() {
    let world = World::new().await;
    let pull = world.pull("plex").await;
    let base = world.repo.head("main").await.unwrap().unwrap();
    let head = world.repo.pull(pull).unwrap().head_sha;
    let sha = world.repo.merge(pull, MergeMethod::Merge, "alice").await.unwrap();
    let commit = json_of(&world.get(&format!("/repos/acme/homelab/git/commits/{sha}")).await);
    let parents: Vec<&str> =
        commit["parents"].as_array().unwrap().iter().filter_map(|p| p["sha"].as_str()).collect();
    assert_eq!(parents, [base, head]);
    assert_eq!(commit["message"], "Merge pull request #1 from acme/plex\n\nMerge plex");
    assert_eq!(world.repo.head("main").await.unwrap(), Some(sha));
}

#[tokio::test]
async fn a_squash_is_one_commit_on_the_base() {
    let world = World::new().await;
    let pull = world.pull("plex").await;
    world.repo.push("plex", "alice", "More", [("more", "1")]).await.unwrap();
    let base = world.repo.head("main").await.unwrap().unwrap();
    let sha = world.repo.merge(pull, MergeMethod::Squash, "alice").await.unwrap();
    let commit = json_of(&world.get(&format!("/repos/acme/homelab/git/commits/{sha}")).await);
    assert_eq!(commit["parents"].as_array().unwrap().len(), 1);
    assert_eq!(commit["parents"][0]["sha"], base.as_str());
    assert_eq!(commit["message"], "Merge plex (#1)");
}

#[tokio::test]
async fn a_rebase_copies_each_commit_and_names_the_last() {
    let world = World::new().await;
    let pull = world.pull("plex").await;
    world.repo.push("plex", "alice", "More", [("more", "1")]).await.unwrap();
    world.repo.push("main", "alice", "Meanwhile", [("other", "1")]).await.unwrap();
    let receiver = Receiver::start(&world.github).await;
    let sha = world.repo.merge(pull, MergeMethod::Rebase, "alice").await.unwrap();
    world.github.hooks().deliver_all().await;
    let merged = world.repo.pull(pull).unwrap();
    let landed = &merged.merged().unwrap().landed;
    assert_eq!((landed.len(), landed.last()), (2, Some(&sha)));
    assert!(merged.commits.iter().all(|commit| !landed.contains(commit)));
    let [push, closed] = receiver.all().try_into().unwrap();
    assert_eq!(push.json()["commits"].as_array().unwrap().len(), 2);
    assert_eq!(closed.json()["pull_request"]["merge_commit_sha"], sha.as_str());
    assert_eq!(closed.json()["pull_request"]["merged"], true);
}

#[tokio::test]
async fn a_merge_over_the_api_needs_the_right_head_and_no_conflict() {
    let world = World::new().await;
    let pull = world.pull("plex").await;
    let alice = world.github.person_token("alice");
    let path = format!("/repos/acme/homelab/pulls/{pull}/merge");
    let merge = async |body: Value| world.call(Method::PUT, &path, &alice, body).await;
    let old = world.repo.head("main").await.unwrap();
    assert_eq!(merge(json!({ "sha": old })).await.status, 409);

    world.repo.push("main", "alice", "Clash", [("services/plex.yaml", "b\n")]).await.unwrap();
    let shown = json_of(&world.get(&format!("/repos/acme/homelab/pulls/{pull}")).await);
    assert_eq!((&shown["mergeable"], &shown["mergeable_state"]), (&json!(false), &json!("dirty")));
    assert_eq!(merge(json!({})).await.status, 405);

    world.repo.push("main", "alice", "Agree", [("services/plex.yaml", "a: 2\n")]).await.unwrap();
    let merged = merge(json!({ "merge_method": "squash" })).await;
    assert_eq!((merged.status, &json_of(&merged)["merged"]), (200, &json!(true)));
    let by_app = world.call(Method::PUT, &path, &world.token().await, json!({})).await;
    assert_eq!(by_app.status, 403, "the App may not write contents");
}

#[tokio::test]
async fn a_direct_push_of_the_head_merges_the_pull_request() {
    let world = World::new().await;
    let pull = world.pull("plex").await;
    let receiver = Receiver::start(&world.github).await;
    world.repo.point_branch("main", "refs/heads/plex", "alice").await.unwrap();
    world.github.hooks().deliver_all().await;
    assert_eq!(receiver.names(), ["push", "pull_request.closed"]);
    let merged = world.repo.pull(pull).unwrap();
    assert_eq!(merged.merged().unwrap().commit, merged.head_sha);
}

#[tokio::test]
async fn a_commit_leads_to_its_pull_request_once_the_index_has_caught_up() {
    let world = World::new().await;
    world.github.lag_index(2);
    let pull = world.pull("plex").await;
    let sha = world.repo.merge(pull, MergeMethod::Merge, "alice").await.unwrap();
    let path = format!("/repos/acme/homelab/commits/{sha}/pulls");
    let mut answers = Vec::new();
    for _ in 0..3 {
        answers.push(json_of(&world.get(&path).await).as_array().unwrap().len());
    }
    assert_eq!(answers, [0, 0, 1]);
}

#[tokio::test]
async fn off_the_default_branch_open_pull_requests_are_named_too() {
    let world = World::new().await;
    let sha = world.repo.push("develop", "alice", "Work", [("x", "1")]).await.unwrap();
    let open = world.repo.open(NewPull::from("develop")).await.unwrap();
    let found = json_of(&world.get(&format!("/repos/acme/homelab/commits/{sha}/pulls")).await);
    assert_eq!(found[0]["number"], open);
    assert_eq!(found[0]["merged_at"], Value::Null);
}

#[tokio::test]
async fn mergeable_is_null_while_github_computes_it() {
    let world = World::new().await;
    world.github.lag_mergeable(1);
    let path = format!("/repos/acme/homelab/pulls/{}", world.pull("plex").await);
    assert_eq!(json_of(&world.get(&path).await)["mergeable"], Value::Null);
    assert_eq!(json_of(&world.get(&path).await)["mergeable"], true);
}

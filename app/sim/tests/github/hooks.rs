//! Webhooks: what arrives, in which order, and what the log says of it.

use http::StatusCode;
use landfall_os::http::Method;
use landfall_sim::github::{
    Fate, MergeMethod, NewPull, OnDelivery, Settings, TEST_WEBHOOK_SECRET, signature,
};
use serde_json::{Value, json};

use crate::world::{Receiver, World, json_of};

#[tokio::test]
async fn a_delivery_is_signed_over_its_bytes_and_names_itself() {
    let world = World::new().await;
    let receiver = Receiver::start(&world.github).await;
    world.pull("plex").await;
    world.github.hooks().deliver_all().await;
    assert_eq!(receiver.names(), ["push", "pull_request.opened"]);
    for received in receiver.all() {
        let expected = signature(TEST_WEBHOOK_SECRET, &received.body);
        assert_eq!(received.header("x-hub-signature-256"), expected);
        assert!(received.header("user-agent").starts_with("GitHub-Hookshot/"));
        assert_eq!(received.header("x-github-hook-installation-target-id"), "4242");
        assert_eq!(received.header("x-github-hook-installation-target-type"), "integration");
        assert_eq!(received.header("content-type"), "application/json");
        assert_eq!(received.header("x-github-delivery").len(), 36);
    }
}

#[tokio::test]
async fn without_a_secret_there_is_no_signature() {
    let settings = Settings { webhook_secret: None, ..Settings::default() };
    let world = World::with(settings).await;
    let receiver = Receiver::start(&world.github).await;
    world.github.hooks().ping();
    world.github.hooks().deliver_all().await;
    let [ping] = receiver.all().try_into().unwrap();
    assert_eq!(ping.header("x-hub-signature-256"), "");
    assert_eq!(ping.json()["hook"]["app_id"], 4242);
}

#[tokio::test]
async fn every_thing_that_happens_is_told() {
    let world = World::new().await;
    let repo = &world.repo;
    let receiver = Receiver::start(&world.github).await;
    repo.push("develop", "alice", "Begin", [("d", "1")]).await.unwrap();
    repo.push("plex", "alice", "Add", [("services/plex.yaml", "a\n")]).await.unwrap();
    let pull = repo.open(NewPull::from("plex").as_draft()).await.unwrap();
    repo.mark_ready(pull, "alice").unwrap();
    repo.label(pull, "ready", "alice").unwrap();
    repo.retarget(pull, "develop", "alice").await.unwrap();
    repo.push("plex", "alice", "More", [("more", "1")]).await.unwrap();
    let main = repo.head("main").await.unwrap().unwrap();
    repo.force_push("plex", "alice", &main, [("services/plex.yaml", "b\n")]).await.unwrap();
    let comment = repo.comment(pull, "alice", "/plan").unwrap();
    repo.edit_comment(comment, "bob", "/apply").unwrap();
    repo.delete_comment(comment, "alice").unwrap();
    repo.close(pull, "alice").unwrap();
    repo.reopen(pull, "alice").unwrap();
    repo.merge(pull, MergeMethod::Merge, "alice").await.unwrap();
    repo.delete_branch("plex", "alice").await.unwrap();
    world.github.hooks().deliver_all().await;
    assert_eq!(
        receiver.names(),
        [
            "push",
            "push",
            "pull_request.opened",
            "pull_request.ready_for_review",
            "pull_request.labeled",
            "pull_request.edited",
            "push",
            "pull_request.synchronize",
            "push",
            "pull_request.synchronize",
            "issue_comment.created",
            "issue_comment.edited",
            "issue_comment.deleted",
            "pull_request.closed",
            "pull_request.reopened",
            "push",
            "pull_request.closed",
            "push",
        ]
    );
    let all: Vec<Value> = receiver.all().iter().map(|received| received.json()).collect();
    assert_eq!(all[0]["created"], true);
    assert_eq!(all[5]["changes"]["base"]["ref"]["from"], "main");
    assert_eq!(all[8]["forced"], true);
    assert_eq!(all[11]["sender"]["login"], "bob");
    assert_eq!(all[11]["comment"]["user"]["login"], "alice");
    assert_eq!(all[17]["deleted"], true);
    assert_eq!(all[17]["after"], "0".repeat(40));
}

#[tokio::test]
async fn deliveries_are_lost_held_reordered_and_doubled() {
    let world = World::new().await;
    let pull = world.pull("plex").await;
    let receiver = Receiver::start(&world.github).await;
    let hooks = world.github.hooks();
    hooks.fate(OnDelivery::event("issue_comment"), Fate::NeverSent);
    hooks.fate(OnDelivery::event("issue_comment").times(2), Fate::Held);
    hooks.fate(OnDelivery::event("issue_comment").action("created"), Fate::Twice);
    for text in ["lost", "first", "second", "twice"] {
        world.repo.comment(pull, "alice", text).unwrap();
    }
    hooks.deliver_all().await;
    hooks.release_reversed();
    hooks.deliver_all().await;
    let told: Vec<Value> =
        receiver.all().iter().map(|received| received.json()["comment"]["body"].clone()).collect();
    assert_eq!(told, ["twice", "twice", "second", "first"]);
    let all = receiver.all();
    assert_eq!(all[0].header("x-github-delivery"), all[1].header("x-github-delivery"));
}

#[tokio::test]
async fn a_failed_delivery_is_in_the_log_and_comes_again_only_when_asked() {
    let world = World::new().await;
    let pull = world.pull("plex").await;
    let receiver = Receiver::start(&world.github).await;
    receiver.answer(StatusCode::SERVICE_UNAVAILABLE);
    world.repo.comment(pull, "alice", "/plan").unwrap();
    let hooks = world.github.hooks();
    hooks.fate(OnDelivery::any(), Fate::Unreachable);
    world.repo.comment(pull, "alice", "/apply").unwrap();
    hooks.deliver_all().await;
    assert_eq!(receiver.all().len(), 1, "nothing is repeated");
    receiver.answer(StatusCode::ACCEPTED);

    let listed = json_of(&world.as_app(Method::GET, "/app/hook/deliveries?per_page=2").await);
    let outcome = |attempt: &Value| (attempt["status"].clone(), attempt["status_code"].clone());
    assert_eq!(outcome(&listed[0]), (json!("failed to connect to host"), json!(502)));
    assert_eq!(outcome(&listed[1]), (json!("Invalid HTTP Response: 503"), json!(503)));

    let path = format!("/app/hook/deliveries/{}", listed[0]["id"]);
    let whole = json_of(&world.as_app(Method::GET, &path).await);
    assert_eq!(whole["request"]["payload"]["comment"]["body"], "/apply");
    let again = world.as_app(Method::POST, &format!("{path}/attempts")).await;
    assert_eq!(again.status, 202);
    hooks.deliver_all().await;
    let log = hooks.log();
    let last = log.last().unwrap();
    assert_eq!((last.status.as_str(), last.redelivery), ("OK", true));
    assert_eq!(json!(last.guid), listed[0]["guid"]);
    assert_eq!(receiver.all().last().unwrap().header("x-github-delivery"), last.guid);
}

#[tokio::test]
async fn the_log_is_read_page_by_page_with_a_cursor() {
    let world = World::new().await;
    let pull = world.pull("plex").await;
    let _receiver = Receiver::start(&world.github).await;
    for _ in 0..5 {
        world.repo.comment(pull, "alice", "hello").unwrap();
    }
    world.github.hooks().deliver_all().await;
    let mut path = "/app/hook/deliveries?per_page=3".to_owned();
    let mut seen = Vec::new();
    loop {
        let page = world.as_app(Method::GET, &path).await;
        seen.extend(json_of(&page).as_array().unwrap().iter().map(|a| a["id"].as_u64().unwrap()));
        let Some(link) = page.header("link") else { break };
        let next = link.split(['<', '>']).nth(1).unwrap();
        path = next.strip_prefix(&world.github.api_url()).unwrap().to_owned();
    }
    let mut expected: Vec<u64> = world.github.hooks().log().iter().map(|a| a.id).collect();
    expected.reverse();
    assert_eq!(seen, expected);
}

#[tokio::test]
async fn installations_are_told_and_a_button_is_pressed() {
    let world = World::new().await;
    let receiver = Receiver::start(&world.github).await;
    let other = world.github.create_repository("acme/other", [("x", "1")]).await.unwrap();
    other.take_off().unwrap();
    let sha = world.repo.head("main").await.unwrap();
    let action = json!({ "label": "Apply", "description": "Apply it", "identifier": "apply" });
    let run = json!({ "name": "plan", "head_sha": sha, "actions": [action] });
    let run = json_of(&world.post("/repos/acme/homelab/check-runs", run).await);
    let run = run["id"].as_u64().unwrap();
    world.repo.rerequest(run, "alice").unwrap();
    world.repo.press(run, "apply", "alice").unwrap();
    assert!(world.repo.press(run, "nothing", "alice").is_err());
    world.github.uninstall(world.github.installations()[0].id, "alice").unwrap();
    world.github.hooks().deliver_all().await;
    assert_eq!(
        receiver.names(),
        [
            "installation_repositories.added",
            "installation_repositories.removed",
            "check_run.rerequested",
            "check_run.requested_action",
            "installation.deleted",
        ]
    );
}

//! The REST API: who may do what, paging, limits of size, and the resources that an App writes.

use jiff::SignedDuration;
use landfall_os::http::Method;
use landfall_sim::github::{RateLimit, Role, Settings};
use serde_json::{Value, json};

use crate::world::{World, app_token, client, json_of, signed};

const REPO: &str = "/repos/acme/homelab";

#[tokio::test]
async fn app_tokens_are_held_against_key_and_clock() {
    let world = World::new().await;
    let now = jiff::Timestamp::now().as_second();
    assert_eq!(json_of(&world.as_app(Method::GET, "/app").await)["slug"], "landfall");
    let forged = {
        let mut token = app_token();
        token.replace_range(token.len() - 8.., "AAAAAAAA");
        token
    };
    let expired = signed(&json!({ "iat": now - 700, "exp": now - 100, "iss": "4242" }));
    let far = signed(&json!({ "iat": now, "exp": now + 3600, "iss": "4242" }));
    let other = signed(&json!({ "iat": now, "exp": now + 60, "iss": "1" }));
    for (token, text) in [
        (forged, "could not be decoded"),
        (expired, "'Expiration time' claim"),
        (far, "too far in the future"),
        (other, "Integration not found"),
    ] {
        let refused = world.call(Method::GET, "/app", &token, Value::Null).await;
        assert_eq!(refused.status, 401);
        assert!(json_of(&refused)["message"].as_str().unwrap().contains(text));
    }
}

#[tokio::test]
async fn a_token_is_scoped_to_repositories_and_permissions() {
    let world = World::new().await;
    let other = world.github.create_repository("acme/other", [("x", "1")]).await.unwrap();
    let wanted = json!({
        "repository_ids": [world.repo.id()],
        "permissions": { "contents": "read", "pull_requests": "read" },
    });
    let minted = world.mint(wanted).await;
    assert_eq!(minted.status, 201);
    let token = json_of(&minted)["token"].as_str().unwrap().to_owned();
    let ask = async |path: &str| world.call(Method::GET, path, &token, Value::Null).await.status;
    assert_eq!(ask(REPO).await, 200);
    assert_eq!(ask("/repos/acme/other").await, 404);
    assert_eq!(ask(&format!("{REPO}/deployments")).await, 403);
    let pull = world.pull("plex").await;
    let path = format!("{REPO}/issues/{pull}/comments");
    let refused = world.call(Method::POST, &path, &token, json!({ "body": "x" })).await;
    assert_eq!(refused.status, 403);
    assert_eq!(
        refused.header("x-accepted-github-permissions"),
        Some("issues=write; pull_requests=write")
    );
    let all = json_of(&world.get("/installation/repositories").await);
    assert_eq!(all["total_count"], 2);
    other.take_off().unwrap();
    let outside = json!({ "repository_ids": [other.id()] });
    assert_eq!(world.mint(outside).await.status, 422);
    let more = json!({ "permissions": { "contents": "write" } });
    assert_eq!(world.mint(more).await.status, 422);
}

#[tokio::test]
async fn revoked_suspended_and_expired_tokens_are_refused() {
    let world = World::new().await;
    let token = world.token().await;
    let ask = async |token: &str| world.call(Method::GET, REPO, token, Value::Null).await.status;
    assert_eq!(ask(&token).await, 200);
    let installation = world.github.installations()[0].id;
    world.github.suspend(installation, "alice").unwrap();
    assert_eq!(ask(&token).await, 403);
    world.github.resume(installation, "alice").unwrap();
    assert_eq!(ask(&token).await, 200);
    world.github.revoke_installation_tokens();
    assert_eq!(ask(&token).await, 401);

    let settings = Settings { token_lifetime: SignedDuration::ZERO, ..Settings::default() };
    let short = World::with(settings).await;
    assert_eq!(short.get(REPO).await.status, 401);
}

#[tokio::test]
async fn roles_are_told_apart_and_strangers_are_unknown() {
    let world = World::new().await;
    world.repo.add_user("mia", Role::Maintain).unwrap();
    let path = |login: &str| format!("{REPO}/collaborators/{login}/permission");
    let mia = json_of(&world.get(&path("mia")).await);
    assert_eq!((&mia["permission"], &mia["role_name"]), (&json!("write"), &json!("maintain")));
    assert_eq!(world.get(&path("nobody")).await.status, 404);
    world.github.person_token("eve");
    assert_eq!(json_of(&world.get(&path("eve")).await)["permission"], "none");
}

#[tokio::test]
async fn comments_are_paged_by_links() {
    let world = World::new().await;
    let pull = world.pull("plex").await;
    for number in 0..5 {
        world.repo.comment(pull, "alice", &format!("comment {number}")).unwrap();
    }
    let path = format!("{REPO}/issues/{pull}/comments");
    let first = world.get(&format!("{path}?per_page=2")).await;
    let url = world.github.api_url();
    assert_eq!(
        first.header("link").unwrap(),
        format!(
            "<{url}{path}?per_page=2&page=2>; rel=\"next\", <{url}{path}?per_page=2&page=3>; rel=\"last\""
        )
    );
    let last = world.get(&format!("{path}?per_page=2&page=3")).await;
    assert_eq!(json_of(&last)[0]["body"], "comment 4");
    assert!(!last.header("link").unwrap().contains("next"));
}

#[tokio::test]
async fn a_comment_is_written_changed_reacted_to_and_deleted() {
    let world = World::new().await;
    let pull = world.pull("plex").await;
    let path = format!("{REPO}/issues/{pull}/comments");
    let made = world.post(&path, json!({ "body": "plan" })).await;
    assert_eq!(made.status, 201);
    let made = json_of(&made);
    assert_eq!(
        (&made["user"]["login"], &made["user"]["type"]),
        (&"landfall[bot]".into(), &"Bot".into())
    );
    let path = format!("{REPO}/issues/comments/{}", made["id"]);
    assert_eq!(json_of(&world.patch(&path, json!({ "body": "new" })).await)["body"], "new");
    let react = format!("{path}/reactions");
    assert_eq!(world.post(&react, json!({ "content": "eyes" })).await.status, 201);
    assert_eq!(world.post(&react, json!({ "content": "eyes" })).await.status, 200);
    assert_eq!(world.post(&react, json!({ "content": "tada" })).await.status, 422);
    let token = world.token().await;
    assert_eq!(world.call(Method::DELETE, &path, &token, Value::Null).await.status, 204);
    assert_eq!(world.patch(&path, json!({ "body": "new" })).await.status, 404);
    assert!(world.repo.comments(pull).is_empty());
}

#[tokio::test]
async fn a_comment_has_a_longest_length_in_characters() {
    let world = World::new().await;
    let path = format!("{REPO}/issues/{}/comments", world.pull("plex").await);
    let fits = json!({ "body": "é".repeat(65_536) });
    assert_eq!(world.post(&path, fits).await.status, 201);
    let refused = world.post(&path, json!({ "body": "x".repeat(65_537) })).await;
    assert_eq!(refused.status, 422);
    assert_eq!(
        json_of(&refused)["errors"][0]["message"],
        "Body is too long (maximum is 65536 characters)"
    );
    let missing = world.post(&path, json!({})).await;
    assert_eq!(json_of(&missing)["message"], "Invalid request.\n\n\"body\" wasn't supplied.");
}

#[tokio::test]
async fn check_runs_take_fifty_annotations_at_a_time_and_append_more() {
    let world = World::new().await;
    let sha = world.repo.head("main").await.unwrap().unwrap();
    let annotations = |count: usize| {
        let one = json!({
            "path": "landfall.yaml", "start_line": 1, "end_line": 1,
            "annotation_level": "failure", "message": "wrong",
        });
        json!({ "output": { "title": "t", "summary": "s", "annotations": vec![one; count] } })
    };
    let with = |mut body: Value, more: Value| {
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    let named = json!({ "name": "plan", "head_sha": sha });
    let path = format!("{REPO}/check-runs");
    let refused = world.post(&path, with(annotations(51), named.clone())).await;
    assert_eq!(refused.status, 422);
    let made = json_of(&world.post(&path, with(annotations(50), named)).await);
    let path = format!("{path}/{}", made["id"]);
    let done = with(annotations(7), json!({ "conclusion": "failure" }));
    let done = json_of(&world.patch(&path, done).await);
    assert_eq!(done["output"]["annotations_count"], 57);
    assert_eq!((&done["status"], &done["conclusion"]), (&json!("completed"), &json!("failure")));
    let listed = json_of(&world.get(&format!("{REPO}/commits/{sha}/check-runs")).await);
    assert_eq!(listed["total_count"], 1);
    assert_eq!(world.repo.check_runs(&sha)[0].annotations.len(), 57);
}

#[tokio::test]
async fn a_deployment_with_the_defaults_waits_for_checks() {
    let world = World::new().await;
    let sha = world.repo.head("main").await.unwrap().unwrap();
    world.post(&format!("{REPO}/check-runs"), json!({ "name": "plan", "head_sha": sha })).await;
    let path = format!("{REPO}/deployments");
    let defaults = world.post(&path, json!({ "ref": sha, "environment": "staging" })).await;
    assert_eq!(defaults.status, 409);
    let wanted = json!({
        "ref": sha, "environment": "staging", "task": "deploy:run",
        "auto_merge": false, "required_contexts": [],
    });
    let made = world.post(&path, wanted).await;
    assert_eq!(made.status, 201);
    let statuses = format!("{path}/{}/statuses", json_of(&made)["id"]);
    assert_eq!(world.post(&statuses, json!({ "state": "in_progress" })).await.status, 201);
    assert_eq!(world.post(&statuses, json!({ "state": "success" })).await.status, 201);
    let long = json!({ "state": "success", "description": "x".repeat(141) });
    assert_eq!(world.post(&statuses, long).await.status, 422);
    let found = world.get(&format!("{path}?environment=staging&task=deploy:run")).await;
    assert_eq!(json_of(&found).as_array().unwrap().len(), 1);
    let states: Vec<String> =
        world.repo.deployments()[0].statuses.iter().map(|status| status.state.clone()).collect();
    assert_eq!(states, ["in_progress", "success"]);
}

#[tokio::test]
async fn a_renamed_repository_answers_under_its_id() {
    let world = World::new().await;
    world.repo.rename("house").unwrap();
    let moved = world.get(REPO).await;
    assert_eq!(moved.status, 301);
    let to = moved.header("location").unwrap().to_owned();
    let path = to.strip_prefix(&world.github.api_url()).unwrap();
    assert_eq!(json_of(&world.get(path).await)["full_name"], "acme/house");
    assert_eq!(world.get(&format!("{path}/branches/main")).await.status, 200);
}

#[tokio::test]
async fn an_unchanged_answer_is_304_to_the_token_that_had_it() {
    let world = World::new().await;
    let (token, another) = (world.token().await, world.token().await);
    let tag = world.call(Method::GET, REPO, &token, Value::Null).await;
    let tag = tag.header("etag").unwrap().to_owned();
    let again = async |token: &str| {
        client(&world.github.api_url())
            .request(Method::GET, ["repos", "acme", "homelab"])
            .bearer(&token.into())
            .header("if-none-match", &tag)
            .send()
            .await
            .unwrap()
    };
    let unchanged = again(&token).await;
    assert_eq!((unchanged.status, unchanged.body.len()), (304, 0));
    assert_eq!(again(&another).await.status, 200);
}

#[tokio::test]
async fn the_hourly_limit_is_told_and_kept() {
    let rate_limit = Some(RateLimit { requests_per_hour: 2, writes_per_minute: 80 });
    let world = World::with(Settings { rate_limit, ..Settings::default() }).await;
    let token = world.token().await;
    let ask = async || world.call(Method::GET, REPO, &token, Value::Null).await;
    assert_eq!(ask().await.header("x-ratelimit-remaining"), Some("1"));
    assert_eq!(ask().await.status, 200);
    let refused = ask().await;
    assert_eq!(refused.status, 403);
    assert_eq!(refused.header("x-ratelimit-remaining"), Some("0"));
    let free = world.call(Method::GET, "/rate_limit", &token, Value::Null).await;
    assert_eq!(json_of(&free)["rate"]["remaining"], 0);
}

#[tokio::test]
async fn protection_shows_in_branch_and_rules() {
    let world = World::new().await;
    let rules = format!("{REPO}/rules/branches/main");
    assert_eq!(json_of(&world.get(&rules).await), json!([]));
    world.repo.protect("main").unwrap();
    assert_eq!(json_of(&world.get(&format!("{REPO}/branches/main")).await)["protected"], true);
    assert_eq!(json_of(&world.get(&rules).await).as_array().unwrap().len(), 3);
    let forced = world.repo.force_push("main", "alice", "main", [("x", "1")]).await;
    assert!(forced.is_err());
}

#[tokio::test]
async fn everything_that_was_written_can_be_read() {
    let world = World::new().await;
    let pull = world.pull("plex").await;
    let sha = world.repo.pull(pull).unwrap().head_sha;
    let comment = world.repo.comment(pull, "alice", "/plan").unwrap();
    let reactions = format!("{REPO}/issues/comments/{comment}/reactions");
    let reaction = json_of(&world.post(&reactions, json!({ "content": "rocket" })).await);
    let note = json!({
        "path": "landfall.yaml", "start_line": 1, "end_line": 1,
        "annotation_level": "notice", "message": "look",
    });
    let output = json!({ "title": "t", "summary": "s", "annotations": [note] });
    let run = json!({ "name": "plan", "head_sha": sha, "conclusion": "success", "output": output });
    let run = &json_of(&world.post(&format!("{REPO}/check-runs"), run).await)["id"];
    let wanted = json!({ "ref": sha, "required_contexts": [], "auto_merge": false });
    let deployment = &json_of(&world.post(&format!("{REPO}/deployments"), wanted).await)["id"];
    let statuses = format!("{REPO}/deployments/{deployment}/statuses");
    world.post(&statuses, json!({ "state": "success", "description": "done" })).await;
    for path in [
        REPO.to_owned(),
        format!("{REPO}/branches/main"),
        format!("{REPO}/git/ref/heads/main"),
        format!("{REPO}/git/commits/{sha}"),
        format!("{REPO}/commits/{sha}"),
        format!("{REPO}/commits/plex/check-runs?check_name=plan"),
        format!("{REPO}/commits/{sha}/pulls"),
        format!("{REPO}/compare/main...plex"),
        format!("{REPO}/contents/services/plex.yaml?ref=plex"),
        format!("{REPO}/pulls?state=open&base=main&head=acme:plex"),
        format!("{REPO}/pulls/{pull}"),
        format!("{REPO}/pulls/{pull}/files"),
        format!("{REPO}/pulls/{pull}/commits"),
        format!("{REPO}/issues/{pull}"),
        format!("{REPO}/issues/{pull}/comments"),
        format!("{REPO}/issues/comments/{comment}"),
        reactions.clone(),
        format!("{REPO}/check-runs/{run}"),
        format!("{REPO}/check-runs/{run}/annotations"),
        format!("{REPO}/deployments"),
        format!("{REPO}/deployments/{deployment}"),
        statuses,
        "/installation/repositories".to_owned(),
        "/rate_limit".to_owned(),
        "/meta".to_owned(),
    ] {
        let answer = world.get(&path).await;
        assert_eq!(answer.status, 200, "{path}");
        assert_ne!(json_of(&answer), json!([]), "{path}");
    }
    let installation = world.github.installations()[0].id;
    for path in [
        "/app/installations".to_owned(),
        format!("/app/installations/{installation}"),
        "/orgs/acme/installation".to_owned(),
        format!("{REPO}/installation"),
        "/app/hook/config".to_owned(),
    ] {
        assert_eq!(world.as_app(Method::GET, &path).await.status, 200, "{path}");
    }
    let collaborator = format!("{REPO}/collaborators/alice");
    assert_eq!(world.get(&collaborator).await.status, 204);
    let token = world.token().await;
    let path = format!("{reactions}/{}", reaction["id"]);
    assert_eq!(world.call(Method::DELETE, &path, &token, Value::Null).await.status, 204);
    let revoked = world.call(Method::DELETE, "/installation/token", &token, Value::Null).await;
    assert_eq!(revoked.status, 204);
    assert_eq!(world.call(Method::GET, REPO, &token, Value::Null).await.status, 401);
}

#[tokio::test]
async fn a_pull_request_is_opened_and_changed_over_the_api() {
    let world = World::new().await;
    world.repo.push("plex", "alice", "Add", [("services/plex.yaml", "a\n")]).await.unwrap();
    world.repo.push("develop", "alice", "Begin", [("d", "1")]).await.unwrap();
    let path = format!("{REPO}/pulls");
    let wanted = json!({ "title": "Plex", "head": "plex", "base": "main" });
    let made = world.post(&path, wanted.clone()).await;
    assert_eq!(made.status, 201);
    assert_eq!(json_of(&made)["changed_files"], 1);
    let again = json_of(&world.post(&path, wanted).await);
    assert_eq!(again["errors"][0]["message"], "A pull request already exists for acme:plex.");
    let nothing = json!({ "title": "x", "head": "main", "base": "main" });
    assert_eq!(world.post(&path, nothing).await.status, 422);
    let path = format!("{path}/1");
    let change = json!({ "title": "Plex again", "base": "develop" });
    let changed = json_of(&world.patch(&path, change).await);
    assert_eq!(
        (&changed["title"], &changed["base"]["ref"]),
        (&"Plex again".into(), &"develop".into())
    );
    let closed = json_of(&world.patch(&path, json!({ "state": "closed" })).await);
    assert_eq!((&closed["state"], &closed["merged"]), (&json!("closed"), &json!(false)));
    assert_eq!(world.get(&format!("{path}/merge")).await.status, 404);
}

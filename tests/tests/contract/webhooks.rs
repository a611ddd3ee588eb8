//! Webhooks: payloads that GitHub really sent, payloads that it would not send, and those of the simulator.

use std::collections::BTreeSet;

use axum::Router;
use axum::http::StatusCode;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use landfall_sim::exchange::{Exchange, Wire};
use landfall_sim::github::{GithubSim, MergeMethod, NewPull, Role, Settings, TEST_PRIVATE_KEY};
use landfall_tests::contract::samples::samples;
use serde_json::{Value, json};

use crate::caller::{Caller, assert_faithful, exchange, faults};

fn delivery(event: &str, payload: &Value) -> Exchange {
    let mut delivery =
        exchange(Wire::Webhook, "POST http://127.0.0.1/webhook", payload, 202, &Value::Null);
    let headers = [
        ("x-github-event", event),
        ("x-github-delivery", "72d3162e-cc78-11e3-81ab-4c9367dc0958"),
        ("x-github-hook-id", "292430182"),
        ("x-github-hook-installation-target-id", "4242"),
        ("x-github-hook-installation-target-type", "integration"),
    ];
    let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned()));
    delivery.request_headers.extend(headers);
    delivery
}

fn examples() -> Vec<(String, Value)> {
    let parsed = |(name, payload): (String, Vec<u8>)| {
        (name, serde_json::from_slice(&payload).expect("a payload is JSON"))
    };
    samples().into_iter().map(parsed).collect()
}

#[test]
fn payloads_that_github_sent_are_as_github_describes() {
    let mut odd = Vec::new();
    let mut described = 0;
    for (name, payload) in examples() {
        let event = name.split('.').next().unwrap();
        let found = faults(&delivery(event, &payload));
        let known = !found.iter().any(|fault| fault.starts_with("payload: GitHub describes no "));
        described += usize::from(known);
        // Some examples are older than a field that GitHub requires by now.
        let faults =
            found.iter().filter(|fault| known && !fault.ends_with("is a required property"));
        odd.extend(faults.map(|fault| format!("{name}: {}", fault.split_once(", ").unwrap().1)));
    }
    odd.retain(|fault| !is_known_oddity(fault));
    assert_eq!(odd, [""; 0]);
    assert!(described > 80, "only {described} examples were looked at");
}

/// What GitHub once sent although it describes something else.
fn is_known_oddity(fault: &str) -> bool {
    let (example, what) = fault.split_once(": ").unwrap();
    match example.split('.').next().unwrap() {
        // Times were numbers, seconds since 1970.
        "installation" | "installation_repositories" => {
            what.starts_with("/installation/created_at")
                || what.starts_with("/installation/updated_at")
        }
        // A time with a space and a zone's name, and an author without a domain.
        "check_run" => what.starts_with("/check_run/app/created_at"),
        "check_suite" => what.starts_with("/check_suite/head_commit/author/email"),
        _ => false,
    }
}

#[test]
fn payloads_that_github_would_not_send_are_found() {
    let (_, push) = examples().into_iter().find(|(name, _)| name == "push.7").unwrap();
    let mut number = push.clone();
    number["ref"] = json!(7);
    assert!(
        faults(&delivery("push", &number))
            .contains(&r#"payload of push, /ref: it is not of type "string""#.to_owned())
    );
    let mut nameless = push;
    nameless["repository"].as_object_mut().unwrap().remove("full_name");
    let found = faults(&delivery("push", &nameless));
    assert!(found.contains(
        &r#"payload of push, /repository: "full_name" is a required property"#.to_owned()
    ));
    let unheard = faults(&delivery("pull_request", &json!({ "action": "eaten" })));
    assert_eq!(unheard, ["payload: GitHub describes no pull-request-eaten"]);
}

#[test]
fn headers_that_github_always_sends_are_missed() {
    let (_, ping) = examples().into_iter().find(|(name, _)| name == "ping.1").unwrap();
    let mut bare = delivery("ping", &ping);
    bare.request_headers.retain(|(name, _)| name != "x-github-delivery");
    assert!(faults(&bare).contains(&"header: x-github-delivery is missing".to_owned()));
    bare.request_headers.clear();
    assert_eq!(faults(&bare), ["header: x-github-event is missing"]);
}

#[tokio::test]
async fn a_simulated_github_sends_what_github_sends() {
    let github = GithubSim::start(Settings::default()).await.unwrap();
    let receiver = Router::new().fallback(async || StatusCode::ACCEPTED);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    github.hooks().send_to(&format!("http://{}/webhook", listener.local_addr().unwrap()));
    tokio::spawn(async move { axum::serve(listener, receiver).await });
    github.hooks().ping();
    live(&github).await.unwrap();
    github.hooks().deliver_all().await;
    let sent: BTreeSet<String> = github
        .hooks()
        .log()
        .iter()
        .map(|attempt| {
            attempt
                .action
                .as_ref()
                .map_or(attempt.event.clone(), |action| format!("{}.{action}", attempt.event))
        })
        .collect();
    for event in [
        "ping",
        "push",
        "pull_request.opened",
        "pull_request.closed",
        "issue_comment.created",
        "check_run.rerequested",
        "check_run.requested_action",
        "check_suite.rerequested",
        "merge_group.checks_requested",
        "merge_group.destroyed",
        "deployment_protection_rule.requested",
        "pull_request.labeled",
        "pull_request.unlabeled",
    ] {
        assert!(sent.contains(event), "{event} was not sent, only {sent:?}");
    }
    assert_faithful(github.exchanges());
}

/// What a repository lives through: a change from a branch and one from a fork, words, an end.
async fn live(github: &GithubSim) -> anyhow::Result<()> {
    let repo = github.create_repository("acme/homelab", [("services/nas.yaml", "a: 1\n")]).await?;
    repo.add_user("alice", Role::Write)?;
    repo.push("plex", "alice", "Add Plex", [("services/plex.yaml", "a: 2\n")]).await?;
    let pull = repo.open(NewPull::from("plex")).await?;
    repo.push("plex", "alice", "Move Plex", [("services/plex.yaml", "a: 3\n")]).await?;
    let comment = repo.comment(pull, "alice", "/plan")?;
    repo.edit_comment(comment, "alice", "/apply")?;
    repo.delete_comment(comment, "alice")?;
    repo.retitle(pull, "Plex", "alice")?;
    repo.mark_draft(pull, "alice")?;
    repo.mark_ready(pull, "alice")?;
    repo.close(pull, "alice")?;
    repo.reopen(pull, "alice")?;
    let head = repo.head("plex").await?.expect("the branch was pushed");
    let check = check_run(github, &head).await;
    repo.rerequest(check, "alice")?;
    repo.press(check, "plan", "alice")?;
    repo.rerequest_all(&head, "alice")?;
    repo.label(pull, "landfall:hold", "alice")?;
    repo.unlabel(pull, "landfall:hold", "alice")?;
    let group = repo.queue("main", &[pull], "alice").await?;
    repo.unqueue(&group, "alice").await?;
    repo.ask_to_deploy("production", &head, "alice")?;
    repo.merge(pull, MergeMethod::Merge, "alice").await?;
    repo.delete_branch("plex", "alice").await?;
    let fork = repo.fork("bob").await?;
    fork.push("tv", "bob", "Add TV", [("services/tv.yaml", "a: 4\n")]).await?;
    repo.open(NewPull::from("tv").of_fork(&fork).by("bob")).await?;
    let installation = github.installations()[0].id;
    github.suspend(installation, "alice")?;
    github.resume(installation, "alice")?;
    repo.take_off()?;
    github.uninstall(installation, "alice")
}

/// A check run of the App, made over the API as the App does.
async fn check_run(github: &GithubSim, head: &str) -> u64 {
    let app =
        Caller::new(&github.api_url()).with("authorization", &format!("Bearer {}", app_token()));
    let installation = github.installations()[0].id;
    let minted =
        app.post(&format!("app/installations/{installation}/access_tokens"), json!({})).await;
    let token = minted["token"].as_str().expect("the App is installed").to_owned();
    let caller = Caller::new(&github.api_url()).with("authorization", &format!("Bearer {token}"));
    let button =
        json!({ "label": "Plan again", "description": "Plan again", "identifier": "plan" });
    let check = json!({ "name": "landfall / staging (develop)", "head_sha": head, "status": "in_progress", "actions": [button] });
    let made = caller.post("repos/acme/homelab/check-runs", check).await;
    made["id"].as_u64().expect("the check run was made")
}

fn app_token() -> String {
    let now = jiff::Timestamp::now().as_second();
    let claims = json!({ "iat": now - 60, "exp": now + 540, "iss": 4242 });
    let key = EncodingKey::from_rsa_pem(TEST_PRIVATE_KEY.as_bytes()).unwrap();
    jsonwebtoken::encode(&Header::new(Algorithm::RS256), &claims, &key).unwrap()
}

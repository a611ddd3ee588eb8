//! Requests and answers: where they go, what is never sent twice, lists to their end, limits.

use std::collections::HashSet;

use jiff::{SignedDuration, Timestamp};
use landfall_core::name::{BranchName, CommitSha, InstallationId, PullNumber, UserId};
use landfall_core::rights::Level;
use landfall_github::comment::Marker;
use landfall_github::{App, Failure, InstalledRepository, SettingsError};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::server::{PREFIX, Reply, Server, homelab, ok, settings, status};

fn sha(digit: &str) -> CommitSha {
    CommitSha::new(digit.repeat(40)).unwrap()
}

/// A pull request as a list has it.
fn pull(number: u64, branch: &str, merged_as: Option<&CommitSha>) -> Value {
    json!({
        "number": number,
        "state": if merged_as.is_some() { "closed" } else { "open" },
        "draft": false,
        "head": { "sha": sha("a"), "repo": { "id": 42 } },
        "base": { "ref": branch, "sha": sha("b"), "repo": { "id": 42 } },
        "user": { "id": 7, "login": "ada", "type": "User" },
        "merged_at": merged_as.map(|_| "2026-03-01T10:00:00Z"),
        "merge_commit_sha": merged_as.unwrap_or(&sha("c")),
        "created_at": "2026-03-01T09:00:00Z",
        "updated_at": "2026-03-01T10:00:00Z",
    })
}

fn comment(id: u64, app: Option<u64>, body: &str) -> Value {
    json!({
        "id": id,
        "node_id": format!("IC_{id}"),
        "body": body,
        "user": { "id": 1, "login": "landfall[bot]", "type": "Bot" },
        "performed_via_github_app": app.map(|id| json!({ "id": id })),
        "created_at": "2026-03-01T09:00:00Z",
        "updated_at": "2026-03-01T09:00:00Z",
    })
}

#[tokio::test]
async fn a_request_goes_below_the_prefix_with_the_pinned_version() {
    let server = Server::start().await;
    server.reply([ok(pull(7, "main", None))]);
    let pull = server.app.reader(homelab()).pull(PullNumber(7)).await.unwrap();
    assert_eq!(pull.number, PullNumber(7));
    let call = &server.calls()[0];
    assert_eq!(call.uri, format!("{PREFIX}/repos/acme/homelab/pulls/7"));
    let header = |name: &str| {
        call.headers
            .get_all(name)
            .iter()
            .map(|v| v.to_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(header("accept"), ["application/vnd.github+json"]);
    assert_eq!(header("x-github-api-version"), ["2022-11-28"]);
    assert_eq!(header("user-agent").len(), 1);
    assert_eq!(header("authorization").len(), 1);
}

#[tokio::test]
async fn the_second_page_is_asked_here_with_our_token_wherever_its_link_leads() {
    let server = Server::start().await;
    let next =
        "<https://elsewhere.example.com/repositories/42/x?per_page=100&page=2>; rel=\"next\"";
    server.reply([
        ok(json!({ "id": 29310, "slug": "landfall" })),
        Reply::Json(
            200,
            vec![("link", next.to_owned())],
            json!([
                comment(1, Some(29310), "<!-- landfall:plan part=1 pull=7 -->\nours"),
                comment(2, Some(999), "<!-- landfall:plan part=1 pull=7 -->\nanother App's"),
                comment(3, Some(29310), "ours without a marker"),
            ]),
        ),
        ok(json!([
            comment(4, None, "<!-- landfall:plan part=2 pull=7 -->\nours"),
            comment(5, Some(29310), "<!-- landfall:plan part=1 pull=8 -->\nof another"),
        ])),
    ]);
    let wanted = Marker::new("plan").with("pull", 7);
    let reader = server.app.reader(homelab());
    let found = reader.find_comments(PullNumber(7), &wanted).await.unwrap();
    assert_eq!(found.iter().map(|comment| comment.id.0).collect::<Vec<_>>(), [1, 4]);
    let calls = server.calls();
    assert!(calls[1].uri.ends_with("/issues/7/comments?per_page=100"));
    assert!(calls[2].uri.ends_with("/issues/7/comments?per_page=100&page=2"));
    assert!(calls[2].authorization.starts_with("Bearer ghs_"));
}

#[tokio::test]
async fn what_has_not_changed_is_not_read_again_and_is_asked_for_all_the_same() {
    let server = Server::start().await;
    let tagged = |tag: &str, body: Value| Reply::Json(200, vec![("etag", tag.to_owned())], body);
    let unchanged = Reply::Json(304, vec![("x-ratelimit-remaining", "7".to_owned())], json!({}));
    let role = |role: &str| json!({ "permission": role, "user": { "id": 7 } });
    server.reply([
        tagged("W/\"1\"", role("write")),
        unchanged,
        tagged("W/\"2\"", role("read")),
        ok(role("none")),
        ok(role("none")),
    ]);
    let reader = server.app.reader(homelab());
    let mut permissions = Vec::new();
    for _ in 0..4 {
        permissions.push(reader.permission(UserId(7), "ada").await.unwrap());
    }
    let expected = [Some(Level::Write), Some(Level::Write), Some(Level::Read), None];
    assert_eq!(permissions, expected);
    let elsewhere = InstalledRepository { installation: InstallationId(6), ..homelab() };
    server.app.reader(elsewhere).permission(UserId(7), "ada").await.unwrap();
    let known = server.calls().into_iter().map(|call| call.headers.get("if-none-match").cloned());
    let known: Vec<_> = known.map(|tag| tag.map(|tag| tag.to_str().unwrap().to_owned())).collect();
    let tag = |tag: &str| Some(tag.to_owned());
    assert_eq!(known, [None, tag("W/\"1\""), tag("W/\"1\""), tag("W/\"2\""), None]);
    assert_eq!(server.app.limits(homelab().installation).remaining, Some(7));
}

#[tokio::test]
async fn the_pages_of_a_list_that_has_not_changed_are_all_there() {
    let server = Server::start().await;
    let page = |at: u64| json!([pull(at, "main", Some(&sha("d")))]);
    let next = "<https://api.github.com/x?per_page=100&page=2>; rel=\"next\"".to_owned();
    let unchanged = || Reply::Json(304, Vec::new(), json!({}));
    server.reply([
        Reply::Json(200, vec![("link", next), ("etag", "\"1\"".to_owned())], page(1)),
        Reply::Json(200, vec![("etag", "\"2\"".to_owned())], page(2)),
        unchanged(),
        unchanged(),
    ]);
    let reader = server.app.reader(homelab());
    let first = reader.pulls_of_commit(&sha("d")).await.unwrap();
    assert_eq!(reader.pulls_of_commit(&sha("d")).await.unwrap(), first);
    assert_eq!((first.len(), server.calls().len()), (2, 4));
}

#[tokio::test]
async fn a_thousand_who_read_at_once_are_let_in_by_and_by() {
    let server = Server::start().await;
    let mut reads = JoinSet::new();
    for _ in 0..1_000 {
        let reader = server.app.reader(homelab());
        reads.spawn(async move { reader.repository().await.map(drop) });
    }
    reads.join_all().await;
    let most = server.most_at_once();
    assert!((2..=24).contains(&most), "{most} at once");
}

#[tokio::test]
async fn a_renamed_repository_is_followed_on_this_server_only() {
    let server = Server::start().await;
    let there = |to: String| Reply::Json(301, vec![("location", to)], json!({}));
    let here = format!("http://{}{PREFIX}/repositories/42", server.address);
    server.reply([
        there(here),
        ok(json!({ "id": 42, "full_name": "acme/lab", "default_branch": "main" })),
        there("http://127.0.0.1:1/steal".to_owned()),
    ]);
    let reader = server.app.reader(homelab());
    assert_eq!(reader.repository().await.unwrap().name.as_str(), "acme/lab");
    let error = reader.repository().await.unwrap_err();
    assert!(matches!(error.failure, Failure::Malformed { .. }), "{error}");
}

#[tokio::test]
async fn silence_ends_in_time_and_says_what_is_known() {
    let server = Server::start().await;
    server.reply([Reply::Silence, Reply::Silence]);
    let error = server.app.reader(homelab()).repository().await.unwrap_err();
    assert!(matches!(error.failure, Failure::Unreachable { .. }), "{error}");
    let writer = server.app.writer(homelab());
    let error = writer.create_comment(PullNumber(7), "x").await.unwrap_err();
    assert!(matches!(error.failure, Failure::Unknown { .. }), "{error}");
}

#[tokio::test]
async fn a_write_that_was_never_sent_is_not_unknown() {
    // Nobody listens: the port was ours a moment ago.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let settings = settings(&format!("http://127.0.0.1:{port}"));
    let app = App::new(settings, std::sync::Arc::new(|_| ()), std::sync::Arc::new(Timestamp::now));
    let writer = app.unwrap().writer(homelab());
    let error = writer.create_comment(PullNumber(7), "x").await.unwrap_err();
    assert!(matches!(error.failure, Failure::Unreachable { .. }), "{error}");
}

#[tokio::test]
async fn limits_are_kept_per_installation_and_silence_is_remembered() {
    let server = Server::start().await;
    let reset = (Timestamp::now() + SignedDuration::from_mins(10)).as_second();
    let limits = |remaining: &str| {
        vec![
            ("x-ratelimit-limit", "5000".to_owned()),
            ("x-ratelimit-remaining", remaining.to_owned()),
            ("x-ratelimit-reset", reset.to_string()),
        ]
    };
    let slow = vec![("retry-after", "30".to_owned())];
    server.reply([
        Reply::Json(200, limits("17"), pull(7, "main", None)),
        Reply::Json(403, slow, json!({ "message": "You have exceeded a secondary rate limit" })),
    ]);
    let reader = server.app.reader(homelab());
    reader.pull(PullNumber(7)).await.unwrap();
    let seen = server.app.limits(InstallationId(5));
    assert_eq!((seen.remaining, seen.limit), (Some(17), Some(5000)));
    assert_eq!(seen.wait_until(Timestamp::now()), None);
    let error = reader.pull(PullNumber(7)).await.unwrap_err();
    let Failure::Limited { until } = error.failure else { panic!("{error}") };
    assert_eq!(server.app.limits(InstallationId(5)).wait_until(Timestamp::now()), Some(until));
    assert_eq!(server.app.limits(InstallationId(6)).wait_until(Timestamp::now()), None);
    assert_eq!(server.calls().len(), 2);
}

#[tokio::test]
async fn only_what_was_merged_into_the_branch_by_this_push_counts() {
    let server = Server::start().await;
    let (landed, elsewhere) = (sha("1"), sha("9"));
    server.reply([ok(json!([
        pull(1, "main", Some(&landed)),
        pull(2, "main", None),
        pull(3, "develop", Some(&landed)),
        pull(4, "main", Some(&elsewhere)),
    ]))]);
    let reader = server.app.reader(homelab());
    let main = BranchName::new("main").unwrap();
    let pushed = HashSet::from([landed.clone(), sha("2")]);
    let found = reader.merged_with(&landed, &main, &pushed).await.unwrap();
    assert_eq!(found.iter().map(|pull| pull.number.0).collect::<Vec<_>>(), [1]);
    // The index lags behind a push: GitHub does not know the commit yet.
    server.reply([status(422)]);
    assert_eq!(reader.merged_with(&landed, &main, &pushed).await.unwrap(), []);
}

#[tokio::test]
async fn a_stranger_has_no_permission_and_a_failure_is_not_a_stranger() {
    let server = Server::start().await;
    let reader = server.app.reader(homelab());
    server.reply([status(404), status(502)]);
    assert_eq!(reader.permission(UserId(7), "ada").await.unwrap(), None);
    assert!(reader.permission(UserId(7), "ada").await.is_err());
    assert!(server.calls()[0].uri.ends_with("/collaborators/ada/permission"));
}

#[tokio::test]
async fn a_branch_is_protected_by_a_rule_too_and_unknown_when_we_may_not_see() {
    let server = Server::start().await;
    let reader = server.app.reader(homelab());
    let branch = BranchName::new("release/1").unwrap();
    let open = || ok(json!({ "protected": false }));
    let rule = ok(json!([{ "type": "pull_request" }]));
    server.reply([
        ok(json!({ "protected": true })),
        // A server that has no rulesets.
        status(404),
        open(),
        rule,
        open(),
        ok(json!([])),
        open(),
        status(403),
        status(403),
    ]);
    let mut seen = Vec::new();
    for _ in 0..5 {
        let protection = reader.branch_protection(&branch).await.unwrap();
        seen.push(protection.map(|protection| protection.is_protected));
    }
    assert_eq!(seen, [Some(true), Some(true), Some(false), None, None]);
    assert!(server.calls()[0].uri.ends_with("/branches/release%2F1"));
}

#[tokio::test]
async fn a_check_may_be_required_by_the_older_protection_and_by_a_rule_of_an_app_or_of_anybody() {
    let server = Server::start().await;
    let reader = server.app.reader(homelab());
    let checks = json!([
        { "context": "ours", "app_id": 7 },
        { "context": "any", "app_id": null },
        { "context": "all", "app_id": -1 },
    ]);
    let contexts = json!(["ours", "any", "all", "of old"]);
    server.reply([
        ok(json!({ "protected": true, "protection": {
            "enabled": true,
            "required_status_checks": { "contexts": contexts, "checks": checks },
        } })),
        ok(json!([
            { "type": "deletion" },
            { "type": "required_status_checks", "parameters": { "required_status_checks": [
                { "context": "ruled", "integration_id": 8 },
                { "context": "anybody" },
            ] } },
        ])),
    ]);
    let main = BranchName::new("main").unwrap();
    let protection = reader.branch_protection(&main).await.unwrap().unwrap();
    let told: Vec<(&str, Option<u64>)> = protection
        .required
        .iter()
        .map(|check| (check.name.as_str(), check.source.map(|app| app.0)))
        .collect();
    assert_eq!(
        told,
        [
            ("ours", Some(7)),
            ("any", None),
            ("all", None),
            ("of old", None),
            ("ruled", Some(8)),
            ("anybody", None),
        ]
    );
}

#[tokio::test]
async fn an_address_with_a_password_and_a_key_that_is_none_are_refused() {
    let make = |change: fn(&mut landfall_github::AppSettings)| {
        let mut settings = settings("http://127.0.0.1:1");
        change(&mut settings);
        App::new(settings, std::sync::Arc::new(|_| ()), std::sync::Arc::new(Timestamp::now)).err()
    };
    let error = make(|s| s.api_url = "https://me:pw@example.com".parse().unwrap());
    assert!(matches!(error, Some(SettingsError::ApiUrl)));
    let error = make(|s| s.private_key = "no key".into());
    assert!(matches!(error, Some(SettingsError::PrivateKey)));
}

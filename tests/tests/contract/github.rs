//! GitHub's REST API: requests and answers that are right and wrong, and our own client against the simulator.

use std::collections::HashSet;
use std::sync::Arc;

use jiff::Timestamp;
use landfall_core::name::{
    BranchName, CommitSha, EnvironmentName, InstallationId, PullNumber, RepositoryId,
    RepositoryName, UserId,
};
use landfall_github::check::{Action, Annotation, CheckRun, CheckStatus, Conclusion, Level};
use landfall_github::comment::Marker;
use landfall_github::deployment::{DeploymentState, DeploymentStatus, NewDeployment};
use landfall_github::{App, AppId, AppSettings, InstalledRepository, Reaction, Timeouts};
use landfall_sim::exchange::Wire;
use landfall_sim::fault::{Answer, Fault, On};
use landfall_sim::github::{
    GithubSim, MergeMethod, NewPull, Repo, Role, Settings, TEST_PRIVATE_KEY,
};
use serde_json::{Value, json};

use crate::caller::{assert_faithful, exchange, faults};

const COMMENTS: &str = "/repos/acme/homelab/issues/1/comments";

fn call(request: &str, body: &Value, status: u16, answer: &Value) -> Vec<String> {
    faults(&exchange(Wire::GitHub, request, body, status, answer))
}

fn not_found() -> Value {
    json!({ "message": "Not Found", "documentation_url": "https://docs.github.com/rest", "status": "404" })
}

#[test]
fn a_request_that_github_describes_passes() {
    let found =
        call(&format!("GET {COMMENTS}?per_page=100&page=2"), &Value::Null, 404, &not_found());
    assert_eq!(found, [""; 0]);
    let body = json!({ "body": "Plan" });
    assert_eq!(call(&format!("POST {COMMENTS}"), &body, 404, &not_found()), [""; 0]);
}

#[test]
fn what_the_operation_does_not_know_is_found() {
    let query = call(&format!("GET {COMMENTS}?perpage=100"), &Value::Null, 404, &not_found());
    assert_eq!(query, ["query: the operation has no parameter perpage"]);
    let body = json!({ "body": "Plan", "text": "Plan" });
    let body = call(&format!("POST {COMMENTS}"), &body, 404, &not_found());
    assert_eq!(body, ["request body: the vendor knows no text"]);
    let body = call(&format!("GET {COMMENTS}"), &json!({ "body": "Plan" }), 404, &not_found());
    assert_eq!(body, ["request body: the operation takes none"]);
}

#[test]
fn values_that_are_not_of_their_type_are_found() {
    let path = call("GET /repos/acme/homelab/pulls/seven", &Value::Null, 404, &not_found());
    assert_eq!(path, ["path: the value of pull_number is not what the vendor takes"]);
    let query = call(&format!("GET {COMMENTS}?since=yesterday"), &Value::Null, 404, &not_found());
    assert_eq!(query, ["query: the value of since is not what the vendor takes"]);
    let body = call(&format!("POST {COMMENTS}"), &json!({ "body": 1 }), 404, &not_found());
    assert_eq!(body, [r#"request body, /body: it is not of type "string""#]);
    let nothing = call(&format!("POST {COMMENTS}"), &Value::Null, 404, &not_found());
    assert_eq!(nothing, ["request body: it is missing"]);
}

#[test]
fn a_misspelt_field_deep_in_a_body_is_found() {
    let output = json!({ "title": "Plan", "summary": "", "anotations": [] });
    let body = json!({ "name": "landfall", "head_sha": "a1", "output": output });
    let found = call("POST /repos/acme/homelab/check-runs", &body, 404, &not_found());
    assert_eq!(found, ["request body, /output: the vendor knows no anotations"]);
}

#[test]
fn operations_that_nobody_has_are_found() {
    let unknown = call("GET /repos/acme/homelab/plans", &Value::Null, 404, &not_found());
    assert_eq!(unknown, ["the vendor describes no such operation"]);
    let method = call(&format!("PUT {COMMENTS}"), &Value::Null, 404, &not_found());
    assert_eq!(method, ["the vendor describes no such operation"]);
}

#[test]
fn answers_that_github_would_not_give_are_found() {
    let get = "GET /repos/acme/homelab/collaborators/alice/permission";
    let lean = json!({ "permission": "write" });
    let found = call(get, &Value::Null, 200, &lean);
    assert_eq!(found.len(), 2, "{found:?}");
    assert_eq!(found[0], r#"answer 200: "role_name" is a required property"#);
    let status = call(get, &Value::Null, 207, &lean);
    assert_eq!(status, ["answer: the vendor describes no status 207"]);
    let refusal = call(get, &Value::Null, 403, &json!({ "message": ["no"] }));
    assert_eq!(refusal, [r#"answer 403, /message: it is not of type "string""#]);
    let bare = call(get, &Value::Null, 200, &Value::Null);
    assert_eq!(bare, ["answer: it is no JSON"]);
}

#[test]
fn a_body_that_must_be_empty_is_empty() {
    let delete = "DELETE /repos/acme/homelab/issues/comments/7";
    assert_eq!(call(delete, &Value::Null, 204, &Value::Null), [""; 0]);
    let found = call(delete, &Value::Null, 204, &json!({}));
    assert_eq!(found, ["answer: this status has no body"]);
}

#[test]
fn another_version_of_the_api_is_another_api() {
    let mut asked =
        exchange(Wire::GitHub, &format!("GET {COMMENTS}"), &Value::Null, 404, &not_found());
    asked.request_headers.push(("x-github-api-version".to_owned(), "2026-03-10".to_owned()));
    let found = faults(&asked);
    assert_eq!(found, ["header: version 2026-03-10 is another API than the one described"]);
}

#[test]
fn values_are_not_repeated_in_what_is_said_about_them() {
    let secret = "ghs_4242_this.is.secret";
    let minted = json!({ "token": [secret], "expires_at": "2026-01-05T09:00:01Z" });
    let found = call("POST /app/installations/7/access_tokens", &json!({}), 201, &minted);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(!found[0].contains("secret"), "{found:?}");
}

#[test]
fn an_injected_fault_is_no_answer_of_the_vendor() {
    let page = json!("<html>");
    let mut broken = exchange(Wire::GitHub, &format!("GET {COMMENTS}"), &Value::Null, 502, &page);
    assert_eq!(faults(&broken), ["answer: the vendor describes no status 502"]);
    broken.faulted = true;
    assert_eq!(faults(&broken), [""; 0]);
    broken.query = "perpage=1".to_owned();
    assert_eq!(faults(&broken).len(), 1, "what was asked is looked at all the same");
}

#[test]
fn what_git_clients_say_is_not_looked_at() {
    let fetch = exchange(
        Wire::Git,
        "POST /acme/homelab.git/git-upload-pack",
        &Value::Null,
        200,
        &Value::Null,
    );
    assert_eq!(faults(&fetch), [""; 0]);
}

/// A simulated GitHub with one repository, and our own client for it.
struct World {
    github: GithubSim,
    repo: Repo,
    app: App,
    on: InstalledRepository,
}

impl World {
    async fn new() -> World {
        let github = GithubSim::start(Settings::default()).await.unwrap();
        let files = [("services/nas.yaml", "a: 1\n")];
        let repo = github.create_repository("acme/homelab", files).await.unwrap();
        repo.add_user("alice", Role::Write).unwrap();
        let settings = AppSettings {
            app_id: AppId(4242),
            private_key: TEST_PRIVATE_KEY.to_owned().into(),
            api_url: github.api_url().parse().unwrap(),
            web_url: github.url().parse().unwrap(),
            timeouts: Timeouts::default(),
        };
        let app = App::new(settings, Arc::new(|_| {}), Arc::new(Timestamp::now)).unwrap();
        let on = InstalledRepository {
            installation: InstallationId(github.installations()[0].id),
            id: RepositoryId(repo.id()),
            name: RepositoryName::new("acme/homelab").unwrap(),
        };
        World { github, repo, app, on }
    }

    async fn pull(&self) -> PullNumber {
        let file = [("services/plex.yaml", "a: 2\n")];
        self.repo.push("plex", "alice", "Add Plex", file).await.unwrap();
        PullNumber(self.repo.open(NewPull::from("plex")).await.unwrap())
    }
}

#[tokio::test]
async fn what_our_client_reads_is_said_as_github_says_it() {
    let world = World::new().await;
    let number = world.pull().await;
    let reader = world.app.reader(world.on.clone());
    let merged = world.repo.merge(number.0, MergeMethod::Squash, "alice").await.unwrap();
    let main = BranchName::new("main").unwrap();
    let sha = CommitSha::new(&merged).unwrap();
    world.app.identity().await.unwrap();
    reader.repository().await.unwrap();
    assert!(reader.pull(number).await.unwrap().merge_commit().is_some());
    assert_eq!(
        reader.merged_with(&sha, &main, &HashSet::from([sha.clone()])).await.unwrap().len(),
        1
    );
    reader.permission(UserId(1), "alice").await.unwrap();
    reader.permission(UserId(1), "nobody").await.unwrap();
    world.repo.protect("main").unwrap();
    for app in [None, Some(4242)] {
        world.repo.require_check("main", "landfall / production (main)", app).unwrap();
    }
    let protection = reader.branch_protection(&main).await.unwrap().unwrap();
    assert_eq!(protection.required.len(), 2);
    reader.git_credentials().await.unwrap();
    assert!(reader.pull(PullNumber(99)).await.is_err());
    assert_faithful(world.github.exchanges());
}

#[tokio::test]
async fn what_our_client_writes_is_said_as_github_takes_it() {
    let world = World::new().await;
    let number = world.pull().await;
    let sha = CommitSha::new(world.repo.head("plex").await.unwrap().unwrap()).unwrap();
    let (reader, writer) = (world.app.reader(world.on.clone()), world.app.writer(world.on.clone()));
    let comment = writer.create_comment(number, "# Plan").await.unwrap();
    writer.update_comment(comment.id, "# Another plan").await.unwrap();
    writer.react(comment.id, Reaction::Eyes).await.unwrap();
    reader.comment(comment.id).await.unwrap();
    reader.find_comments(number, &Marker::new("plan")).await.unwrap();
    writer.delete_comment(comment.id).await.unwrap();
    assert!(reader.comment(comment.id).await.is_err());
    let check = check(&sha);
    let id = writer.create_check(&check).await.unwrap();
    writer.update_check(id, &check).await.unwrap();
    assert_eq!(reader.check_runs_for(&sha, &check.name).await.unwrap().len(), 1);
    let staging = EnvironmentName::new("staging").unwrap();
    let deployment = writer.create_deployment(&deployment(&sha, &staging)).await.unwrap();
    let status = DeploymentStatus {
        state: DeploymentState::InProgress,
        description: "Three changes".to_owned(),
        log_url: Some("https://landfall.example.com/runs/1".to_owned()),
    };
    writer.create_deployment_status(deployment.id, &status).await.unwrap();
    assert_eq!(reader.deployments(&sha, &staging, "deploy").await.unwrap().len(), 1);
    assert_faithful(world.github.exchanges());
}

#[tokio::test]
async fn a_page_from_a_proxy_is_no_violation_when_it_was_injected() {
    let world = World::new().await;
    world.github.faults().inject(On::get("/repos/*/*"), Fault::Instead(Answer::bad_gateway()));
    assert!(world.app.reader(world.on.clone()).repository().await.is_err());
    assert_faithful(world.github.exchanges());
}

fn check(sha: &CommitSha) -> CheckRun {
    let annotation = |line| {
        Annotation::new(
            "landfall.yaml",
            [line, line, 1, 4],
            Level::Failure,
            "Unknown key",
            "No `tunel`",
        )
    };
    CheckRun {
        name: "landfall / staging (develop)".to_owned(),
        head_sha: sha.clone(),
        status: CheckStatus::Completed {
            conclusion: Conclusion::ActionRequired,
            completed_at: Timestamp::UNIX_EPOCH,
        },
        title: "2 changes".to_owned(),
        summary: "One record and one route".to_owned(),
        text: None,
        // More than GitHub takes at once.
        annotations: (1..=60).map(annotation).collect(),
        external_id: "plan-1".to_owned(),
        details_url: Some("https://landfall.example.com/plans/1".to_owned()),
        actions: vec![Action {
            label: "Plan again".to_owned(),
            description: "Plan this pull request again".to_owned(),
            identifier: "plan".to_owned(),
        }],
    }
}

fn deployment(sha: &CommitSha, environment: &EnvironmentName) -> NewDeployment {
    NewDeployment {
        sha: sha.clone(),
        environment: environment.clone(),
        task: "deploy".to_owned(),
        description: "Bring staging to the merged commit".to_owned(),
        payload: json!({ "run": 1 }),
        production: Some(false),
    }
}

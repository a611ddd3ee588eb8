//! What the tests share: a started GitHub with one repository, an API client, a git client and a
//! receiver of webhooks.

use std::path::Path;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::routing::post;
use http::{HeaderMap, StatusCode};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use landfall_os::http::{AddressRules, Client, Method, Response, Settings as HttpSettings};
use landfall_os::process::{Command, Exit};
use landfall_sim::github::{GithubSim, NewPull, Repo, Role, Settings, TEST_PRIVATE_KEY};
use secrecy::SecretString;
use serde_json::{Value, json};

pub(crate) struct World {
    pub(crate) github: GithubSim,
    pub(crate) repo: Repo,
    client: Client,
}

impl World {
    pub(crate) async fn new() -> World {
        World::with(Settings::default()).await
    }

    pub(crate) async fn with(settings: Settings) -> World {
        let github = GithubSim::start(settings).await.unwrap();
        let files = [("landfall.yaml", "version: 1\n"), ("services/nas.yaml", "a: 1\n")];
        let repo = github.create_repository("acme/homelab", files).await.unwrap();
        repo.add_user("alice", Role::Write).unwrap();
        let client = client(&github.api_url());
        World { github, repo, client }
    }

    /// Opens a pull request that adds `services/NAME.yaml`.
    pub(crate) async fn pull(&self, name: &str) -> u64 {
        let file = (format!("services/{name}.yaml"), "a: 2\n");
        self.repo.push(name, "alice", "Add a service", [file]).await.unwrap();
        self.repo.open(NewPull::from(name)).await.unwrap()
    }

    pub(crate) async fn call(
        &self,
        method: Method,
        path: &str,
        token: &str,
        body: Value,
    ) -> Response {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let mut request = self
            .client
            .request(method, path.split('/').filter(|part| !part.is_empty()))
            .bearer(&SecretString::from(token.to_owned()));
        for (name, value) in query.split('&').filter_map(|pair| pair.split_once('=')) {
            request = request.query(name, value);
        }
        if !body.is_null() {
            request = request.json(&body);
        }
        request.send().await.unwrap()
    }

    pub(crate) async fn get(&self, path: &str) -> Response {
        self.call(Method::GET, path, &self.token().await, Value::Null).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Response {
        self.call(Method::POST, path, &self.token().await, body).await
    }

    pub(crate) async fn patch(&self, path: &str, body: Value) -> Response {
        self.call(Method::PATCH, path, &self.token().await, body).await
    }

    /// A token of the only installation, for everything.
    pub(crate) async fn token(&self) -> String {
        let minted = self.mint(json!({})).await;
        json_of(&minted)["token"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn mint(&self, wanted: Value) -> Response {
        let id = self.github.installations()[0].id;
        let path = format!("/app/installations/{id}/access_tokens");
        self.call(Method::POST, &path, &app_token(), wanted).await
    }

    pub(crate) async fn as_app(&self, method: Method, path: &str) -> Response {
        self.call(method, path, &app_token(), Value::Null).await
    }
}

pub(crate) fn client(base: &str) -> Client {
    let rules = AddressRules::parse("127.0.0.1").unwrap();
    Client::new(&HttpSettings { rules, ..HttpSettings::new(base.parse().unwrap()) }).unwrap()
}

pub(crate) fn json_of(response: &Response) -> Value {
    serde_json::from_slice(&response.body).unwrap_or_else(|_| {
        panic!("{} is no JSON: {}", response.status, String::from_utf8_lossy(&response.body))
    })
}

/// An app token that lives for nine minutes from now.
pub(crate) fn app_token() -> String {
    let now = jiff::Timestamp::now().as_second();
    signed(&json!({ "iat": now - 60, "exp": now + 540, "iss": 4242 }))
}

pub(crate) fn signed(claims: &Value) -> String {
    let key = EncodingKey::from_rsa_pem(TEST_PRIVATE_KEY.as_bytes()).unwrap();
    jsonwebtoken::encode(&Header::new(Algorithm::RS256), claims, &key).unwrap()
}

/// Runs a real git; returns what it printed, or panics with what it complained about.
pub(crate) async fn git(folder: &Path, args: &[&str]) -> String {
    try_git(folder, args).await.unwrap_or_else(|complaint| panic!("git {args:?}: {complaint}"))
}

pub(crate) async fn try_git(folder: &Path, args: &[&str]) -> Result<String, String> {
    let output = Command::new("git")
        .args(args)
        .current_dir(folder)
        .env("HOME", folder)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("GIT_AUTHOR_NAME", "alice")
        .env("GIT_AUTHOR_EMAIL", "alice@users.noreply.github.com")
        .env("GIT_COMMITTER_NAME", "alice")
        .env("GIT_COMMITTER_EMAIL", "alice@users.noreply.github.com")
        .run()
        .await
        .unwrap();
    if output.exit == Exit::Code(0) {
        Ok(String::from_utf8(output.stdout).unwrap().trim().to_owned())
    } else {
        Err(output.stderr)
    }
}

/// One webhook as it arrived.
#[derive(Debug, Clone)]
pub(crate) struct Received {
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Received {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// `event.action`
    pub(crate) fn name(&self) -> String {
        match self.json()["action"].as_str() {
            Some(action) => format!("{}.{action}", self.header("x-github-event")),
            None => self.header("x-github-event").to_owned(),
        }
    }
}

/// A server that takes webhooks.
#[derive(Clone, Default)]
pub(crate) struct Receiver {
    received: Arc<Mutex<Vec<Received>>>,
    answer: Arc<Mutex<StatusCode>>,
}

impl Receiver {
    /// Starts it and points GitHub's hook at it.
    pub(crate) async fn start(github: &GithubSim) -> Receiver {
        let receiver = Receiver::default();
        let routes = Router::new().route("/webhook", post(take)).with_state(receiver.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/webhook", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, routes).await });
        github.hooks().send_to(&url);
        github.hooks().deliver_all().await;
        receiver.received.lock().unwrap().clear();
        receiver
    }

    pub(crate) fn answer(&self, status: StatusCode) {
        *self.answer.lock().unwrap() = status;
    }

    pub(crate) fn all(&self) -> Vec<Received> {
        self.received.lock().unwrap().clone()
    }

    pub(crate) fn names(&self) -> Vec<String> {
        self.all().iter().map(Received::name).collect()
    }
}

async fn take(State(receiver): State<Receiver>, headers: HeaderMap, body: Bytes) -> StatusCode {
    receiver.received.lock().unwrap().push(Received { headers, body });
    *receiver.answer.lock().unwrap()
}

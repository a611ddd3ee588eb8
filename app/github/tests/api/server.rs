//! A GitHub of a few lines on loopback: it mints tokens, and answers the rest with what a test
//! prepared. It keeps what it was asked. Not a simulator: it knows no state.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use jiff::{SignedDuration, Timestamp};
use landfall_core::name::{InstallationId, RepositoryId, RepositoryName};
use landfall_github::{App, AppId, AppSettings, InstalledRepository, Timeouts};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};

/// The prefix of the API, as GitHub Enterprise Server has one.
pub(crate) const PREFIX: &str = "/api/v3";

/// What the server was asked.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) method: Method,
    pub(crate) uri: String,
    pub(crate) authorization: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

/// What the server answers.
#[derive(Debug, Clone)]
pub(crate) enum Reply {
    Json(u16, Vec<(&'static str, String)>, Value),
    /// Never.
    Silence,
}

/// A reply with status 200.
pub(crate) fn ok(body: Value) -> Reply {
    Reply::Json(200, Vec::new(), body)
}

/// A reply of another status.
pub(crate) fn status(status: u16) -> Reply {
    Reply::Json(status, Vec::new(), json!({ "message": "as the test wants it" }))
}

#[derive(Default)]
struct Shared {
    asked: Vec<Asked>,
    replies: VecDeque<Reply>,
    /// What the next requests for a token get instead of one.
    mint_replies: VecDeque<Reply>,
    minted: usize,
    under_way: usize,
    most_at_once: usize,
}

/// The server, the App that uses it, and the secrets that the App told of.
pub(crate) struct Server {
    shared: Arc<Mutex<Shared>>,
    pub(crate) app: App,
    pub(crate) address: std::net::SocketAddr,
    learnt: Arc<Mutex<Vec<String>>>,
}

impl Server {
    pub(crate) async fn start() -> Self {
        let shared = Arc::<Mutex<Shared>>::default();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new().fallback(answer).with_state(Arc::clone(&shared));
        tokio::spawn(async move { axum::serve(listener, router).await });
        let learnt = Arc::<Mutex<Vec<String>>>::default();
        let keep = Arc::clone(&learnt);
        let learn = move |secret: &SecretString| {
            keep.lock().unwrap().push(secret.expose_secret().to_owned());
        };
        let settings = settings(&format!("http://{address}{PREFIX}/"));
        let app = App::new(settings, Arc::new(learn), Arc::new(Timestamp::now)).unwrap();
        Self { shared, app, address, learnt }
    }

    /// Prepares the answers to the next requests other than for a token.
    pub(crate) fn reply(&self, replies: impl IntoIterator<Item = Reply>) {
        self.shared.lock().unwrap().replies.extend(replies);
    }

    /// Prepares what the next requests for a token get instead of one.
    pub(crate) fn refuse_tokens(&self, replies: impl IntoIterator<Item = Reply>) {
        self.shared.lock().unwrap().mint_replies.extend(replies);
    }

    /// What was asked, requests for a token included.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.shared.lock().unwrap().asked.clone()
    }

    /// What was asked but requests for a token.
    pub(crate) fn calls(&self) -> Vec<Asked> {
        self.asked().into_iter().filter(|asked| !asked.uri.contains("access_tokens")).collect()
    }

    /// How many requests there were at once at most, but for a token.
    pub(crate) fn most_at_once(&self) -> usize {
        self.shared.lock().unwrap().most_at_once
    }

    pub(crate) fn learnt(&self) -> Vec<String> {
        self.learnt.lock().unwrap().clone()
    }
}

/// Settings for a server at `api`, with a key made for the test.
pub(crate) fn settings(api: &str) -> AppSettings {
    let (kind, size) = (&rcgen::PKCS_RSA_SHA256, rcgen::RsaKeySize::_2048);
    let key = rcgen::KeyPair::generate_rsa_for(kind, size).unwrap();
    let short = Duration::from_millis(400);
    AppSettings {
        app_id: AppId(29310),
        private_key: key.serialize_pem().into(),
        api_url: api.parse().unwrap(),
        web_url: "https://github.example.com".parse().unwrap(),
        timeouts: Timeouts { connect: short, read: short, whole: Duration::from_millis(600) },
    }
}

pub(crate) fn homelab() -> InstalledRepository {
    InstalledRepository {
        installation: InstallationId(5),
        id: RepositoryId(42),
        name: RepositoryName::new("acme/homelab").unwrap(),
    }
}

async fn answer(
    State(shared): State<Arc<Mutex<Shared>>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let minting = uri.path().ends_with("/access_tokens");
    let reply = {
        let mut shared = shared.lock().unwrap();
        let authorization = headers.get("authorization").map(|value| value.to_str().unwrap());
        shared.asked.push(Asked {
            method,
            uri: uri.to_string(),
            authorization: authorization.unwrap_or_default().to_owned(),
            headers: headers.clone(),
            body: serde_json::from_slice(&body).unwrap_or_default(),
        });
        if minting {
            let refusal = shared.mint_replies.pop_front();
            refusal.unwrap_or_else(|| {
                shared.minted += 1;
                let token = format!("ghs_29310_{}.made.up", shared.minted);
                // The first token is about to expire, so that a second use needs another.
                let minutes = if shared.minted == 1 { 5 } else { 60 };
                let end = Timestamp::now() + SignedDuration::from_mins(minutes);
                Reply::Json(201, Vec::new(), json!({ "token": token, "expires_at": end }))
            })
        } else {
            shared.under_way += 1;
            shared.most_at_once = shared.most_at_once.max(shared.under_way);
            shared.replies.pop_front().unwrap_or_else(|| status(404))
        }
    };
    if !minting {
        // Whoever is on the way arrives meanwhile.
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        shared.lock().unwrap().under_way -= 1;
    }
    match reply {
        Reply::Json(status, headers, body) => {
            let status = StatusCode::from_u16(status).unwrap();
            let mut response = (status, axum::Json(body)).into_response();
            for (name, value) in headers {
                response.headers_mut().insert(name, value.parse().unwrap());
            }
            response
        }
        Reply::Silence => std::future::pending().await,
    }
}

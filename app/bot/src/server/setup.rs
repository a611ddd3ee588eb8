//! The pages that create the App, for as long as there is none.
//!
//! They are served by `landfall setup` alone: a server that runs has no such route. Whoever has the
//! token that was printed, once, gets a cookie, and with it a form whose button posts the manifest to
//! GitHub. GitHub sends the browser back with a code; what that is exchanged for is kept before
//! anything else is done, the browser is led to where the App is installed, and the pages are gone.
//!
//! What comes back from GitHub through the browser is believed only with the cookie and a state that
//! was given out for it, once and within the hour that GitHub gives the code. What the pages show is
//! escaped, loads nothing, and names no secret.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::extract::{Query, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY, SET_COOKIE};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::get;
use landfall_github::manifest::{self, Created, Manifest, Owner};
use serde::Deserialize;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use url::Url;

use super::connections;
use crate::settings::Webhooks;

mod door;
mod finish;
mod page;

pub use door::random;
pub use finish::Keep;

use door::{Door, LIFE};
use page::Pages;

/// How long a browser may take to say what it wants.
const HEAD: Duration = Duration::from_secs(10);

/// What App is to be created, and from where.
#[derive(Debug, Clone)]
pub struct Order {
    /// Its name, which people may still change at GitHub.
    pub name: String,
    /// Whose it is to be.
    pub owner: Owner,
    /// The page that it links to as its own.
    pub home: Url,
    /// Where its deliveries go.
    pub hook: Url,
    /// How they come here.
    pub webhooks: Webhooks,
    /// Where the browser reaches these pages: `http://127.0.0.1:8080`.
    pub pages: Url,
    /// GitHub's API.
    pub api_url: Url,
    /// Where people go.
    pub web_url: Url,
}

/// An App that was created, and kept.
#[derive(Debug)]
pub struct Finished {
    /// It.
    pub created: Created,
    /// What is left to be mended by hand, because GitHub did not take it.
    pub left: Option<String>,
}

/// What the routes share.
struct Setup {
    order: Order,
    keep: Keep,
    door: Mutex<Door>,
    pages: Pages,
    finished: Mutex<Option<Finished>>,
    stop: CancellationToken,
}

/// The address to open: it is good once.
#[must_use]
pub fn invitation(order: &Order, token: &str) -> Url {
    let mut address = below(&order.pages, &["setup"]);
    address.query_pairs_mut().append_pair("token", token);
    address
}

/// Serves the pages until an App was created with them, or nobody did within the hour.
///
/// # Errors
/// The time is over.
pub async fn serve(
    order: Order,
    keep: Keep,
    token: String,
    listener: TcpListener,
) -> anyhow::Result<Finished> {
    let stop = CancellationToken::new();
    let setup = Arc::new(Setup {
        order,
        keep,
        door: Mutex::new(Door::new(token)),
        pages: Pages::new()?,
        finished: Mutex::default(),
        stop: stop.clone(),
    });
    let routes = Router::new()
        .route("/setup", get(begin))
        .route("/setup/callback", get(come_back))
        .with_state(Arc::clone(&setup));
    let served = connections::serve(listener, routes, HEAD, stop);
    let in_time = tokio::time::timeout(LIFE, served).await;
    let finished = setup.finished.lock().unwrap_or_else(PoisonError::into_inner).take();
    match (finished, in_time) {
        (Some(finished), _) => Ok(finished),
        (None, _) => anyhow::bail!("nobody created the App within an hour; begin anew"),
    }
}

#[derive(Deserialize)]
struct Begin {
    token: Option<String>,
}

/// With the token: a cookie, and away from the address that has the token in it. With the cookie: the
/// form.
async fn begin(
    State(setup): State<Arc<Setup>>,
    Query(begin): Query<Begin>,
    headers: HeaderMap,
) -> Response {
    if let Some(token) = begin.token {
        let Some(session) = setup.door().enter(&token) else { return setup.refused() };
        let secure = if setup.order.pages.scheme() == "https" { "; Secure" } else { "" };
        let cookie = format!(
            "{}={session}; Path=/setup; Max-Age={}; HttpOnly; SameSite=Lax{secure}",
            door::COOKIE,
            LIFE.as_secs()
        );
        let here = below(&setup.order.pages, &["setup"]);
        return dressed([(SET_COOKIE, cookie)], Redirect::to(here.as_str()));
    }
    match setup.door().state(&headers) {
        Some(state) => setup.form(&state),
        None => setup.refused(),
    }
}

#[derive(Deserialize)]
struct Back {
    #[serde(default)]
    code: String,
    #[serde(default)]
    state: String,
}

/// From GitHub, with a code. The state is spent whatever comes of it.
async fn come_back(
    State(setup): State<Arc<Setup>>,
    Query(back): Query<Back>,
    headers: HeaderMap,
) -> Response {
    if back.code.is_empty() || !setup.door().come_back(&headers, &back.state) {
        return setup.refused();
    }
    // A browser that goes away now takes nothing with it: the code is good once.
    let here = Arc::clone(&setup);
    let finished = tokio::spawn(async move { finish::finish(&here, &back.code).await });
    match finished.await {
        Ok(Ok(install)) => dressed([], Redirect::to(install.as_str())),
        Ok(Err(error)) => {
            tracing::warn!(error = format!("{error:#}"), "the App could not be set up");
            setup.problem(StatusCode::BAD_GATEWAY, &format!("{error:#}"))
        }
        Err(_) => setup.problem(StatusCode::INTERNAL_SERVER_ERROR, "something panicked"),
    }
}

impl Setup {
    fn door(&self) -> std::sync::MutexGuard<'_, Door> {
        self.door.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn form(&self, state: &str) -> Response {
        let order = &self.order;
        let back = below(&order.pages, &["setup", "callback"]);
        let (home, hook) = (order.home.clone(), order.hook.clone());
        let manifest = Manifest::new(order.name.clone(), home, hook, back);
        let action = manifest::form_address(&order.web_url, &order.owner, state);
        self.shown(StatusCode::OK, self.pages.form(order, &action, &manifest))
    }

    /// Says no, and not why: who has the token needs no reason, and who has not gets none.
    fn refused(&self) -> Response {
        let why = "This address is used up, or was opened in another browser.";
        self.problem(StatusCode::FORBIDDEN, why)
    }

    fn problem(&self, status: StatusCode, why: &str) -> Response {
        self.shown(status, self.pages.problem(why))
    }

    fn shown(&self, status: StatusCode, page: anyhow::Result<String>) -> Response {
        match page {
            Ok(page) => dressed([], (status, Html(page))),
            Err(error) => {
                tracing::error!(error = format!("{error:#}"), "a page could not be printed");
                dressed([], StatusCode::INTERNAL_SERVER_ERROR)
            }
        }
    }
}

/// What every answer carries: it is kept nowhere, shown in no frame, loads nothing, and no address
/// of ours goes to where its links lead.
fn dressed<const N: usize>(more: [(HeaderName, String); N], answer: impl IntoResponse) -> Response {
    let mut answer = answer.into_response();
    let headers = answer.headers_mut();
    let rules =
        "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'";
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(rules));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    for (name, value) in more {
        if let Ok(value) = HeaderValue::try_from(value) {
            headers.insert(name, value);
        }
    }
    answer
}

/// An address below another one.
fn below(base: &Url, segments: &[&str]) -> Url {
    let mut address = base.clone();
    if let Ok(mut path) = address.path_segments_mut() {
        path.pop_if_empty().extend(segments);
    }
    address
}

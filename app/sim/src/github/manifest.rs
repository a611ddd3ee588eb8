//! Creating the App from a manifest: the page that a browser posts it to, and the exchange of the code
//! that the browser comes back with.
//!
//! This GitHub has one App, so an App that is created takes the place of the one before it. Nobody
//! is asked to confirm the name, and every App has the same key: [`super::TEST_PRIVATE_KEY`].

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::post;
use axum::{Json, Router};
use http::StatusCode;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::{Value, json};
use url::{Host, Url, form_urlencoded};

use super::model::{Access, UserKind};
use super::rest::Refusal;
use super::world::App;
use super::{GithubSim, Shared, TEST_PRIVATE_KEY};
use crate::ids::Ids;

/// How long a code is good.
const LIFE: SignedDuration = SignedDuration::from_hours(1);

/// GitHub's limit on the name of an App.
const LONGEST_NAME: usize = 34;

/// The events that every App gets and none may ask for.
const NOT_SUBSCRIBED: [&str; 3] =
    ["installation", "installation_repositories", "github_app_authorization"];

/// Who sits at the browser.
const PERSON: &str = "alice";

/// Manifests that were posted, by their codes, and whether a new hook gets a secret.
#[derive(Debug, Default)]
pub(crate) struct Manifests {
    waiting: BTreeMap<String, Waiting>,
    given: u64,
    secret: NewSecret,
}

/// Whether GitHub makes a secret for the hook of a new App.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum NewSecret {
    #[default]
    Made,
    LeftOut,
}

#[derive(Debug)]
struct Waiting {
    manifest: Manifest,
    owner: String,
    until: Timestamp,
}

/// A manifest, as far as this GitHub looks at it.
#[derive(Debug, Deserialize)]
struct Manifest {
    name: String,
    #[serde(rename = "url")]
    _url: Url,
    hook_attributes: HookAttributes,
    redirect_url: Url,
    #[serde(default)]
    default_permissions: BTreeMap<String, String>,
    #[serde(default)]
    default_events: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct HookAttributes {
    url: Url,
}

#[derive(Deserialize)]
struct Asked {
    #[serde(default)]
    state: String,
}

impl GithubSim {
    /// From now on GitHub makes no secret for the hook of a new App.
    pub fn make_no_hook_secrets(&self) {
        self.shared.world().manifests.secret = NewSecret::LeftOut;
    }
}

/// The pages.
pub(crate) fn pages(shared: Arc<Shared>) -> Router {
    Router::new()
        .route("/settings/apps/new", post(for_a_person))
        .route("/organizations/{login}/settings/apps/new", post(for_an_organization))
        .with_state(shared)
}

async fn for_a_person(
    State(shared): State<Arc<Shared>>,
    Query(asked): Query<Asked>,
    form: Bytes,
) -> Response {
    shared.world().ensure_user(PERSON, UserKind::Person);
    take(&shared, PERSON, &asked, &form)
}

async fn for_an_organization(
    State(shared): State<Arc<Shared>>,
    Path(login): Path<String>,
    Query(asked): Query<Asked>,
    form: Bytes,
) -> Response {
    shared.world().ensure_user(&login, UserKind::Organization);
    take(&shared, &login, &asked, &form)
}

/// Keeps a manifest and sends the browser back with a code; or shows what is wrong with it.
fn take(shared: &Shared, owner: &str, asked: &Asked, form: &[u8]) -> Response {
    let posted = form_urlencoded::parse(form).find(|(field, _)| field == "manifest");
    let manifest = match read(posted.map(|(_, text)| text).as_deref().unwrap_or_default()) {
        Ok(manifest) => manifest,
        Err(wrong) => return (StatusCode::UNPROCESSABLE_ENTITY, wrong).into_response(),
    };
    let mut back = manifest.redirect_url.clone();
    let until = shared.token_clock.now() + LIFE;
    let mut world = shared.world();
    world.manifests.given += 1;
    let code = Ids::new(format!("manifest code {}", world.manifests.given)).hex(40);
    back.query_pairs_mut().append_pair("code", &code).append_pair("state", &asked.state);
    let waiting = Waiting { manifest, owner: owner.to_owned(), until };
    world.manifests.waiting.insert(code, waiting);
    Redirect::to(back.as_str()).into_response()
}

fn read(text: &str) -> Result<Manifest, String> {
    let manifest: Manifest = serde_json::from_str(text)
        .map_err(|error| format!("Invalid GitHub App manifest: {error}"))?;
    if manifest.name.is_empty() || manifest.name.len() > LONGEST_NAME {
        return Err("Name is too long or missing".to_owned());
    }
    let local = match manifest.hook_attributes.url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => true,
    };
    if local {
        return Err(
            "Hook url is not supported because it isn't reachable over the public Internet"
                .to_owned(),
        );
    }
    if manifest.default_events.iter().any(|event| NOT_SUBSCRIBED.contains(&event.as_str())) {
        return Err("Default events unsupported".to_owned());
    }
    if manifest.default_permissions.values().any(|level| Access::named(level).is_none()) {
        return Err("Default permission records are invalid".to_owned());
    }
    Ok(manifest)
}

/// `POST /app-manifests/{code}/conversions`: the code proves who asks, and is spent.
pub(crate) async fn convert(
    State(shared): State<Arc<Shared>>,
    Path(code): Path<String>,
) -> Result<(StatusCode, Json<Value>), Refusal> {
    let waiting = shared.world().manifests.waiting.remove(&code);
    let now = shared.token_clock.now();
    let waiting = waiting.filter(|waiting| now < waiting.until).ok_or_else(Refusal::not_found)?;
    Ok((StatusCode::CREATED, Json(create(&shared, waiting))))
}

fn create(shared: &Shared, waiting: Waiting) -> Value {
    let Waiting { manifest, owner, .. } = waiting;
    let mut world = shared.world();
    let id = world.next_id();
    let secret = match world.manifests.secret {
        NewSecret::Made => Some(Ids::new(format!("hook secret {id}")).hex(40)),
        NewSecret::LeftOut => None,
    };
    let level = |(name, level): (String, String)| Some((name, Access::named(&level)?));
    world.app = App {
        id,
        slug: manifest.name.to_lowercase().replace(' ', "-"),
        owner,
        permissions: manifest.default_permissions.into_iter().filter_map(level).collect(),
        events: manifest.default_events,
        created_at: world.clock.now(),
    };
    let bot = world.app.bot();
    world.ensure_user(&bot, UserKind::Bot);
    let events = world.app.events.clone();
    shared.hooks.configure(|config| {
        config.app_id = id;
        config.url = Some(manifest.hook_attributes.url.to_string());
        config.secret.clone_from(&secret);
        // As the REST API's default has it: whoever wants JSON has to say so.
        config.content_type = "form".to_owned();
        config.events = events;
    });
    let mut shown = shared.view(&world).app();
    shown["name"] = manifest.name.into();
    shown["client_secret"] = Ids::new(format!("client secret {id}")).hex(40).into();
    shown["webhook_secret"] = json!(secret);
    shown["pem"] = TEST_PRIVATE_KEY.into();
    shown
}

//! The App, its installations and their tokens.

use std::collections::{BTreeMap, BTreeSet};

use axum::Json;
use axum::extract::{Path, State};
use axum::response::Response;
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::Sim;
use super::access::{AsApp, AsInstallation, Body};
use super::paging::Page;
use super::reply::{Refusal, Reply};
use crate::github::Shared;
use crate::github::auth::{Caller, Scope, Token};
use crate::github::model::{Access, Installation};
use crate::github::show::permissions;
use crate::ids::Ids;

/// One token cannot be for more repositories by name than this.
const MOST_REPOSITORIES: usize = 500;

pub(super) async fn app(State(shared): Sim, _: AsApp) -> Json<Value> {
    let world = shared.world();
    Json(shared.view(&world).app())
}

pub(super) async fn installations(State(shared): Sim, _: AsApp, page: Page) -> Response {
    let world = shared.world();
    let view = shared.view(&world);
    page.of(&shared, world.installations.values().map(|known| view.installation(known)).collect())
}

pub(super) async fn installation(State(shared): Sim, _: AsApp, Path(id): Path<u64>) -> Reply {
    let world = shared.world();
    let known = world.installations.get(&id).ok_or_else(Refusal::not_found)?;
    Ok(Json(shared.view(&world).installation(known)))
}

pub(super) async fn organization_installation(
    State(shared): Sim,
    _: AsApp,
    Path(account): Path<String>,
) -> Reply {
    let world = shared.world();
    let known = world.installations.values().find(|known| known.account == account);
    Ok(Json(shared.view(&world).installation(known.ok_or_else(Refusal::not_found)?)))
}

pub(super) async fn repository_installation(
    State(shared): Sim,
    _: AsApp,
    Path((owner, name)): Path<(String, String)>,
) -> Reply {
    let world = shared.world();
    let id = world.repository_id(&format!("{owner}/{name}")).ok_or_else(Refusal::not_found)?;
    let known = world.installation_of(id).ok_or_else(Refusal::not_found)?;
    Ok(Json(shared.view(&world).installation(known)))
}

/// What a token is asked for.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Wanted {
    repositories: Option<Vec<String>>,
    repository_ids: Option<Vec<u64>>,
    permissions: Option<BTreeMap<String, String>>,
}

pub(super) async fn create_token(
    State(shared): Sim,
    _: AsApp,
    Path(id): Path<u64>,
    body: Body,
) -> Reply<(StatusCode, Json<Value>)> {
    let wanted: Wanted = body.read()?;
    let installation = shared.world().installations.get(&id).cloned();
    let installation = installation.ok_or_else(Refusal::not_found)?;
    if installation.suspended_at.is_some() {
        let message = "This installation has been suspended";
        return Err(Refusal::new(StatusCode::FORBIDDEN, message));
    }
    let granted = granted(&installation, wanted.permissions.as_ref())?;
    let only = chosen(&shared, &installation, &wanted)?;
    let expires_at = shared.token_clock.now() + shared.token_lifetime;
    let scope = Scope {
        installation: id,
        permissions: granted.clone(),
        repositories: only.clone(),
        expires_at,
    };
    let token = mint(&shared, scope);
    let mut shown = json!({
        "token": token,
        // Whole seconds, as GitHub has them.
        "expires_at": expires_at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        "permissions": permissions(&granted),
        "repository_selection": "selected",
    });
    if let Some(only) = only {
        let world = shared.world();
        let view = shared.view(&world);
        let listed = only.iter().filter_map(|id| world.repositories.get(id));
        shown["repositories"] = listed.map(|known| view.repository(known)).collect();
    }
    Ok((StatusCode::CREATED, Json(shown)))
}

/// Long and with dots, as tokens are since 2026: whoever cuts or splits them finds out here.
fn mint(shared: &Shared, scope: Scope) -> String {
    let mut world = shared.world();
    let mut ids = Ids::new(format!("installation token {}", world.next_id()));
    let token = format!("ghs_{}_{}.{}.{}", world.app.id, ids.hex(36), ids.hex(64), ids.hex(64));
    world.tokens.insert(token.clone(), Token::Installation(scope));
    token
}

fn granted(
    installation: &Installation,
    wanted: Option<&BTreeMap<String, String>>,
) -> Reply<BTreeMap<String, Access>> {
    let Some(wanted) = wanted else { return Ok(installation.permissions.clone()) };
    let refused = "The permissions requested are not granted to this installation.";
    let mut granted = BTreeMap::from([("metadata".to_owned(), Access::Read)]);
    for (name, access) in wanted {
        let access = Access::named(access);
        if access.is_none() || installation.permissions.get(name) < access.as_ref() {
            return Err(Refusal::new(StatusCode::UNPROCESSABLE_ENTITY, refused));
        }
        granted.extend(access.map(|access| (name.clone(), access)));
    }
    Ok(granted)
}

/// The repositories that a token is for; `None` for all.
fn chosen(
    shared: &Shared,
    installation: &Installation,
    wanted: &Wanted,
) -> Reply<Option<BTreeSet<u64>>> {
    let refused = "There is at least one repository that does not exist or is not accessible to the parent installation.";
    let refused = || Refusal::new(StatusCode::UNPROCESSABLE_ENTITY, refused);
    let world = shared.world();
    let mut only: Vec<u64> = wanted.repository_ids.clone().unwrap_or_default();
    for name in wanted.repositories.iter().flatten() {
        let full_name = format!("{}/{name}", installation.account);
        only.push(world.repository_id(&full_name).ok_or_else(refused)?);
    }
    if only.is_empty() {
        return Ok(None);
    }
    if only.len() > MOST_REPOSITORIES
        || only.iter().any(|id| !installation.repositories.contains(id))
    {
        return Err(refused());
    }
    Ok(Some(only.into_iter().collect()))
}

pub(super) async fn revoke_token(
    State(shared): Sim,
    AsInstallation(scope): AsInstallation,
) -> StatusCode {
    let mut world = shared.world();
    world.tokens.retain(|_, token| match token {
        Token::Person(_) => true,
        Token::Installation(known) => {
            known.installation != scope.installation || known.expires_at != scope.expires_at
        }
    });
    StatusCode::NO_CONTENT
}

pub(super) async fn repositories(
    State(shared): Sim,
    AsInstallation(scope): AsInstallation,
    page: Page,
) -> Response {
    let world = shared.world();
    let view = shared.view(&world);
    let installed = world.installations.get(&scope.installation);
    let ids = installed.map(|known| known.repositories.clone()).unwrap_or_default();
    let visible =
        ids.iter().filter(|id| scope.repositories.as_ref().is_none_or(|s| s.contains(id)));
    let shown = visible.filter_map(|id| world.repositories.get(id)).map(|r| view.repository(r));
    page.wrapped(&shared, "repositories", shown.collect())
}

pub(super) async fn rate_limit(State(shared): Sim, caller: Caller) -> Json<Value> {
    let installation = match caller {
        Caller::Installation(scope) => scope.installation,
        Caller::Nobody | Caller::App | Caller::Person(_) => 0,
    };
    let quota = shared.limiter.quota(installation);
    let core = json!({
        "limit": quota.limit,
        "used": quota.used,
        "remaining": quota.remaining(),
        "reset": quota.reset.as_second(),
    });
    Json(json!({ "resources": { "core": core, "search": core }, "rate": core }))
}

/// Where webhooks come from, for receivers that allow nobody else.
pub(super) async fn meta() -> Json<Value> {
    Json(json!({ "verifiable_password_authentication": false, "hooks": ["127.0.0.0/8"] }))
}

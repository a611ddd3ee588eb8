//! Repositories and the people in them.

use axum::Json;
use axum::extract::{Path, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::{StatusCode, Uri};
use serde_json::json;

use super::Sim;
use super::access::{Asked, METADATA};
use super::reply::{Refusal, Reply};
use crate::github::model::{Repository, Role};

pub(super) async fn repository(State(shared): Sim, asked: Asked) -> Reply {
    let repo = asked.repo(METADATA)?;
    let world = shared.world();
    Ok(Json(shared.view(&world).repository(world.repository(repo.id())?)))
}

/// `/repositories/ID/...` is `/repos/OWNER/NAME/...` for whoever kept the id: where redirects of
/// renamed repositories lead.
pub(super) async fn by_id(State(shared): Sim, mut request: Request, next: Next) -> Response {
    if let Some(rest) = request.uri().path().strip_prefix("/repositories/") {
        let (id, rest) = rest.split_once('/').map_or((rest, ""), |(id, rest)| (id, rest));
        let query = request.uri().query().map(|query| format!("?{query}")).unwrap_or_default();
        let name = id
            .parse()
            .ok()
            .and_then(|id: u64| shared.world().repositories.get(&id).map(Repository::full_name));
        let path = name.map(|name| format!("/repos/{name}/{rest}"));
        let uri = path.map(|path| format!("{}{query}", path.trim_end_matches('/')).parse::<Uri>());
        match uri {
            Some(Ok(uri)) => *request.uri_mut() = uri,
            Some(Err(_)) | None => return Refusal::not_found().into_response(),
        }
    }
    next.run(request).await
}

/// 204 for somebody with a role, 404 for everybody else.
pub(super) async fn collaborator(
    asked: Asked,
    Path((_, _, login)): Path<(String, String, String)>,
) -> Reply<StatusCode> {
    let repo = asked.repo(METADATA)?;
    if repo.read(|repository| repository.roles.contains_key(&login))? {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(Refusal::not_found())
    }
}

/// What somebody may do. A user who exists and has no role has `none`, or `read` where everybody
/// reads; a login that nobody has is 404.
pub(super) async fn permission(
    State(shared): Sim,
    asked: Asked,
    Path((_, _, login)): Path<(String, String, String)>,
) -> Reply {
    let repo = asked.repo(METADATA)?;
    let world = shared.world();
    if !world.users.contains_key(&login) {
        return Err(Refusal::not_found());
    }
    let repository = world.repository(repo.id())?;
    let everybody = (!repository.private).then_some(Role::Read);
    let role = repository.roles.get(&login).copied().or(everybody);
    let legacy = role.map_or("none", Role::legacy_name);
    let name = role.map_or("none", Role::name);
    let mut user = shared.view(&world).user(&login);
    user["role_name"] = name.into();
    user["permissions"] = json!({
        "pull": role >= Some(Role::Read),
        "triage": role >= Some(Role::Triage),
        "push": role >= Some(Role::Write),
        "maintain": role >= Some(Role::Maintain),
        "admin": role >= Some(Role::Admin),
    });
    Ok(Json(json!({ "permission": legacy, "role_name": name, "user": user })))
}

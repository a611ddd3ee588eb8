//! Teams of organisations.

use axum::Json;
use axum::extract::{Path, State};
use serde_json::json;

use super::Sim;
use super::access::AsInstallation;
use super::reply::{Refusal, Reply};
use crate::github::model::Access;

/// Whether somebody is in a team. An installation sees the teams of its own account, if it may read
/// members; a team that it does not see is not there.
pub(super) async fn membership(
    State(shared): Sim,
    AsInstallation(scope): AsInstallation,
    Path((organization, slug, login)): Path<(String, String, String)>,
) -> Reply {
    if scope.permissions.get("members") < Some(&Access::Read) {
        return Err(Refusal::forbidden("members=read"));
    }
    let world = shared.world();
    let installation = world.installations.get(&scope.installation);
    let own = installation.is_some_and(|it| it.account.eq_ignore_ascii_case(&organization));
    let team = world.teams.get(&(organization.clone(), slug.clone())).filter(|_| own);
    let standing = team.and_then(|team| team.get(&login)).ok_or_else(Refusal::not_found)?;
    let url = format!("{}/orgs/{organization}/teams/{slug}/memberships/{login}", shared.urls().api);
    Ok(Json(json!({ "url": url, "role": "member", "state": standing.name() })))
}

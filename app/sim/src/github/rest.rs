//! The REST API of version 2022-11-28: one file per group of resources, one table of routes.
//!
//! A handler finds the repository through [`access`], which answers as GitHub does where the caller
//! may not; it acts through `act` and shows through `show`. What every answer carries (rate limits,
//! `ETag`, the API's version) is added by [`dress`].

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post, put};
use http::Uri;

use super::{Shared, manifest};
pub(crate) use reply::Refusal;

mod access;
mod apps;
mod branches;
mod checks;
mod comments;
mod commits;
mod deliveries;
mod deployments;
mod dress;
mod graphql;
mod issues;
mod paging;
mod pulls;
mod reply;
mod repositories;
mod teams;

/// All routes of the API.
pub(crate) fn router(shared: Arc<Shared>) -> Router {
    let known = Router::new()
        .merge(app_routes())
        .merge(repository_routes())
        .merge(pull_routes())
        .merge(report_routes())
        .method_not_allowed_fallback(nothing_here)
        .fallback(nothing_here)
        .with_state(shared.clone());
    // The routes lie inside another router, so that the path can be changed before they see it.
    Router::new()
        .fallback_service(known)
        .layer(from_fn_with_state(shared.clone(), repositories::by_id))
        .layer(from_fn_with_state(shared, dress::dress))
}

/// Where an Enterprise Server has its REST API, and its GraphQL.
pub(crate) const ENTERPRISE: &str = "/api/v3";
const ENTERPRISE_GRAPHQL: &str = "/api/graphql";

/// The same API as an Enterprise Server has it. Elsewhere there is nothing.
pub(crate) fn enterprise(routes: Router) -> Router {
    Router::new().fallback_service(routes).layer(from_fn(below_enterprise))
}

async fn below_enterprise(mut request: Request, next: Next) -> Response {
    let uri = request.uri();
    let path = match uri.path() {
        ENTERPRISE_GRAPHQL => Some("/graphql"),
        path => path.strip_prefix(ENTERPRISE),
    };
    let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    match path.map(|path| format!("{path}{query}").parse::<Uri>()) {
        Some(Ok(uri)) => *request.uri_mut() = uri,
        Some(Err(_)) | None => return Refusal::not_found().into_response(),
    }
    next.run(request).await
}

fn app_routes() -> Router<Arc<Shared>> {
    Router::new()
        .route("/app", get(apps::app))
        .route("/app-manifests/{code}/conversions", post(manifest::convert))
        .route("/app/installations", get(apps::installations))
        .route("/app/installations/{id}", get(apps::installation))
        .route("/app/installations/{id}/access_tokens", post(apps::create_token))
        .route("/app/hook/config", get(deliveries::config).patch(deliveries::configure))
        .route("/app/hook/deliveries", get(deliveries::list))
        .route("/app/hook/deliveries/{id}", get(deliveries::one))
        .route("/app/hook/deliveries/{id}/attempts", post(deliveries::redeliver))
        .route("/installation/repositories", get(apps::repositories))
        .route("/installation/token", delete(apps::revoke_token))
        .route("/orgs/{org}/installation", get(apps::organization_installation))
        .route("/graphql", post(graphql::mutate))
        .route("/orgs/{org}/teams/{team_slug}/memberships/{username}", get(teams::membership))
        .route("/rate_limit", get(apps::rate_limit))
        .route("/meta", get(apps::meta))
}

fn repository_routes() -> Router<Arc<Shared>> {
    Router::new()
        .route("/repos/{owner}/{repo}", get(repositories::repository))
        .route("/repos/{owner}/{repo}/installation", get(apps::repository_installation))
        .route("/repos/{owner}/{repo}/collaborators/{user}", get(repositories::collaborator))
        .route(
            "/repos/{owner}/{repo}/collaborators/{user}/permission",
            get(repositories::permission),
        )
        .route("/repos/{owner}/{repo}/branches/{branch}", get(branches::branch))
        .route("/repos/{owner}/{repo}/rules/branches/{branch}", get(branches::rules))
        .route("/repos/{owner}/{repo}/git/ref/{*reference}", get(branches::reference))
        .route("/repos/{owner}/{repo}/git/commits/{sha}", get(commits::git_commit))
        .route("/repos/{owner}/{repo}/commits/{reference}", get(commits::commit))
        .route("/repos/{owner}/{repo}/compare/{basehead}", get(commits::compare))
        .route("/repos/{owner}/{repo}/contents/{*path}", get(commits::contents))
}

fn pull_routes() -> Router<Arc<Shared>> {
    Router::new()
        .route("/repos/{owner}/{repo}/pulls", get(pulls::list).post(pulls::create))
        .route("/repos/{owner}/{repo}/pulls/{number}", get(pulls::one).patch(pulls::update))
        .route("/repos/{owner}/{repo}/pulls/{number}/files", get(pulls::files))
        .route("/repos/{owner}/{repo}/pulls/{number}/commits", get(pulls::commits))
        .route("/repos/{owner}/{repo}/pulls/{number}/reviews", get(pulls::reviews))
        .route(
            "/repos/{owner}/{repo}/pulls/{number}/merge",
            put(pulls::merge).get(pulls::is_merged),
        )
        .route("/repos/{owner}/{repo}/commits/{sha}/pulls", get(pulls::of_commit))
        .route("/repos/{owner}/{repo}/issues", get(issues::list).post(issues::create))
        .route("/repos/{owner}/{repo}/issues/{number}", get(pulls::issue))
}

/// What the App reports: comments, reactions, checks, deployments.
fn report_routes() -> Router<Arc<Shared>> {
    Router::new()
        .route(
            "/repos/{owner}/{repo}/issues/{number}/comments",
            get(comments::list).post(comments::create),
        )
        .route(
            "/repos/{owner}/{repo}/issues/comments/{id}",
            get(comments::one).patch(comments::update).delete(comments::delete),
        )
        .route(
            "/repos/{owner}/{repo}/issues/comments/{id}/reactions",
            get(comments::reactions).post(comments::react),
        )
        .route(
            "/repos/{owner}/{repo}/issues/comments/{id}/reactions/{reaction}",
            delete(comments::unreact),
        )
        .route("/repos/{owner}/{repo}/check-runs", post(checks::create))
        .route("/repos/{owner}/{repo}/check-runs/{id}", get(checks::one).patch(checks::update))
        .route("/repos/{owner}/{repo}/check-runs/{id}/annotations", get(checks::annotations))
        .route("/repos/{owner}/{repo}/commits/{reference}/check-runs", get(checks::of_commit))
        .route(
            "/repos/{owner}/{repo}/deployments",
            get(deployments::list).post(deployments::create),
        )
        .route("/repos/{owner}/{repo}/deployments/{id}", get(deployments::one))
        .route(
            "/repos/{owner}/{repo}/deployments/{id}/statuses",
            get(deployments::statuses).post(deployments::add_status),
        )
        .route(
            "/repos/{owner}/{repo}/actions/runs/{run}/deployment_protection_rule",
            post(deployments::review),
        )
}

async fn nothing_here() -> Refusal {
    Refusal::not_found()
}

/// The state that every handler takes.
type Sim = State<Arc<Shared>>;

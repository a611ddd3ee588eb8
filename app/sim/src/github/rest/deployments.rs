//! Deployments and their statuses.

use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::LOCATION;
use serde_json::{Value, json};

use super::Sim;
use super::access::{Asked, Body, read, write};
use super::paging::Page;
use super::reply::{Refusal, Reply};
use crate::github::act::NewDeployment;
use crate::github::model::{Deployment, DeploymentStatus};

const STATES: [&str; 7] =
    ["error", "failure", "inactive", "in_progress", "queued", "pending", "success"];

/// In characters.
const LONGEST_DESCRIPTION: usize = 140;

type Numbered = Path<(String, String, u64)>;

/// Newest first.
pub(super) async fn list(State(shared): Sim, asked: Asked, page: Page) -> Reply<Response> {
    let repo = asked.repo(read(&["deployments"]))?;
    let world = shared.world();
    let (view, repository) = (shared.view(&world), world.repository(repo.id())?);
    let wanted = |deployment: &&Deployment| {
        let is = |name: &str, value: &str| page.param(name).is_none_or(|wanted| wanted == value);
        is("sha", &deployment.sha)
            && is("ref", &deployment.reference)
            && is("task", &deployment.task)
            && is("environment", &deployment.environment)
    };
    let found = repository.deployments.values().rev().filter(wanted);
    Ok(page.of(&shared, found.map(|known| view.deployment(repository, known)).collect()))
}

pub(super) async fn one(State(shared): Sim, asked: Asked, Path((_, _, id)): Numbered) -> Reply {
    let repo = asked.repo(read(&["deployments"]))?;
    let world = shared.world();
    let repository = world.repository(repo.id())?;
    let known = repository.deployments.get(&id).ok_or_else(Refusal::not_found)?;
    Ok(Json(shared.view(&world).deployment(repository, known)))
}

/// Its defaults bite. Unless told otherwise GitHub merges the default branch into the ref first
/// (202, no deployment), and wants every check of the commit to have passed (409).
pub(super) async fn create(
    State(shared): Sim,
    asked: Asked,
    body: Body,
) -> Reply<(StatusCode, Json<Value>)> {
    let repo = asked.repo(write(&["deployments"]))?;
    let reference = body.required("ref")?;
    let git = repo.git()?;
    let sha = git.commit(reference).await?.ok_or_else(|| {
        let message = format!("No ref found for: {reference}");
        Refusal::new(StatusCode::UNPROCESSABLE_ENTITY, &message)
    })?;
    if body.flag("auto_merge", true) {
        let default = repo.read(|repository| repository.default_branch.clone())?;
        let tip = git.tip(&default).await?.unwrap_or_else(|| sha.clone());
        if !git.is_ancestor(&tip, &sha).await? {
            let message = format!("Auto-merged {default} into {reference} on deployment.");
            return Ok((StatusCode::ACCEPTED, Json(json!({ "message": message }))));
        }
    }
    let all_contexts = body.0.get("required_contexts").is_none_or(Value::is_null);
    let runs = repo.check_runs(&sha);
    if all_contexts && runs.iter().any(|run| run.conclusion.as_deref() != Some("success")) {
        let message = format!("Conflict: Commit status checks failed for {reference}.");
        return Err(Refusal::new(StatusCode::CONFLICT, &message));
    }
    let environment = body.text("environment").unwrap_or("production").to_owned();
    let deployment = repo.create_deployment(NewDeployment {
        reference: reference.to_owned(),
        sha,
        task: body.text("task").unwrap_or("deploy").to_owned(),
        description: body.text("description").map(str::to_owned),
        payload: body.0.get("payload").cloned().unwrap_or_else(|| json!({})),
        transient: body.flag("transient_environment", false),
        production: body.flag("production_environment", environment == "production"),
        environment,
        creator: asked.login(),
    })?;
    let world = shared.world();
    let shown = shared.view(&world).deployment(world.repository(repo.id())?, &deployment);
    Ok((StatusCode::CREATED, Json(shown)))
}

/// Newest first.
pub(super) async fn statuses(
    State(shared): Sim,
    asked: Asked,
    Path((_, _, id)): Numbered,
    page: Page,
) -> Reply<Response> {
    let repo = asked.repo(read(&["deployments"]))?;
    let world = shared.world();
    let (view, repository) = (shared.view(&world), world.repository(repo.id())?);
    let known = repository.deployments.get(&id).ok_or_else(Refusal::not_found)?;
    let newest = known.statuses.iter().rev();
    let shown = newest.map(|status| view.deployment_status(repository, known, status)).collect();
    Ok(page.of(&shared, shown))
}

pub(super) async fn add_status(
    State(shared): Sim,
    asked: Asked,
    Path((_, _, id)): Numbered,
    body: Body,
) -> Reply<Response> {
    let repo = asked.repo(write(&["deployments"]))?;
    let state = body.required("state")?;
    if !STATES.contains(&state) {
        return Err(Refusal::invalid(
            "DeploymentStatus",
            "state",
            "custom",
            "state is not included in the list",
        ));
    }
    let description = body.text("description").unwrap_or_default();
    if description.chars().count() > LONGEST_DESCRIPTION {
        let message =
            format!("description is too long (maximum is {LONGEST_DESCRIPTION} characters)");
        return Err(Refusal::invalid("DeploymentStatus", "description", "custom", &message));
    }
    let text = |field: &str| body.text(field).unwrap_or_default().to_owned();
    let status = DeploymentStatus {
        id: 0,
        state: state.to_owned(),
        description: description.to_owned(),
        log_url: body.text("log_url").map_or_else(|| text("target_url"), str::to_owned),
        environment_url: text("environment_url"),
        creator: asked.login(),
        created_at: jiff::Timestamp::UNIX_EPOCH,
    };
    let added = repo.add_deployment_status(id, status, body.flag("auto_inactive", true))?;
    let (deployment, status) = added.ok_or_else(Refusal::not_found)?;
    let world = shared.world();
    let repository = world.repository(repo.id())?;
    let shown = shared.view(&world).deployment_status(repository, &deployment, &status);
    let url = shown["url"].as_str().unwrap_or_default().to_owned();
    Ok((StatusCode::CREATED, [(LOCATION, url)], Json(shown)).into_response())
}

/// An App that is a protection rule of an environment answers a workflow that waits.
pub(super) async fn review(
    asked: Asked,
    Path((_, _, run)): Numbered,
    body: Body,
) -> Reply<StatusCode> {
    let repo = asked.repo(write(&["deployments"]))?;
    let (environment, state) = (body.required("environment_name")?, body.required("state")?);
    if !["approved", "rejected"].contains(&state) {
        return Err(Refusal::unfit(&format!("For '/state', {state} is not known.")));
    }
    let answer = (state.to_owned(), body.text("comment").unwrap_or_default().to_owned());
    match repo.answer_gated(run, environment, answer)? {
        true => Ok(StatusCode::NO_CONTENT),
        false => Err(Refusal::not_found()),
    }
}

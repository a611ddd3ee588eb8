//! Issues: listed together with pull requests, as GitHub does, and opened.

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use serde_json::Value;

use super::Sim;
use super::access::{Asked, Body, read, write};
use super::paging::Page;
use super::reply::Reply;
use crate::github::model::IssueState;

/// Newest first; `state` and `creator` choose.
pub(super) async fn list(State(shared): Sim, asked: Asked, page: Page) -> Reply<Response> {
    let repo = asked.repo(read(&["issues"]))?;
    let state = page.param("state").unwrap_or("open").to_owned();
    let creator = page.param("creator").map(str::to_owned);
    let world = shared.world();
    let (view, repository) = (shared.view(&world), world.repository(repo.id())?);
    let by = |author: &str| creator.as_deref().is_none_or(|creator| creator == author);
    let is = |open: bool| state == "all" || (state == "open") == open;
    let issues = repository.issues.values();
    let issues = issues.filter(|issue| by(&issue.author) && is(issue.state == IssueState::Open));
    let pulls = repository.pulls.values();
    let pulls = pulls.filter(|pull| by(&pull.author) && is(pull.is_open()));
    let mut shown: Vec<Value> = issues.map(|issue| view.plain_issue(repository, issue)).collect();
    shown.extend(pulls.map(|pull| view.issue(repository, pull)));
    shown.sort_by_key(|issue| std::cmp::Reverse(issue["number"].as_u64()));
    Ok(page.of(&shared, shown))
}

pub(super) async fn create(
    State(shared): Sim,
    asked: Asked,
    body: Body,
) -> Reply<(StatusCode, Json<Value>)> {
    let repo = asked.repo(write(&["issues"]))?;
    let title = body.required("title")?;
    let number = repo.open_issue(&asked.login(), title, body.text("body").unwrap_or_default())?;
    let world = shared.world();
    let (view, repository) = (shared.view(&world), world.repository(repo.id())?);
    Ok((StatusCode::CREATED, Json(view.plain_issue(repository, &repository.issues[&number]))))
}

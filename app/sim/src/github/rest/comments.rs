//! Comments on pull requests, and reactions.

use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::LOCATION;
use serde_json::Value;

use super::Sim;
use super::access::{Asked, Body, Need, read, write};
use super::paging::Page;
use super::reply::{Refusal, Reply};
use crate::github::Shared;
use crate::github::act::Repo;
use crate::github::model::Comment;

/// What GitHub's message says it takes, in characters.
const LONGEST_BODY: usize = 65_536;

const REACTIONS: [&str; 8] = ["+1", "-1", "laugh", "confused", "heart", "hooray", "rocket", "eyes"];

/// Comments on a pull request may be written with either permission.
const READ: Need = read(&["issues", "pull_requests"]);
const WRITE: Need = write(&["issues", "pull_requests"]);

type Numbered = Path<(String, String, u64)>;

/// By id, oldest first.
pub(super) async fn list(
    State(shared): Sim,
    asked: Asked,
    Path((_, _, number)): Numbered,
    page: Page,
) -> Reply<Response> {
    let repo = asked.repo(READ)?;
    repo.pull(number).ok_or_else(Refusal::not_found)?;
    let since = page.param("since").and_then(|since| since.parse::<jiff::Timestamp>().ok());
    let world = shared.world();
    let (view, repository) = (shared.view(&world), world.repository(repo.id())?);
    let comments = repository.comments.values().filter(|comment| comment.pull == number);
    let comments = comments.filter(|comment| since.is_none_or(|since| comment.updated_at >= since));
    Ok(page.of(&shared, comments.map(|comment| view.comment(repository, comment)).collect()))
}

pub(super) async fn create(
    State(shared): Sim,
    asked: Asked,
    Path((_, _, number)): Numbered,
    body: Body,
) -> Reply<Response> {
    let repo = asked.repo(WRITE)?;
    let us = asked.login();
    let may = repo.read(|repository| repository.may_comment(number, &us))?;
    if !may.ok_or_else(Refusal::not_found)? {
        let message = "Unable to create comment because issue is locked.";
        return Err(Refusal::new(StatusCode::FORBIDDEN, message));
    }
    let id = repo.comment(number, &us, text(&body)?)?;
    let shown = show(&shared, &repo, id)?;
    let url = shown["url"].as_str().unwrap_or_default().to_owned();
    Ok((StatusCode::CREATED, [(LOCATION, url)], Json(shown)).into_response())
}

pub(super) async fn one(State(shared): Sim, asked: Asked, Path((_, _, id)): Numbered) -> Reply {
    let repo = asked.repo(READ)?;
    Ok(Json(show(&shared, &repo, id)?))
}

pub(super) async fn update(
    State(shared): Sim,
    asked: Asked,
    Path((_, _, id)): Numbered,
    body: Body,
) -> Reply {
    let repo = asked.repo(WRITE)?;
    known(&repo, id)?;
    repo.edit_comment(id, &asked.login(), text(&body)?)?;
    Ok(Json(show(&shared, &repo, id)?))
}

pub(super) async fn delete(asked: Asked, Path((_, _, id)): Numbered) -> Reply<StatusCode> {
    let repo = asked.repo(WRITE)?;
    known(&repo, id)?;
    repo.delete_comment(id, &asked.login())?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn reactions(
    State(shared): Sim,
    asked: Asked,
    Path((_, _, id)): Numbered,
    page: Page,
) -> Reply<Response> {
    let repo = asked.repo(READ)?;
    let comment = known(&repo, id)?;
    let world = shared.world();
    let view = shared.view(&world);
    let wanted = page.param("content");
    let found = comment.reactions.iter().filter(|r| wanted.is_none_or(|w| w == r.content));
    Ok(page.of(&shared, found.map(|reaction| view.reaction(reaction)).collect()))
}

/// 201 for a new reaction, 200 for one that is there already.
pub(super) async fn react(
    State(shared): Sim,
    asked: Asked,
    Path((_, _, id)): Numbered,
    body: Body,
) -> Reply<(StatusCode, Json<Value>)> {
    let repo = asked.repo(WRITE)?;
    let content = body.required("content")?;
    if !REACTIONS.contains(&content) {
        return Err(Refusal::invalid("Reaction", "content", "invalid", ""));
    }
    let (reaction, new) =
        repo.react(id, &asked.login(), content)?.ok_or_else(Refusal::not_found)?;
    let world = shared.world();
    let status = if new { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, Json(shared.view(&world).reaction(&reaction))))
}

pub(super) async fn unreact(
    asked: Asked,
    Path((_, _, id, reaction)): Path<(String, String, u64, u64)>,
) -> Reply<StatusCode> {
    let repo = asked.repo(WRITE)?;
    if repo.unreact(id, reaction)? { Ok(StatusCode::NO_CONTENT) } else { Err(Refusal::not_found()) }
}

fn known(repo: &Repo, id: u64) -> Reply<Comment> {
    repo.read(|repository| repository.comments.get(&id).cloned())?.ok_or_else(Refusal::not_found)
}

fn show(shared: &Shared, repo: &Repo, id: u64) -> Reply<Value> {
    let world = shared.world();
    let repository = world.repository(repo.id())?;
    let comment = repository.comments.get(&id).ok_or_else(Refusal::not_found)?;
    Ok(shared.view(&world).comment(repository, comment))
}

fn text(body: &Body) -> Reply<&str> {
    let text = body.required("body")?;
    if text.trim().is_empty() {
        return Err(Refusal::invalid(
            "IssueComment",
            "data",
            "unprocessable",
            "Body cannot be blank",
        ));
    }
    if text.chars().count() > LONGEST_BODY {
        let message = format!("Body is too long (maximum is {LONGEST_BODY} characters)");
        return Err(Refusal::invalid("IssueComment", "data", "unprocessable", &message));
    }
    Ok(text)
}

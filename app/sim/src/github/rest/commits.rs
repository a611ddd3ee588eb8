//! Commits, comparisons and files.

use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::header::ACCEPT;
use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};

use super::Sim;
use super::access::{Asked, read};
use super::paging::Page;
use super::reply::{Refusal, Reply};

/// A comparison lists no more commits than this unless it is paged, and no more files ever.
const MOST_COMMITS: usize = 250;
const MOST_FILES: usize = 300;

/// A file's content is in the JSON up to this size.
const MOST_CONTENT: usize = 1024 * 1024;

pub(super) async fn git_commit(
    State(shared): Sim,
    asked: Asked,
    Path((_, _, sha)): Path<(String, String, String)>,
) -> Reply {
    let repo = asked.repo(read(&["contents"]))?;
    let git = repo.git()?;
    let sha = git.commit(&sha).await?.ok_or_else(Refusal::not_found)?;
    let facts = git.facts(&sha).await?;
    let world = shared.world();
    Ok(Json(shared.view(&world).git_commit(world.repository(repo.id())?, &facts)))
}

pub(super) async fn commit(
    State(shared): Sim,
    asked: Asked,
    Path((_, _, reference)): Path<(String, String, String)>,
) -> Reply {
    let repo = asked.repo(read(&["contents"]))?;
    let git = repo.git()?;
    let sha = git.commit(&reference).await?.ok_or_else(|| no_commit(&reference))?;
    let facts = git.facts(&sha).await?;
    let world = shared.world();
    Ok(Json(shared.view(&world).commit(world.repository(repo.id())?, &facts)))
}

fn no_commit(reference: &str) -> Refusal {
    let message = format!("No commit found for SHA: {reference}");
    Refusal::new(StatusCode::UNPROCESSABLE_ENTITY, &message)
}

/// Three dots: what the head has since it left the base.
pub(super) async fn compare(
    State(shared): Sim,
    asked: Asked,
    Path((_, _, basehead)): Path<(String, String, String)>,
    page: Page,
) -> Reply {
    let repo = asked.repo(read(&["contents"]))?;
    let git = repo.git()?;
    let (base, head) = basehead.split_once("...").ok_or_else(Refusal::not_found)?;
    let base = git.commit(base).await?.ok_or_else(Refusal::not_found)?;
    let head = git.commit(head).await?.ok_or_else(Refusal::not_found)?;
    let common = git.merge_base(&base, &head).await?.ok_or_else(Refusal::not_found)?;
    let ahead = git.between(&base, &head).await?;
    let behind = git.between(&head, &base).await?;
    let listed = &ahead[..ahead.len().min(MOST_COMMITS)];
    let commits = git.facts_of(listed).await?;
    let (base_facts, common_facts) = (git.facts(&base).await?, git.facts(&common).await?);
    let files = git.changed_files(&common, &head).await?;
    let world = shared.world();
    let (view, repository) = (shared.view(&world), world.repository(repo.id())?);
    let web = format!("{}/compare/{base}...{head}", view.repository_web(repository));
    let shown: Vec<Value> = commits.iter().map(|facts| view.commit(repository, facts)).collect();
    let files: Vec<Value> = files
        .iter()
        .take(if page.is_first() { MOST_FILES } else { 0 })
        .map(|file| view.file(repository, &head, file))
        .collect();
    Ok(Json(json!({
        "url": format!("{}/compare/{base}...{head}", view.repository_api(repository)),
        "html_url": web,
        "permalink_url": web,
        "diff_url": format!("{web}.diff"),
        "patch_url": format!("{web}.patch"),
        "base_commit": view.commit(repository, &base_facts),
        "merge_base_commit": view.commit(repository, &common_facts),
        "status": match (ahead.is_empty(), behind.is_empty()) {
            (true, true) => "identical",
            (false, true) => "ahead",
            (true, false) => "behind",
            (false, false) => "diverged",
        },
        "ahead_by": ahead.len(),
        "behind_by": behind.len(),
        "total_commits": ahead.len(),
        "commits": shown,
        "files": files,
    })))
}

/// A file, as JSON or as it is. Folders are not shown.
pub(super) async fn contents(
    State(shared): Sim,
    asked: Asked,
    Path((_, _, path)): Path<(String, String, String)>,
    headers: HeaderMap,
    page: Page,
) -> Reply<Response> {
    let repo = asked.repo(read(&["contents"]))?;
    let git = repo.git()?;
    let reference = match page.param("ref") {
        Some(reference) => reference.to_owned(),
        None => repo.read(|repository| repository.default_branch.clone())?,
    };
    let commit = git.commit(&reference).await?.ok_or_else(|| {
        Refusal::new(StatusCode::NOT_FOUND, &format!("No commit found for the ref {reference}"))
    })?;
    let content = git.file(&commit, &path).await?.ok_or_else(Refusal::not_found)?;
    let accept = headers.get(ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
    if accept.contains("raw") {
        return Ok(content.into_response());
    }
    let blob = git.blob_of(&commit, &path).await?.ok_or_else(Refusal::not_found)?;
    let world = shared.world();
    let (view, repository) = (shared.view(&world), world.repository(repo.id())?);
    let api = view.repository_api(repository);
    let web = format!("{}/blob/{reference}/{path}", view.repository_web(repository));
    let url = format!("{api}/contents/{path}?ref={reference}");
    let whole = content.len() <= MOST_CONTENT;
    Ok(Json(json!({
        "type": "file",
        "encoding": if whole { "base64" } else { "none" },
        "content": if whole { STANDARD.encode(&content) } else { String::new() },
        "size": content.len(),
        "name": path.rsplit('/').next(),
        "path": path,
        "sha": blob,
        "url": url,
        "git_url": format!("{api}/git/blobs/{blob}"),
        "html_url": web,
        "download_url": format!("{}/raw/{reference}/{path}", view.repository_web(repository)),
        "_links": { "self": url, "git": format!("{api}/git/blobs/{blob}"), "html": web },
    }))
    .into_response())
}

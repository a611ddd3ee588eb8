//! Pull requests and the issues behind them.

use axum::Json;
use axum::extract::{Path, State};
use axum::response::Response;
use http::{HeaderMap, HeaderValue, StatusCode};
use serde_json::{Value, json};

use super::Sim;
use super::access::{Asked, Body, read, write};
use super::paging::Page;
use super::reply::{Refusal, Reply};
use crate::github::Shared;
use crate::github::act::{MergeRefused, NewPull, PullRefused, Repo};
use crate::github::model::{MergeMethod, Pull, PullState, Repository};

type Numbered = Path<(String, String, u64)>;

pub(super) async fn list(State(shared): Sim, asked: Asked, page: Page) -> Reply<Response> {
    let repo = asked.repo(read(&["pull_requests"]))?;
    let world = shared.world();
    let (view, repository) = (shared.view(&world), world.repository(repo.id())?);
    let state = page.param("state").unwrap_or("open");
    let wanted = |pull: &&Pull| {
        let head = world.repository(pull.head_repository).map(|head| head.owner.as_str());
        let head = format!("{}:{}", head.unwrap_or(&pull.author), pull.head);
        (state == "all" || (state == "open") == pull.is_open())
            && page.param("base").is_none_or(|base| base == pull.base)
            && page.param("head").is_none_or(|wanted| wanted == head)
    };
    // Newest first, unless asked otherwise.
    let mut pulls: Vec<&Pull> = repository.pulls.values().filter(wanted).collect();
    if page.param("sort") == Some("updated") {
        pulls.sort_by_key(|pull| pull.updated_at);
    }
    if page.param("direction").unwrap_or("desc") == "desc" {
        pulls.reverse();
    }
    let shown = pulls.into_iter().map(|pull| view.listed_pull(repository, pull)).collect();
    Ok(page.of(&shared, shown))
}

/// Asking for a pull request makes GitHub try its merge; until that is done `mergeable` is null.
pub(super) async fn one(State(shared): Sim, asked: Asked, Path((_, _, number)): Numbered) -> Reply {
    let repo = asked.repo(read(&["pull_requests"]))?;
    repo.pull(number).ok_or_else(Refusal::not_found)?;
    let mergeable = repo.try_merge(number).await?;
    show(&shared, &repo, number, mergeable)
}

fn show(shared: &Shared, repo: &Repo, number: u64, mergeable: Option<bool>) -> Reply {
    let mut world = shared.world();
    let pull = world.repository(repo.id())?.pulls.get(&number).ok_or_else(Refusal::not_found)?;
    let id = pull.id;
    let computing = mergeable.is_some() && world.lags.computes(id);
    let view = shared.view(&world);
    let repository = world.repository(repo.id())?;
    let pull = repository.pulls.get(&number).ok_or_else(Refusal::not_found)?;
    Ok(Json(view.pull(repository, pull, mergeable.filter(|_| !computing))))
}

pub(super) async fn create(
    State(shared): Sim,
    asked: Asked,
    body: Body,
) -> Reply<(StatusCode, HeaderMap, Json<Value>)> {
    let repo = asked.repo(write(&["pull_requests"]))?;
    let (head, base) = (body.required("head")?, body.required("base")?);
    let (fork, branch) = match head.split_once(':') {
        Some((owner, branch)) => (fork_of(&shared, &repo, owner)?, branch),
        None => (None, head),
    };
    let new = NewPull {
        head: branch.to_owned(),
        fork,
        base: Some(base.to_owned()),
        author: asked.login(),
        title: body.text("title").unwrap_or(branch).to_owned(),
        body: body.text("body").map(str::to_owned),
        draft: body.flag("draft", false),
    };
    let number = repo.try_open(new).await.map_err(refused)?;
    let Json(shown) = show(&shared, &repo, number, None)?;
    let mut headers = HeaderMap::new();
    if let Some(url) = shown["url"].as_str().and_then(|url| HeaderValue::from_str(url).ok()) {
        headers.insert(http::header::LOCATION, url);
    }
    Ok((StatusCode::CREATED, headers, Json(shown)))
}

/// The repository of `owner` that a head comes from; `None` for the repository itself.
fn fork_of(shared: &std::sync::Arc<Shared>, repo: &Repo, owner: &str) -> Reply<Option<Repo>> {
    if repo.read(|repository| repository.owner == owner)? {
        return Ok(None);
    }
    let world = shared.world();
    let fork =
        world.repositories.values().find(|r| r.owner == owner && r.parent == Some(repo.id()));
    let fork = fork.ok_or_else(|| refused(PullRefused::NoHead))?;
    Ok(Some(Repo::new(shared.clone(), fork.id)))
}

fn refused(refused: PullRefused) -> Refusal {
    match refused {
        PullRefused::NoHead => Refusal::invalid("PullRequest", "head", "invalid", ""),
        PullRefused::NoBase => Refusal::invalid("PullRequest", "base", "invalid", ""),
        PullRefused::NothingBetween { base, head } => {
            let message = format!("No commits between {base} and {head}");
            Refusal::invalid("PullRequest", "base", "custom", &message)
        }
        PullRefused::Exists(head) => {
            let message = format!("A pull request already exists for {head}.");
            Refusal::invalid("PullRequest", "head", "custom", &message)
        }
        PullRefused::Failed(error) => error.into(),
    }
}

pub(super) async fn update(
    State(shared): Sim,
    asked: Asked,
    Path((_, _, number)): Numbered,
    body: Body,
) -> Reply {
    let repo = asked.repo(write(&["pull_requests"]))?;
    let user = asked.login();
    let pull = repo.pull(number).ok_or_else(Refusal::not_found)?;
    if let Some(title) = body.text("title") {
        repo.retitle(number, title, &user)?;
    }
    if let Some(base) = body.text("base") {
        repo.retarget(number, base, &user)
            .await
            .map_err(|_| Refusal::invalid("PullRequest", "base", "invalid", ""))?;
    }
    match (body.text("state"), &pull.state) {
        (Some("closed"), PullState::Open) => repo.close(number, &user)?,
        (Some("open"), PullState::Closed { .. }) => repo.reopen(number, &user)?,
        (Some("open"), PullState::Merged(_)) => {
            return Err(Refusal::invalid("PullRequest", "state", "invalid", ""));
        }
        _ => {}
    }
    let mergeable = repo.try_merge(number).await?;
    show(&shared, &repo, number, mergeable)
}

pub(super) async fn files(
    State(shared): Sim,
    asked: Asked,
    Path((_, _, number)): Numbered,
    page: Page,
) -> Reply<Response> {
    let repo = asked.repo(read(&["pull_requests"]))?;
    let pull = repo.pull(number).ok_or_else(Refusal::not_found)?;
    let git = repo.git()?;
    let common = git.merge_base(&pull.base_sha, &pull.head_sha).await?;
    let since = common.as_deref().unwrap_or(&pull.base_sha);
    let mut files = git.changed_files(since, &pull.head_sha).await?;
    files.truncate(MOST_PULL_FILES);
    let world = shared.world();
    let (view, repository) = (shared.view(&world), world.repository(repo.id())?);
    let shown = files.iter().map(|file| view.file(repository, &pull.head_sha, file)).collect();
    Ok(page.of(&shared, shown))
}

/// However many files a pull request changes, no more than these are listed.
const MOST_PULL_FILES: usize = 3000;

pub(super) async fn commits(
    State(shared): Sim,
    asked: Asked,
    Path((_, _, number)): Numbered,
    page: Page,
) -> Reply<Response> {
    let repo = asked.repo(read(&["pull_requests"]))?;
    let pull = repo.pull(number).ok_or_else(Refusal::not_found)?;
    let facts = repo.git()?.facts_of(&pull.commits).await?;
    let world = shared.world();
    let (view, repository) = (shared.view(&world), world.repository(repo.id())?);
    Ok(page.of(&shared, facts.iter().map(|commit| view.commit(repository, commit)).collect()))
}

/// Nobody reviews here yet, so there are no reviews.
pub(super) async fn reviews(
    State(shared): Sim,
    asked: Asked,
    Path((_, _, number)): Numbered,
    page: Page,
) -> Reply<Response> {
    let repo = asked.repo(read(&["pull_requests"]))?;
    repo.pull(number).ok_or_else(Refusal::not_found)?;
    Ok(page.of(&shared, Vec::new()))
}

pub(super) async fn is_merged(asked: Asked, Path((_, _, number)): Numbered) -> Reply<StatusCode> {
    let repo = asked.repo(read(&["contents"]))?;
    let pull = repo.pull(number).ok_or_else(Refusal::not_found)?;
    pull.merged().map(|_| StatusCode::NO_CONTENT).ok_or_else(Refusal::not_found)
}

pub(super) async fn merge(asked: Asked, Path((_, _, number)): Numbered, body: Body) -> Reply {
    let repo = asked.repo(write(&["contents"]))?;
    repo.pull(number).ok_or_else(Refusal::not_found)?;
    let method = match body.text("merge_method").unwrap_or("merge") {
        "merge" => MergeMethod::Merge,
        "squash" => MergeMethod::Squash,
        "rebase" => MergeMethod::Rebase,
        other => return Err(Refusal::unfit(&format!("`{other}` is no merge method."))),
    };
    let merged = repo.merge_head(number, method, &asked.login(), body.text("sha")).await;
    let sha = merged.map_err(|refused| match refused {
        MergeRefused::NotMergeable => {
            Refusal::new(StatusCode::METHOD_NOT_ALLOWED, "Pull Request is not mergeable")
        }
        MergeRefused::HeadMoved => {
            let message = "Head branch was modified. Review and try the merge again.";
            Refusal::new(StatusCode::CONFLICT, message)
        }
        MergeRefused::Failed(error) => error.into(),
    })?;
    let message = "Pull Request successfully merged";
    Ok(Json(json!({ "sha": sha, "merged": true, "message": message })))
}

/// Which pull requests a commit belongs to. For a commit of the default branch: the merged one that
/// brought it. Elsewhere: merged and open ones alike. Right after a merge GitHub may not know yet.
pub(super) async fn of_commit(
    State(shared): Sim,
    asked: Asked,
    Path((_, _, sha)): Path<(String, String, String)>,
    page: Page,
) -> Reply<Response> {
    let repo = asked.repo(read(&["pull_requests"]))?;
    let git = repo.git()?;
    let no_commit = || {
        let message = format!("No commit found for SHA: {sha}");
        Refusal::new(StatusCode::UNPROCESSABLE_ENTITY, &message)
    };
    let sha = git.commit(&sha).await?.ok_or_else(no_commit)?;
    let default = repo.read(|repository| repository.default_branch.clone())?;
    let on_default = match git.tip(&default).await? {
        Some(tip) => git.is_ancestor(&sha, &tip).await?,
        None => false,
    };
    let mut world = shared.world();
    let stale = world.lags.is_behind(&sha);
    let (view, repository) = (shared.view(&world), world.repository(repo.id())?);
    let pulls = if stale { Vec::new() } else { bringing(repository, &sha, on_default) };
    let shown = pulls.into_iter().map(|pull| view.listed_pull(repository, pull)).collect();
    Ok(page.of(&shared, shown))
}

fn bringing<'a>(repository: &'a Repository, sha: &str, on_default: bool) -> Vec<&'a Pull> {
    let brings = |pull: &&Pull| {
        let landed = |landed: &Vec<String>| landed.iter().any(|known| known == sha);
        match pull.merged() {
            Some(merged) => landed(&merged.landed) || landed(&pull.commits),
            None => pull.is_open() && landed(&pull.commits),
        }
    };
    let mut pulls: Vec<&Pull> = repository.pulls.values().filter(brings).collect();
    if on_default && pulls.iter().any(|pull| pull.merged().is_some()) {
        pulls.retain(|pull| pull.merged().is_some_and(|_| pull.base == repository.default_branch));
    }
    pulls
}

pub(super) async fn issue(
    State(shared): Sim,
    asked: Asked,
    Path((_, _, number)): Numbered,
) -> Reply {
    let repo = asked.repo(read(&["issues", "pull_requests"]))?;
    let world = shared.world();
    let repository = world.repository(repo.id())?;
    let pull = repository.pulls.get(&number).ok_or_else(Refusal::not_found)?;
    Ok(Json(shared.view(&world).issue(repository, pull)))
}

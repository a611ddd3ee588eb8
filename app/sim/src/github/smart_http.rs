//! git over HTTP: `git http-backend` answers, this checks who asks and follows up on what was
//! pushed.

use std::sync::Arc;

use axum::Router;
use axum::body::{Bytes, to_bytes};
use axum::extract::{Path, Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use http::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderName, LOCATION, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderValue, Method, StatusCode};

use super::Shared;
use super::act::Repo;
use super::auth::{Caller, caller};
use super::git::command::git;
use super::model::Access;

const RECEIVE: &str = "git-receive-pack";

pub(crate) fn router(shared: Arc<Shared>) -> Router {
    Router::new()
        .route("/{owner}/{repo}/info/refs", get(serve))
        .route("/{owner}/{repo}/git-upload-pack", post(serve))
        .route("/{owner}/{repo}/git-receive-pack", post(serve))
        .with_state(shared)
}

/// What a git client asks.
struct Ask {
    method: Method,
    /// The path below the repository.
    path: String,
    query: String,
    headers: HeaderMap,
    body: Bytes,
}

async fn serve(
    State(shared): State<Arc<Shared>>,
    Path((owner, name)): Path<(String, String)>,
    request: Request,
) -> Response {
    let (head, body) = request.into_parts();
    let Ok(body) = to_bytes(body, usize::MAX).await else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    let name = name.strip_suffix(".git").unwrap_or(&name);
    let full_name = format!("{owner}/{name}");
    let (method, headers) = (head.method, head.headers);
    let path = head.uri.path().splitn(4, '/').nth(3).unwrap_or_default().to_owned();
    let query = head.uri.query().unwrap_or_default().to_owned();
    let pushes = path == RECEIVE || query.contains(RECEIVE);
    let id = shared.world().repository_id(&full_name);
    let Some(id) = id else { return moved(&shared, &full_name, &path, &query) };
    let Ok(asking) = caller(&shared, &headers) else { return challenge() };
    let access = if pushes { Access::Write } else { Access::Read };
    match asking.may(&shared, id, access, &["contents"]) {
        Some(true) => {}
        // Anybody may read what is public, and that needs no permission.
        Some(false) if !pushes && asking.may(&shared, id, Access::Read, &[]) == Some(true) => {}
        Some(false) if !matches!(asking, Caller::Nobody) => return refused(&full_name),
        None if !matches!(asking, Caller::Nobody) => return not_found(),
        Some(false) | None => return challenge(),
    }
    let repo = Repo::new(shared.clone(), id);
    if path == "info/refs" && !pushes {
        let due = shared.world().lags.due(id);
        for late in due {
            let moved = async { repo.git()?.set_ref(&late.name, &late.sha).await };
            if let Err(error) = moved.await {
                tracing::error!(error = format!("{error:#}"), "a late ref cannot be moved");
            }
        }
    }
    let ask = Ask { method, path, query, headers, body };
    let user = asking.login(&shared);
    let answered = if ask.path == RECEIVE {
        receive(&repo, &ask, &user).await
    } else {
        backend(&repo, &ask, &user).await
    };
    answered.unwrap_or_else(|error| {
        tracing::error!(error = format!("{error:#}"), "the simulated git server failed");
        StatusCode::INTERNAL_SERVER_ERROR.into_response()
    })
}

/// Takes a push, then tells of every branch that it moved.
async fn receive(repo: &Repo, ask: &Ask, user: &str) -> anyhow::Result<Response> {
    let shared = repo.shared();
    let _moving = shared.ref_locks.lock(repo.id()).await;
    let git = repo.git()?;
    let before = git.branches().await?;
    let response = backend(repo, ask, user).await?;
    let after = git.branches().await?;
    let tip = |branches: &[(String, String)], name: &str| {
        branches.iter().find(|(known, _)| known == name).map(|(_, sha)| sha.clone())
    };
    let mut names: Vec<&String> = before.iter().chain(&after).map(|(name, _)| name).collect();
    names.sort();
    names.dedup();
    for name in names {
        repo.moved(name, tip(&before, name), tip(&after, name), user).await?;
    }
    Ok(response)
}

/// Runs git's own CGI program.
async fn backend(repo: &Repo, ask: &Ask, user: &str) -> anyhow::Result<Response> {
    let bare = repo.git()?;
    let folder = bare.folder();
    let header = |name: HeaderName| {
        let value = ask.headers.get(name).and_then(|value| value.to_str().ok());
        value.unwrap_or_default().to_owned()
    };
    let translated = folder.join(&ask.path).display().to_string();
    let length = ask.body.len().to_string();
    let env = [
        ("GIT_HTTP_EXPORT_ALL", "1"),
        ("PATH_TRANSLATED", translated.as_str()),
        ("REQUEST_METHOD", ask.method.as_str()),
        ("QUERY_STRING", &ask.query),
        ("CONTENT_TYPE", &header(CONTENT_TYPE)),
        ("CONTENT_LENGTH", &length),
        ("HTTP_CONTENT_ENCODING", &header(CONTENT_ENCODING)),
        ("GIT_PROTOCOL", &header(HeaderName::from_static("git-protocol"))),
        ("REMOTE_USER", user),
        ("REMOTE_ADDR", "127.0.0.1"),
    ];
    let ended = git(folder, &["http-backend"], &env, &ask.body).await?;
    if ended.code != Some(0) {
        tracing::debug!(error = ended.stderr.trim(), "git http-backend ended with an error");
    }
    Ok(from_cgi(&ended.stdout))
}

/// A CGI program writes headers, an empty line and the body; the status is a header too.
fn from_cgi(output: &[u8]) -> Response {
    let end = output.windows(4).position(|window| window == b"\r\n\r\n").unwrap_or(output.len());
    let head = String::from_utf8_lossy(&output[..end]).into_owned();
    let body = output.get(end + 4..).unwrap_or_default().to_vec();
    let mut response = body.into_response();
    response.headers_mut().clear();
    for line in head.lines() {
        let Some((name, value)) = line.split_once(':') else { continue };
        let value = value.trim();
        if name.eq_ignore_ascii_case("status") {
            let code = value.split(' ').next().and_then(|code| code.parse().ok());
            *response.status_mut() =
                code.and_then(|code| StatusCode::from_u16(code).ok()).unwrap_or_default();
        } else if let (Ok(name), Ok(value)) =
            (name.parse::<HeaderName>(), HeaderValue::from_str(value))
        {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

/// A renamed repository is where it is now; any other unknown one may be private, so the client is
/// asked who it is, as at GitHub.
fn moved(shared: &Shared, full_name: &str, path: &str, query: &str) -> Response {
    let world = shared.world();
    let id = world.renamed.get(&full_name.to_ascii_lowercase());
    match id.and_then(|id| world.repositories.get(id)) {
        Some(now) => {
            let to = format!("{}/{}.git/{path}?{query}", shared.urls().web, now.full_name());
            (StatusCode::MOVED_PERMANENTLY, [(LOCATION, to)]).into_response()
        }
        None => challenge(),
    }
}

fn challenge() -> Response {
    let headers = [(WWW_AUTHENTICATE, "Basic realm=\"GitHub\"")];
    (StatusCode::UNAUTHORIZED, headers, "Repository not found.").into_response()
}

fn not_found() -> Response {
    (StatusCode::NOT_FOUND, "Repository not found.").into_response()
}

fn refused(full_name: &str) -> Response {
    let text = format!("Write access to repository not granted: {full_name}.");
    (StatusCode::FORBIDDEN, text).into_response()
}

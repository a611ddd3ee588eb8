//! What every request passes and every answer carries: the caller, the `User-Agent` rule, rate
//! limits, entity tags and the API's own headers.

use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::header::{AUTHORIZATION, CONTENT_TYPE, DATE, ETAG, IF_NONE_MATCH, USER_AGENT};
use http::{HeaderValue, Method, StatusCode};
use sha2::{Digest, Sha256};

use super::reply::Refusal;
use crate::github::Shared;
use crate::github::auth::{Caller, Refused, caller};
use crate::github::limit::{DOCUMENTATION, Exceeded, Quota, SECONDARY};

const JSON: HeaderValue = HeaderValue::from_static("application/json; charset=utf-8");

pub(super) async fn dress(
    State(shared): State<Arc<Shared>>,
    mut request: Request,
    next: Next,
) -> Response {
    if !request.headers().contains_key(USER_AGENT) {
        let text = "Request forbidden by administrative rules. Please make sure your request has a User-Agent header";
        return (StatusCode::FORBIDDEN, text).into_response();
    }
    let caller = match caller(&shared, request.headers()) {
        Ok(caller) => caller,
        Err(Refused::Credentials(message)) => {
            let mut response = Refusal::unauthorized(message).into_response();
            put_date(&mut response, &shared);
            return response;
        }
        Err(Refused::Suspended) => {
            let message = "This installation has been suspended";
            return Refusal::new(StatusCode::FORBIDDEN, message).into_response();
        }
    };
    let installation = match &caller {
        Caller::Installation(scope) => scope.installation,
        Caller::Nobody | Caller::App | Caller::Person(_) => 0,
    };
    // Asking for the limits costs nothing.
    let quota = if request.uri().path() == "/rate_limit" {
        Ok(shared.limiter.quota(installation))
    } else {
        shared.limiter.count(installation, writes(request.method()))
    };
    let quota = match quota {
        Ok(quota) => quota,
        Err(exceeded) => return exceeded_answer(exceeded),
    };
    let known = request.headers().get(IF_NONE_MATCH).cloned();
    let token = request.headers().get(AUTHORIZATION).cloned();
    let reads = request.method() == Method::GET;
    request.extensions_mut().insert(caller);
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    if headers.contains_key(CONTENT_TYPE) {
        headers.insert(CONTENT_TYPE, JSON);
    }
    headers.insert("x-github-media-type", HeaderValue::from_static("github.v3; format=json"));
    headers.insert("x-github-api-version-selected", HeaderValue::from_static("2022-11-28"));
    if reads && response.status() == StatusCode::OK {
        response = tagged(response, token, known).await;
    }
    let unchanged = response.status() == StatusCode::NOT_MODIFIED;
    put_date(&mut response, &shared);
    put_quota(&mut response, if unchanged { shared.limiter.uncount(installation) } else { quota });
    response
}

fn writes(method: &Method) -> bool {
    !matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}

/// Adds an entity tag; an answer that the caller has already is 304 without a body. GitHub's tags
/// differ from token to token, also where the answer does not.
async fn tagged(
    response: Response,
    token: Option<HeaderValue>,
    known: Option<HeaderValue>,
) -> Response {
    let (mut head, body) = response.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap_or_default();
    let token = token.as_ref().map_or(&[][..], HeaderValue::as_bytes);
    let digest = Sha256::new().chain_update(token).chain_update([0]).chain_update(&body).finalize();
    let tag: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    let Ok(tag) = HeaderValue::from_str(&format!("W/\"{tag}\"")) else {
        return Response::from_parts(head, Body::from(body));
    };
    let same = known.is_some_and(|known| known == tag);
    head.headers.insert(ETAG, tag);
    if same {
        head.status = StatusCode::NOT_MODIFIED;
        return Response::from_parts(head, Body::empty());
    }
    Response::from_parts(head, Body::from(body))
}

/// The time that tokens live in, by which a client can tell that its clock is wrong.
fn put_date(response: &mut Response, shared: &Shared) {
    let now = shared.token_clock.now().strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
    if let Ok(now) = HeaderValue::from_str(&now) {
        response.headers_mut().insert(DATE, now);
    }
}

fn put_quota(response: &mut Response, quota: Quota) {
    let headers = response.headers_mut();
    headers.insert("x-ratelimit-limit", quota.limit.into());
    headers.insert("x-ratelimit-remaining", quota.remaining().into());
    headers.insert("x-ratelimit-used", quota.used.into());
    headers.insert("x-ratelimit-reset", quota.reset.as_second().into());
    headers.insert("x-ratelimit-resource", HeaderValue::from_static("core"));
}

fn exceeded_answer(exceeded: Exceeded) -> Response {
    match exceeded {
        Exceeded::Primary(quota) => {
            let message = "API rate limit exceeded for installation.";
            let mut response = Refusal::new(StatusCode::FORBIDDEN, message).into_response();
            put_quota(&mut response, quota);
            response
        }
        Exceeded::Secondary { retry_after } => Refusal::new(StatusCode::FORBIDDEN, SECONDARY)
            .with("retry-after", &retry_after.to_string())
            .saying("documentation_url", DOCUMENTATION)
            .into_response(),
    }
}

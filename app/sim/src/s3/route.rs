//! Which request does what, once its signature names the access key and its body is what was signed.

use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::State;
use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode, Uri};
use percent_encoding::percent_decode_str;
use sha2::{Digest as _, Sha256};

use super::{Storage, TEST_ACCESS_KEY, list, parts};
use crate::call::{Call, Reply};

/// Answers any request.
pub(super) async fn answer(
    State(storage): State<Arc<Mutex<Storage>>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Reply {
    let call = Call::new(method, &uri, headers, body);
    if let Some(refusal) = refused(&call) {
        return refusal;
    }
    let path = call.path.trim_start_matches('/');
    let (bucket, key) = path.split_once('/').unwrap_or((path, ""));
    let key = percent_decode_str(key).decode_utf8_lossy();
    let storage = &mut *storage.lock().unwrap_or_else(PoisonError::into_inner);
    if !storage.buckets.contains_key(bucket) {
        return error(StatusCode::NOT_FOUND, "NoSuchBucket");
    }
    if key.is_empty() {
        return match call.method {
            Method::GET => list::answer(storage, bucket, &call),
            _ => error(StatusCode::METHOD_NOT_ALLOWED, "MethodNotAllowed"),
        };
    }
    if call.param("uploadId").is_some() || call.param("uploads").is_some() {
        return parts::answer(storage, bucket, &key, &call);
    }
    object(storage, bucket, &key, &call)
}

fn refused(call: &Call) -> Option<Reply> {
    let scheme = format!("AWS4-HMAC-SHA256 Credential={TEST_ACCESS_KEY}/");
    if !call.header("authorization").is_some_and(|value| value.starts_with(&scheme)) {
        return Some(error(StatusCode::FORBIDDEN, "InvalidAccessKeyId"));
    }
    let digest: String =
        Sha256::digest(&call.body).iter().map(|byte| format!("{byte:02x}")).collect();
    let signed = call.header("x-amz-content-sha256");
    (signed != Some(&digest)).then(|| error(StatusCode::BAD_REQUEST, "XAmzContentSHA256Mismatch"))
}

fn object(storage: &mut Storage, bucket: &str, key: &str, call: &Call) -> Reply {
    let objects = storage.buckets.entry(bucket.to_owned()).or_default();
    match call.method {
        Method::PUT => {
            objects.insert(key.to_owned(), call.body.clone());
            Reply::empty(StatusCode::OK).with("etag", &etag(&call.body))
        }
        Method::GET | Method::HEAD => match objects.get(key) {
            Some(content) => read(content, call),
            None => error(StatusCode::NOT_FOUND, "NoSuchKey"),
        },
        Method::DELETE => {
            objects.remove(key);
            Reply::empty(StatusCode::NO_CONTENT)
        }
        _ => error(StatusCode::METHOD_NOT_ALLOWED, "MethodNotAllowed"),
    }
}

fn read(content: &Bytes, call: &Call) -> Reply {
    let whole = content.len();
    let range = call.header("range").and_then(|range| {
        let (from, to) = range.strip_prefix("bytes=")?.split_once('-')?;
        let (from, to): (usize, usize) = (from.parse().ok()?, to.parse().ok()?);
        (from < whole).then_some((from, to.min(whole - 1)))
    });
    let (status, part) = match range {
        Some((from, to)) => (StatusCode::PARTIAL_CONTENT, content.slice(from..=to)),
        None => (StatusCode::OK, content.clone()),
    };
    let mut reply = Reply::empty(status)
        .with("etag", &etag(content))
        .with("last-modified", "Sat, 21 Nov 2026 12:00:00 GMT");
    if let Some((from, to)) = range {
        reply = reply.with("content-range", &format!("bytes {from}-{to}/{whole}"));
    }
    match call.method {
        Method::HEAD => reply.with("content-length", &whole.to_string()),
        _ => Reply { body: part, ..reply },
    }
}

pub(super) fn etag(content: &[u8]) -> String {
    let digest = Sha256::digest(content);
    let hex: String = digest[..16].iter().map(|byte| format!("{byte:02x}")).collect();
    format!("\"{hex}\"")
}

pub(super) fn xml(status: StatusCode, body: &str) -> Reply {
    let head = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
    let reply = Reply::empty(status).with("content-type", "application/xml");
    Reply { body: format!("{head}{body}").into(), ..reply }
}

pub(super) fn error(status: StatusCode, code: &str) -> Reply {
    xml(status, &format!("<Error><Code>{code}</Code><Message>{code}</Message></Error>"))
}

/// Text as it stands between tags.
pub(super) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

//! An answer that was read whole.

use ::http::HeaderMap;
use bytes::{Bytes, BytesMut};
use serde::de::DeserializeOwned;

use super::{HttpError, Peer, Unknown};

/// An answer: any status, its headers, its whole body.
#[derive(Clone)]
pub struct Response {
    /// The status: 200, 404.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, within the client's limit.
    pub body: Bytes,
}

/// A body that is not the JSON it should be. The body itself is not repeated: it may hold a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the answer ({status}) is not the JSON expected: {fault} at line {line}, column {column}")]
pub struct NotJson {
    /// The answer's status.
    pub status: u16,
    /// Whether it is not JSON at all, or JSON of another shape.
    pub fault: &'static str,
    /// Where, from 1.
    pub line: usize,
    /// Where, from 1.
    pub column: usize,
}

impl Response {
    /// Whether the status is 200 to 299.
    #[must_use]
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The first value of a header, if it is text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Reads the body as JSON, whatever the status and the content type.
    ///
    /// # Errors
    /// It is not JSON, or not of this shape.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, NotJson> {
        serde_json::from_slice(&self.body).map_err(|error| NotJson {
            status: self.status,
            fault: if error.is_data() { "another shape" } else { "not JSON" },
            line: error.line(),
            column: error.column(),
        })
    }
}

impl std::fmt::Debug for Response {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { status, headers: _, body } = self;
        f.debug_struct("Response")
            .field("status", status)
            .field("bytes", &body.len())
            .finish_non_exhaustive()
    }
}

/// Reads an answer, at most as much of it as the client takes.
pub(super) async fn read(
    mut answer: reqwest::Response,
    peer: &Peer,
) -> Result<Response, HttpError> {
    let (status, headers) = (answer.status().as_u16(), std::mem::take(answer.headers_mut()));
    let mut body = BytesMut::new();
    while let Some(chunk) = answer.chunk().await.map_err(|error| HttpError::of(&error, peer))? {
        if body.len() + chunk.len() > peer.max_body {
            let (host, limit) = (peer.host.clone(), peer.max_body);
            return Err(Unknown::TooLarge { host, status, limit }.into());
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Response { status, headers, body: body.freeze() })
}

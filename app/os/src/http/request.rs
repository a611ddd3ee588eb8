//! A request, built by parts. What is wrong with a part is told when it is sent.

use std::time::Duration;

use ::http::header::{AUTHORIZATION, CONTENT_TYPE};
use ::http::{HeaderName, HeaderValue, Method};
use bytes::Bytes;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use url::{Host, Url};

use super::response::read;
use super::{Client, HttpError, NotSent, Response};

/// What stands for itself in a segment: RFC 3986 `unreserved`, and `:` and `@`, which vendors use
/// literally (`versions:finalize`). Everything else is encoded, `/` and `%` included.
const ENCODED: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b':').remove(b'@');

/// A request that was not sent yet.
#[must_use = "a request does nothing until it is sent"]
pub struct Request {
    client: Client,
    built: Result<reqwest::Request, String>,
}

impl Request {
    pub(super) fn new<S: AsRef<str>>(
        client: Client,
        method: Method,
        segments: impl IntoIterator<Item = S>,
    ) -> Self {
        let built =
            address(&client.peer.base, segments).map(|url| reqwest::Request::new(method, url));
        Self { client, built }
    }

    /// One that is complete.
    pub(super) fn ready(client: Client, request: ::http::Request<Bytes>) -> Self {
        let (parts, body) = request.into_parts();
        let url = Url::parse(&parts.uri.to_string()).ok();
        let own = url.filter(|url| url.origin() == client.peer.base.origin());
        let built = own.ok_or_else(|| "it is for another peer".to_owned()).map(|url| {
            let mut request = reqwest::Request::new(parts.method, url);
            *request.headers_mut() = parts.headers;
            *request.body_mut() = Some(body.into());
            request
        });
        Self { client, built }
    }

    /// Adds a query parameter, form-encoded.
    pub fn query(self, name: &str, value: &str) -> Self {
        self.with(|request| {
            request.url_mut().query_pairs_mut().append_pair(name, value);
            Ok(())
        })
    }

    /// Sets a header.
    pub fn header(self, name: &str, value: &str) -> Self {
        self.put(name, value, false)
    }

    /// Sets a header whose value is a secret. A `cookie` is sent only if it is set here.
    pub fn header_secret(self, name: &str, value: &SecretString) -> Self {
        self.put(name, value.expose_secret(), true)
    }

    /// Sets `Authorization: Bearer`.
    pub fn bearer(self, token: &SecretString) -> Self {
        let value = SecretString::from(format!("Bearer {}", token.expose_secret()));
        self.header_secret(AUTHORIZATION.as_str(), &value)
    }

    /// Sets a JSON body and its content type.
    pub fn json(self, value: &(impl Serialize + ?Sized)) -> Self {
        match serde_json::to_vec(value) {
            Ok(body) => self.body("application/json", body),
            Err(_) => self.with(|_| Err("its body cannot be written as JSON".to_owned())),
        }
    }

    /// Sets a body of any content type.
    pub fn body(self, content_type: &str, body: impl Into<Bytes>) -> Self {
        let body = body.into();
        self.header(CONTENT_TYPE.as_str(), content_type).with(|request| {
            *request.body_mut() = Some(body.into());
            Ok(())
        })
    }

    /// How long this request may take with its answer, instead of the client's own limit.
    pub fn timeout(self, timeout: Duration) -> Self {
        self.with(|request| {
            *request.timeout_mut() = Some(timeout);
            Ok(())
        })
    }

    /// Sends it, once, and reads the whole answer. Every status is an answer, a redirect too.
    ///
    /// # Errors
    /// There is no whole answer; the error tells whether the peer may have seen the request.
    pub async fn send(self) -> Result<Response, HttpError> {
        let peer = &self.client.peer;
        let host = || peer.host.clone();
        let request = self.built.map_err(|reason| NotSent::Invalid { host: host(), reason })?;
        if !literal_is_permitted(request.url(), &self.client) {
            return Err(NotSent::Refused { host: host() }.into());
        }
        let method = request.method().clone();
        let answer =
            self.client.http.execute(request).await.map_err(|error| HttpError::of(&error, peer))?;
        let status = answer.status().as_u16();
        tracing::debug!(http.method = %method, http.host = peer.host, http.status = status, "HTTP request answered");
        read(answer, peer).await
    }

    fn put(self, name: &str, value: &str, secret: bool) -> Self {
        let name = HeaderName::try_from(name).map_err(|_| "a header's name is not one".to_owned());
        self.with(|request| {
            let name = name?;
            let mut value = HeaderValue::try_from(value).map_err(|_| {
                format!("the value of header `{name}` has characters that a header cannot carry")
            })?;
            value.set_sensitive(secret);
            request.headers_mut().insert(name, value);
            Ok(())
        })
    }

    fn with(mut self, change: impl FnOnce(&mut reqwest::Request) -> Result<(), String>) -> Self {
        if let Ok(request) = &mut self.built
            && let Err(reason) = change(request)
        {
            self.built = Err(reason);
        }
        self
    }
}

impl std::fmt::Debug for Request {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Request").field("host", &self.client.peer.host).finish_non_exhaustive()
    }
}

/// The base with the segments behind it. `Url::path_segments_mut` is not used: it drops `.`, `..`,
/// tabs and line breaks in silence, so two different names could become one address.
fn address<S: AsRef<str>>(
    base: &Url,
    segments: impl IntoIterator<Item = S>,
) -> Result<Url, String> {
    let mut path = base.path().trim_end_matches('/').to_owned();
    let mut bare = true;
    for segment in segments {
        let segment = segment.as_ref();
        if matches!(segment, "" | "." | "..") {
            return Err("a part of its path is empty, `.` or `..`".to_owned());
        }
        path.push('/');
        path.extend(utf8_percent_encode(segment, ENCODED));
        bare = false;
    }
    let mut url = base.clone();
    if !bare {
        url.set_path(&path);
    }
    Ok(url)
}

/// A literal address never reaches the resolver, so it is checked here.
fn literal_is_permitted(url: &Url, client: &Client) -> bool {
    let peer = &client.peer;
    let address = match url.host() {
        Some(Host::Ipv4(address)) => address.into(),
        Some(Host::Ipv6(address)) => address.into(),
        _ => return true,
    };
    peer.rules.permits(&peer.host, peer.port, address)
}

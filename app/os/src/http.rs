//! The HTTP client: one peer, bounded in time and size, connected to checked addresses only.
//!
//! What it never does: follow a redirect, send anything twice, take a proxy from the environment,
//! keep cookies, decompress. A request is built from path segments, each percent-encoded, so that
//! a name that came from a repository cannot climb out of its place. An error says whether the
//! request may have reached the peer ([`HttpError`]), because that decides what may be repeated.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use url::Url;

mod error;
mod pin;
mod request;
mod resolver;
mod response;
mod rules;
mod tls;

pub use ::http::{HeaderMap, HeaderName, Method, StatusCode, header};
pub use error::{HttpError, NotSent, SettingsError, Unknown};
pub use pin::{Pin, PinError};
pub use request::Request;
pub use response::{NotJson, Response};
pub use rules::{AddressRules, AddressRulesError};
pub use tls::Tls;

/// How a peer is reached.
#[derive(Debug, Clone)]
pub struct Settings {
    /// `http` or `https`, a host, and the path that all requests begin with. No user, no query.
    pub base: Url,
    /// Whom to believe that it is the peer.
    pub tls: Tls,
    /// Which addresses may be connected to.
    pub rules: AddressRules,
    /// For name resolution, TCP and TLS together.
    pub connect_timeout: Duration,
    /// For a whole request with its answer, unless the request says otherwise.
    pub timeout: Duration,
    /// The longest body of an answer, in bytes.
    pub max_body: usize,
}

impl Settings {
    /// The system's certificate authorities, public addresses only, 5 s to connect, 30 s in all,
    /// answers up to 16 MiB.
    #[must_use]
    pub fn new(base: Url) -> Self {
        Self {
            base,
            tls: Tls::System,
            rules: AddressRules::default(),
            connect_timeout: Duration::from_secs(5),
            timeout: Duration::from_secs(30),
            max_body: 16 << 20,
        }
    }
}

/// A client of one peer. Cheap to clone; clones share their connections.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
    peer: Arc<Peer>,
}

/// What a client has to know of its peer after it was built.
#[derive(Debug)]
struct Peer {
    base: Url,
    host: String,
    port: u16,
    rules: AddressRules,
    max_body: usize,
}

impl Client {
    /// Builds a client. Nothing is connected yet.
    ///
    /// # Errors
    /// The base is not one, or the certificates cannot be read.
    pub fn new(settings: &Settings) -> Result<Self, SettingsError> {
        let peer = Peer::new(settings)?;
        let resolver = resolver::Checked::new(peer.rules.clone(), peer.port);
        let http = reqwest::Client::builder()
            .tls_backend_preconfigured(tls::config(&settings.tls)?)
            .dns_resolver(resolver)
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .no_proxy()
            .referer(false)
            .user_agent(concat!("landfall/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(settings.connect_timeout)
            .timeout(settings.timeout)
            // Shorter than what servers commonly keep, so that a reused connection is rarely one
            // that the peer is just closing: that would leave the fate of a write unknown.
            .pool_idle_timeout(Duration::from_secs(15))
            .build()
            .map_err(|_| SettingsError::Client)?;
        Ok(Self { http, peer: Arc::new(peer) })
    }

    /// Begins a request to `base/segment/segment/…`. A segment may hold any character; an empty
    /// one, `.` and `..` make the request fail when it is sent. No segments: the base itself.
    pub fn request<S: AsRef<str>>(
        &self,
        method: Method,
        segments: impl IntoIterator<Item = S>,
    ) -> Request {
        Request::new(self.clone(), method, segments)
    }

    /// Sends a request that a library has built and signed for this peer, once, and reads the whole
    /// answer. Nothing is added to it or taken from it.
    ///
    /// # Errors
    /// It is for another peer, or there is no whole answer.
    pub async fn exchange(&self, request: ::http::Request<Bytes>) -> Result<Response, HttpError> {
        Request::ready(self.clone(), request).send().await
    }

    /// The peer's host, as the base names it.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.peer.host
    }
}

impl Peer {
    fn new(settings: &Settings) -> Result<Self, SettingsError> {
        let base = settings.base.clone();
        let fits = matches!(base.scheme(), "http" | "https")
            && base.username().is_empty()
            && base.password().is_none()
            && base.query().is_none()
            && base.fragment().is_none();
        match (base.host_str(), base.port_or_known_default()) {
            (Some(host), Some(port)) if fits => Ok(Self {
                host: host.to_owned(),
                port,
                rules: settings.rules.clone(),
                max_body: settings.max_body,
                base,
            }),
            _ => Err(SettingsError::Base),
        }
    }
}

#[cfg(test)]
mod tests;

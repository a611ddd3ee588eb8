//! What was said: every request with its answer, and every webhook with the answer it got.
//!
//! Simulators write here; tests read, to hold each exchange against the vendor's description and to
//! count calls. Credentials in headers are masked before anything is kept; bodies stay as they were.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use http::HeaderMap;
use serde_json::Value;

/// Who spoke with whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Wire {
    /// A request to the simulated GitHub's REST API.
    GitHub,
    /// A git client's request to the simulated GitHub. Bodies are packs and are not kept.
    Git,
    /// A delivery that the simulated GitHub sent.
    Webhook,
    /// A request to the simulated UniFi console.
    Unifi,
    /// A request to the simulated Cloudflare.
    Cloudflare,
    /// A message to the simulated chat.
    Chat,
    /// A request to the simulated S3.
    S3,
}

/// One request and its answer.
#[derive(Clone)]
pub struct Exchange {
    pub wire: Wire,
    pub method: String,
    /// The path as it was sent, still percent-encoded, without the query.
    pub path: String,
    /// The query as it was sent, without `?`; empty if there was none.
    pub query: String,
    /// In the order of arrival, names in lower case, credentials masked.
    pub request_headers: Vec<(String, String)>,
    pub request_body: Bytes,
    /// The status that went out; `None` if the connection broke before one did.
    pub status: Option<u16>,
    pub response_headers: Vec<(String, String)>,
    pub response_body: Bytes,
    /// The answer is an injected fault, not what the simulated vendor would have said.
    pub faulted: bool,
}

impl Exchange {
    /// A header of the request, by its name in lower case.
    pub fn request_header(&self, name: &str) -> Option<&str> {
        header(&self.request_headers, name)
    }

    /// A header of the answer, by its name in lower case.
    pub fn response_header(&self, name: &str) -> Option<&str> {
        header(&self.response_headers, name)
    }

    /// The request's body as JSON; `None` if it is empty or is not JSON.
    pub fn request_json(&self) -> Option<Value> {
        serde_json::from_slice(&self.request_body).ok()
    }

    /// The answer's body as JSON; `None` if it is empty or is not JSON.
    pub fn response_json(&self) -> Option<Value> {
        serde_json::from_slice(&self.response_body).ok()
    }
}

impl fmt::Debug for Exchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let status =
            self.status.map_or_else(|| "no answer".to_owned(), |status| status.to_string());
        write!(f, "{:?} {} {} -> {status}", self.wire, self.method, self.path)
    }
}

/// All exchanges of the simulators that share it, oldest first.
#[derive(Clone, Default)]
pub struct ExchangeLog {
    inner: Arc<Mutex<Inner>>,
}

type Listener = Arc<dyn Fn(&Exchange) + Send + Sync>;

#[derive(Default)]
struct Inner {
    exchanges: Vec<Arc<Exchange>>,
    listeners: Vec<Listener>,
}

impl ExchangeLog {
    pub fn all(&self) -> Vec<Arc<Exchange>> {
        self.lock().exchanges.clone()
    }

    /// How many exchanges `wanted` says yes to.
    pub fn count(&self, wanted: impl Fn(&Exchange) -> bool) -> usize {
        self.lock().exchanges.iter().filter(|exchange| wanted(exchange)).count()
    }

    /// Forgets what was said so far, so that a count begins at zero. Listeners stay.
    pub fn clear(&self) {
        self.lock().exchanges.clear();
    }

    /// Calls `listener` with every exchange from now on, before its answer goes out. It must not
    /// block.
    pub fn listen(&self, listener: impl Fn(&Exchange) + Send + Sync + 'static) {
        self.lock().listeners.push(Arc::new(listener));
    }

    pub fn record(&self, exchange: Exchange) {
        let exchange = Arc::new(exchange);
        // Listeners are called without the lock, so that they may look into the log.
        let listeners = {
            let mut inner = self.lock();
            inner.exchanges.push(exchange.clone());
            inner.listeners.clone()
        };
        for listener in listeners {
            listener(&exchange);
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for ExchangeLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.lock().exchanges.iter()).finish()
    }
}

/// The headers as the log keeps them.
pub fn masked(headers: &HeaderMap) -> Vec<(String, String)> {
    headers
        .iter()
        .map(|(name, value)| {
            let value = String::from_utf8_lossy(value.as_bytes());
            (name.as_str().to_owned(), mask(name.as_str(), &value))
        })
        .collect()
}

fn mask(name: &str, value: &str) -> String {
    match name {
        // The scheme is kept: whether a client sent `Bearer` or `Basic` is worth asserting.
        "authorization" => {
            value.split_once(' ').map_or("***".to_owned(), |(scheme, _)| format!("{scheme} ***"))
        }
        "cookie" | "set-cookie" | "x-api-key" | "x-auth-key" | "x-csrf-token" => "***".to_owned(),
        _ => value.to_owned(),
    }
}

fn header<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_masked_and_their_scheme_is_kept() {
        let mut headers = HeaderMap::new();
        headers.insert("authorization", "Bearer ghs_abc".parse().unwrap());
        headers.insert("x-api-key", "key".parse().unwrap());
        headers.insert("accept", "application/json".parse().unwrap());
        let kept = masked(&headers);
        assert_eq!(header(&kept, "authorization"), Some("Bearer ***"));
        assert_eq!(header(&kept, "x-api-key"), Some("***"));
        assert_eq!(header(&kept, "accept"), Some("application/json"));
    }
}

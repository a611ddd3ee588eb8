//! One attempt to deliver: the signature, the headers, the request, and the log's words for what
//! came of it.

use std::time::Duration;

use bytes::Bytes;
use hmac::{Hmac, KeyInit, Mac};
use landfall_os::http::{AddressRules, Client, HttpError, Method, Response, Settings, Unknown};
use serde_json::{Map, Value};
use sha2::Sha256;

use super::{Delivery, Fate, HookConfig};
use crate::exchange::{Exchange, ExchangeLog, Wire, masked};

/// GitHub waits this long for an answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// Webhooks leave this process for this machine only.
const RECEIVERS: &str = "127.0.0.0/8, [::1], localhost";

pub(super) struct Sent {
    pub(super) status: String,
    pub(super) status_code: u16,
    pub(super) request_headers: Map<String, Value>,
    pub(super) response_body: Option<String>,
}

/// The value of `X-Hub-Signature-256`: HMAC-SHA256 over the bytes of the body.
pub fn signature(secret: &str, body: &[u8]) -> String {
    let mut mac =
        Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("HMAC takes keys of every length");
    mac.update(body);
    let tag = mac.finalize().into_bytes();
    let hex: String = tag.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256={hex}")
}

/// Who sends. It keeps its connections to a receiver from one delivery to the next.
pub(super) struct Sender {
    exchanges: ExchangeLog,
    receiver: Option<(String, Client)>,
}

impl Sender {
    pub(super) fn new(exchanges: ExchangeLog) -> Sender {
        Sender { exchanges, receiver: None }
    }

    pub(super) async fn attempt(&mut self, config: &HookConfig, delivery: &Delivery) -> Sent {
        let body = Bytes::from(delivery.event.payload.to_string());
        let headers = headers(config, delivery, &body);
        let url = config.url.clone().unwrap_or_default();
        let answer = match delivery.fate {
            Some(Fate::Unreachable) => Err(refused()),
            _ if leads_nowhere(&url) => Err(refused()),
            _ => self.post(&url, &headers, body.clone()).await,
        };
        self.exchanges.record(exchange(url, &headers, body, answer.as_ref().ok()));
        let (status, status_code, response_body) = match answer {
            Ok(response) if response.is_success() => {
                ("OK".to_owned(), response.status, Some(text(&response)))
            }
            Ok(response) => {
                let status = format!("Invalid HTTP Response: {}", response.status);
                (status, response.status, Some(text(&response)))
            }
            Err((status, code)) => (status, code, None),
        };
        let request_headers =
            headers.into_iter().map(|(name, value)| (name, Value::from(value))).collect();
        Sent { status, status_code, request_headers, response_body }
    }

    async fn post(
        &mut self,
        url: &str,
        headers: &[(String, String)],
        body: Bytes,
    ) -> Result<Response, (String, u16)> {
        let client = match &self.receiver {
            Some((known, client)) if known == url => client.clone(),
            _ => client(url).ok_or_else(|| ("invalid URL".to_owned(), 0))?,
        };
        self.receiver = Some((url.to_owned(), client.clone()));
        let mut request = client
            .request(Method::POST, std::iter::empty::<&str>())
            .body("application/json", body)
            .timeout(PATIENCE);
        for (name, value) in headers {
            request = request.header(name, value);
        }
        request.send().await.map_err(|error| match error {
            HttpError::Unknown(Unknown::Timeout { .. }) => ("timed out".to_owned(), 504),
            HttpError::Unknown(_) | HttpError::NotSent(_) => refused(),
        })
    }
}

/// As the log of exchanges keeps it; a delivery that reached nobody has no answer.
fn exchange(
    url: String,
    headers: &[(String, String)],
    body: Bytes,
    answer: Option<&Response>,
) -> Exchange {
    let lower = |(name, value): &(String, String)| (name.to_ascii_lowercase(), value.clone());
    Exchange {
        wire: Wire::Webhook,
        method: "POST".to_owned(),
        path: url,
        query: String::new(),
        request_headers: headers.iter().map(lower).collect(),
        request_body: body,
        status: answer.map(|answer| answer.status),
        response_headers: answer.map(|answer| masked(&answer.headers)).unwrap_or_default(),
        response_body: answer.map(|answer| answer.body.clone()).unwrap_or_default(),
        faulted: answer.is_none(),
    }
}

fn text(response: &Response) -> String {
    String::from_utf8_lossy(&response.body).into_owned()
}

fn headers(config: &HookConfig, delivery: &Delivery, body: &[u8]) -> Vec<(String, String)> {
    let mut headers = vec![
        ("Accept", "*/*".to_owned()),
        ("Content-Type", "application/json".to_owned()),
        ("User-Agent", "GitHub-Hookshot/51a0c2e".to_owned()),
        ("X-GitHub-Delivery", delivery.guid.clone()),
        ("X-GitHub-Event", delivery.event.name.clone()),
        ("X-GitHub-Hook-ID", config.hook_id.to_string()),
        ("X-GitHub-Hook-Installation-Target-ID", config.app_id.to_string()),
        ("X-GitHub-Hook-Installation-Target-Type", "integration".to_owned()),
    ];
    if let Some(secret) = &config.secret {
        headers.push(("X-Hub-Signature-256", signature(secret, body)));
    }
    headers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

fn client(url: &str) -> Option<Client> {
    let rules = AddressRules::parse(RECEIVERS).ok()?;
    let settings = Settings { rules, ..Settings::new(url.parse().ok()?) };
    Client::new(&settings).ok()
}

/// Names below `invalid` lead nowhere, and nobody has to be asked for that
/// (<https://www.rfc-editor.org/rfc/rfc6761#section-6.4>).
fn leads_nowhere(url: &str) -> bool {
    let url = url.parse::<url::Url>().ok();
    let host = url.as_ref().and_then(url::Url::host_str).unwrap_or_default();
    host == "invalid" || host.ends_with(".invalid")
}

fn refused() -> (String, u16) {
    ("failed to connect to host".to_owned(), 502)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_the_one_that_github_publishes() {
        assert_eq!(
            signature("It's a Secret to Everybody", b"Hello, World!"),
            "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
        );
    }
}

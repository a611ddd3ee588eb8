//! A client as plain as can be, and exchanges made by hand.

use bytes::Bytes;
use landfall_os::http::{AddressRules, Client, Method, Settings};
use landfall_sim::exchange::{Exchange, ExchangeLog, Wire};
use landfall_tests::contract::Contract;
use serde_json::Value;

/// Sends requests to one simulator, each with the same headers.
pub(crate) struct Caller {
    client: Client,
    headers: Vec<(String, String)>,
}

impl Caller {
    pub(crate) fn new(url: &str) -> Caller {
        let mut settings = Settings::new(url.parse().unwrap());
        settings.rules = AddressRules::parse("127.0.0.1").unwrap();
        Caller { client: Client::new(&settings).unwrap(), headers: Vec::new() }
    }

    pub(crate) fn with(mut self, name: &str, value: &str) -> Caller {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) async fn get(&self, path: &str) -> Value {
        self.send(Method::GET, path, Value::Null).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Value {
        self.send(Method::POST, path, body).await
    }

    /// `path` may have a query; a body that is null is left out. Gives the answer, null if it is no JSON.
    pub(crate) async fn send(&self, method: Method, path: &str, body: Value) -> Value {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let segments = path.split('/').filter(|segment| !segment.is_empty());
        let mut request = self.client.request(method, segments);
        for (name, value) in query.split('&').filter_map(|pair| pair.split_once('=')) {
            request = request.query(name, value);
        }
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        if !body.is_null() {
            request = request.json(&body);
        }
        request.send().await.unwrap().json().unwrap_or_default()
    }
}

/// An exchange with JSON on both sides; null stands for no body.
pub(crate) fn exchange(
    wire: Wire,
    request: &str,
    body: &Value,
    status: u16,
    answer: &Value,
) -> Exchange {
    let (method, target) = request.split_once(' ').unwrap();
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let json = vec![("content-type".to_owned(), "application/json; charset=utf-8".to_owned())];
    let bytes = |value: &Value| match value {
        Value::Null => Bytes::new(),
        value => Bytes::from(value.to_string()),
    };
    let mut request_headers = json.clone();
    request_headers.push(("user-agent".to_owned(), "landfall".to_owned()));
    Exchange {
        wire,
        method: method.to_owned(),
        path: path.to_owned(),
        query: query.to_owned(),
        request_headers,
        request_body: bytes(body),
        status: Some(status),
        response_headers: json,
        response_body: bytes(answer),
        faulted: false,
    }
}

/// What is wrong with an exchange, one line each, without the exchange itself.
pub(crate) fn faults(exchange: &Exchange) -> Vec<String> {
    let violations = Contract::load().check(exchange);
    violations
        .iter()
        .map(|violation| {
            let text = violation.to_string();
            text.split_once(&exchange.path)
                .map(|(_, rest)| rest.trim_start_matches(": ").to_owned())
                .unwrap()
        })
        .collect()
}

/// Everything that was said is as the vendors describe it, and something was said.
pub(crate) fn assert_faithful(log: &ExchangeLog) {
    assert!(!log.all().is_empty(), "nothing was said");
    let violations = Contract::load().check_all(log);
    let lines: Vec<String> = violations.iter().map(ToString::to_string).collect();
    assert!(lines.is_empty(), "{}", lines.join("\n"));
}

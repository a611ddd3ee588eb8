//! A client as plain as can be: what it sends is what the test wrote.

use landfall_os::http::{AddressRules, Client, Method, Response, Settings, Tls};
use serde_json::Value;

/// Sends requests to one simulator, each with the same headers.
pub(crate) struct Caller {
    client: Client,
    headers: Vec<(String, String)>,
}

/// An answer.
pub(crate) struct Heard {
    pub(crate) status: u16,
    pub(crate) response: Response,
    /// Null if it is not JSON.
    pub(crate) json: Value,
}

impl Caller {
    pub(crate) fn new(url: &str) -> Self {
        Self::with_tls(url, Tls::Insecure)
    }

    pub(crate) fn with_tls(url: &str, tls: Tls) -> Self {
        let mut settings = Settings::new(url.parse().unwrap());
        settings.rules = AddressRules::parse("127.0.0.1").unwrap();
        settings.tls = tls;
        Self { client: Client::new(&settings).unwrap(), headers: Vec::new() }
    }

    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) async fn get(&self, path: &str) -> Heard {
        self.send(Method::GET, path, None).await.unwrap()
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Heard {
        self.send(Method::POST, path, Some(body)).await.unwrap()
    }

    pub(crate) async fn put(&self, path: &str, body: Value) -> Heard {
        self.send(Method::PUT, path, Some(body)).await.unwrap()
    }

    pub(crate) async fn patch(&self, path: &str, body: Value) -> Heard {
        self.send(Method::PATCH, path, Some(body)).await.unwrap()
    }

    pub(crate) async fn delete(&self, path: &str) -> Heard {
        self.send(Method::DELETE, path, None).await.unwrap()
    }

    /// `path` may have a query. `Err` if no answer came.
    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> Result<Heard, String> {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let segments = path.split('/').filter(|segment| !segment.is_empty());
        let mut request = self.client.request(method, segments);
        for (name, value) in query.split('&').filter_map(|pair| pair.split_once('=')) {
            request = request.query(name, value);
        }
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        let response = request.send().await.map_err(|error| error.to_string())?;
        let json = response.json().unwrap_or_default();
        Ok(Heard { status: response.status, response, json })
    }
}

impl Heard {
    /// The code of Cloudflare's first error.
    pub(crate) fn error_code(&self) -> u64 {
        self.json["errors"][0]["code"].as_u64().unwrap_or_default()
    }

    /// The code of UniFi's error.
    pub(crate) fn code(&self) -> &str {
        self.json["code"].as_str().unwrap_or_default()
    }
}

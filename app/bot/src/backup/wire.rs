//! How object storage is reached: through the client that everything here is reached through.
//!
//! The library builds and signs requests; sending them is ours, so there is one HTTP client and one
//! TLS in the binary. The endpoint is the operator's own word, so every address may be connected to.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use landfall_os::http::{self as os, AddressRules, Client, NotSent, Settings, Unknown};
use object_store::ClientOptions;
use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse,
    HttpResponseBody, HttpService,
};
use url::Url;

/// How long a part may take there, or a piece back.
const DEADLINE: Duration = Duration::from_secs(120);

/// Tigris answers from the region that is nearest, which may not have heard of what was just
/// written elsewhere, unless it is told so
/// (<https://www.tigrisdata.com/docs/objects/conditionals/>). Others do not know the header.
const CONSISTENT: &str = "x-tigris-consistent";

/// Makes what the library sends its requests with.
#[derive(Debug, Default)]
pub(super) struct Wire {}

impl HttpConnector for Wire {
    fn connect(&self, _: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(Peers::default()))
    }
}

/// A client of each peer that was spoken to: the storage, and whoever gives out credentials.
#[derive(Debug, Default)]
struct Peers {
    clients: Mutex<HashMap<Url, Client>>,
}

impl Peers {
    fn client(&self, uri: &http::Uri) -> Result<Client, HttpError> {
        let mut base = Url::parse(&uri.to_string()).map_err(invalid)?;
        base.set_path("/");
        base.set_query(None);
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = clients.get(&base) {
            return Ok(client.clone());
        }
        let settings = Settings {
            rules: AddressRules::everywhere(),
            timeout: DEADLINE,
            ..Settings::new(base.clone())
        };
        let client = Client::new(&settings).map_err(invalid)?;
        clients.insert(base, client.clone());
        Ok(client)
    }
}

#[async_trait]
impl HttpService for Peers {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let client = self.client(request.uri())?;
        let (mut parts, body) = request.into_parts();
        let body = body.collect().await?.to_bytes();
        parts.headers.insert(CONSISTENT, http::HeaderValue::from_static("true"));
        let request = http::Request::from_parts(parts, body);
        let answer = client.exchange(request).await.map_err(failed)?;
        let mut response = http::Response::new(body_of(answer.body));
        *response.status_mut() = http::StatusCode::from_u16(answer.status).map_err(invalid)?;
        *response.headers_mut() = answer.headers;
        Ok(response)
    }
}

fn body_of(bytes: Bytes) -> HttpResponseBody {
    HttpResponseBody::new(Full::new(bytes).map_err(|never| match never {}))
}

fn invalid(error: impl std::error::Error + Send + Sync + 'static) -> HttpError {
    HttpError::new(HttpErrorKind::Unknown, error)
}

/// What may be sent again is for the library to say: it knows which requests do the same twice.
fn failed(error: os::HttpError) -> HttpError {
    let kind = match &error {
        os::HttpError::NotSent(NotSent::Connect { .. } | NotSent::Resolve { .. }) => {
            HttpErrorKind::Connect
        }
        os::HttpError::NotSent(_) => HttpErrorKind::Unknown,
        os::HttpError::Unknown(Unknown::Timeout { .. }) => HttpErrorKind::Timeout,
        os::HttpError::Unknown(Unknown::Cut { .. }) => HttpErrorKind::Interrupted,
        os::HttpError::Unknown(Unknown::TooLarge { .. }) => HttpErrorKind::Decode,
    };
    HttpError::new(kind, error)
}

//! The API's envelope and pages. Every call is sent once; what is repeated is not decided here.

use std::fmt;

use landfall_os::http::{Client, Method, Request};
use secrecy::SecretString;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::error::{ApiError, CallError};
use crate::hold::Hold;
use crate::provider::MOST_LISTED;

/// The most pages of a list. The smallest page that is asked for is one of zones, with 50.
const MOST_PAGES: usize = MOST_LISTED / 50;

/// The API of one account, with its token.
#[derive(Clone)]
pub(crate) struct Api {
    http: Client,
    token: SecretString,
}

/// What every answer is wrapped in. Every field is optional: some refusals lack most of them.
#[derive(Deserialize)]
struct Envelope<T> {
    success: Option<bool>,
    #[serde(default = "Option::default")]
    errors: Option<Vec<ApiError>>,
    #[serde(default = "Option::default")]
    result: Option<T>,
    #[serde(default)]
    result_info: Option<PageInfo>,
}

#[derive(Debug, Default, Clone, Copy, Deserialize)]
struct PageInfo {
    per_page: Option<usize>,
    total_count: Option<usize>,
}

/// All pages of a list.
#[derive(Debug)]
pub(crate) struct Listing<T> {
    /// The items, in the order given.
    pub(crate) items: Vec<T>,
    /// How many there are, as the last page says.
    pub(crate) total: Option<usize>,
}

impl Api {
    pub(super) fn new(http: Client, token: SecretString) -> Self {
        Self { http, token }
    }

    /// Reads one thing.
    pub(crate) async fn get<T: DeserializeOwned>(&self, path: &[&str]) -> Result<T, CallError> {
        self.call(self.request(Method::GET, path)).await.map(|(result, _)| result)
    }

    /// Sends a body that makes something, as long as it is held.
    pub(crate) async fn post<T: DeserializeOwned>(
        &self,
        hold: Hold<'_>,
        path: &[&str],
        body: &(impl Serialize + ?Sized),
    ) -> Result<T, CallError> {
        hold.begin()?;
        self.call(self.request(Method::POST, path).json(body)).await.map(|(result, _)| result)
    }

    /// Sends a body that replaces something, as long as it is held.
    pub(crate) async fn put<T: DeserializeOwned>(
        &self,
        hold: Hold<'_>,
        path: &[&str],
        body: &(impl Serialize + ?Sized),
    ) -> Result<T, CallError> {
        hold.begin()?;
        self.call(self.request(Method::PUT, path).json(body)).await.map(|(result, _)| result)
    }

    /// Reads a list to its end: up to the first page that is not full.
    pub(crate) async fn list<T: DeserializeOwned>(
        &self,
        path: &[&str],
        query: &[(&str, &str)],
        per_page: usize,
    ) -> Result<Listing<T>, CallError> {
        let mut items = Vec::new();
        for page in 1..=MOST_PAGES {
            let request = query
                .iter()
                .fold(self.request(Method::GET, path), |r, (key, value)| r.query(key, value));
            let request =
                request.query("page", &page.to_string()).query("per_page", &per_page.to_string());
            let (mut found, info) = self.call::<Vec<T>>(request).await?;
            let full = found.len() >= info.per_page.unwrap_or(per_page).min(per_page);
            let last =
                found.is_empty() || !full || info.total_count == Some(items.len() + found.len());
            items.append(&mut found);
            if last {
                return Ok(Listing { items, total: info.total_count });
            }
            if items.len() > MOST_LISTED {
                break;
            }
        }
        Err(CallError::Unexpected("Cloudflare's list does not end".to_owned()))
    }

    fn request(&self, method: Method, path: &[&str]) -> Request {
        self.http.request(method, path).bearer(&self.token)
    }

    async fn call<T: DeserializeOwned>(
        &self,
        request: Request,
    ) -> Result<(T, PageInfo), CallError> {
        let response = request.send().await?;
        if !response.is_success() {
            // A proxy in between answers with HTML: then the status alone has to say it.
            let envelope = response.json::<Envelope<serde::de::IgnoredAny>>().ok();
            let errors = envelope.and_then(|envelope| envelope.errors).unwrap_or_default();
            return Err(CallError::of(&response, &errors));
        }
        let unexpected = |what: &dyn fmt::Display| {
            CallError::Unexpected(format!("Cloudflare's answer cannot be read: {what}"))
        };
        let envelope: Envelope<T> = response.json().map_err(|error| unexpected(&error))?;
        match envelope {
            Envelope { success: Some(false), .. } => {
                Err(unexpected(&"a success that says it is none"))
            }
            Envelope { result: Some(result), result_info, .. } => {
                Ok((result, result_info.unwrap_or_default()))
            }
            _ => Err(unexpected(&"it has no result")),
        }
    }
}

impl fmt::Debug for Api {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Api").field("host", &self.http.host()).finish_non_exhaustive()
    }
}

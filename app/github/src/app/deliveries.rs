//! The App's delivery log: what GitHub tried to deliver in the last days, reached or not.
//!
//! It is read as the App itself, over the connection that is authenticated anyway, so a payload
//! from here needs no signature; and it could have none, because GitHub writes the payload anew.
//! The log is given newest first, in pages that follow a cursor. An attempt is known by a number
//! that grows with time; all attempts for one event share its id (`X-GitHub-Delivery`).

use jiff::Timestamp;
use landfall_core::name::{InstallationId, RepositoryId};
use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;

use super::App;
use crate::error::{Failure, GithubError};
use crate::transport::{Call, Path};

/// One attempt to deliver an event.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Attempt {
    /// Its number in the log.
    pub id: u64,
    /// The delivery that it belongs to.
    #[serde(rename = "guid")]
    pub delivery: Uuid,
    /// When it was made, by GitHub's clock.
    pub delivered_at: Timestamp,
    /// Whether somebody asked for it.
    pub redelivery: bool,
    /// How it ended, in GitHub's words: `OK`, or what went wrong.
    #[serde(default)]
    pub status: String,
    /// `X-GitHub-Event`: `pull_request`.
    pub event: String,
    /// The payload's action, if it has one.
    #[serde(default)]
    pub action: Option<String>,
    /// Through which installation it came.
    #[serde(rename = "installation_id")]
    pub installation: Option<InstallationId>,
    /// The repository it is about.
    #[serde(rename = "repository_id")]
    pub repository: Option<RepositoryId>,
}

/// Where the log goes on, as GitHub said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor(String);

/// A part of the log, newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogPage {
    /// The attempts.
    pub attempts: Vec<Attempt>,
    /// Where older ones are; none at the end of GitHub's memory.
    pub older: Option<Cursor>,
}

/// The answer of `GET /app/hook/deliveries/{id}`, as far as it matters.
#[derive(Deserialize)]
struct Recorded {
    request: Request,
}

#[derive(Deserialize)]
struct Request {
    payload: Option<Value>,
}

impl App {
    /// A page of the delivery log: the newest one, or where `cursor` leads.
    ///
    /// # Errors
    /// As every call.
    pub async fn deliveries(&self, cursor: Option<&Cursor>) -> Result<LogPage, GithubError> {
        self.log_page(cursor, 100).await
    }

    /// The newest attempt in the log: the least that shows whether something happened.
    ///
    /// # Errors
    /// As every call.
    pub async fn newest_delivery(&self) -> Result<Option<Attempt>, GithubError> {
        Ok(self.log_page(None, 1).await?.attempts.pop())
    }

    /// The payload that an attempt carried, as JSON.
    ///
    /// # Errors
    /// As every call. GitHub forgets attempts after a few days, and then there is none.
    pub async fn payload(&self, attempt: u64) -> Result<Vec<u8>, GithubError> {
        let call = Call::get(log().then(attempt));
        let Recorded { request } = self.as_app(call.clone()).await?;
        let malformed = |why: &str| Failure::Malformed { why: why.to_owned() }.on(call.to_string());
        let payload = request.payload.ok_or_else(|| malformed("an attempt without a payload"))?;
        serde_json::to_vec(&payload).map_err(|error| malformed(&error.to_string()))
    }

    async fn log_page(&self, cursor: Option<&Cursor>, size: u8) -> Result<LogPage, GithubError> {
        let call = match cursor {
            None => Call::get(log()).query("per_page", size),
            Some(Cursor(query)) => Call::get(log()).with_query(query),
        };
        let (attempts, answer) = self.answer_as_app(&call).await?;
        Ok(LogPage { attempts, older: answer.next_query().map(Cursor) })
    }
}

fn log() -> Path {
    Path::new("app").then("hook").then("deliveries")
}

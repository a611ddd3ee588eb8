//! Changing records: only who holds the site's lease, and has the console to themselves, can.

use std::fmt;

use landfall_os::http::{Method, Response};
use serde::Deserialize;
use tokio::sync::MutexGuard;

use super::console::{Api, Console};
use super::record::{Record, RecordType};
use super::said::{Said, Unasked, retry_after};
use super::session::Ask;
use super::{integration, static_dns};
use crate::hold::Hold;
use crate::provider::{Later, ProviderError};

/// The right to change one site's records, one request at a time: a console takes one change at once.
#[derive(Debug)]
pub(crate) struct Pen<'a> {
    console: &'a Console,
    hold: Hold<'a>,
    _alone: MutexGuard<'a, ()>,
}

/// Why a change of a record did not happen, or may have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum WriteError {
    /// It certainly did not happen. The text says why, in the console's words.
    Refused(String),
    /// It certainly did not happen, and may once it is the time.
    Later(Later),
    /// Nobody knows: no whole answer, or a 5xx.
    Unknown(String),
}

impl<'a> Pen<'a> {
    /// Waits until nobody else in this process writes to the console.
    pub(crate) async fn take(console: &'a Console, hold: Hold<'a>) -> Self {
        let alone = console.home().writing.lock().await;
        Self { console, hold, _alone: alone }
    }

    /// See [`Console::changes_in_place`].
    pub(crate) fn changes_in_place(&self) -> bool {
        self.console.changes_in_place()
    }

    /// Creates a record; gives its id.
    pub(crate) async fn create(
        &self,
        name: &str,
        rtype: RecordType,
        record: &Record,
    ) -> Result<String, WriteError> {
        let home = self.console.home();
        let ask = match &home.api {
            Api::Integration { site } => integration::create(site, name, rtype, record),
            Api::StaticDns => static_dns::create(&home.reference, name, rtype, record),
        };
        let answer = self.write(ask.map_err(WriteError::Refused)?).await?;
        let created: Created = answer.json().map_err(|error| {
            WriteError::Unknown(format!(
                "the console created the record and answered oddly: {error}"
            ))
        })?;
        Ok(created.id)
    }

    /// Replaces what a record says; only where [`Self::changes_in_place`].
    pub(crate) async fn change(
        &self,
        id: &str,
        name: &str,
        rtype: RecordType,
        record: &Record,
    ) -> Result<(), WriteError> {
        let Api::Integration { site } = &self.console.home().api else {
            return Err(WriteError::Refused(
                "this console's records cannot be changed in place".to_owned(),
            ));
        };
        let ask = integration::change(site, id, name, rtype, record);
        self.write(ask.map_err(WriteError::Refused)?).await.map(drop)
    }

    /// Deletes a record.
    pub(crate) async fn delete(&self, id: &str) -> Result<(), WriteError> {
        let home = self.console.home();
        let path = match &home.api {
            Api::Integration { site } => integration::policy_path(site, id),
            Api::StaticDns => static_dns::record_path(&home.reference, id),
        };
        self.write(Ask::new(Method::DELETE, path)).await.map(drop)
    }

    async fn write(&self, ask: Ask) -> Result<Response, WriteError> {
        let answer = self.console.session().send_held(&ask, self.hold).await?;
        let said = || Said::of(&answer).to_string();
        match answer.status {
            200..300 => Ok(answer),
            429 => {
                let why = said();
                Err(WriteError::Later(Later { after: retry_after(&answer), why }))
            }
            // 408 comes from proxies that gave up on a request that may have got through.
            408 | 500.. => Err(WriteError::Unknown(format!("the console answered {}", said()))),
            _ => Err(WriteError::Refused(said())),
        }
    }
}

#[derive(Deserialize)]
struct Created {
    #[serde(alias = "_id")]
    id: String,
}

impl fmt::Display for WriteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(why) | Self::Later(Later { why, .. }) | Self::Unknown(why) => {
                f.write_str(why)
            }
        }
    }
}

impl From<Unasked> for WriteError {
    fn from(unasked: Unasked) -> Self {
        match unasked {
            Unasked::Http(error) if error.may_have_arrived() => Self::Unknown(error.to_string()),
            Unasked::Http(error) => Self::Refused(error.to_string()),
            Unasked::Door(ProviderError::Limited { after, message }) => {
                Self::Later(Later { after, why: message })
            }
            Unasked::Door(error) => Self::Refused(error.to_string()),
            Unasked::Lapsed(lapsed) => Self::Later(lapsed.into()),
        }
    }
}

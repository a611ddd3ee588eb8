//! Notifications: a run as those hear of it whom the operator names, through the incoming webhook of
//! a chat or of a program.
//!
//! A message is sent once for a run, what happened to it, and a target, however often that is
//! announced. Nobody can be asked whether a message arrived whose answer was lost, so it is sent
//! again: a target hears of everything at least once, and of something twice at worst after a
//! time-out. What is sent as JSON has an `id` by which a program can tell.
//!
//! The URL is a secret. It is looked up when something is sent and at the start, to find out whether
//! there is one; it goes through the same address rules as a repository's connections, and no error
//! names more of it than its host.

use std::time::Duration;

use landfall_os::http::{self, AddressRules, Client, HttpError, Method, Response};
use landfall_secrets::{Resolver, SecretError};
use secrecy::{ExposeSecret as _, SecretString};
use url::Url;

use super::policy::Why;
use super::{Desk, Ended, NotificationBody};
use crate::operator::{NotificationTarget, Operator};

mod message;

use message::Message;

/// How long a target is waited for.
const TIMEOUT: Duration = Duration::from_secs(10);

/// The longest answer that is read. Nothing is made of it.
const LONGEST_ANSWER: usize = 64 << 10;

/// How long is waited after "too many requests" that names no time, and at most after one that does.
const USUAL_WAIT: Duration = Duration::from_secs(60);
const LONGEST_WAIT: Duration = Duration::from_hours(1);

/// Stands in an item's ids for "it was sent": targets give no ids.
const SENT: u64 = 1;

/// Why a message was not delivered, as far as anybody knows.
#[derive(Debug, thiserror::Error)]
pub(super) enum Undelivered {
    /// It was named when the message was put.
    #[error("the operator file names no such target any more")]
    Forgotten,
    /// Its URL cannot be had.
    #[error(transparent)]
    Secret(SecretError),
    /// Its URL cannot be used.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// There is no answer.
    #[error(transparent)]
    Http(HttpError),
    /// Too many messages.
    #[error("the target asks to wait for {} s", wait.as_secs())]
    Limited {
        /// For how long.
        wait: Duration,
    },
    /// It failed.
    #[error("the target failed with status {status}")]
    Away {
        /// The answer's status.
        status: u16,
    },
    /// It does not take the message.
    #[error("the target refused the message with status {status}")]
    Refused {
        /// The answer's status.
        status: u16,
    },
}

/// Why an URL cannot be used. It is a secret, so nothing of it is repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum AddressError {
    #[error("its URL is none")]
    NoUrl,
    #[error(
        "its URL does not begin with `https:` (`allow_http = true` lets it begin with `http:`)"
    )]
    NotHttps,
    #[error("its URL cannot be requested: it needs a host, and neither user nor fragment")]
    Unusable,
}

/// Finds out whether every target has an URL that can be used. Nothing is sent.
///
/// # Errors
/// The first target that has none, by its name.
pub async fn check(operator: &Operator, resolver: &Resolver) -> anyhow::Result<()> {
    for target in operator.targets() {
        let url = url_of(target, resolver).await;
        let reached = url.and_then(|url| Ok(client(&url, AddressRules::default())?));
        reached.map_err(|why| {
            anyhow::anyhow!("LANDFALL_CONFIG: the notification target `{}`: {why}", target.name)
        })?;
    }
    Ok(())
}

impl Desk<'_> {
    pub(super) async fn notification(&self) -> anyhow::Result<Ended> {
        let body: NotificationBody = match self.body() {
            Ok(body) => body,
            Err(unreadable) => return Ok(unreadable),
        };
        // The run came here before, and was told of then.
        if !self.item.external.is_empty() {
            return Ok(Ended::Done(self.item.external.clone()));
        }
        Ok(match self.notify(body).await {
            Ok(()) => Ended::Done(vec![SENT]),
            Err(why) => Ended::Failed(Why::Undelivered(why)),
        })
    }

    async fn notify(&self, body: NotificationBody) -> Result<(), Undelivered> {
        let targets = self.house.operator.targets();
        let target = targets.iter().find(|target| target.name == body.target);
        let target = target.ok_or(Undelivered::Forgotten)?;
        let url = url_of(target, &self.house.reach.resolver).await?;
        let body = NotificationBody { title: self.clean(&body.title), ..body };
        let message = Message::new(&body, &self.reader.on().name, self.house.github.web_url());
        let mut request = client(&url, self.house.reach.rules.clone())?
            .request(Method::POST, std::iter::empty::<&str>())
            .json(&message.written_for(target.format));
        for (name, value) in url.query_pairs() {
            request = request.query(&name, &value);
        }
        taken(&request.send().await.map_err(Undelivered::Http)?)
    }
}

async fn url_of(target: &NotificationTarget, resolver: &Resolver) -> Result<Url, Undelivered> {
    let url = resolver.resolve(&target.url, &target.policy()).await;
    let url = parsed(&url.map_err(Undelivered::Secret)?)?;
    match url.scheme() {
        "https" => Ok(url),
        "http" if target.allow_http => Ok(url),
        _ => Err(AddressError::NotHttps.into()),
    }
}

fn parsed(url: &SecretString) -> Result<Url, AddressError> {
    url.expose_secret().trim().parse().map_err(|_| AddressError::NoUrl)
}

/// A client for one URL; its query is set at the request.
fn client(url: &Url, rules: AddressRules) -> Result<Client, AddressError> {
    let mut base = url.clone();
    base.set_query(None);
    let settings = http::Settings::new(base);
    let settings = http::Settings { rules, timeout: TIMEOUT, max_body: LONGEST_ANSWER, ..settings };
    Client::new(&settings).map_err(|_| AddressError::Unusable)
}

/// What an answer means. A redirect is a refusal: who follows it would send the message to somebody
/// whom nobody named.
fn taken(answer: &Response) -> Result<(), Undelivered> {
    match answer.status {
        200..=299 => Ok(()),
        429 => {
            let seconds = answer.header("retry-after").and_then(|text| text.trim().parse().ok());
            let wait = seconds.map_or(USUAL_WAIT, Duration::from_secs).min(LONGEST_WAIT);
            Err(Undelivered::Limited { wait })
        }
        status @ (408 | 500..=599) => Err(Undelivered::Away { status }),
        status => Err(Undelivered::Refused { status }),
    }
}

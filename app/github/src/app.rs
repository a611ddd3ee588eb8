//! The App's identity: its key, its installation tokens, what GitHub lets it do.
//!
//! There is one of these in a server. Tokens are scoped to one repository and to reading or
//! writing; all users of a scope share one token from one cache (`token`). The private key and
//! every token are `SecretString`, and the redactor is told of each before it is used.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http::{HeaderMap, HeaderValue, StatusCode};
use jiff::Timestamp;
use landfall_core::name::InstallationId;
use octocrab::auth::{EncodingKey, create_jwt};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tokio::sync::OnceCell;
use url::Url;

use crate::actor::AppId;
use crate::error::{Failure, GithubError, classify};
use crate::known::KnownAnswers;
use crate::limits::Limits;
use crate::proposer::Proposer;
use crate::reader::Reader;
use crate::repository::InstalledRepository;
use crate::session::Session;
use crate::transport::{Answer, Call, Credentials, Path, Transport};
use crate::writer::Writer;

mod deliveries;
mod installations;
mod registration;
mod token;

pub use deliveries::{Attempt, Cursor, LogPage};
pub use installations::{Account, Chosen, Installation};
pub use registration::{Hook, Registration, Verified};
use token::Tokens;
pub(crate) use token::{Scope, Token, TokenKey};

/// Who the App is and where its GitHub is.
#[derive(Debug, Clone)]
pub struct AppSettings {
    /// The App's number.
    pub app_id: AppId,
    /// Its RSA private key, PEM.
    pub private_key: SecretString,
    /// The API's base: `https://api.github.com`, `https://HOST/api/v3`.
    pub api_url: Url,
    /// Where people and git go: `https://github.com`, `https://HOST`.
    pub web_url: Url,
    /// How long is waited.
    pub timeouts: Timeouts,
}

/// How long GitHub is waited for.
#[derive(Debug, Clone, Copy)]
pub struct Timeouts {
    /// For a connection, TLS included.
    pub connect: Duration,
    /// Between two pieces of an answer.
    pub read: Duration,
    /// For a request with its whole answer.
    pub whole: Duration,
}

impl Default for Timeouts {
    /// 5 s to connect, 15 s without a byte, 30 s in all.
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self { connect: seconds(5), read: seconds(15), whole: seconds(30) }
    }
}

/// Told of every secret that comes into being, before it is used: the redactor's `learn`.
pub type Learn = Arc<dyn Fn(&SecretString) + Send + Sync>;

/// Says what time it is.
pub type Now = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// What is wrong with the settings.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// The key is not one.
    #[error("the App's private key is not an RSA key in PEM form")]
    PrivateKey,
    /// The API's address cannot be used.
    #[error("the API's address has to be http or https, without user, query and fragment")]
    ApiUrl,
    /// No client can be made, for lack of certificate authorities for one.
    #[error("no HTTP client for GitHub can be made: {0}")]
    Client(String),
}

/// The App as GitHub knows it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Identity {
    /// Its number.
    pub id: AppId,
    /// Its name in addresses; its account is `slug[bot]`.
    pub slug: String,
}

/// The App. Clones share everything.
#[derive(Clone)]
pub struct App(Arc<Inner>);

struct Inner {
    settings: AppSettings,
    key: EncodingKey,
    transport: Transport,
    learn: Learn,
    now: Now,
    tokens: Tokens,
    limits: Mutex<HashMap<InstallationId, Limits>>,
    known: KnownAnswers,
    identity: OnceCell<Identity>,
}

impl fmt::Debug for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("App").field("id", &self.0.settings.app_id).finish_non_exhaustive()
    }
}

impl App {
    /// Makes the App. Nothing is sent yet. Must be called within a Tokio runtime.
    ///
    /// # Errors
    /// The key or the address is not usable.
    pub fn new(settings: AppSettings, learn: Learn, now: Now) -> Result<Self, SettingsError> {
        let url = &settings.api_url;
        let plain = url.username().is_empty() && url.password().is_none();
        let bare = url.query().is_none() && url.fragment().is_none() && url.has_host();
        if !matches!(url.scheme(), "http" | "https") || !plain || !bare {
            return Err(SettingsError::ApiUrl);
        }
        learn(&settings.private_key);
        let pem = settings.private_key.expose_secret().as_bytes();
        let key = EncodingKey::from_rsa_pem(pem).map_err(|_| SettingsError::PrivateKey)?;
        let Timeouts { connect, read, whole } = settings.timeouts;
        let transport = Transport::new(url, connect, read, whole)
            .map_err(|error| SettingsError::Client(error.to_string()))?;
        Ok(Self(Arc::new(Inner {
            settings,
            key,
            transport,
            learn,
            now,
            tokens: Tokens::default(),
            limits: Mutex::default(),
            known: KnownAnswers::default(),
            identity: OnceCell::new(),
        })))
    }

    /// Reads one repository, with a token that cannot write.
    #[must_use]
    pub fn reader(&self, on: InstalledRepository) -> Reader {
        Reader::new(Session::new(self.clone(), on, Scope::Read))
    }

    /// Writes to one repository.
    #[must_use]
    pub fn writer(&self, on: InstalledRepository) -> Writer {
        Writer::new(Session::new(self.clone(), on, Scope::Write))
    }

    /// Opens issues in one repository.
    #[must_use]
    pub fn proposer(&self, on: InstalledRepository) -> Proposer {
        Proposer::new(Session::new(self.clone(), on, Scope::Propose))
    }

    /// What GitHub still lets an installation do, as its last answer said.
    #[must_use]
    pub fn limits(&self, installation: InstallationId) -> Limits {
        let limits = self.0.limits.lock().unwrap_or_else(PoisonError::into_inner);
        limits.get(&installation).copied().unwrap_or_default()
    }

    /// Who we are. Asked once.
    ///
    /// # Errors
    /// As every call.
    pub async fn identity(&self) -> Result<&Identity, GithubError> {
        let ask = || self.as_app(Call::get(Path::new("app")));
        self.0.identity.get_or_try_init(ask).await
    }

    /// The App's number.
    #[must_use]
    pub fn id(&self) -> AppId {
        self.0.settings.app_id
    }

    /// Where people and git go: `https://github.com`.
    #[must_use]
    pub fn web_url(&self) -> &Url {
        &self.0.settings.web_url
    }

    pub(crate) fn transport(&self) -> &Transport {
        &self.0.transport
    }

    /// What was read before.
    pub(crate) fn known(&self) -> &KnownAnswers {
        &self.0.known
    }

    pub(crate) fn now(&self) -> Timestamp {
        (self.0.now)()
    }

    /// The token of a scope: from the cache, or minted by one caller while the others wait.
    pub(crate) async fn token(&self, key: TokenKey) -> Result<Arc<Token>, GithubError> {
        let mint = || token::mint(self, key);
        self.0.tokens.get(key, &self.0.now, mint).await
    }

    /// Forgets a token that GitHub refused, unless there is a newer one already.
    pub(crate) async fn forget(&self, key: TokenKey, refused: &Arc<Token>) {
        self.0.tokens.forget(key, refused).await;
    }

    fn learn(&self, secret: &SecretString) {
        (self.0.learn)(secret);
    }

    /// Notes the limits that an answer to an installation's token carries.
    pub(crate) fn note_limits(&self, installation: InstallationId, headers: &HeaderMap) {
        self.change_limits(installation, |limits| limits.note(headers));
    }

    /// Notes that an installation was told to be silent.
    pub(crate) fn note_silence(&self, installation: InstallationId, until: Timestamp) {
        self.change_limits(installation, |limits| {
            limits.silent_until = limits.silent_until.max(Some(until));
        });
    }

    fn change_limits(&self, installation: InstallationId, change: impl FnOnce(&mut Limits)) {
        let mut limits = self.0.limits.lock().unwrap_or_else(PoisonError::into_inner);
        change(limits.entry(installation).or_default());
    }

    /// A call as the App itself, authenticated by a token that we sign: valid from a minute ago
    /// (clocks differ) for nine minutes (GitHub allows ten).
    async fn as_app<T: DeserializeOwned>(&self, call: Call) -> Result<T, GithubError> {
        Ok(self.answer_as_app(&call).await?.0)
    }

    /// As [`Self::as_app`], with the answer that it was read from.
    async fn answer_as_app<T: DeserializeOwned>(
        &self,
        call: &Call,
    ) -> Result<(T, Answer), GithubError> {
        let id = octocrab::models::AppId(self.id().0);
        let jwt = create_jwt(id, &self.0.key).map_err(|_| {
            Failure::Denied { message: "the App's private key does not sign".to_owned() }
                .on(call.to_string())
        })?;
        let header = bearer(&SecretString::from(jwt)).map_err(|f| f.on(call.to_string()))?;
        let answer = self.transport().send(call, Credentials::of(&header)).await;
        let answer = answer.map_err(|failure| failure.on(call.to_string()))?;
        if answer.status == StatusCode::UNAUTHORIZED {
            self.log_skew(&answer);
        }
        Ok((decode(call, &answer, self.now())?, answer))
    }

    /// A clock that is wrong is the usual reason for a refused App token, and GitHub's words do
    /// not say so.
    fn log_skew(&self, answer: &Answer) {
        let Some(skew) = self.skew(answer).map(|skew| skew.as_secs()) else { return };
        if skew.abs() > 30 {
            tracing::warn!(
                skew_seconds = skew,
                "GitHub refuses the App's token, and this machine's clock differs from GitHub's"
            );
        }
    }
}

/// The header that carries a token; never shown by Debug.
pub(crate) fn bearer(token: &SecretString) -> Result<HeaderValue, Failure> {
    let value = HeaderValue::try_from(format!("Bearer {}", token.expose_secret()));
    let mut value = value.map_err(|_| Failure::Malformed {
        why: "a token with characters that no header can carry".to_owned(),
    })?;
    value.set_sensitive(true);
    Ok(value)
}

/// What a successful answer holds, or what another means.
pub(crate) fn decode<T: DeserializeOwned>(
    call: &Call,
    answer: &Answer,
    now: Timestamp,
) -> Result<T, GithubError> {
    if !answer.status.is_success() {
        let failure = classify(answer.status, &answer.headers, &answer.body, call.effect(), now);
        return Err(failure.on(call.to_string()));
    }
    let body: &[u8] = if answer.body.is_empty() { b"null" } else { &answer.body };
    serde_json::from_slice(body)
        .map_err(|error| Failure::Malformed { why: error.to_string() }.on(call.to_string()))
}

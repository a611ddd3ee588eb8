//! How we come in: a key with every request, or one login whose cookie and CSRF token go along.
//!
//! A login happens once, when a console is opened, and once more if the console no longer knows the
//! session (401). Both are refusals at the door: what was asked was not done, so it is asked again.
//! Nothing else is ever sent twice.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use landfall_os::http::{Client, Method, Response, header};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use tokio::sync::Mutex;

use super::said::{Said, Unasked, retry_after};
use crate::hold::Hold;
use crate::provider::ProviderError;

/// What runs the Network application.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Software {
    /// A console with UniFi OS: the application is behind its proxy.
    UnifiOs,
    /// The application alone.
    SelfHosted,
}

/// A way in. Cheap to clone; clones share their login.
#[derive(Debug, Clone)]
pub(crate) struct Session {
    client: Client,
    software: Software,
    door: Arc<Door>,
    deadline: Duration,
}

/// One request to the Network application, to be sent as often as the door wants.
#[derive(Debug, Clone)]
pub(crate) struct Ask {
    method: Method,
    path: Vec<String>,
    query: Vec<(&'static str, String)>,
    body: Option<Value>,
}

/// Who we are, with the secrets resolved.
pub(super) enum Identity {
    Key(SecretString),
    User { name: SecretString, password: SecretString },
}

struct Door {
    identity: Identity,
    visa: Mutex<Visa>,
}

/// What a login gave. Number 0 is none yet.
#[derive(Clone, Default)]
struct Visa {
    number: u64,
    cookies: SecretString,
    csrf: Option<SecretString>,
}

impl Software {
    fn prefix(self) -> &'static [&'static str] {
        match self {
            Self::UnifiOs => &["proxy", "network"],
            Self::SelfHosted => &[],
        }
    }

    fn login(self) -> &'static [&'static str] {
        match self {
            Self::UnifiOs => &["api", "auth", "login"],
            Self::SelfHosted => &["api", "login"],
        }
    }
}

impl Ask {
    pub(crate) fn new<S: Into<String>>(method: Method, path: impl IntoIterator<Item = S>) -> Self {
        let path = path.into_iter().map(Into::into).collect();
        Self { method, path, query: Vec::new(), body: None }
    }

    pub(crate) fn get<S: Into<String>>(path: impl IntoIterator<Item = S>) -> Self {
        Self::new(Method::GET, path)
    }

    pub(crate) fn query(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.query.push((name, value.into()));
        self
    }

    pub(crate) fn body(self, body: Value) -> Self {
        Self { body: Some(body), ..self }
    }
}

impl Session {
    pub(super) fn new(
        client: Client,
        software: Software,
        identity: Identity,
        deadline: Duration,
    ) -> Self {
        let door = Arc::new(Door { identity, visa: Mutex::default() });
        Self { client, software, door, deadline }
    }

    /// The same way in, with another limit for each request.
    pub(super) fn within(&self, deadline: Duration) -> Self {
        Self { deadline, ..self.clone() }
    }

    /// Whether this is these credentials' session.
    pub(super) fn is_of(&self, identity: &Identity) -> bool {
        self.door.identity == *identity
    }

    /// Whether we come with a key.
    pub(super) fn has_key(&self) -> bool {
        matches!(self.door.identity, Identity::Key(_))
    }

    /// Asks the Network application.
    pub(crate) async fn send(&self, ask: &Ask) -> Result<Response, Unasked> {
        self.send_if(ask, || Ok(())).await
    }

    /// Has it change something, as long as that is held: being let in takes time too, and may be
    /// needed twice.
    pub(crate) async fn send_held(&self, ask: &Ask, hold: Hold<'_>) -> Result<Response, Unasked> {
        self.send_if(ask, || hold.begin().map_err(Unasked::Lapsed)).await
    }

    /// Asks if `may` says so right before each time that the question is sent.
    async fn send_if(
        &self,
        ask: &Ask,
        may: impl Fn() -> Result<(), Unasked>,
    ) -> Result<Response, Unasked> {
        let visa = self.visa().await?;
        may()?;
        let answer = self.once(ask, &visa).await?;
        if self.has_key() {
            return Ok(answer);
        }
        let news = self.remember(&answer, &visa).await;
        let renewed = match answer.status {
            401 => self.renewed(&visa).await?,
            403 if news => self.visa().await?,
            _ => return Ok(answer),
        };
        may()?;
        let answer = self.once(ask, &renewed).await?;
        self.remember(&answer, &renewed).await;
        Ok(answer)
    }

    /// Asks it whatever the door says: a 401 may be the answer to what is asked.
    pub(super) async fn try_once(&self, ask: &Ask) -> Result<Response, Unasked> {
        let visa = self.visa().await?;
        self.once(ask, &visa).await
    }

    async fn once(&self, ask: &Ask, visa: &Visa) -> Result<Response, Unasked> {
        let prefix = self.software.prefix().iter().copied();
        let path = prefix.chain(ask.path.iter().map(String::as_str));
        let mut request = self.client.request(ask.method.clone(), path).timeout(self.deadline);
        for (name, value) in &ask.query {
            request = request.query(name, value);
        }
        if let Some(body) = &ask.body {
            request = request.json(body);
        }
        request = match &self.door.identity {
            Identity::Key(key) => request.header_secret("x-api-key", key),
            Identity::User { .. } => request.header_secret(header::COOKIE.as_str(), &visa.cookies),
        };
        if let Some(csrf) = &visa.csrf {
            request = request.header_secret("x-csrf-token", csrf);
        }
        Ok(request.send().await?)
    }

    /// What goes along with a request; the first to ask logs in.
    async fn visa(&self) -> Result<Visa, Unasked> {
        let mut held = self.door.visa.lock().await;
        if held.number == 0 && !self.has_key() {
            *held = self.log_in(1).await?;
        }
        Ok(held.clone())
    }

    /// A new one in place of `stale`, unless another request got one meanwhile.
    async fn renewed(&self, stale: &Visa) -> Result<Visa, Unasked> {
        let mut held = self.door.visa.lock().await;
        if held.number == stale.number {
            *held = self.log_in(stale.number + 1).await?;
        }
        Ok(held.clone())
    }

    /// Takes a CSRF token that the answer brings; says whether it is news.
    async fn remember(&self, answer: &Response, used: &Visa) -> bool {
        let Some(token) =
            answer.header("x-updated-csrf-token").or_else(|| answer.header("x-csrf-token"))
        else {
            return false;
        };
        let mut held = self.door.visa.lock().await;
        let known = |csrf: &SecretString| csrf.expose_secret() == token;
        if held.number == used.number && !held.csrf.as_ref().is_some_and(known) {
            held.csrf = Some(token.to_owned().into());
        }
        !used.csrf.as_ref().is_some_and(known)
    }

    async fn log_in(&self, number: u64) -> Result<Visa, Unasked> {
        let Identity::User { name, password } = &self.door.identity else {
            return Ok(Visa::default());
        };
        let body = json!({
            "username": name.expose_secret(),
            "password": password.expose_secret(),
            "remember": true,
        });
        let request =
            self.client.request(Method::POST, self.software.login()).timeout(self.deadline);
        let answer = request
            .json(&body)
            .send()
            .await
            .map_err(|error| Unasked::Door(Unasked::Http(error).into()))?;
        if !answer.is_success() {
            return Err(Unasked::Door(turned_away(&answer)));
        }
        Visa::of(&answer, number).ok_or_else(|| {
            Unasked::Door(ProviderError::Unexpected(
                "the console accepted the login and gave no session".to_owned(),
            ))
        })
    }
}

fn turned_away(answer: &Response) -> ProviderError {
    let said = Said::of(answer);
    match answer.status {
        400 | 401 | 403 => ProviderError::Denied(format!(
            "the console refuses the user name or the password: {said}"
        )),
        429 => ProviderError::Limited {
            after: retry_after(answer),
            message: format!("the console wants fewer logins: {said}"),
        },
        499 => ProviderError::Denied(format!(
            "the user needs a second factor, so take one of the console's own: {said}"
        )),
        _ => said.into_error(answer),
    }
}

impl Visa {
    /// Reads the answer to a login: every cookie it sets, and the token for writes, which older
    /// versions give as a cookie.
    fn of(answer: &Response, number: u64) -> Option<Self> {
        let set = answer.headers.get_all(header::SET_COOKIE).iter();
        let pairs: Vec<&str> = set
            .filter_map(|value| value.to_str().ok()?.split(';').next())
            .map(str::trim)
            .filter(|pair| pair.contains('='))
            .collect();
        let in_cookie = pairs.iter().find_map(|pair| pair.strip_prefix("csrf_token="));
        let csrf = answer.header("x-csrf-token").or(in_cookie);
        let csrf = csrf.map(|token| token.to_owned().into());
        (!pairs.is_empty()).then(|| Self { number, cookies: pairs.join("; ").into(), csrf })
    }
}

impl PartialEq for Identity {
    fn eq(&self, other: &Self) -> bool {
        let same =
            |one: &SecretString, other: &SecretString| one.expose_secret() == other.expose_secret();
        match (self, other) {
            (Self::Key(one), Self::Key(other)) => same(one, other),
            (
                Self::User { name, password },
                Self::User { name: other_name, password: other_password },
            ) => same(name, other_name) && same(password, other_password),
            _ => false,
        }
    }
}

impl fmt::Debug for Door {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.identity {
            Identity::Key(_) => "Door(key)",
            Identity::User { .. } => "Door(user)",
        })
    }
}

//! Calls on one repository with one scope: what readers and writers have in common.
//!
//! A read says which answer is known already, so that one that has not changed costs nothing
//! ([`crate::known`]). A call that GitHub answers with 401 was not carried out, so it is sent once more with a new
//! token (permissions change, tokens are revoked). Nothing else is ever sent twice.

use std::sync::Arc;

use http::StatusCode;
use landfall_os::clock::Moment;
use secrecy::SecretString;
use serde::de::DeserializeOwned;

use crate::app::{App, Scope, Token, TokenKey, bearer, decode};
use crate::error::{Effect, Failure, GithubError};
use crate::known::{Known, ReadKey};
use crate::pages::Pages;
use crate::repository::InstalledRepository;
use crate::transport::{Answer, Call, Credentials, Path};

/// The right to act on a repository within a scope.
#[derive(Debug, Clone)]
pub(crate) struct Session {
    app: App,
    on: InstalledRepository,
    scope: Scope,
    /// When the right to write ends; none for one that does not.
    until: Option<Moment>,
}

impl Session {
    pub(crate) fn new(app: App, on: InstalledRepository, scope: Scope) -> Self {
        Self { app, on, scope, until: None }
    }

    /// The same, for so long.
    pub(crate) fn until(self, until: Moment) -> Self {
        Self { until: Some(until), ..self }
    }

    /// The same repository, with another right.
    pub(crate) fn within(self, scope: Scope) -> Self {
        Self { scope, ..self }
    }

    pub(crate) fn app(&self) -> &App {
        &self.app
    }

    pub(crate) fn on(&self) -> &InstalledRepository {
        &self.on
    }

    /// `/repos/{owner}/{name}`, to be continued.
    pub(crate) fn path(&self) -> Path {
        Path::new("repos").then(self.on.name.owner()).then(self.on.name.name())
    }

    /// The token itself, for git.
    pub(crate) async fn token(&self) -> Result<SecretString, GithubError> {
        Ok(self.app.token(self.key()).await?.value.clone())
    }

    /// Makes a call and decodes what is answered.
    pub(crate) async fn call<T: DeserializeOwned>(&self, call: Call) -> Result<T, GithubError> {
        let answer = self.send(&call).await?;
        self.decode(&call, &answer)
    }

    /// Reads a list to its end, a hundred at a time. `items` takes the list out of a page.
    pub(crate) async fn list<P, T>(
        &self,
        call: Call,
        items: impl Fn(P) -> Vec<T>,
    ) -> Result<Vec<T>, GithubError>
    where
        P: DeserializeOwned,
    {
        let mut pages = Pages::of(call);
        while let Some(call) = pages.next()? {
            let answer = self.send(&call).await?;
            pages.add(&call, &answer, items(self.decode(&call, &answer)?));
        }
        Ok(pages.into_items())
    }

    async fn send(&self, call: &Call) -> Result<Answer, GithubError> {
        let token = self.app.token(self.key()).await?;
        let answer = self.send_with(call, &token).await?;
        if answer.status != StatusCode::UNAUTHORIZED {
            return Ok(answer);
        }
        self.app.forget(self.key(), &token).await;
        let token = self.app.token(self.key()).await?;
        self.send_with(call, &token).await
    }

    async fn send_with(&self, call: &Call, token: &Arc<Token>) -> Result<Answer, GithubError> {
        let named = |failure: Failure| failure.on(call.to_string());
        let header = bearer(&token.value).map_err(named)?;
        // Right before it is sent: whoever was paused may have lost what gave the right to.
        if call.effect() == Effect::Write && self.until.is_some_and(Moment::is_over) {
            let why = "it was not sent, because its time was over".to_owned();
            return Err(named(Failure::Unreachable { why }));
        }
        let key = (call.effect() == Effect::Read)
            .then(|| ReadKey { token: self.key(), target: call.target() });
        let known = key.as_ref().and_then(|key| self.app.known().get(key));
        let credentials = Credentials::of(&header).knowing(known.as_ref().map(|known| &known.tag));
        let answer = self.app.transport().send(call, credentials).await.map_err(named)?;
        self.app.note_limits(self.on.installation, &answer.headers);
        Ok(match (key, known) {
            (_, Some(known)) if answer.status == StatusCode::NOT_MODIFIED => known.again(),
            (Some(key), _) => {
                if let Some(known) = Known::of(&answer) {
                    self.app.known().put(key, known);
                }
                answer
            }
            (None, _) => answer,
        })
    }

    fn decode<T: DeserializeOwned>(&self, call: &Call, answer: &Answer) -> Result<T, GithubError> {
        let outcome = decode(call, answer, self.app.now());
        if let Err(GithubError { failure: Failure::Limited { until }, .. }) = &outcome {
            self.app.note_silence(self.on.installation, *until);
        }
        outcome
    }

    fn key(&self) -> TokenKey {
        let InstalledRepository { installation, id, .. } = self.on;
        TokenKey { installation, repository: Some(id), scope: self.scope }
    }
}

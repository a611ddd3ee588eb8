//! Where the App is installed, and on which repositories.

use jiff::Timestamp;
use landfall_core::name::InstallationId;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::{App, MOST_PAGES, Scope, TokenKey, bearer, decode};
use crate::error::{Failure, GithubError};
use crate::repository::Repository;
use crate::transport::{Answer, Call, Credentials, Path};

/// An installation of the App.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Installation {
    /// Its number.
    pub id: InstallationId,
    /// Since when its owner lets it do nothing; none when it may.
    pub suspended_at: Option<Timestamp>,
}

/// In whose name a list is asked for.
#[derive(Clone, Copy)]
enum Caller {
    App,
    Installation(InstallationId),
}

#[derive(Deserialize)]
struct Repositories {
    repositories: Vec<Repository>,
}

impl App {
    /// All installations, suspended ones too.
    ///
    /// # Errors
    /// As every call.
    pub async fn installations(&self) -> Result<Vec<Installation>, GithubError> {
        let call = Call::get(Path::new("app").then("installations"));
        self.whole(call, Caller::App, |page| page).await
    }

    /// The repositories that an installation is on, archived ones too.
    ///
    /// # Errors
    /// As every call. An installation that is gone is [`Failure::NotInstalled`].
    pub async fn repositories(
        &self,
        installation: InstallationId,
    ) -> Result<Vec<Repository>, GithubError> {
        let call = Call::get(Path::new("installation").then("repositories"));
        let caller = Caller::Installation(installation);
        self.whole(call, caller, |page: Repositories| page.repositories).await
    }

    /// Reads a list to its end, a hundred at a time. `items` takes the list out of a page.
    async fn whole<P, T>(
        &self,
        call: Call,
        caller: Caller,
        items: impl Fn(P) -> Vec<T>,
    ) -> Result<Vec<T>, GithubError>
    where
        P: DeserializeOwned,
    {
        let mut call = call.query("per_page", 100);
        let mut all = Vec::new();
        for _ in 0..MOST_PAGES {
            let (page, answer) = match caller {
                Caller::App => self.answer_as_app(&call).await?,
                Caller::Installation(id) => self.answer_as_installation(id, &call).await?,
            };
            all.extend(items(page));
            match answer.next_query() {
                Some(query) => call = call.with_query(&query),
                None => return Ok(all),
            }
        }
        let why = format!("a list of more than {MOST_PAGES} pages");
        Err(Failure::Malformed { why }.on(call.to_string()))
    }

    /// A call with a token that sees which repositories there are, and nothing in them.
    async fn answer_as_installation<T: DeserializeOwned>(
        &self,
        installation: InstallationId,
        call: &Call,
    ) -> Result<(T, Answer), GithubError> {
        let key = TokenKey { installation, repository: None, scope: Scope::List };
        let token = self.token(key).await?;
        let named = |failure: Failure| failure.on(call.to_string());
        let header = bearer(&token.value).map_err(named)?;
        let answer = self.transport().send(call, Credentials::of(&header)).await.map_err(named)?;
        self.note_limits(installation, &answer.headers);
        if answer.status == http::StatusCode::UNAUTHORIZED {
            self.forget(key, &token).await;
        }
        let page = decode(call, &answer, self.now());
        if let Err(GithubError { failure: Failure::Limited { until }, .. }) = &page {
            self.note_silence(installation, *until);
        }
        Ok((page?, answer))
    }
}

//! Where the App is installed, and on which repositories.

use std::collections::BTreeMap;

use jiff::Timestamp;
use landfall_core::name::InstallationId;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::{App, Scope, TokenKey, bearer, decode};
use crate::error::{Failure, GithubError};
use crate::pages::Pages;
use crate::repository::Repository;
use crate::transport::{Answer, Call, Credentials, Path};

/// An installation of the App.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Installation {
    /// Its number.
    pub id: InstallationId,
    /// Whose repositories it is for.
    pub account: Option<Account>,
    /// What its owner granted: names of permissions and their levels. Less than the App asks for
    /// until the owner has accepted what was added.
    #[serde(default)]
    pub permissions: BTreeMap<String, String>,
    /// For which of the account's repositories it is.
    #[serde(default, rename = "repository_selection")]
    pub chosen: Chosen,
    /// Since when its owner lets it do nothing; none when it may.
    pub suspended_at: Option<Timestamp>,
}

/// For which repositories an installation is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Chosen {
    /// For all that its account has and will have.
    #[default]
    All,
    /// For those that somebody chose one by one.
    Selected,
}

/// The account of an installation. An enterprise has no login, but a slug.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Account {
    /// Its name.
    #[serde(alias = "slug")]
    pub login: String,
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
        let mut pages = Pages::of(call);
        while let Some(call) = pages.next()? {
            let (page, answer) = self.answer_as_app(&call).await?;
            pages.add(&call, &answer, page);
        }
        Ok(pages.into_items())
    }

    /// One installation.
    ///
    /// # Errors
    /// As every call.
    pub async fn installation(&self, id: InstallationId) -> Result<Installation, GithubError> {
        self.as_app(Call::get(Path::new("app").then("installations").then(id))).await
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
        let mut pages = Pages::of(call);
        while let Some(call) = pages.next()? {
            let (page, answer) =
                self.answer_as_installation::<Repositories>(installation, &call).await?;
            pages.add(&call, &answer, page.repositories);
        }
        Ok(pages.into_items())
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

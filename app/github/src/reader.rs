//! What planning may ask GitHub. Nothing here can write: neither the methods nor the token.

use std::collections::HashSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use landfall_core::label::Label;
use landfall_core::name::{
    BranchName, CommitSha, EnvironmentName, PullNumber, RepositoryName, UserId,
};
use landfall_core::rights::Level;
use secrecy::SecretString;
use serde::Deserialize;
use serde::de::IgnoredAny;
use url::Url;

use crate::actor::User;
use crate::app::Scope;
use crate::check::PublishedCheck;
use crate::comment::{Author, Comment, CommentId, Marker, is_by};
use crate::deployment::Deployment;
use crate::error::{Failure, GithubError};
use crate::pull::Pull;
use crate::repository::{CollaboratorPermission, InstalledRepository, Repository};
use crate::session::Session;
use crate::transport::Call;

mod branch;

pub use branch::{BranchProtection, RequiredCheck};

/// Reads one repository.
#[derive(Debug, Clone)]
pub struct Reader(Session);

/// How git reaches the repository. The token goes to git through its environment or a credential
/// helper, never through the address or an argument.
#[derive(Debug, Clone)]
pub struct GitCredentials {
    /// `https://github.com/acme/homelab.git`, without a user.
    pub url: Url,
    /// Always `x-access-token`.
    pub user: &'static str,
    /// A token that can read this repository for an hour.
    pub password: SecretString,
}

impl Reader {
    pub(crate) fn new(session: Session) -> Self {
        Self(session)
    }

    /// What reads the organisation's members, with a token that reads nothing else.
    pub(crate) fn of_members(&self) -> Session {
        self.0.clone().within(Scope::Members)
    }

    /// The repository that is read.
    #[must_use]
    pub fn on(&self) -> &InstalledRepository {
        self.0.on()
    }

    /// The repository as it is now: a changed name or default branch shows here first.
    ///
    /// # Errors
    /// As every call.
    pub async fn repository(&self) -> Result<Repository, GithubError> {
        self.0.call(Call::get(self.0.path())).await
    }

    /// A pull request as it is now.
    ///
    /// # Errors
    /// As every call.
    pub async fn pull(&self, number: PullNumber) -> Result<Pull, GithubError> {
        self.0.call(Call::get(self.0.path().then("pulls").then(number))).await
    }

    /// Whether a pull request has a label now. One that GitHub does not show has none.
    ///
    /// # Errors
    /// As every call.
    pub async fn has_label(&self, number: PullNumber, label: Label) -> Result<bool, GithubError> {
        match self.pull(number).await {
            Ok(pull) => Ok(pull.has(label)),
            Err(GithubError { failure: Failure::NotFound | Failure::Gone, .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// The open pull requests as they are now, the newest first. Lists do not say who merged one,
    /// which of these nobody did.
    ///
    /// # Errors
    /// As every call.
    pub async fn open_pulls(&self) -> Result<Vec<Pull>, GithubError> {
        let call = Call::get(self.0.path().then("pulls")).query("state", "open");
        self.0.list(call, |page: Vec<Pull>| page).await
    }

    /// Whether there is a file at `path` of the default branch.
    ///
    /// # Errors
    /// As every call.
    pub async fn has_file(&self, path: &str) -> Result<bool, GithubError> {
        let segments = self.0.path().then("contents");
        let path = path.split('/').fold(segments, |path, segment| path.then(segment));
        match self.0.call::<IgnoredAny>(Call::get(path)).await {
            Ok(IgnoredAny) => Ok(true),
            Err(GithubError { failure: Failure::NotFound, .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// What is in the file at `path` of the default branch; none where there is no file of at most
    /// 1 MB, which is all that GitHub shows this way.
    ///
    /// # Errors
    /// As every call.
    pub async fn file(&self, path: &str) -> Result<Option<Vec<u8>>, GithubError> {
        #[derive(Deserialize)]
        struct Content {
            encoding: Option<String>,
            content: Option<String>,
        }
        let segments = self.0.path().then("contents");
        let call = Call::get(path.split('/').fold(segments, |path, segment| path.then(segment)));
        let content = match self.0.call::<Content>(call).await {
            Ok(Content { encoding, content }) if encoding.as_deref() == Some("base64") => content,
            Ok(_) | Err(GithubError { failure: Failure::NotFound, .. }) => return Ok(None),
            Err(error) => return Err(error),
        };
        let lines = content.unwrap_or_default().replace(['\n', '\r'], "");
        Ok(STANDARD.decode(lines).ok())
    }

    /// The pull requests that GitHub connects with a commit: merged and open ones, and none for a
    /// while after a push, because the index lags.
    ///
    /// # Errors
    /// As every call; a commit that the index does not know yet is an empty list.
    pub async fn pulls_of_commit(&self, sha: &CommitSha) -> Result<Vec<Pull>, GithubError> {
        let path = self.0.path().then("commits").then(sha).then("pulls");
        match self.0.list(Call::get(path), |page: Vec<Pull>| page).await {
            Err(GithubError {
                failure: Failure::NotFound | Failure::Unprocessable { .. }, ..
            }) => Ok(Vec::new()),
            outcome => outcome,
        }
    }

    /// The pull requests that brought `sha` onto `branch`, where `pushed` are all commits of the
    /// push that it is in.
    ///
    /// The index answers with open pull requests and with those into other branches too, so one
    /// counts only if it was merged, into this branch of this repository, as one of these commits.
    ///
    /// # Errors
    /// As every call.
    pub async fn merged_with(
        &self,
        sha: &CommitSha,
        branch: &BranchName,
        pushed: &HashSet<CommitSha>,
    ) -> Result<Vec<Pull>, GithubError> {
        let mut pulls = self.pulls_of_commit(sha).await?;
        pulls.retain(|pull| {
            pull.base.repository == self.on().id
                && pull.base.branch == *branch
                && pull.merge_commit().is_some_and(|commit| pushed.contains(commit))
        });
        Ok(pulls)
    }

    /// What a user may do, asked now. `None` for somebody GitHub does not know, and for a login
    /// that is not `user`'s any more.
    ///
    /// # Errors
    /// As every call.
    pub async fn permission(
        &self,
        user: UserId,
        login: &str,
    ) -> Result<Option<Level>, GithubError> {
        let path = self.0.path().then("collaborators").then(login).then("permission");
        match self.0.call::<CollaboratorPermission>(Call::get(path)).await {
            Ok(answer) => Ok(answer.of(user)),
            Err(GithubError { failure: Failure::NotFound, .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// A comment as it is now.
    ///
    /// # Errors
    /// As every call.
    pub async fn comment(&self, id: CommentId) -> Result<Comment, GithubError> {
        let path = self.0.path().then("issues").then("comments").then(id.0);
        self.0.call(Call::get(path)).await
    }

    /// Our comments on a pull request whose marker says all that `wanted` says, oldest first.
    ///
    /// # Errors
    /// As every call.
    pub async fn find_comments(
        &self,
        number: PullNumber,
        wanted: &Marker,
    ) -> Result<Vec<Comment>, GithubError> {
        let us = self.0.app().identity().await?.clone();
        let path = self.0.path().then("issues").then(number).then("comments");
        let ours = |comment: &Comment| {
            let marker = Marker::parse(&comment.body);
            comment.is_by(&us) && marker.is_some_and(|marker| marker.covers(wanted))
        };
        let page = |page: Vec<Comment>| page.into_iter().filter(&ours).collect();
        self.0.list(Call::get(path), page).await
    }

    /// The number of our issue whose marker says all that `wanted` says, open or closed; the oldest
    /// of several.
    ///
    /// # Errors
    /// As every call.
    pub async fn find_issue(&self, wanted: &Marker) -> Result<Option<u64>, GithubError> {
        #[derive(Deserialize)]
        struct Issue {
            number: u64,
            body: Option<String>,
            user: Option<User>,
            #[serde(default, rename = "performed_via_github_app")]
            app: Option<Author>,
        }
        let us = self.0.app().identity().await?.clone();
        let call = Call::get(self.0.path().then("issues"))
            .query("state", "all")
            .query("creator", format!("{}[bot]", us.slug));
        let ours = |issue: &Issue| {
            let marker = issue.body.as_deref().and_then(Marker::parse);
            is_by(&us, issue.app, issue.user.as_ref())
                && marker.is_some_and(|marker| marker.covers(wanted))
        };
        let page = |page: Vec<Issue>| page.into_iter().filter(&ours).collect();
        let found = self.0.list(call, page).await?;
        Ok(found.iter().map(|issue| issue.number).min())
    }

    /// Our check runs of that name on a commit, superseded ones too.
    ///
    /// # Errors
    /// As every call.
    pub async fn check_runs_for(
        &self,
        sha: &CommitSha,
        name: &str,
    ) -> Result<Vec<PublishedCheck>, GithubError> {
        #[derive(Deserialize)]
        struct Page {
            check_runs: Vec<PublishedCheck>,
        }
        let us = self.0.app().id();
        let path = self.0.path().then("commits").then(sha).then("check-runs");
        let call = Call::get(path).query("check_name", name).query("filter", "all");
        let ours = |check: &PublishedCheck| check.is_by(us) && check.name == name;
        let page = |page: Page| page.check_runs.into_iter().filter(ours).collect();
        self.0.list(call, page).await
    }

    /// The deployments of a commit to an environment for a task, newest first: to look before one
    /// is created.
    ///
    /// # Errors
    /// As every call.
    pub async fn deployments(
        &self,
        sha: &CommitSha,
        environment: &EnvironmentName,
        task: &str,
    ) -> Result<Vec<Deployment>, GithubError> {
        let call = Call::get(self.0.path().then("deployments"))
            .query("sha", sha)
            .query("environment", environment)
            .query("task", task);
        self.0.list(call, |page: Vec<Deployment>| page).await
    }

    /// How git reaches the repository now.
    ///
    /// # Errors
    /// No token could be had.
    pub async fn git_credentials(&self) -> Result<GitCredentials, GithubError> {
        let password = self.0.token().await?;
        let url = git_url(self.0.app().web_url(), &self.on().name);
        Ok(GitCredentials { url, user: "x-access-token", password })
    }
}

/// Where git finds a repository of the server at `web`.
fn git_url(web: &Url, name: &RepositoryName) -> Url {
    let mut url = web.clone();
    let path = format!("{}/{}/{}.git", web.path().trim_end_matches('/'), name.owner(), name.name());
    url.set_path(&path);
    url
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_for_git_keeps_the_path_of_the_server() {
        let name = RepositoryName::new("acme/home.lab").unwrap();
        let url = |web: &str| git_url(&web.parse().unwrap(), &name).to_string();
        assert_eq!(url("https://github.com"), "https://github.com/acme/home.lab.git");
        assert_eq!(url("http://127.0.0.1:80/git/"), "http://127.0.0.1/git/acme/home.lab.git");
    }
}

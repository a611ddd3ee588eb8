//! Repositories, and where each of their environments stands.

use std::collections::BTreeMap;

use async_trait::async_trait;
use jiff::Timestamp;
use landfall_core::name::{
    BlobSha, BranchName, CommitSha, EnvironmentName, InstallationId, RepositoryId, RepositoryName,
};
use landfall_core::plan::Digest;

use crate::{Fence, PushedHead, Result, RunId};

/// A repository as GitHub last described it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repository {
    /// GitHub's number; it survives renames.
    pub id: RepositoryId,
    /// What it is called now.
    pub name: RepositoryName,
    /// Through which installation it is reached.
    pub installation: InstallationId,
    /// The branch that rules are read from.
    pub default_branch: BranchName,
    /// Whether the App is installed there. Rows of one that is not are kept.
    pub active: bool,
}

/// Where the branches of a repository are known to be.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KnownHeads {
    /// Whether they were ever compared with GitHub's, so that a branch that is not among them is new.
    pub compared: bool,
    /// Where each is, as the last push to it was announced or the last comparison found it.
    pub heads: BTreeMap<BranchName, CommitSha>,
}

/// What an environment was last brought to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied {
    /// The run that did it.
    pub run: RunId,
    /// The commit.
    pub commit: CommitSha,
    /// The digest of the repository config that was used.
    pub config_digest: Digest,
    /// Where that config can be read again; none outside a repository.
    pub rules: Option<BlobSha>,
    /// When it succeeded.
    pub at: Timestamp,
}

/// Where an environment of a repository stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Environment {
    /// The repository.
    pub repository: RepositoryId,
    /// The environment.
    pub name: EnvironmentName,
    /// The branch that it follows; none before the first push.
    pub branch: Option<BranchName>,
    /// Another branch that it may follow and that was pushed to; none when nobody did.
    pub offered: Option<BranchName>,
    /// When somebody let the first run go, by `/apply`; none before.
    pub bootstrapped_at: Option<Timestamp>,
    /// Its last succeeded run.
    pub last: Option<Applied>,
    /// When the store was restored from a backup, if no run has succeeded since: what it says of the
    /// environment may be older than the world.
    pub restored: Option<Timestamp>,
}

/// Repositories and environments. An environment's row comes into being with the first write.
#[async_trait]
pub trait Repositories {
    /// Notes what GitHub says about a repository.
    async fn upsert_repository(&self, repository: &Repository) -> Result<()>;

    /// The repository, if it was ever heard of.
    async fn repository(&self, id: RepositoryId) -> Result<Option<Repository>>;

    /// All repositories of an installation, active or not.
    async fn repositories_of(&self, installation: InstallationId) -> Result<Vec<Repository>>;

    /// All repositories where the App is installed.
    async fn active_repositories(&self) -> Result<Vec<Repository>>;

    /// Where the last announced push left a branch. A mirror that lacks it was fetched too early.
    async fn pushed_head(
        &self,
        repository: RepositoryId,
        branch: &BranchName,
    ) -> Result<Option<CommitSha>>;

    /// Where the branches of a repository are known to be.
    async fn known_heads(&self, repository: RepositoryId) -> Result<KnownHeads>;

    /// Notes where branches were found that are not where they were known to be, and that all of
    /// them were compared.
    async fn note_heads(
        &self,
        fence: &Fence,
        repository: RepositoryId,
        moved: &[PushedHead],
    ) -> Result<()>;

    /// Where an environment stands; none when nothing was ever noted about it.
    async fn environment(
        &self,
        repository: RepositoryId,
        name: &EnvironmentName,
    ) -> Result<Option<Environment>>;

    /// Where all environments of a repository stand.
    async fn environments(&self, repository: RepositoryId) -> Result<Vec<Environment>>;

    /// Notes that a branch was pushed to which an environment may follow. Nothing comes of it while
    /// that is the branch that it follows.
    async fn offer_branch(
        &self,
        fence: &Fence,
        repository: RepositoryId,
        name: &EnvironmentName,
        branch: &BranchName,
    ) -> Result<()>;

    /// Notes which branch an environment follows from now on. What was offered is settled by that.
    async fn follow_branch(
        &self,
        fence: &Fence,
        repository: RepositoryId,
        name: &EnvironmentName,
        branch: &BranchName,
    ) -> Result<()>;

    /// Notes that somebody let the first run go. The first time stays.
    async fn bootstrap(
        &self,
        fence: &Fence,
        repository: RepositoryId,
        name: &EnvironmentName,
    ) -> Result<()>;
}

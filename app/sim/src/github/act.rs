//! What happens at the simulated GitHub: what people do through [`Repo`], and what the App does
//! over the API, which ends in the same functions. Each changes the world and then tells it by
//! webhooks, as GitHub does.
//!
//! A function's `user` is the login of who acts; people come into being when they first do. Errors
//! are those that a person would see at GitHub, and faults of this machine.

use std::sync::Arc;

use super::git::Bare;
use super::model::{Comment, Deployment, Pull, Reaction, Repository};
use super::{CheckRun, Shared};

mod branches;
mod checks;
mod comments;
mod deployments;
mod events;
mod installations;
mod issues;
mod merge;
mod open;
mod pulls;
mod queue;
mod setup;

pub(crate) use checks::CheckWritten;
pub(crate) use deployments::NewDeployment;
pub(crate) use merge::MergeRefused;
pub use open::NewPull;
pub(crate) use open::PullRefused;
pub use queue::Group;

/// A repository, to act in and to look into. Clones are the same one.
#[derive(Debug, Clone)]
pub struct Repo {
    shared: Arc<Shared>,
    id: u64,
}

impl Repo {
    pub(crate) fn new(shared: Arc<Shared>, id: u64) -> Repo {
        Repo { shared, id }
    }

    pub fn id(&self) -> u64 {
        self.id
    }

    /// `owner/name`, as it is called now.
    pub fn full_name(&self) -> String {
        self.read(Repository::full_name).unwrap_or_default()
    }

    /// What `git clone` takes.
    pub fn git_url(&self) -> String {
        format!("{}/{}.git", self.shared.urls().web, self.full_name())
    }

    /// A branch's tip; `None` if there is no such branch.
    ///
    /// # Errors
    /// git cannot be run.
    pub async fn head(&self, branch: &str) -> anyhow::Result<Option<String>> {
        self.git()?.tip(branch).await
    }

    /// A file's text on a branch; `None` if it is not there.
    ///
    /// # Errors
    /// git cannot be run.
    pub async fn file(&self, branch: &str, path: &str) -> anyhow::Result<Option<String>> {
        let content = self.git()?.file(&format!("refs/heads/{branch}"), path).await?;
        Ok(content.map(|content| String::from_utf8_lossy(&content).into_owned()))
    }

    pub fn pull(&self, number: u64) -> Option<Pull> {
        self.read(|repository| repository.pulls.get(&number).cloned()).ok().flatten()
    }

    pub fn pulls(&self) -> Vec<Pull> {
        self.read(|repository| repository.pulls.values().cloned().collect()).unwrap_or_default()
    }

    /// The comments of a pull request, oldest first.
    pub fn comments(&self, pull: u64) -> Vec<Comment> {
        self.read(|repository| {
            repository.comments.values().filter(|comment| comment.pull == pull).cloned().collect()
        })
        .unwrap_or_default()
    }

    pub fn reactions(&self, comment: u64) -> Vec<Reaction> {
        self.read(|repository| repository.comments.get(&comment).map(|c| c.reactions.clone()))
            .ok()
            .flatten()
            .unwrap_or_default()
    }

    /// The check runs of a commit, oldest first.
    pub fn check_runs(&self, sha: &str) -> Vec<CheckRun> {
        let mut runs = self.all_check_runs();
        runs.retain(|run| run.head_sha == sha);
        runs
    }

    pub fn all_check_runs(&self) -> Vec<CheckRun> {
        self.read(|repository| repository.check_runs.values().cloned().collect())
            .unwrap_or_default()
    }

    /// The deployments, oldest first, with their statuses.
    pub fn deployments(&self) -> Vec<Deployment> {
        self.read(|repository| repository.deployments.values().cloned().collect())
            .unwrap_or_default()
    }

    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    pub(crate) fn git(&self) -> anyhow::Result<Bare> {
        self.read(|repository| repository.git.clone())
    }

    pub(crate) fn read<T>(&self, read: impl FnOnce(&Repository) -> T) -> anyhow::Result<T> {
        Ok(read(self.shared.world().repository(self.id)?))
    }

    fn change<T>(&self, change: impl FnOnce(&mut Repository) -> T) -> anyhow::Result<T> {
        Ok(change(self.shared.world().repository_mut(self.id)?))
    }

    fn change_pull<T>(
        &self,
        number: u64,
        change: impl FnOnce(&mut Pull) -> T,
    ) -> anyhow::Result<T> {
        self.change(|repository| repository.pulls.get_mut(&number).map(change))?
            .ok_or_else(|| anyhow::anyhow!("there is no pull request {number}"))
    }

    fn known_pull(&self, number: u64) -> anyhow::Result<Pull> {
        self.pull(number).ok_or_else(|| anyhow::anyhow!("there is no pull request {number}"))
    }
}

//! Pull requests as GitHub last described them: a cache that saves calls, never evidence.

use async_trait::async_trait;
use jiff::Timestamp;
use landfall_core::name::{BranchName, CommitSha, PullNumber, RepositoryId, UserId};
use landfall_core::plan::Digest;

use crate::{Fence, Result};

/// A pull request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pull {
    /// Its repository.
    pub repository: RepositoryId,
    /// Its number.
    pub number: PullNumber,
    /// The head's commit.
    pub head: CommitSha,
    /// The repository of the head; none when that fork is gone.
    pub head_repository: Option<RepositoryId>,
    /// The branch it is to be merged into.
    pub base: BranchName,
    /// Who opened it.
    pub author: UserId,
    /// Whether it is open.
    pub state: PullState,
    /// GitHub's `updated_at`: an older description never replaces a newer one.
    pub updated_at: Timestamp,
}

/// Whether a pull request is open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PullState {
    /// It is.
    Open,
    /// It was closed without a merge.
    Closed,
    /// It was merged.
    Merged {
        /// When, by GitHub's clock.
        at: Timestamp,
        /// The commit that GitHub says it became on the base branch.
        commit: CommitSha,
        /// Who merged it, when that is known.
        by: Option<UserId>,
    },
}

impl Pull {
    /// Whether its head is in another repository, or was.
    #[must_use]
    pub fn is_fork(&self) -> bool {
        self.head_repository != Some(self.repository)
    }
}

/// Which asking for a plan it was, of all for one pull request: 1 for being opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Asked(pub u64);

/// What a plan that was asked for came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlanMade {
    /// The asking that it answers.
    pub asked: Asked,
    /// The rules that it was made by; none where there were none that could be read.
    pub rules: Option<Digest>,
    /// Whether nothing could be planned as the base was: a conflict, or a file that cannot be read.
    pub stuck: bool,
}

/// Pull requests. A plan is asked for by what happens to the pull request, by people, and by runs
/// that end; it is due until one was made for the last asking, whatever became of the jobs.
#[async_trait]
pub trait Pulls {
    /// Notes what GitHub says about a pull request, unless something newer is known.
    async fn upsert_pull(&self, pull: &Pull) -> Result<()>;

    /// The pull request, if it was ever heard of.
    async fn pull(&self, repository: RepositoryId, number: PullNumber) -> Result<Option<Pull>>;

    /// Asks for a plan of each. Whoever asks also adds the job.
    async fn ask_for_plans(&self, repository: RepositoryId, pulls: &[PullNumber]) -> Result<()>;

    /// The asking that no plan was made for yet; none when none is due.
    async fn plan_due(&self, repository: RepositoryId, number: PullNumber)
    -> Result<Option<Asked>>;

    /// A plan was made for an asking, and for those before it.
    async fn plan_made(
        &self,
        fence: &Fence,
        repository: RepositoryId,
        number: PullNumber,
        made: &PlanMade,
    ) -> Result<()>;

    /// The open ones, by number, of which more can be said since `branch` moved: those into it that
    /// were stuck, and, given the rules that hold now, all that were planned by others.
    async fn outdated_pulls(
        &self,
        repository: RepositoryId,
        branch: &BranchName,
        rules: Option<&Digest>,
    ) -> Result<Vec<PullNumber>>;

    /// The open ones of a repository, by number.
    async fn open_pulls(&self, repository: RepositoryId) -> Result<Vec<Pull>>;

    /// The merged ones whose merge commit is one of `commits`, by the time of the merge.
    async fn merged_pulls(
        &self,
        repository: RepositoryId,
        commits: &[CommitSha],
    ) -> Result<Vec<Pull>>;
}

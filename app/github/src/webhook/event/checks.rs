//! Events about checks: clicks on them, and who waits for one: a group of the merge queue, a workflow
//! of GitHub Actions.

use jiff::Timestamp;
use landfall_core::name::{ActionsEnvironment, BranchName, CommitSha};

use crate::actor::{AppId, User};
use crate::repository::{InstalledRepository, Repository};

/// Somebody clicked on a check run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckRunEvent {
    /// On what of it.
    pub action: CheckAction,
    /// Where.
    pub on: InstalledRepository,
    /// The repository, with its default branch.
    pub repository: Repository,
    /// The App that it is of: every App is told of its own alone, and this says whose it is.
    pub app: Option<AppId>,
    /// The key that its author gave it; empty without one.
    pub external_id: String,
    /// The commit that it is on.
    pub head: CommitSha,
    /// Since when it says what it says: when it was completed, else begun.
    pub shown_at: Timestamp,
    /// Who clicked.
    pub sender: User,
}

/// What was clicked on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CheckAction {
    /// "Re-run".
    Rerequested,
    /// One of the buttons that its author put there.
    Requested {
        /// What the author calls it.
        identifier: String,
    },
}

impl CheckAction {
    /// The one that GitHub calls so, of those that matter.
    pub(in super::super) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "rerequested" => Self::Rerequested,
            "requested_action" => Self::Requested { identifier: String::new() },
            _ => return None,
        })
    }
}

/// Somebody asked for all check runs of a commit anew.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckSuiteEvent {
    /// Where.
    pub on: InstalledRepository,
    /// The repository, with its default branch.
    pub repository: Repository,
    /// The App that the check runs are of.
    pub app: Option<AppId>,
    /// The commit.
    pub head: CommitSha,
    /// When the newest of them last changed.
    pub shown_at: Timestamp,
    /// Who asked.
    pub sender: User,
}

/// A group of pull requests that the merge queue is about to merge together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MergeGroup {
    /// Where.
    pub on: InstalledRepository,
    /// The repository, with its default branch.
    pub repository: Repository,
    /// The branch that was made for it: see [`BranchName::queued_into`].
    pub branch: BranchName,
    /// What merging it would give, as long as it is there: the checks are due on this commit. None
    /// once it was merged or taken apart.
    pub head: Option<CommitSha>,
}

/// A workflow of GitHub Actions waits for our word before it deploys to an environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProtectionRequest {
    /// Where.
    pub on: InstalledRepository,
    /// The repository, with its default branch.
    pub repository: Repository,
    /// The environment.
    pub environment: ActionsEnvironment,
    /// The commit that is to be deployed.
    pub commit: CommitSha,
    /// GitHub's number of the run of the workflow.
    pub workflow_run: u64,
    /// GitHub's number of the deployment: a run that is tried again asks again, for another one.
    pub deployment: u64,
}

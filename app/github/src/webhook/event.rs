//! What happened at GitHub, as far as it matters.

use landfall_core::label::Label;
use landfall_core::name::{
    BranchName, CommitSha, InstallationId, PullNumber, RepositoryId, RepositoryName,
};
use serde::Deserialize;

use super::payload::{self, PayloadError};
use crate::actor::{AppId, User};
use crate::comment::Comment;
use crate::pull::Pull;
use crate::repository::{InstalledRepository, Repository};

mod checks;

pub use checks::{CheckAction, CheckRunEvent, CheckSuiteEvent, MergeGroup, ProtectionRequest};

/// An event of the App's hook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// Something about a pull request.
    PullRequest(PullRequest),
    /// A branch or tag moved.
    Push(Push),
    /// Something about a comment.
    IssueComment(IssueComment),
    /// Somebody clicked on a check run.
    CheckRun(CheckRunEvent),
    /// Somebody asked for all check runs of a commit anew.
    CheckSuite(CheckSuiteEvent),
    /// A group of the merge queue came or went.
    MergeGroup(MergeGroup),
    /// A workflow waits for our word before it deploys.
    Protection(ProtectionRequest),
    /// The hook was set up.
    Ping(Ping),
    /// The App was installed, or what it may do changed.
    Installation(InstallationChange),
    /// Repositories were added to an installation or taken out of it.
    InstallationRepositories(RepositoriesChange),
    /// A repository is not what it was.
    Repository(RepositoryChange),
    /// Anything else: an event or action that is not for us, or one without an installation,
    /// which a repository's or organisation's own hook sends.
    Other {
        /// The event.
        event: String,
        /// Its action, if it has one.
        action: Option<String>,
    },
}

impl Event {
    /// Reads the body of a delivery of `event`, the value of `X-GitHub-Event`.
    ///
    /// # Errors
    /// The body is not JSON, or lacks what such an event always has.
    pub fn parse(event: &str, body: &[u8]) -> Result<Self, PayloadError> {
        payload::parse(event, body)
    }

    /// Whether anything could follow from a delivery of `event` with this action, as far as that can
    /// be said without its payload.
    #[must_use]
    pub fn matters(event: &str, action: Option<&str>) -> bool {
        let named = action.unwrap_or_default();
        match event {
            "push" | "installation_repositories" => true,
            "pull_request" => PullAction::named(named).is_some(),
            "issue_comment" => CommentAction::named(named) == Some(CommentAction::Created),
            "check_run" => CheckAction::named(named).is_some(),
            "check_suite" => named == "rerequested",
            "deployment_protection_rule" => named == "requested",
            "merge_group" => matches!(named, "checks_requested" | "destroyed"),
            "installation" => InstallationAction::named(named).is_some(),
            "repository" => RepositoryAction::named(named).is_some(),
            _ => false,
        }
    }

    /// Through which installation it came.
    #[must_use]
    pub fn installation(&self) -> Option<InstallationId> {
        match self {
            Self::PullRequest(event) => Some(event.on.installation),
            Self::Push(event) => Some(event.on.installation),
            Self::IssueComment(event) => Some(event.on.installation),
            Self::CheckRun(event) => Some(event.on.installation),
            Self::CheckSuite(event) => Some(event.on.installation),
            Self::MergeGroup(event) => Some(event.on.installation),
            Self::Protection(event) => Some(event.on.installation),
            Self::Installation(event) => Some(event.installation),
            Self::InstallationRepositories(event) => Some(event.installation),
            Self::Repository(event) => Some(event.on.installation),
            Self::Ping(_) | Self::Other { .. } => None,
        }
    }

    /// The repository it is about, if it is about one.
    #[must_use]
    pub fn repository(&self) -> Option<&InstalledRepository> {
        match self {
            Self::PullRequest(event) => Some(&event.on),
            Self::Push(event) => Some(&event.on),
            Self::IssueComment(event) => Some(&event.on),
            Self::CheckRun(event) => Some(&event.on),
            Self::CheckSuite(event) => Some(&event.on),
            Self::MergeGroup(event) => Some(&event.on),
            Self::Protection(event) => Some(&event.on),
            Self::Repository(event) => Some(&event.on),
            Self::Installation(_) | Self::InstallationRepositories(_) => None,
            Self::Ping(_) | Self::Other { .. } => None,
        }
    }
}

/// Something about a pull request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PullRequest {
    /// What.
    pub action: PullAction,
    /// Where.
    pub on: InstalledRepository,
    /// The repository, with its default branch.
    pub repository: Repository,
    /// The pull request when it happened; it may have changed since.
    pub pull: Pull,
    /// Who did it.
    pub sender: User,
}

/// What happened to a pull request.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "GitHub's own words")]
pub enum PullAction {
    Opened,
    /// The head moved.
    Synchronize,
    Reopened,
    ReadyForReview,
    ConvertedToDraft,
    /// Its title or text changed, or what it is to be merged into.
    Edited {
        /// The branch it was to be merged into before, if that changed.
        base_was: Option<BranchName>,
    },
    /// Merged or not: see the pull request's state.
    Closed,
    Labeled {
        /// The label, if it is one of ours.
        label: Option<Label>,
    },
    Unlabeled {
        /// The label, if it is one of ours.
        label: Option<Label>,
    },
    /// It went into the merge queue.
    Enqueued,
    /// It left the merge queue, because it was merged or could not be.
    Dequeued,
}

impl PullAction {
    /// The one that GitHub calls so, of those that matter.
    pub(super) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "opened" => Self::Opened,
            "synchronize" => Self::Synchronize,
            "reopened" => Self::Reopened,
            "ready_for_review" => Self::ReadyForReview,
            "converted_to_draft" => Self::ConvertedToDraft,
            "edited" => Self::Edited { base_was: None },
            "closed" => Self::Closed,
            "labeled" => Self::Labeled { label: None },
            "unlabeled" => Self::Unlabeled { label: None },
            "enqueued" => Self::Enqueued,
            "dequeued" => Self::Dequeued,
            _ => return None,
        })
    }
}

/// A branch or tag moved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Push {
    /// Where.
    pub on: InstalledRepository,
    /// The repository, with its default branch.
    pub repository: Repository,
    /// What moved.
    pub reference: PushedRef,
    /// How.
    pub change: RefChange,
    /// The commits that came with it, oldest first; GitHub lists at most 2,048.
    pub commits: Vec<CommitSha>,
    /// Who pushed, or merged.
    pub sender: User,
}

/// What a push moves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PushedRef {
    /// A branch.
    Branch(BranchName),
    /// Anything else, in full: `refs/tags/v1`.
    Other(String),
}

/// How a push moves it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RefChange {
    /// It is new.
    Created {
        /// Where it is.
        after: CommitSha,
    },
    /// It is gone.
    Deleted {
        /// Where it was.
        before: CommitSha,
    },
    /// It went on, or was forced elsewhere.
    Moved {
        /// Where it was.
        before: CommitSha,
        /// Where it is.
        after: CommitSha,
        /// Whether `before` is not among the ancestors of `after`.
        forced: bool,
    },
}

impl RefChange {
    /// Where it is now; none when it is gone.
    #[must_use]
    pub fn after(&self) -> Option<&CommitSha> {
        match self {
            Self::Created { after } | Self::Moved { after, .. } => Some(after),
            Self::Deleted { .. } => None,
        }
    }
}

/// Something about a comment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssueComment {
    /// What.
    pub action: CommentAction,
    /// Where.
    pub on: InstalledRepository,
    /// The repository, with its default branch.
    pub repository: Repository,
    /// On what.
    pub commented_on: CommentedOn,
    /// The comment when it happened.
    pub comment: Comment,
    /// Who did it; of an edit not always who wrote the comment.
    pub sender: User,
}

/// What happened to a comment. Only a new one may command: an edit speaks with today's rights
/// through an old comment, and others than its author can make it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "GitHub's own words")]
pub enum CommentAction {
    Created,
    Edited,
    Deleted,
}

impl CommentAction {
    /// The one that GitHub calls so.
    pub(super) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "created" => Self::Created,
            "edited" => Self::Edited,
            "deleted" => Self::Deleted,
            _ => return None,
        })
    }
}

/// What a comment is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CommentedOn {
    /// A pull request.
    Pull {
        /// Its number.
        number: PullNumber,
        /// Whether it was open.
        open: bool,
    },
    /// An issue, which is not for us.
    Issue,
}

/// The hook was set up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ping {
    /// The App that the hook belongs to; none for a hook of a repository or organisation.
    pub app: Option<AppId>,
}

/// The App was installed, or what it may do changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstallationChange {
    /// What.
    pub action: InstallationAction,
    /// Which installation.
    pub installation: InstallationId,
    /// On whose repositories it is; none when GitHub does not say.
    pub account: Option<Account>,
    /// The repositories it is on. Empty where GitHub leaves them out (suspended).
    pub repositories: Vec<Granted>,
}

/// What happened to an installation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "GitHub's own words")]
pub enum InstallationAction {
    Created,
    Deleted,
    Suspend,
    Unsuspend,
    NewPermissionsAccepted,
}

impl InstallationAction {
    /// The one that GitHub calls so, of those that matter.
    pub(super) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "created" => Self::Created,
            "deleted" => Self::Deleted,
            "suspend" => Self::Suspend,
            "unsuspend" => Self::Unsuspend,
            "new_permissions_accepted" => Self::NewPermissionsAccepted,
            _ => return None,
        })
    }
}

/// Whose repositories an installation is on.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Account {
    /// The person's or organisation's name, as people see it.
    pub login: String,
}

/// Repositories were added to an installation or taken out of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RepositoriesChange {
    /// Which installation.
    pub installation: InstallationId,
    /// Those that it is on from now on.
    pub added: Vec<Granted>,
    /// Those that it is not on any more.
    pub removed: Vec<Granted>,
}

/// A repository is not what it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RepositoryChange {
    /// What happened.
    pub action: RepositoryAction,
    /// Where.
    pub on: InstalledRepository,
    /// The repository as it is now.
    pub repository: Repository,
}

/// What happened to a repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "GitHub's own words")]
pub enum RepositoryAction {
    Renamed,
    Transferred,
    Archived,
    Unarchived,
    /// Its default branch may be another one.
    Edited,
    Deleted,
}

impl RepositoryAction {
    /// The one that GitHub calls so, of those that matter.
    pub(super) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "renamed" => Self::Renamed,
            "transferred" => Self::Transferred,
            "archived" => Self::Archived,
            "unarchived" => Self::Unarchived,
            "edited" => Self::Edited,
            "deleted" => Self::Deleted,
            _ => return None,
        })
    }
}

/// A repository that an installation is on.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Granted {
    /// Its number.
    pub id: RepositoryId,
    /// `owner/name`.
    #[serde(rename = "full_name")]
    pub name: RepositoryName,
}

//! What the simulated GitHub knows, as plain values. How it is shown to a client is in `show`, how
//! it changes in `act`.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde_json::Value;

use super::git::Bare;

/// Somebody: a person, an organisation or an App's own account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    pub id: u64,
    pub login: String,
    pub kind: UserKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UserKind {
    Person,
    Organization,
    Bot,
}

/// What a person may do in a repository, lowest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    Read,
    Triage,
    Write,
    Maintain,
    Admin,
}

impl Role {
    /// As `role_name` has it.
    pub fn name(self) -> &'static str {
        match self {
            Role::Read => "read",
            Role::Triage => "triage",
            Role::Write => "write",
            Role::Maintain => "maintain",
            Role::Admin => "admin",
        }
    }

    /// As the older `permission` has it, which knows neither triage nor maintain.
    pub fn legacy_name(self) -> &'static str {
        match self {
            Role::Read | Role::Triage => "read",
            Role::Write | Role::Maintain => "write",
            Role::Admin => "admin",
        }
    }
}

/// How somebody stands to a team.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Invited, and has not accepted.
    Pending,
    Active,
}

impl Standing {
    /// As `state` has it.
    pub fn name(self) -> &'static str {
        match self {
            Standing::Pending => "pending",
            Standing::Active => "active",
        }
    }
}

/// One repository with all that hangs on it.
#[derive(Debug, Clone)]
pub struct Repository {
    pub id: u64,
    pub owner: String,
    pub name: String,
    pub private: bool,
    pub default_branch: String,
    /// Nothing may be written to it.
    pub archived: bool,
    pub created_at: Timestamp,
    pub pushed_at: Timestamp,
    /// The repository that this one was forked from.
    pub parent: Option<u64>,
    pub protected: BTreeSet<String>,
    /// The checks that rules of a branch require: the branch, the name, and the App that has to set it.
    pub required: Vec<(String, String, Option<u64>)>,
    pub roles: BTreeMap<String, Role>,
    pub pulls: BTreeMap<u64, Pull>,
    /// Those that are no pull requests.
    pub issues: BTreeMap<u64, Issue>,
    pub comments: BTreeMap<u64, Comment>,
    pub check_runs: BTreeMap<u64, CheckRun>,
    pub deployments: BTreeMap<u64, Deployment>,
    /// Runs of workflows that asked before they deploy, by number, with what each was answered.
    pub gated: BTreeMap<u64, Gated>,
    pub(super) git: Bare,
}

impl Repository {
    /// Whether somebody may comment on a pull request or an issue; none where there is neither. In a
    /// conversation that is locked only who may write can, and no App, whatever it was granted.
    pub fn may_comment(&self, number: u64, user: &str) -> Option<bool> {
        let locked = match self.pulls.get(&number) {
            Some(pull) => pull.locked,
            None => self.issues.get(&number).map(|_| false)?,
        };
        let writes = |role: &Role| !matches!(role, Role::Read | Role::Triage);
        Some(!locked || self.roles.get(user).is_some_and(writes))
    }

    /// `owner/name`.
    pub fn full_name(&self) -> String {
        format!("{}/{}", self.owner, self.name)
    }

    /// The number of the next pull request or issue: they share one row.
    pub(super) fn next_number(&self) -> u64 {
        let last = self.pulls.keys().last().max(self.issues.keys().last());
        last.map_or(1, |last| last + 1)
    }
}

/// An issue that is no pull request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issue {
    pub id: u64,
    pub number: u64,
    pub title: String,
    pub body: String,
    pub author: String,
    pub state: IssueState,
    pub created_at: Timestamp,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IssueState {
    Open,
    Closed { at: Timestamp },
}

/// A pull request.
#[derive(Debug, Clone)]
pub struct Pull {
    pub id: u64,
    pub number: u64,
    pub title: String,
    pub body: Option<String>,
    pub author: String,
    pub draft: bool,
    /// Whether only who may write can comment.
    pub locked: bool,
    pub labels: BTreeSet<String>,
    pub state: PullState,
    /// The branch it is to be merged into, and that branch's tip when the head was last pushed.
    pub base: String,
    pub base_sha: String,
    /// The repository, branch and commit that it brings.
    pub head_repository: u64,
    pub head: String,
    pub head_sha: String,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    /// The commits of the head that the base lacks, oldest first.
    pub commits: Vec<String>,
    pub size: Size,
    pub(super) trial: Option<Trial>,
}

impl Pull {
    pub fn is_open(&self) -> bool {
        self.state == PullState::Open
    }

    pub fn merged(&self) -> Option<&Merged> {
        match &self.state {
            PullState::Merged(merged) => Some(merged),
            PullState::Open | PullState::Closed { .. } => None,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PullState {
    Open,
    Closed { at: Timestamp },
    Merged(Merged),
}

/// How a pull request came into its base.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Merged {
    pub at: Timestamp,
    pub by: String,
    /// `merge_commit_sha`: the merge, the squashed commit, or the last of the rebased ones.
    pub commit: String,
    /// All commits that it added to the base, oldest first.
    pub landed: Vec<String>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Size {
    pub additions: u64,
    pub deletions: u64,
    pub changed_files: u64,
}

/// The test merge of a head into its base; out of date as soon as either moves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Trial {
    pub(crate) base_sha: String,
    pub(crate) head_sha: String,
    /// `None` if they conflict.
    pub(crate) commit: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MergeMethod {
    Merge,
    Squash,
    Rebase,
}

/// A comment on a pull request, or on an issue that is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comment {
    pub id: u64,
    /// The number of what it is on.
    pub pull: u64,
    pub author: String,
    pub body: String,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub reactions: Vec<Reaction>,
    /// Whether it is folded away as outdated.
    pub outdated: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reaction {
    pub id: u64,
    pub user: String,
    /// `+1 -1 laugh confused heart hooray rocket eyes`
    pub content: String,
    pub created_at: Timestamp,
}

/// A check run. What the App wrote is kept as it came, in the API's own shapes.
#[derive(Debug, Clone, PartialEq)]
pub struct CheckRun {
    pub id: u64,
    pub suite: u64,
    pub name: String,
    pub head_sha: String,
    pub external_id: Option<String>,
    pub details_url: Option<String>,
    pub status: String,
    pub conclusion: Option<String>,
    pub started_at: Timestamp,
    pub completed_at: Option<Timestamp>,
    pub title: Option<String>,
    pub summary: Option<String>,
    pub text: Option<String>,
    pub annotations: Vec<Value>,
    pub actions: Vec<Value>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Deployment {
    pub id: u64,
    pub reference: String,
    pub sha: String,
    pub task: String,
    pub environment: String,
    pub description: Option<String>,
    pub payload: Value,
    pub transient: bool,
    pub production: bool,
    pub creator: String,
    pub created_at: Timestamp,
    pub statuses: Vec<DeploymentStatus>,
}

/// A run of a workflow that waits before it deploys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gated {
    pub environment: String,
    /// `approved` or `rejected`, and why.
    pub answer: Option<(String, String)>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeploymentStatus {
    pub id: u64,
    pub state: String,
    pub description: String,
    pub log_url: String,
    pub environment_url: String,
    pub creator: String,
    pub created_at: Timestamp,
}

/// Where the App is installed: on one account, for some of its repositories.
#[derive(Debug, Clone)]
pub struct Installation {
    pub id: u64,
    pub account: String,
    pub repositories: BTreeSet<u64>,
    /// Whether those were chosen one by one.
    pub chosen: Chosen,
    pub permissions: BTreeMap<String, Access>,
    pub created_at: Timestamp,
    pub suspended_at: Option<Timestamp>,
}

/// For which of an account's repositories an installation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Chosen {
    All,
    Selected,
}

impl Chosen {
    /// As `repository_selection` has it.
    pub fn name(self) -> &'static str {
        match self {
            Chosen::All => "all",
            Chosen::Selected => "selected",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Access {
    Read,
    Write,
}

impl Access {
    pub fn name(self) -> &'static str {
        match self {
            Access::Read => "read",
            Access::Write => "write",
        }
    }

    pub fn named(name: &str) -> Option<Access> {
        match name {
            "read" => Some(Access::Read),
            "write" => Some(Access::Write),
            _ => None,
        }
    }
}

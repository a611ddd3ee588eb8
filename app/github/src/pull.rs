//! A pull request, as webhooks and the API describe it: one shape for both.

use jiff::Timestamp;
use landfall_core::label::Label;
use landfall_core::name::{BranchName, CommitSha, PullNumber, RepositoryId};
use serde::Deserialize;

use crate::actor::User;

/// A pull request.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(from = "Wire")]
pub struct Pull {
    /// Its number.
    pub number: PullNumber,
    /// Whether it is open, and how it was merged.
    pub state: PullState,
    /// A draft is planned all the same, but says so.
    pub draft: bool,
    /// The names of its labels.
    pub labels: Vec<String>,
    /// What it brings.
    pub head: Head,
    /// What it is to be merged into.
    pub base: Base,
    /// Who opened it; none when that account is gone.
    pub author: Option<User>,
    /// When it was opened, by GitHub's clock.
    pub created_at: Timestamp,
    /// When it last changed, by GitHub's clock.
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
        /// The commit it became on its base branch: the merge, the squashed commit, or the last
        /// rebased one. Before a merge the field holds a test merge that is on no branch, so it
        /// is only here. Versions of the API after 2022-11-28 do not give it.
        commit: Option<CommitSha>,
        /// Who merged it. Lists do not say.
        by: Option<User>,
    },
}

/// What a pull request brings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// The newest commit.
    pub sha: CommitSha,
    /// The repository it is in; none when that fork was deleted.
    pub repository: Option<RepositoryId>,
}

/// What a pull request is to be merged into.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Base {
    /// The branch.
    pub branch: BranchName,
    /// The branch's commit when the pull request last changed; the branch may be further by now.
    pub sha: CommitSha,
    /// The repository.
    pub repository: RepositoryId,
}

impl Pull {
    /// Whether the head comes from another repository, or did before that was deleted.
    #[must_use]
    pub fn is_fork(&self) -> bool {
        self.head.repository != Some(self.base.repository)
    }

    /// Whether it has a label.
    #[must_use]
    pub fn has(&self, label: Label) -> bool {
        self.labels.iter().any(|name| Label::named(name) == Some(label))
    }

    /// The commit it became on its base branch, if it was merged.
    #[must_use]
    pub fn merge_commit(&self) -> Option<&CommitSha> {
        match &self.state {
            PullState::Merged { commit, .. } => commit.as_ref(),
            PullState::Open | PullState::Closed => None,
        }
    }
}

/// The fields of GitHub's `pull-request` and `pull-request-simple` that matter here.
#[derive(Deserialize)]
struct Wire {
    number: PullNumber,
    state: WireState,
    #[serde(default)]
    draft: Option<bool>,
    #[serde(default)]
    labels: Vec<WireLabel>,
    head: WireHead,
    base: WireBase,
    user: Option<User>,
    merged_at: Option<Timestamp>,
    merge_commit_sha: Option<CommitSha>,
    #[serde(default)]
    merged_by: Option<User>,
    created_at: Timestamp,
    updated_at: Timestamp,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum WireState {
    Open,
    Closed,
}

#[derive(Deserialize)]
struct WireLabel {
    name: String,
}

#[derive(Deserialize)]
struct WireHead {
    sha: CommitSha,
    repo: Option<WireRepository>,
}

#[derive(Deserialize)]
struct WireBase {
    #[serde(rename = "ref")]
    branch: BranchName,
    sha: CommitSha,
    repo: WireRepository,
}

#[derive(Deserialize)]
struct WireRepository {
    id: RepositoryId,
}

impl From<Wire> for Pull {
    fn from(wire: Wire) -> Self {
        let state = match (wire.merged_at, wire.state) {
            (Some(at), _) => {
                PullState::Merged { at, commit: wire.merge_commit_sha, by: wire.merged_by }
            }
            (None, WireState::Open) => PullState::Open,
            (None, WireState::Closed) => PullState::Closed,
        };
        Self {
            number: wire.number,
            state,
            draft: wire.draft.unwrap_or(false),
            labels: wire.labels.into_iter().map(|label| label.name).collect(),
            head: Head { sha: wire.head.sha, repository: wire.head.repo.map(|repo| repo.id) },
            base: Base {
                branch: wire.base.branch,
                sha: wire.base.sha,
                repository: wire.base.repo.id,
            },
            author: wire.user,
            created_at: wire.created_at,
            updated_at: wire.updated_at,
        }
    }
}

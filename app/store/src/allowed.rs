//! Allowed heads: commits of forks that somebody has read and wants to be planned.
//!
//! A head is a commit in full, so what was read cannot change under the word. It was read for one base:
//! what it would change is another question for every branch.

use async_trait::async_trait;
use jiff::Timestamp;
use landfall_core::name::{BranchName, CommitSha, PullNumber, RepositoryId, UserId};

use crate::{AuditEntry, CommandId, Fence, Result};

/// A head of a pull request from a fork that may be planned like one of the repository itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AllowedHead {
    /// The repository that it is to be merged in.
    pub repository: RepositoryId,
    /// The pull request.
    pub pull: PullNumber,
    /// The head.
    pub head: CommitSha,
    /// The branch that the pull request went into when this was said. It holds for no other.
    pub base: BranchName,
    /// The command that said so.
    pub command: CommandId,
    /// Who gave it.
    pub by: UserId,
    /// Their login then, for showing.
    pub login: String,
    /// When it was said.
    pub at: Timestamp,
}

/// Heads that may be planned. None is ever taken back: a newer head needs a word of its own.
#[async_trait]
pub trait AllowedHeads {
    /// Allows a head, with `entry` in the audit log: both in one transaction, and both only once. Who
    /// allowed it first stays.
    async fn allow_head(
        &self,
        fence: &Fence,
        allowed: &AllowedHead,
        entry: &AuditEntry,
    ) -> Result<()>;

    /// The heads of a pull request that were allowed, the oldest word first.
    async fn allowed_heads(
        &self,
        repository: RepositoryId,
        pull: PullNumber,
    ) -> Result<Vec<AllowedHead>>;
}

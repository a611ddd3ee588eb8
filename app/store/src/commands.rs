//! Commands: what a comment said, kept as a row each and never coalesced.

use std::fmt;

use async_trait::async_trait;
use jiff::Timestamp;
use landfall_core::name::{PullNumber, RepositoryId, UserId};

use crate::{Fence, Result};

/// Which command of which comment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CommandId {
    /// GitHub's number of the comment.
    pub comment: u64,
    /// The place of the command in it, from 0.
    pub index: u32,
}

impl fmt::Display for CommandId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.comment, self.index)
    }
}

/// A command as somebody wrote it. Whether they may is asked when it is carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewCommand {
    /// Which one it is.
    pub id: CommandId,
    /// Where it was written.
    pub repository: RepositoryId,
    /// On which pull request.
    pub pull: PullNumber,
    /// Who wrote it.
    pub author: UserId,
    /// Their login then, for showing.
    pub login: String,
    /// The command's own line: `/apply production 0123abcd`.
    pub text: String,
    /// When the comment was written, by GitHub's clock.
    pub commented_at: Timestamp,
}

/// A command that has no outcome yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    /// What was written.
    pub command: NewCommand,
    /// Whether an attempt to carry it out began and left no outcome.
    pub taken: bool,
}

/// What people said.
#[async_trait]
pub trait Commands {
    /// The commands on a pull request that have no outcome, in the order in which they were written.
    async fn pending_commands(
        &self,
        repository: RepositoryId,
        pull: PullNumber,
    ) -> Result<Vec<Command>>;

    /// Notes that a job begins to carry it out.
    async fn take_command(&self, fence: &Fence, id: CommandId) -> Result<()>;

    /// Notes what came of it. The first outcome stays.
    async fn finish_command(&self, fence: &Fence, id: CommandId, outcome: &str) -> Result<()>;

    /// What came of it, once it is finished.
    async fn command_outcome(&self, id: CommandId) -> Result<Option<String>>;
}

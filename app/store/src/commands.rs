//! Commands: what a comment or a click said, kept as a row each and never coalesced.

use std::fmt;
use std::str::FromStr;

use async_trait::async_trait;
use jiff::Timestamp;
use landfall_core::name::{PullNumber, RepositoryId, UserId};
use landfall_core::plan::Digest;

use crate::words::UnknownWord;
use crate::{DeliveryId, Fence, Result};

/// Which command of what somebody said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CommandId {
    /// How it was said.
    pub source: CommandSource,
    /// The place of the command in it, from 0.
    pub index: u32,
}

impl fmt::Display for CommandId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.source, self.index)
    }
}

/// How somebody said a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CommandSource {
    /// In a comment, by GitHub's number of it.
    Comment(u64),
    /// With a button, by the delivery that told of the click.
    Click(DeliveryId),
}

/// As it stands in the store: the number, or the delivery's id.
impl fmt::Display for CommandSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Comment(id) => id.fmt(f),
            Self::Click(delivery) => delivery.fmt(f),
        }
    }
}

impl FromStr for CommandSource {
    type Err = UnknownWord;

    fn from_str(text: &str) -> std::result::Result<Self, Self::Err> {
        let comment = text.parse().map(Self::Comment).ok();
        let source = comment.or_else(|| text.parse().map(Self::Click).ok());
        source.ok_or_else(|| UnknownWord(text.to_owned()))
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
    /// The digest of the whole comment, so that it can be told whether it was edited since; none of a
    /// click, which nobody can edit.
    pub said: Option<Digest>,
    /// When the comment was written, by GitHub's clock; since when what was clicked on was shown.
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

//! Commands: what a comment or a click said, kept as a row each and never coalesced.

use std::fmt;
use std::str::FromStr;

use async_trait::async_trait;
use jiff::Timestamp;
use landfall_core::name::{EnvironmentName, PullNumber, RepositoryId, UserId};
use landfall_core::plan::Digest;

use crate::words::UnknownWord;
use crate::{AuditEntry, DeliveryId, Fence, Result, RunId};

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
    /// When it came in, by the store's clock.
    pub received_at: Timestamp,
    /// What it turned out to mean, if an attempt to carry it out came so far and left no outcome.
    pub meant: Option<Meant>,
}

/// What a command turned out to mean. It is noted before anything is done, or with it, so that one which
/// was cut off is gone on with where it began, and not with what is there by then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Meant {
    /// This run.
    Run(RunId),
    /// The lock on this environment.
    Lock(EnvironmentName),
}

/// As it stands in the store: `run/<id>`, `lock/production`.
impl fmt::Display for Meant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Run(id) => write!(f, "run/{id}"),
            Self::Lock(environment) => write!(f, "lock/{environment}"),
        }
    }
}

impl FromStr for Meant {
    type Err = UnknownWord;

    fn from_str(text: &str) -> std::result::Result<Self, Self::Err> {
        let meant = match text.split_once('/') {
            Some(("run", id)) => id.parse().ok().map(|id| Self::Run(RunId(id))),
            Some(("lock", name)) => name.parse().ok().map(Self::Lock),
            _ => None,
        };
        meant.ok_or_else(|| UnknownWord(text.to_owned()))
    }
}

/// A command that came in lately, whatever became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heard {
    /// Which one it is.
    pub id: CommandId,
    /// Who wrote it.
    pub author: UserId,
    /// When it came in, by the store's clock.
    pub received_at: Timestamp,
    /// What came of it, once it is finished.
    pub outcome: Option<String>,
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

    /// The commands on a pull request that came in since then, in the order in which they did.
    async fn commands_since(
        &self,
        repository: RepositoryId,
        pull: PullNumber,
        since: Timestamp,
    ) -> Result<Vec<Heard>>;

    /// Notes what it means.
    async fn note_meant(&self, fence: &Fence, id: CommandId, meant: &Meant) -> Result<()>;

    /// Notes what came of it, and with it who did what. The first outcome stays, and a later one is not
    /// in the audit log either.
    async fn finish_command(
        &self,
        fence: &Fence,
        id: CommandId,
        outcome: &str,
        audit: Option<&AuditEntry>,
    ) -> Result<()>;

    /// What came of it, once it is finished.
    async fn command_outcome(&self, id: CommandId) -> Result<Option<String>>;
}

//! The outbox: what is to be published, the newest body for each subject.
//!
//! A body that is put while an older one is being published is published after it. Nothing is
//! published twice: an item knows the ids of what it made, and whether an attempt was cut off after
//! it may have been accepted, in which case it is looked up first.
//!
//! An installation has a lane for what GitHub is told and one for what others are told. One item is
//! in flight in a lane at a time, whichever server claims it, so writes of one never crowd out
//! another's. The lane to GitHub is closed while it is ahead of its [`Pace`], and for as long as
//! GitHub asks for silence: that is noted beside the items, so every server keeps to it. What waits
//! for its lane has not failed, and no attempt is counted.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use landfall_core::name::{InstallationId, RepositoryId};

use crate::words::words;
use crate::{Fence, Pace, Result};

words!(
    /// What is published. Of equal priority, a comment goes first.
    pub enum ItemKind {
        /// The comment on a pull request.
        Comment => "comment",
        /// A reaction to somebody's comment.
        Reaction => "reaction",
        /// A check run.
        Check => "check",
        /// The one issue in a repository that has no rules.
        Issue => "issue",
        /// A deployment and its status.
        Deployment => "deployment",
        /// An answer to a workflow that waits before it deploys.
        Protection => "protection",
        /// A message to somebody else than GitHub.
        Notification => "notification",
    }
);

impl ItemKind {
    /// Whom it is for.
    #[must_use]
    pub fn addressee(self) -> Addressee {
        match self {
            Self::Comment
            | Self::Reaction
            | Self::Check
            | Self::Issue
            | Self::Deployment
            | Self::Protection => Addressee::GitHub,
            Self::Notification => Addressee::Notified,
        }
    }
}

/// Whom items are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Addressee {
    /// GitHub.
    GitHub,
    /// Those whom the operator wants to be notified.
    Notified,
}

impl Addressee {
    /// Whether it is notifications that are meant, as the engines ask.
    pub(crate) fn is_notified(self) -> bool {
        self == Self::Notified
    }

    /// The queue in which installations take turns.
    pub(crate) fn queue(self) -> &'static str {
        match self {
            Self::GitHub => "outbox",
            Self::Notified => "notification",
        }
    }
}

/// What is published, and where.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ItemKey {
    /// Whose writes it counts among.
    pub installation: InstallationId,
    /// The repository.
    pub repository: RepositoryId,
    /// What it is.
    pub kind: ItemKind,
    /// What it is about, in the words of who publishes it: `pull/7`, `check/<sha>/landfall / production (main)`.
    pub subject: String,
}

impl fmt::Display for ItemKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} of repository {}", self.kind, self.subject, self.repository)
    }
}

/// Something to publish.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// What and where.
    pub key: ItemKey,
    /// What it says, in the form that who publishes it understands. No secret: it is kept.
    pub body: serde_json::Value,
    /// What goes first within an installation: 0 before 1.
    pub priority: u8,
}

/// The right to say what became of publishing one version of an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ItemClaim {
    pub(crate) id: i64,
    pub(crate) version: i64,
    pub(crate) epoch: i64,
}

/// An item to publish now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimedItem {
    /// What every note about it is checked against.
    pub claim: ItemClaim,
    /// What to publish.
    pub item: Item,
    /// GitHub's ids of what earlier versions made, in order: the parts of a comment.
    pub external: Vec<u64>,
    /// Which attempt at this version it is, from 1.
    pub attempt: u32,
    /// Whether an earlier attempt may have been accepted without our knowing: look before creating.
    pub uncertain: bool,
}

/// Whether something may be written now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// It may.
    Now,
    /// Not before then. The item was put back, and the claim is over.
    Later(Timestamp),
}

/// What is changed of a body.
pub type Amend<'a> = &'a (dyn Fn(&mut serde_json::Value) + Send + Sync);

/// The body that is put, by the newest one there is. None leaves it as it is.
pub type Compose<'a> =
    &'a (dyn Fn(Option<serde_json::Value>) -> Option<serde_json::Value> + Send + Sync);

/// What is to be published.
#[async_trait]
pub trait Outbox {
    /// Puts an item. It replaces a body that still waits; the same body again is nothing new, unless
    /// the item is uncertain: then nobody knows what is shown. In a store that was restored a new
    /// item is uncertain, for it may have been published after the backup.
    async fn put(&self, fence: &Fence, item: &Item) -> Result<()>;

    /// Claims the next item for `addressee` of the installation that was not served for longest,
    /// for `lease`. A claim that expires makes the item uncertain.
    async fn claim_item(
        &self,
        addressee: Addressee,
        lease: Duration,
    ) -> Result<Option<ClaimedItem>>;

    /// When there may be an item for `addressee` to claim; none if none waits or is in flight.
    async fn next_item_at(&self, addressee: Addressee) -> Result<Option<Timestamp>>;

    /// Asks for room for so many requests that create content, before the first of them is made. If
    /// there is none, the item waits, and everything else of its installation that is for GitHub.
    async fn spend(&self, claim: &ItemClaim, requests: u32, paces: &[Pace]) -> Result<Turn>;

    /// GitHub asks for silence: the item waits, and everything else of its installation that is for
    /// GitHub, not before `until`. Nothing of the attempt was accepted, and it is not counted.
    async fn close_lane(&self, claim: &ItemClaim, until: Timestamp, error: &str) -> Result<()>;

    /// Notes ids as soon as they are known, while the rest is still being published.
    async fn note_external(&self, claim: &ItemClaim, external: &[u64]) -> Result<()>;

    /// This version is published under these ids. A newer body that was put meanwhile waits on.
    async fn item_done(&self, claim: &ItemClaim, external: &[u64]) -> Result<()>;

    /// The attempt failed and nothing was accepted: again, not before `at`.
    async fn retry_item(&self, claim: &ItemClaim, at: Timestamp, error: &str) -> Result<()>;

    /// The attempt ended without an answer and may have been accepted: again, not before `at`, and
    /// look before creating.
    async fn retry_uncertain_item(
        &self,
        claim: &ItemClaim,
        at: Timestamp,
        error: &str,
    ) -> Result<()>;

    /// This version will not be published (its subject is gone). A newer body is tried again.
    async fn drop_item(&self, claim: &ItemClaim, error: &str) -> Result<()>;

    /// This version cannot be published as things are (the App may not write), and waits for
    /// [`Self::unpark_items`]. A newer body is tried at once.
    async fn park_item(&self, claim: &ItemClaim, error: &str) -> Result<()>;

    /// What is parked in a repository is tried again, as `installation`: an App that was taken off
    /// and came back is another one.
    async fn unpark_items(
        &self,
        installation: InstallationId,
        repository: RepositoryId,
    ) -> Result<()>;

    /// GitHub's ids of what was published; empty before.
    async fn external_ids(&self, key: &ItemKey) -> Result<Vec<u64>>;

    /// Changes the newest body of an item, if there is one. Others who change it at the same time
    /// come before or after, so that nothing of theirs is lost.
    async fn amend(&self, fence: &Fence, key: &ItemKey, amend: Amend<'_>) -> Result<()>;

    /// Puts an item whose body several have a part in. Others who do that at the same time come before or
    /// after, also where there is none yet.
    async fn put_with(
        &self,
        fence: &Fence,
        key: &ItemKey,
        priority: u8,
        compose: Compose<'_>,
    ) -> Result<()>;

    /// The newest body that was put, published or not.
    async fn item_body(&self, key: &ItemKey) -> Result<Option<serde_json::Value>>;

    /// The newest bodies of the items of a kind whose subject begins so, by subject.
    async fn items_under(
        &self,
        repository: RepositoryId,
        kind: ItemKind,
        prefix: &str,
    ) -> Result<Vec<serde_json::Value>>;

    /// Makes every item uncertain: after a restore, when GitHub may know more than the store.
    async fn distrust_items(&self) -> Result<()>;
}

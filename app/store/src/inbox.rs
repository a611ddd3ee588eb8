//! The inbox: webhook deliveries, on disk before they are answered.
//!
//! A delivery is `pending` until it is handled, then `processed`; one that failed for good is
//! `failed` until GitHub delivers it again. One that is known from GitHub's log alone is `missed`
//! until it is handed in ([`Missed`](crate::Missed)).

use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use landfall_core::name::{BranchName, CommitSha, InstallationId, PullNumber, RepositoryId};

use crate::words::uuid_id;
use crate::{Item, NewCommand, NewJob, Pull, Repository, Result, Retry};

uuid_id!(
    /// `X-GitHub-Delivery`: the same for every attempt to deliver one event.
    DeliveryId
);

/// A delivery whose signature was found good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewDelivery {
    /// Its id.
    pub id: DeliveryId,
    /// `X-GitHub-Event`: `pull_request`.
    pub event: String,
    /// The payload's `action`, for events that have one: `opened`.
    pub action: Option<String>,
    /// Who it is for; a `ping` is for nobody.
    pub installation: Option<InstallationId>,
    /// The repository it is about, if it is about one.
    pub repository: Option<RepositoryId>,
    /// The body as it came.
    pub body: Vec<u8>,
    /// When it came.
    pub received_at: Timestamp,
}

/// What became of a delivery that was handed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Inserted {
    /// It was not known, or known to be missed, and is pending now.
    New,
    /// It was known. One that had failed for good is pending again.
    Known {
        /// Whether it was handled already, so that nothing will happen.
        processed: bool,
    },
}

/// A delivery that is to be handled now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// What came.
    pub delivery: NewDelivery,
    /// Which attempt to handle it this is, from 1. Counted when it is claimed, so that one that
    /// kills the process is counted too.
    pub attempt: u32,
}

/// Everything that follows from a delivery. Written with the note that it was processed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Consequences {
    /// What was learnt about repositories.
    pub repositories: Vec<Repository>,
    /// What was learnt about pull requests.
    pub pulls: Vec<Pull>,
    /// The pull requests that a plan is asked for, among or beside `pulls`.
    pub asked: Vec<(RepositoryId, PullNumber)>,
    /// Where branches are said to be.
    pub heads: Vec<PushedHead>,
    /// What somebody said.
    pub commands: Vec<NewCommand>,
    /// What is to be published at once.
    pub items: Vec<Item>,
    /// What has to be done.
    pub jobs: Vec<NewJob>,
}

/// Where a branch was when a push was announced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PushedHead {
    /// The repository.
    pub repository: RepositoryId,
    /// The branch.
    pub branch: BranchName,
    /// Its head; none when it was deleted.
    pub head: Option<CommitSha>,
}

/// What may go from the inbox. Only processed and failed deliveries go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Purge {
    /// Bodies of deliveries older than this are dropped.
    pub bodies_after: Duration,
    /// Deliveries older than this are forgotten. Seven days at least, whatever is said here.
    pub ids_after: Duration,
}

/// GitHub can be asked to deliver again for three days, and a delivery that was forgotten would
/// count as new; more than twice that is kept.
const IDS_AT_LEAST: Duration = Duration::from_hours(7 * 24);

impl Purge {
    /// The age at which deliveries are forgotten.
    pub(crate) fn forgotten_after(&self) -> Duration {
        self.ids_after.max(IDS_AT_LEAST)
    }
}

/// Webhook deliveries.
#[async_trait]
pub trait Inbox {
    /// Puts a delivery on disk. When this returns, it may be answered.
    async fn insert_delivery(&self, delivery: &NewDelivery) -> Result<Inserted>;

    /// Claims the oldest pending deliveries, in the order in which they came, for `lease`. One
    /// that is neither finished nor failed by then can be claimed again.
    async fn claim_deliveries(&self, limit: u32, lease: Duration) -> Result<Vec<Delivery>>;

    /// Writes the consequences of deliveries and the notes that they were processed, in this order
    /// and in one transaction: all of it or, with an error, nothing. A delivery that is processed
    /// already changes nothing.
    async fn finish_deliveries(&self, handled: &[(DeliveryId, Consequences)]) -> Result<()>;

    /// As [`finish_deliveries`](Self::finish_deliveries), for one.
    async fn finish_delivery(&self, id: DeliveryId, consequences: &Consequences) -> Result<()> {
        self.finish_deliveries(&[(id, consequences.clone())]).await
    }

    /// Notes that handling failed, or fetching one that was missed. The error is shown to the operator; no payload belongs in it.
    async fn fail_delivery(&self, id: DeliveryId, error: &str, retry: Retry) -> Result<()>;

    /// How many deliveries wait to be handled.
    async fn pending_deliveries(&self) -> Result<u64>;

    /// Drops what is not needed any more and says how many rows changed.
    async fn purge_deliveries(&self, purge: Purge) -> Result<u64>;
}

//! Missed deliveries: what stands in GitHub's delivery log and never came here.
//!
//! GitHub repeats nothing by itself, but it keeps what it tried to deliver for days. The log is
//! read back to where it was read before, and what the inbox does not know is noted in it as
//! `missed`, together with how far the log was read: from then on nothing of it can be forgotten.
//! A missed delivery is fetched and handed in like any other
//! ([`insert_delivery`](crate::Inbox::insert_delivery)), so one that comes by itself meanwhile is
//! the same, and what could not be fetched is failed like any other
//! ([`fail_delivery`](crate::Inbox::fail_delivery)).

use async_trait::async_trait;
use jiff::Timestamp;
use landfall_core::name::{InstallationId, RepositoryId};

use crate::{DeliveryId, Fence, Result};

/// How far GitHub's delivery log was read. Both ends are GitHub's, so no clock of ours is in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogRead {
    /// The number of the newest attempt that stood in the log when the store was new. What is not
    /// newer is none of our past: an old command must not be carried out on a fresh store.
    pub after: u64,
    /// When the newest attempt was made that was read. Everything up to here that lacked is noted.
    pub to: Timestamp,
}

/// A delivery that is in GitHub's log, and how it can be had from there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoggedDelivery {
    /// Its id, the same for every attempt.
    pub id: DeliveryId,
    /// The number in the log of the newest attempt to deliver it.
    pub attempt: u64,
    /// Whether somebody had GitHub make that attempt.
    pub redelivery: bool,
    /// `X-GitHub-Event`: `pull_request`.
    pub event: String,
    /// The payload's `action`, for events that have one: `opened`.
    pub action: Option<String>,
    /// Who it is for.
    pub installation: Option<InstallationId>,
    /// The repository it is about, if it is about one.
    pub repository: Option<RepositoryId>,
}

/// A missed delivery that is to be fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissedDelivery {
    /// What the log says of it.
    pub logged: LoggedDelivery,
    /// How often fetching it has failed.
    pub failures: u32,
    /// Not to be fetched before this.
    pub ready_at: Timestamp,
}

/// What GitHub's log has and the inbox lacks.
#[async_trait]
pub trait Missed {
    /// How far the log was read; none on a fresh store.
    async fn log_read(&self) -> Result<Option<LogRead>>;

    /// Notes which of `found`, in this order, the inbox lacks, and how far the log was read, in one
    /// transaction. Says how many are new. One that failed for good counts as lacking once somebody
    /// has had GitHub deliver it again. Neither end of what was read goes back.
    async fn note_missed(
        &self,
        fence: &Fence,
        found: &[LoggedDelivery],
        read: LogRead,
    ) -> Result<u64>;

    /// The missed deliveries that were not fetched yet, those first that may be fetched first.
    async fn missed_deliveries(&self, limit: u32) -> Result<Vec<MissedDelivery>>;
}

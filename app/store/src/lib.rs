//! The store: everything that Landfall must not forget, behind one trait.
//!
//! [`Store`] is the sum of one trait per group of tables. Two engines implement it and pass the same
//! conformance suite (`tests/conformance`): SQLite, a file for one server, and PostgreSQL, a database
//! that any number of servers share.
//! A row changes only through an operation that names what happens, and each operation is one
//! transaction: what belongs together is never half there.
//!
//! Rules that hold for every engine:
//! - A job writes under a [`Fence`]. When its claim has expired or somebody else has the job, the
//!   write is refused with [`StoreError::StaleEpoch`] and nothing of it is kept.
//! - What is written to a provider is written under a [`LeaseProof`], which only this crate makes.
//! - Time is the store's own ([`Store::now`]), so that several servers agree about leases. Stored
//!   times are whole milliseconds.
//!
//! No other crate names a database. This one decides nothing: it does not know what a plan means
//! or when a run may start, only which steps from one row to the next are legal.
//!
//! [`LeaseProof`]: landfall_core::lease::LeaseProof

mod allowed;
mod archive;
mod audit;
mod backup;
mod chores;
mod clock;
mod columns;
mod commands;
mod error;
mod inbox;
mod jobs;
mod leases;
mod locks;
mod missed;
mod outbox;
mod pace;
mod plans;
mod postgres;
mod pulls;
mod repositories;
mod resources;
mod restore;
mod restores;
mod rows;
mod runs;
mod sqlite;
mod steps;
mod tables;
mod words;

use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use tokio::sync::watch;

pub use allowed::{AllowedHead, AllowedHeads};
pub use archive::{ArchiveError, Header};
pub use audit::{Audit, AuditEntry, AuditRow};
pub use backup::{Contents, back_up};
pub use chores::{Chore, Chores};
pub use clock::{Clock, ManualClock, SystemClock};
pub use commands::{Command, CommandId, CommandSource, Commands, Heard, Meant, NewCommand};
pub use error::{Result, StoreError};
pub use inbox::{
    Consequences, Delivery, DeliveryId, Inbox, Inserted, NewDelivery, Purge, PushedHead,
};
pub use jobs::{
    BACKGROUND, ClaimJob, ClaimedJob, DeployRequest, Fence, GivenUp, JobId, JobKey, JobKind, Jobs,
    NewJob, Retry,
};
pub use leases::{Acquired, LeaseRequest, Leases};
pub use locks::{Lock, Locks};
pub use missed::{LogRead, LoggedDelivery, Missed, MissedDelivery};
pub use outbox::{
    Addressee, Amend, ClaimedItem, Compose, Item, ItemClaim, ItemKey, ItemKind, Outbox, Turn,
};
pub use pace::Pace;
pub use plans::{NewPlan, PlanId, PlanScope, Plans, Published, StoredPlan};
pub use pulls::{Asked, PlanMade, Pull, PullState, Pulls};
pub use repositories::{Applied, Environment, KnownHeads, Repositories, Repository};
pub use resources::{OwnedResource, Resources};
pub use restore::{Occupied, Refilled, restore};
pub use restores::{Restored, Restores};
pub use runs::{Approval, Created, NewRun, Run, RunId, RunState, Runs, Trigger};
pub use steps::{ProofQuery, Proofs, ReadBack, Step, StepId, StepState, Steps, Unresolved};
pub use tables::{Tables, tables};

/// What a worker may wait for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Topic {
    /// A delivery to handle.
    Inbox,
    /// A job to claim.
    Jobs,
    /// Something to publish.
    Outbox,
}

/// What is not done yet, whether it is being worked on, waits its turn or waits for its time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Backlog {
    /// Deliveries that were not handled, those among them that have to be fetched first.
    pub deliveries: u64,
    /// Jobs, without those that were given up.
    pub jobs: u64,
    /// Those among them that nobody asked for: looking for what was missed, and comparing.
    pub background: u64,
    /// Items whose newest body is not published.
    pub items: u64,
}

impl Backlog {
    /// Whether nothing is left to do.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Whether nothing is left to do but what comes again and again by itself.
    #[must_use]
    pub fn is_quiet(&self) -> bool {
        *self == Self { jobs: self.background, background: self.background, ..Self::default() }
    }
}

/// Everything that Landfall must not forget.
#[async_trait]
pub trait Store:
    Inbox
    + Missed
    + Jobs
    + Commands
    + Leases
    + Locks
    + Repositories
    + Pulls
    + AllowedHeads
    + Plans
    + Runs
    + Steps
    + Resources
    + Outbox
    + Audit
    + Restores
    + Chores
    + Send
    + Sync
{
    /// The store's time, in whole milliseconds. Leases and retries are measured with it.
    async fn now(&self) -> Result<Timestamp>;

    /// Whether the store can be written to, found out by writing.
    async fn ready(&self) -> Result<()>;

    /// What is damaged, a line for each fault that the engine finds in its own pages, indexes and
    /// references. Reads everything. `PostgreSQL` offers no such look to everybody, and finds nothing.
    async fn damage(&self) -> Result<Vec<String>>;

    /// How much is left to do, in every queue at one moment.
    async fn backlog(&self) -> Result<Backlog>;

    /// Changes when there may be new work. Subscribe before asking for work, and ask again every
    /// few seconds all the same: a change is a hint, not a promise.
    fn watch(&self, topic: Topic) -> watch::Receiver<u64>;

    /// Waits for writes under way and closes. Nothing may be asked afterwards.
    async fn close(&self);
}

/// Opens the store behind `url` and brings its tables up to date: `sqlite:PATH`, `sqlite::memory:`
/// for a store that lives as long as the process, or `postgres://USER@HOST/DATABASE`. No error holds
/// the URL, which may have a password in it.
///
/// # Errors
/// The URL names no engine that there is, the engine is too old to be trusted, the file cannot be
/// written or the server does not answer, or its tables come from a newer Landfall.
pub async fn open(url: &str, clock: Arc<dyn Clock>) -> Result<Arc<dyn Store>> {
    match url.split_once(':') {
        Some(("sqlite", _)) => Ok(Arc::new(sqlite::Sqlite::open(url, clock).await?)),
        Some(("postgres" | "postgresql", _)) => {
            Ok(Arc::new(postgres::Postgres::open(url, clock).await?))
        }
        _ => Err(StoreError::Address),
    }
}

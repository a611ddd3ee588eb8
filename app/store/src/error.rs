//! What can go wrong in the store, as far as a caller acts differently on it.

use landfall_core::name::EnvironmentName;
use landfall_core::plan::{Owner, ResourceKey, Target};

use crate::{ArchiveError, RunId, RunState, StepId};

/// What an operation of the store comes to.
pub type Result<T> = std::result::Result<T, StoreError>;

/// Why the store refused, or could not answer.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The job, delivery or outbox item is no longer claimed by who writes. Stop working on it:
    /// somebody else does.
    #[error("the claim has expired or is somebody else's now")]
    StaleEpoch,
    /// The lease has expired or is somebody else's. Write nothing more to the target.
    #[error("the lease on {0} is lost")]
    LeaseLost(Target),
    /// A run cannot go from the one state to the other.
    #[error("run {run} is {from} and cannot become {to}")]
    IllegalTransition {
        /// The run.
        run: RunId,
        /// What it is.
        from: RunState,
        /// What it was to become.
        to: RunState,
    },
    /// Somebody keeps every run of the environment from beginning.
    #[error("{0} is locked")]
    Locked(EnvironmentName),
    /// The resource has another owner; nothing of the operation was kept.
    #[error("{key} belongs to {} of repository {}", owner.unit, owner.repository)]
    OwnedElsewhere {
        /// The resource.
        key: Box<ResourceKey>,
        /// Whose it is.
        owner: Box<Owner>,
    },
    /// The step has its result already, and a result is final.
    #[error("step {0} has its result already")]
    StepEnded(StepId),
    /// There is no such row.
    #[error("there is no {0}")]
    Missing(String),
    /// The URL names no engine that there is.
    #[error("a store is `sqlite:PATH` or `postgres://USER@HOST/DATABASE`")]
    Address,
    /// The engine is too old to be trusted with what must not be lost.
    #[error("{engine} {found} is too old to be trusted; {needed} or newer is needed")]
    Engine {
        /// Which engine.
        engine: &'static str,
        /// Its version.
        found: String,
        /// The first version that will do.
        needed: &'static str,
    },
    /// Another version of Landfall brought the tables up to date last.
    #[error("its tables are of version {found}, and this Landfall knows version {known}")]
    Tables {
        /// The version that they have.
        found: i64,
        /// The version that they should have.
        known: i64,
    },
    /// What was to be restored is no whole backup that this version can read. Nothing was changed.
    #[error("the backup is not used")]
    Archive(#[from] ArchiveError),
    /// A restore would take the place of what is there. Nothing was changed.
    #[error("the store has something in it already")]
    NotEmpty,
    /// A server has the store open. Nothing was changed.
    #[error("the store is in use")]
    InUse,
    /// A row does not read back: another version wrote it, or the file is damaged.
    #[error("the column `{column}` does not read back: {reason}")]
    Unreadable {
        /// The column.
        column: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// The database failed: no space, no permission, no connection. The same may work later.
    #[error("the database failed: {0}")]
    Database(Box<dyn std::error::Error + Send + Sync>),
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(Box::new(error))
    }
}

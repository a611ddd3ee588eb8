//! Target leases: who writes to a target now, across environments and repositories.
//!
//! The job's fence keeps two workers from running one environment; the lease keeps two
//! environments from writing to one target. Its epoch grows with every holder and never goes back,
//! so a proof that was given out once cannot become good again. Expiry cannot stop a request that
//! is on its way: a write has a deadline under a third of the lease, and checks the lease right before.

use std::collections::BTreeSet;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use landfall_core::lease::LeaseProof;
use landfall_core::plan::Target;

use crate::{Fence, Result, RunId};

/// Which leases are wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeaseRequest {
    /// What is to be written to. Taken in this order.
    pub targets: BTreeSet<Target>,
    /// The run that writes.
    pub holder: RunId,
    /// How long it may take without renewal.
    pub duration: Duration,
}

/// What a request came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Acquired {
    /// All of them are held, one proof per target in order.
    Held(Vec<LeaseProof>),
    /// None is held, because of this one.
    Busy {
        /// The target somebody else writes to.
        target: Target,
        /// The run that does.
        holder: RunId,
        /// Until when, unless it is renewed.
        until: Timestamp,
    },
}

/// Who writes to a target now.
#[async_trait]
pub trait Leases {
    /// Takes all of the leases or none. A lease that is held is busy even for its holder: a run
    /// that was cut off waits until what it may have sent has had its time.
    async fn acquire_leases(&self, fence: &Fence, request: &LeaseRequest) -> Result<Acquired>;

    /// Holds all of the leases for another `duration` from now, or says which one is lost and
    /// renews none.
    async fn renew_leases(&self, leases: &[LeaseProof], duration: Duration) -> Result<()>;

    /// Says whether the lease is held still: right before every short effect.
    async fn check_lease(&self, lease: &LeaseProof) -> Result<()>;

    /// Gives the leases up. One that is lost already is no error.
    async fn release_leases(&self, leases: &[LeaseProof]) -> Result<()>;
}

//! The leases of a run: those of all its targets while it finds out what there is to do, and then
//! only that of the target which it writes to now.
//!
//! Planning needs them all at once, so that nothing is looked at while somebody writes it. Carrying out
//! needs one at a time, and holds no other: an effect that takes an hour keeps nobody from the
//! targets before and behind it. What others write there meanwhile is noticed, because every effect
//! first checks what it was planned for. Who waits for a lease holds none, so nobody waits in a circle.

use std::collections::BTreeSet;

use landfall_core::lease::LeaseProof;
use landfall_core::plan::Target;
use landfall_os::clock::Moment;
use landfall_providers::Hold;
use landfall_store::{Acquired, Fence, LeaseRequest, RunId, StoreError};

use super::Ended;
use crate::house::{Timing, Tools};

/// The leases that a run holds.
#[derive(Debug)]
pub struct Holding<'a> {
    tools: Tools<'a>,
    fence: Fence,
    run: RunId,
    leases: Vec<LeaseProof>,
}

/// Somebody else writes to a target.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{target} is being written to by run {holder}")]
pub struct Busy {
    /// The target.
    pub target: Target,
    /// The run that writes to it.
    pub holder: RunId,
    /// Until when it may, unless it goes on.
    pub until: jiff::Timestamp,
}

/// A lease, and how to write under it.
#[derive(Debug)]
pub struct Held<'a> {
    /// The lease, for the store.
    pub lease: &'a LeaseProof,
    /// The same, for a provider.
    pub hold: Hold<'a>,
}

impl Busy {
    /// The job is to come again.
    #[must_use]
    pub fn later(&self, timing: &Timing) -> Ended {
        Ended::Later(turn(timing), self.to_string())
    }
}

/// How often it is asked whether it is our turn.
#[must_use]
pub fn turn(timing: &Timing) -> std::time::Duration {
    timing.poll.min(std::time::Duration::from_secs(2))
}

impl<'a> Holding<'a> {
    /// Takes the leases of `targets`, all or none.
    ///
    /// # Errors
    /// The store could not be asked, or the job is somebody else's now.
    pub async fn take(
        tools: Tools<'a>,
        fence: Fence,
        run: RunId,
        targets: BTreeSet<Target>,
    ) -> anyhow::Result<Result<Self, Busy>> {
        let taken = acquire(tools, fence, run, targets).await?;
        Ok(taken.map(|leases| Self { tools, fence, run, leases }))
    }

    /// Lets go of all but `target`, and holds that for as long as a lease lasts from now on. Waits a
    /// while for its turn if others write there.
    ///
    /// # Errors
    /// The store could not be asked, or the job or the lease is somebody else's now.
    pub async fn turn_to(&mut self, target: &Target) -> anyhow::Result<Result<Held<'_>, Busy>> {
        let (store, timing) = (self.tools.store, self.tools.timing);
        let (here, elsewhere): (Vec<_>, Vec<_>) =
            self.leases.drain(..).partition(|lease| lease.target() == target);
        self.leases = here;
        if !elsewhere.is_empty() {
            store.release_leases(&elsewhere).await?;
        }
        // Before the store is asked: by its clock the lease lasts a little longer than this.
        let mut from = Moment::now();
        if !self.leases.is_empty() {
            match store.renew_leases(&self.leases, timing.target_lease).await {
                // Planning took longer than a lease lasts. What others wrote since is noticed.
                Err(StoreError::LeaseLost(_)) => self.leases.clear(),
                other => other?,
            }
        }
        if self.leases.is_empty() {
            let patience = Moment::now() + timing.target_lease / 6;
            loop {
                from = Moment::now();
                let targets = BTreeSet::from([target.clone()]);
                match acquire(self.tools, self.fence, self.run, targets).await? {
                    Ok(leases) => break self.leases = leases,
                    Err(busy) if patience.is_over() => return Ok(Err(busy)),
                    Err(_) => tokio::time::sleep(turn(timing)).await,
                }
            }
        }
        let Some(lease) = self.leases.first() else { anyhow::bail!("{target} has no lease") };
        let until = from + timing.target_lease - timing.request;
        Ok(Ok(Held { lease, hold: Hold::new(lease, until) }))
    }

    /// Lets go of what is held.
    ///
    /// # Errors
    /// The store could not be asked.
    pub async fn release(self) -> anyhow::Result<()> {
        Ok(self.tools.store.release_leases(&self.leases).await?)
    }
}

async fn acquire(
    tools: Tools<'_>,
    fence: Fence,
    run: RunId,
    targets: BTreeSet<Target>,
) -> anyhow::Result<Result<Vec<LeaseProof>, Busy>> {
    let request = LeaseRequest { targets, holder: run, duration: tools.timing.target_lease };
    Ok(match tools.store.acquire_leases(&fence, &request).await? {
        Acquired::Held(leases) => Ok(leases),
        Acquired::Busy { target, holder, until } => Err(Busy { target, holder, until }),
    })
}

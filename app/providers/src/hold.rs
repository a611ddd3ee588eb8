//! A lease as a writer holds it: what may be written to, and until when.
//!
//! The database says who holds a target; a paused process cannot ask it between waking up and
//! sending. So each request that changes something is preceded by a look at this machine's clock,
//! which counts the time it slept. What is left is a process that stops between that look and the
//! system call: there only the provider itself could refuse, and what was sent is read back.

use std::fmt;
use std::time::Duration;

use landfall_core::lease::LeaseProof;
use landfall_core::plan::Target;
use landfall_os::clock::Moment;

use crate::provider::Later;

/// The right to write to a target for a while.
#[derive(Debug, Clone, Copy)]
pub struct Hold<'a> {
    lease: &'a LeaseProof,
    until: Moment,
}

/// A request was not sent, because it might have outlived its lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Lapsed;

impl<'a> Hold<'a> {
    /// `until` is the last moment at which a request may begin so that it ends within the lease.
    #[must_use]
    pub fn new(lease: &'a LeaseProof, until: Moment) -> Self {
        Self { lease, until }
    }

    /// What may be written to.
    #[must_use]
    pub fn target(&self) -> &'a Target {
        self.lease.target()
    }

    /// Whether a request that changes something may begin now: asked right before each.
    pub(crate) fn begin(&self) -> Result<(), Lapsed> {
        if self.until.is_over() { Err(Lapsed) } else { Ok(()) }
    }
}

impl From<Lapsed> for Later {
    fn from(lapsed: Lapsed) -> Self {
        Self { after: Duration::ZERO, why: lapsed.to_string() }
    }
}

impl fmt::Display for Lapsed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("it was not sent, because the lease of its target would have ended meanwhile")
    }
}

//! Proof that the one who writes to a target holds its lease.

use crate::plan::Target;

/// The right to write to one target now.
///
/// Functions that apply take a reference to it, so that they cannot be called by who has no lease.
/// Only the store makes one, when the lease is on disk; `tests/tidy.rs` holds that rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeaseProof {
    target: Target,
    epoch: i64,
}

impl LeaseProof {
    /// For the store alone.
    #[must_use]
    pub fn new(target: Target, epoch: i64) -> Self {
        Self { target, epoch }
    }

    /// What may be written to.
    #[must_use]
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// The fencing token: it grows with every holder, and a write with an older one is refused.
    #[must_use]
    pub fn epoch(&self) -> i64 {
        self.epoch
    }
}

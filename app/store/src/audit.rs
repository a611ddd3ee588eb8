//! The audit log: who did what, on which digest, and why. It is only ever added to.

use async_trait::async_trait;
use jiff::Timestamp;
use landfall_core::name::{EnvironmentName, RepositoryId};
use landfall_core::plan::Digest;

use crate::Result;

/// Something that was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEntry {
    /// Who did it: `octocat (583231)`, or `landfall` for what follows from a rule.
    pub who: String,
    /// What was done, in a word: `apply`, `unlock`, `refused`.
    pub what: String,
    /// In which repository.
    pub repository: RepositoryId,
    /// In which environment, if in one.
    pub environment: Option<EnvironmentName>,
    /// On which plan, if on one.
    pub digest: Option<Digest>,
    /// Why: what they wrote, or which rule it was.
    pub why: String,
}

/// An entry with its time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditRow {
    /// When it was done.
    pub at: Timestamp,
    /// What was.
    pub entry: AuditEntry,
}

/// Who did what.
#[async_trait]
pub trait Audit {
    /// Adds an entry.
    async fn append_audit(&self, entry: &AuditEntry) -> Result<()>;

    /// The newest entries of a repository, newest first.
    async fn audit(&self, repository: RepositoryId, limit: u32) -> Result<Vec<AuditRow>>;
}

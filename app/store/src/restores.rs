//! Restores: when the store was put back to what it was.

use async_trait::async_trait;
use jiff::Timestamp;

use crate::Result;

/// The store was restored from a backup.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Restored {
    /// When. What was said before it was said about another state of the store.
    pub at: Timestamp,
    /// When the backup was taken. What happened between the two the store does not know.
    pub taken_at: Timestamp,
    /// Whether everything was asked for that heals it.
    pub followed_up: bool,
}

/// When the store was restored.
#[async_trait]
pub trait Restores {
    /// The last restore; none when there never was one.
    async fn last_restore(&self) -> Result<Option<Restored>>;

    /// Everything was asked for that heals what the last restore took back.
    async fn note_followed_up(&self) -> Result<()>;
}

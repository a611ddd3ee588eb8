//! Chores: what one server does for all that share the store, again and again.
//!
//! Nothing else depends on one. A server that begins one puts it off for everybody else until it
//! must be over; then, for as long as is left. If it dies, another one begins it some time later.

use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;

use crate::Result;
use crate::words::words;

words!(
    /// What is done.
    pub enum Chore {
        /// A backup.
        Backup => "backup",
    }
);

/// Work for one server at a time.
#[async_trait]
pub trait Chores {
    /// Begins a chore if it is due, and puts it off for `lease`. One that was never done is due.
    async fn begin_chore(&self, chore: Chore, lease: Duration) -> Result<bool>;

    /// Puts a chore off until `due`: it was done, or is to be tried again.
    async fn put_off_chore(&self, chore: Chore, due: Timestamp) -> Result<()>;
}

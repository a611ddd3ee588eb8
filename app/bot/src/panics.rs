//! Panics: faults of Landfall itself, kept to the piece of work that they happen in.
//!
//! Nobody may be able to end the server for everybody by what they push. So one delivery, one job,
//! one publication and one answer are each carried out here, where a panic comes out as an error
//! like any other: the work is tried again, as often as work is, and then left for a person.
//! Nothing is broken by that: a transaction that is dropped leaves nothing, a step that was cut off
//! is read back, and a lock that was held is taken all the same.
//!
//! A panic anywhere else, in the loop of a worker say, ends the process with an error, so that it
//! is started anew: see [`server`](crate::server).
//!
//! What a panic says may hold anything. It goes to the log, through the redactor, and nowhere else.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use futures::FutureExt as _;

/// What work comes to that panics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a fault in Landfall itself: the log says where")]
pub struct Panicked;

/// Where panics are caught and counted. Clones share the count.
#[derive(Debug, Clone, Default)]
pub struct Panics(Arc<AtomicU64>);

impl Panics {
    /// Carries out a piece of work.
    ///
    /// # Errors
    /// It panicked. All that it held is dropped.
    pub async fn caught<T>(&self, work: impl Future<Output = T>) -> Result<T, Panicked> {
        // Not what the panic says: see above.
        AssertUnwindSafe(work).catch_unwind().await.map_err(|_| {
            self.0.fetch_add(1, Ordering::Relaxed);
            Panicked
        })
    }

    /// How many were caught since the start.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn work_that_panics_ends_with_an_error_that_does_not_repeat_it() {
        let panics = Panics::default();
        assert_eq!(panics.caught(async { 7 }).await, Ok(7));
        assert_eq!(panics.count(), 0);

        let works = async || {
            tokio::task::yield_now().await;
            panic!("the token is hunter2");
        };
        let panicked: Panicked = panics.clone().caught(works()).await.unwrap_err();
        assert_eq!(panicked.to_string(), "a fault in Landfall itself: the log says where");
        assert_eq!(panics.count(), 1, "clones share the count");
    }
}

//! Publishing: what the outbox holds, to GitHub.
//!
//! An item says what is to be there (the comment on pull request 7, the check on a commit); this
//! module makes it so, once. Nothing is created before it is certain that it is not there already:
//! an item remembers the ids of what it made, and one whose last attempt was cut off is looked up.
//! No decision is made here, and nothing but the outbox writes to GitHub.

use std::time::Duration;

use jiff::Timestamp;
use landfall_github::{Failure, GithubError, InstalledRepository, Reader, Writer};
use landfall_store::{ClaimedItem, ItemKind};
use serde::de::DeserializeOwned;
use tokio_util::sync::CancellationToken;

use crate::house::{House, wait};
use crate::panics::Panicked;

pub mod body;
mod check;
mod comment;
mod deployment;
mod reaction;

pub use body::{CheckBody, CommentBody, DeploymentBody, ReactionBody};

/// How an attempt ended.
#[derive(Debug)]
enum Ended {
    /// It is there, under these ids.
    Done(Vec<u64>),
    /// Not as it should have.
    Failed(Why),
}

/// Why an attempt failed.
#[derive(Debug, thiserror::Error)]
enum Why {
    /// GitHub was asked and said no, or could not be asked.
    #[error(transparent)]
    Github(GithubError),
    /// At some point of it, before GitHub was asked or after.
    #[error(transparent)]
    Panicked(Panicked),
    /// The claim would not have lasted any longer.
    #[error("it took longer than an attempt may")]
    TooLong,
    /// Whoever comes next has to look what was accepted.
    #[error("the server stopped in the middle of it")]
    Stopped,
    /// What the store has of it, no version of ours has written.
    #[error("its body cannot be read: {0}")]
    Unreadable(serde_json::Error),
}

impl From<GithubError> for Ended {
    fn from(error: GithubError) -> Self {
        Self::Failed(Why::Github(error))
    }
}

/// What publishing one item works with.
#[derive(Debug)]
struct Desk<'a> {
    house: &'a House,
    item: &'a ClaimedItem,
    reader: Reader,
    writer: Writer,
}

/// Publishes one claimed item and notes what came of it; or, once it is `over`, that nobody knows.
///
/// # Errors
/// The store could not be asked or written to.
pub async fn publish(
    house: &House,
    item: &ClaimedItem,
    over: &CancellationToken,
) -> anyhow::Result<()> {
    let key = &item.item.key;
    let Some(repository) = house.store.repository(key.repository).await? else {
        house.store.drop_item(&item.claim, "the repository is not known any more").await?;
        return Ok(());
    };
    // One item was told to wait, so all of them wait: going on would be held against the App.
    let now = house.store.now().await?;
    if let Some(until) = house.github.limits(key.installation).wait_until(now) {
        house.store.retry_item(&item.claim, until, "GitHub's limit is used up").await?;
        return Ok(());
    }
    let on = InstalledRepository {
        installation: key.installation,
        id: repository.id,
        name: repository.name,
    };
    let desk = Desk {
        house,
        item,
        reader: house.github.reader(on.clone()),
        writer: house.github.writer(on),
    };
    let deadline = house.timing.publication_deadline;
    let attempt = tokio::time::timeout(deadline, house.panics.caught(desk.publish()));
    let ended = match over.run_until_cancelled(attempt).await {
        Some(Ok(Ok(ended))) => ended?,
        Some(Ok(Err(panicked))) => Ended::Failed(Why::Panicked(panicked)),
        Some(Err(_)) => Ended::Failed(Why::TooLong),
        None => Ended::Failed(Why::Stopped),
    };
    match ended {
        Ended::Done(ids) => Ok(house.store.item_done(&item.claim, &ids).await?),
        Ended::Failed(why) => desk.give_back(&why).await,
    }
}

impl Desk<'_> {
    async fn publish(&self) -> anyhow::Result<Ended> {
        match self.item.item.key.kind {
            ItemKind::Comment => self.comment().await,
            ItemKind::Check => self.check().await,
            ItemKind::Deployment => self.deployment().await,
            ItemKind::Reaction => self.reaction().await,
        }
    }

    fn body<T: DeserializeOwned>(&self) -> Result<T, Ended> {
        let body = serde_json::from_value(self.item.item.body.clone());
        body.map_err(|error| Ended::Failed(Why::Unreadable(error)))
    }

    /// What may be shown to people.
    fn clean(&self, text: &str) -> String {
        self.house.redactor.redact(text).into_owned()
    }

    /// Puts an item back, or drops it when no attempt could ever succeed.
    async fn give_back(&self, why: &Why) -> anyhow::Result<()> {
        let store = &self.house.store;
        let now = store.now().await?;
        let (claim, attempt) = (&self.item.claim, self.item.attempt);
        let told = why.to_string();
        tracing::warn!(item = %self.item.item.key, attempt, error = %told, "not published");
        let timing = &self.house.timing;
        let wait = match why {
            Why::Stopped => timing.late,
            _ => wait(&timing.publication, attempt),
        };
        match next(why, attempt, now, wait) {
            Next::Retry(at) => store.retry_item(claim, at, &told).await?,
            Next::Look(at) => store.retry_uncertain_item(claim, at, &told).await?,
            Next::Drop => store.drop_item(claim, &told).await?,
        }
        Ok(())
    }
}

/// What happens to an item after a failure.
#[derive(Debug, PartialEq, Eq)]
enum Next {
    /// Nothing was accepted: again.
    Retry(Timestamp),
    /// It may have been accepted: again, and look first.
    Look(Timestamp),
    /// Never again.
    Drop,
}

/// After this many refusals GitHub is believed, and after this many panics that it is our fault.
const ENOUGH: u32 = 5;

/// The policy: one visible `match`. `wait` is ours, for failures where GitHub did not say how long.
fn next(why: &Why, attempt: u32, now: Timestamp, wait: Duration) -> Next {
    let later = now.saturating_add(wait).unwrap_or(now);
    let failure = match why {
        Why::Github(error) => &error.failure,
        Why::Panicked(_) if attempt < ENOUGH => return Next::Look(later),
        Why::TooLong | Why::Stopped => return Next::Look(later),
        Why::Panicked(_) | Why::Unreadable(_) => return Next::Drop,
    };
    match failure {
        Failure::Limited { until } => Next::Retry((*until).max(now)),
        Failure::Unreachable { .. } => Next::Retry(later),
        Failure::Unknown { .. } | Failure::Malformed { .. } => Next::Look(later),
        Failure::Denied { .. } | Failure::Unprocessable { .. } if attempt < ENOUGH => {
            Next::Retry(later)
        }
        Failure::Denied { .. } | Failure::Unprocessable { .. } => Next::Drop,
        Failure::NotFound | Failure::Gone | Failure::NotInstalled => Next::Drop,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::constant(1_000, 0);
    const WAIT: Duration = Duration::from_secs(8);

    fn after(failure: Failure, attempt: u32) -> Next {
        let call = "POST /repos/acme/homelab/issues/7/comments".to_owned();
        next(&Why::Github(GithubError { call, failure }), attempt, NOW, WAIT)
    }

    #[test]
    fn only_what_may_have_been_accepted_is_looked_for() {
        let later = Timestamp::constant(1_008, 0);
        let unknown = Failure::Unknown { why: "status 502".into() };
        assert_eq!(after(unknown, 1), Next::Look(later));
        assert_eq!(next(&Why::Panicked(Panicked), 1, NOW, WAIT), Next::Look(later));
        assert_eq!(next(&Why::TooLong, 9, NOW, WAIT), Next::Look(later));
        let unreachable = Failure::Unreachable { why: "refused".into() };
        assert_eq!(after(unreachable, 3), Next::Retry(later));
    }

    #[test]
    fn where_github_says_how_long_to_wait_that_is_done() {
        for seconds in [1_001, 1_060] {
            let until = Timestamp::constant(seconds, 0);
            assert_eq!(after(Failure::Limited { until }, 9), Next::Retry(until));
        }
        let over = Failure::Limited { until: Timestamp::constant(999, 0) };
        assert_eq!(after(over, 1), Next::Retry(NOW));
    }

    #[test]
    fn a_refusal_is_believed_in_the_end() {
        let denied = Failure::Denied { message: "Resource not accessible by integration".into() };
        assert_ne!(after(denied.clone(), 1), Next::Drop);
        assert_eq!(after(denied, ENOUGH), Next::Drop);
        assert_eq!(after(Failure::NotFound, 1), Next::Drop);
        let unreadable = serde_json::from_str::<CommentBody>("[]").unwrap_err();
        assert_eq!(next(&Why::Unreadable(unreadable), 1, NOW, WAIT), Next::Drop);
        assert_eq!(next(&Why::Panicked(Panicked), ENOUGH, NOW, WAIT), Next::Drop);
    }
}

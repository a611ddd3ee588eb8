//! Publishing: what the outbox holds, to GitHub and to those who are notified.
//!
//! An item says what is to be there (the comment on pull request 7, the check on a commit); this
//! module makes it so, once. Nothing is created before it is certain that it is not there already:
//! an item remembers the ids of what it made, and one whose last attempt was cut off is looked up.
//! A notification cannot be looked up: see [`notification`]. Before anything is created at GitHub,
//! the store is asked for room, because all servers share one pace. No decision is made here but
//! what becomes of an item that failed (`policy`), and nothing but the outbox writes to GitHub.

use landfall_core::markdown;
use landfall_github::{GithubError, InstalledRepository, Reader, Writer};
use landfall_os::clock::Moment;
use landfall_store::{Addressee, ClaimedItem, ItemKind, Turn};
use serde::de::DeserializeOwned;
use tokio_util::sync::CancellationToken;

use crate::house::{House, wait};

pub mod body;
mod check;
mod comment;
mod deployment;
mod issue;
pub mod notification;
mod policy;
mod protection;
mod reaction;

pub use body::{
    AnswerBody, CheckBody, CommentBody, DeploymentBody, IssueBody, NotificationBody, ReactionBody,
};
use policy::{Next, Why, next};

/// How an attempt ended.
#[derive(Debug)]
enum Ended {
    /// It is there, under these ids.
    Done(Vec<u64>),
    /// Its turn has not come, and it was put back.
    Waits,
    /// Not as it should have.
    Failed(Why),
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
    /// When the right to write ends.
    until: Moment,
}

/// Publishes one claimed item, with nothing sent after `until`, and notes what came of it; or, once it is `over`, that nobody knows.
///
/// # Errors
/// The store could not be asked or written to.
pub async fn publish(
    house: &House,
    item: &ClaimedItem,
    until: Moment,
    over: &CancellationToken,
) -> anyhow::Result<()> {
    let key = &item.item.key;
    let Some(repository) = house.store.repository(key.repository).await? else {
        house.store.drop_item(&item.claim, "the repository is not known any more").await?;
        return Ok(());
    };
    // What reading used up counts too, and going on would be held against the App.
    let now = house.store.now().await?;
    let limits = house.github.limits(key.installation);
    if key.kind.addressee() == Addressee::GitHub
        && let Some(until) = limits.wait_until(now)
    {
        house.store.close_lane(&item.claim, until, "GitHub's limit is used up").await?;
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
        writer: house.github.writer(on).until(until),
        until,
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
        Ended::Waits => Ok(()),
        Ended::Failed(why) => desk.give_back(&why).await,
    }
}

impl Desk<'_> {
    async fn publish(&self) -> anyhow::Result<Ended> {
        match self.item.item.key.kind {
            ItemKind::Comment => self.comment().await,
            ItemKind::Check => self.check().await,
            ItemKind::Deployment => self.deployment().await,
            ItemKind::Issue => self.issue().await,
            ItemKind::Reaction => self.reaction().await,
            ItemKind::Protection => self.protection().await,
            ItemKind::Notification => self.notification().await,
        }
    }

    fn body<T: DeserializeOwned>(&self) -> Result<T, Ended> {
        let body = serde_json::from_value(self.item.item.body.clone());
        body.map_err(|error| Ended::Failed(Why::Unreadable(error)))
    }

    /// Whether so many requests that create content may be made now. Otherwise the item was put
    /// back.
    async fn has_room(&self, requests: u32) -> anyhow::Result<bool> {
        let store = &self.house.store;
        let turn = store.spend(&self.item.claim, requests, &self.house.timing.pace).await?;
        if let Turn::Later(at) = turn {
            tracing::debug!(item = %self.item.item.key, %at, "waits for its pace");
        }
        Ok(turn == Turn::Now)
    }

    /// What may be shown to people.
    fn clean(&self, text: &str) -> String {
        self.house.redactor.redact(text).into_owned()
    }

    /// The same for what GitHub shows as it is, line by line: nothing in it is invisible or turns what
    /// stands beside it around.
    fn plain(&self, text: &str) -> String {
        visible(&self.clean(text))
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
            Next::Silence(until) => store.close_lane(claim, until, &told).await?,
            Next::Park => {
                tracing::error!(item = %self.item.item.key, attempt, "parked until the App may write it");
                store.park_item(claim, &told).await?;
            }
            Next::Drop => {
                tracing::error!(item = %self.item.item.key, attempt, "given up");
                store.drop_item(claim, &told).await?;
            }
        }
        Ok(())
    }
}

/// Each line with what is invisible in it made visible.
fn visible(text: &str) -> String {
    text.lines().map(markdown::terminal).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_github_shows_as_it_is_hides_nothing_and_turns_nothing_around() {
        let hostile = "\u{1b}[31mred\u{202e}gpj.exe\u{200b}\nnext\r\nlast\u{7}";
        let shown = r"\u{1b}[31mred\u{202e}gpj.exe\u{200b}";
        assert_eq!(visible(hostile), [shown, "next", r"last\u{7}"].join("\n"));
        assert_eq!(visible("1 to create; waits for /apply"), "1 to create; waits for /apply");
    }
}

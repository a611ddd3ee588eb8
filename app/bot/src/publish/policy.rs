//! What becomes of an item that could not be published: the one place that decides whether it is
//! tried again, when, and whether somebody has to look first. Pure: the time is an argument.

use std::time::Duration;

use jiff::Timestamp;
use landfall_github::{Failure, GithubError};

use super::notification::Undelivered;
use crate::panics::Panicked;

/// Why an attempt failed.
#[derive(Debug, thiserror::Error)]
pub(super) enum Why {
    /// GitHub was asked and said no, or could not be asked.
    #[error(transparent)]
    Github(GithubError),
    /// Who was to be notified was told, and did not take it, or could not be told.
    #[error(transparent)]
    Undelivered(Undelivered),
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

/// What happens to an item after a failure.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Nothing was accepted: again.
    Retry(Timestamp),
    /// Nothing was accepted, and nobody of the installation may write to GitHub before: again then.
    Silence(Timestamp),
    /// It may have been accepted: again, and look first.
    Look(Timestamp),
    /// It may not be written as things are: again when the repository is compared, which is every
    /// hour, and when the App gets new rights or comes back.
    Park,
    /// Never again.
    Drop,
}

/// After this many refusals GitHub is believed, and after this many panics that it is our fault.
const ENOUGH: u32 = 5;

/// After this many attempts, an hour and a half with a server's waits, a message is no news.
const STALE: u32 = 24;

/// The policy: one visible `match`. `wait` is ours, for failures where GitHub did not say how long.
pub(super) fn next(why: &Why, attempt: u32, now: Timestamp, wait: Duration) -> Next {
    let later = now.saturating_add(wait).unwrap_or(now);
    let failure = match why {
        Why::Github(error) => &error.failure,
        Why::Undelivered(undelivered) => return again(undelivered, attempt, now, later),
        Why::Panicked(_) if attempt < ENOUGH => return Next::Look(later),
        Why::TooLong | Why::Stopped => return Next::Look(later),
        Why::Panicked(_) | Why::Unreadable(_) => return Next::Drop,
    };
    match failure {
        Failure::Limited { until } => Next::Silence((*until).max(now)),
        Failure::Unreachable { .. } => Next::Retry(later),
        Failure::Unknown { .. } | Failure::Malformed { .. } => Next::Look(later),
        Failure::Denied { .. } | Failure::Unprocessable { .. } if attempt < ENOUGH => {
            Next::Retry(later)
        }
        // A permission that nobody has granted yet, an installation that is suspended, a repository in
        // the archive: all of these end, and what was to be said then is still true or was put anew.
        Failure::Denied { .. } | Failure::NotInstalled => Next::Park,
        Failure::Unprocessable { .. } | Failure::NotFound | Failure::Gone => Next::Drop,
    }
}

/// The same for a message. Whether one arrived whose answer was lost can be asked of nobody, so it
/// is sent again: better twice than never.
fn again(why: &Undelivered, attempt: u32, now: Timestamp, later: Timestamp) -> Next {
    match why {
        Undelivered::Forgotten => Next::Drop,
        Undelivered::Limited { wait } if attempt < STALE => {
            Next::Retry(now.saturating_add(*wait).unwrap_or(later))
        }
        Undelivered::Away { .. } | Undelivered::Http(_) if attempt < STALE => Next::Retry(later),
        Undelivered::Refused { .. } | Undelivered::Secret(_) | Undelivered::Address(_)
            if attempt < ENOUGH =>
        {
            Next::Retry(later)
        }
        _ => Next::Drop,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::publish::CommentBody;

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
            assert_eq!(after(Failure::Limited { until }, 9), Next::Silence(until));
        }
        let over = Failure::Limited { until: Timestamp::constant(999, 0) };
        assert_eq!(after(over, 1), Next::Silence(NOW));
    }

    #[test]
    fn a_refusal_is_believed_in_the_end() {
        let denied = Failure::Denied { message: "Resource not accessible by integration".into() };
        assert_ne!(after(denied.clone(), 1), Next::Drop);
        assert_eq!(after(denied, ENOUGH), Next::Park);
        assert_eq!(after(Failure::NotInstalled, 1), Next::Park);
        let unprocessable = Failure::Unprocessable { message: "no such commit".into() };
        assert_ne!(after(unprocessable.clone(), 1), Next::Drop);
        assert_eq!(after(unprocessable, ENOUGH), Next::Drop);
        assert_eq!(after(Failure::NotFound, 1), Next::Drop);
        let unreadable = serde_json::from_str::<CommentBody>("[]").unwrap_err();
        assert_eq!(next(&Why::Unreadable(unreadable), 1, NOW, WAIT), Next::Drop);
        assert_eq!(next(&Why::Panicked(Panicked), ENOUGH, NOW, WAIT), Next::Drop);
    }

    #[test]
    fn a_message_is_sent_again_until_it_is_no_news_and_a_refusal_of_it_believed_sooner() {
        let after = |why: Undelivered, attempt| next(&Why::Undelivered(why), attempt, NOW, WAIT);
        let later = Next::Retry(Timestamp::constant(1_008, 0));
        assert_eq!(after(Undelivered::Away { status: 502 }, 23), later);
        assert_eq!(after(Undelivered::Away { status: 502 }, STALE), Next::Drop);
        assert_eq!(after(Undelivered::Refused { status: 404 }, 4), later);
        assert_eq!(after(Undelivered::Refused { status: 404 }, ENOUGH), Next::Drop);
        let limited = Undelivered::Limited { wait: Duration::from_secs(30) };
        assert_eq!(after(limited, 9), Next::Retry(Timestamp::constant(1_030, 0)));
        assert_eq!(after(Undelivered::Forgotten, 1), Next::Drop);
    }
}

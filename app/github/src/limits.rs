//! What GitHub still lets an installation do, as its answers last said.
//!
//! Kept so that the outbox can slow down before it is told to. Going on against a limit may get
//! the App banned (<https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api>).

use http::HeaderMap;
use jiff::Timestamp;

/// The limits of one installation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Limits {
    /// Requests left until `reset`; none before the first answer, and on servers without limits.
    pub remaining: Option<u64>,
    /// Requests in an hour.
    pub limit: Option<u64>,
    /// When `remaining` is full again.
    pub reset: Option<Timestamp>,
    /// GitHub said to be silent until then.
    pub silent_until: Option<Timestamp>,
}

impl Limits {
    /// When a request may be made, if that is later than `now`.
    #[must_use]
    pub fn wait_until(&self, now: Timestamp) -> Option<Timestamp> {
        let spent = self.reset.filter(|_| self.remaining == Some(0));
        self.silent_until.max(spent).filter(|until| *until > now)
    }

    /// Notes what an answer says about the primary limit.
    pub(crate) fn note(&mut self, headers: &HeaderMap) {
        let seen = Self::of(headers);
        if seen.remaining.is_some() {
            *self = Self { silent_until: self.silent_until, ..seen };
        }
    }

    /// Reads `x-ratelimit-*`.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let number = |name| header_number(headers, name);
        let reset = number("x-ratelimit-reset").and_then(|s| i64::try_from(s).ok());
        Self {
            remaining: number("x-ratelimit-remaining"),
            limit: number("x-ratelimit-limit"),
            reset: reset.and_then(|s| Timestamp::from_second(s).ok()),
            silent_until: None,
        }
    }
}

/// A header that holds a whole number.
pub(crate) fn header_number(headers: &HeaderMap, name: &str) -> Option<u64> {
    headers.get(name)?.to_str().ok()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn nothing_is_waited_for_while_requests_are_left() {
        let limits = Limits { remaining: Some(1), reset: Some(at(90)), ..Limits::default() };
        assert_eq!(limits.wait_until(at(10)), None);
    }

    #[test]
    fn the_later_of_the_two_limits_counts_and_ends() {
        let limits = Limits {
            remaining: Some(0),
            limit: Some(5_000),
            reset: Some(at(90)),
            silent_until: Some(at(60)),
        };
        assert_eq!(limits.wait_until(at(10)), Some(at(90)));
        assert_eq!(limits.wait_until(at(90)), None);
    }

    #[test]
    fn an_answer_without_limits_forgets_nothing() {
        let mut limits = Limits { remaining: Some(3), ..Limits::default() };
        limits.note(&HeaderMap::new());
        assert_eq!(limits.remaining, Some(3));
    }
}

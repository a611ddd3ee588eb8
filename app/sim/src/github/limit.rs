//! Rate limits: so many requests in an hour, and so many writes in a minute (the "secondary"
//! limit). Off unless asked for; the headers are always there.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};

use crate::clock::Clock;
use crate::fault::Answer;

const HOUR: SignedDuration = SignedDuration::from_hours(1);
const MINUTE: SignedDuration = SignedDuration::from_secs(60);

/// What an installation gets where nothing is limited.
const USUAL: u64 = 5000;

/// The limits of one installation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateLimit {
    pub requests_per_hour: u64,
    pub writes_per_minute: usize,
}

/// Where an installation stands, as `x-ratelimit-*` says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Quota {
    pub(crate) limit: u64,
    pub(crate) used: u64,
    pub(crate) reset: Timestamp,
}

impl Quota {
    pub(crate) fn remaining(&self) -> u64 {
        self.limit.saturating_sub(self.used)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exceeded {
    Primary(Quota),
    Secondary { retry_after: i64 },
}

#[derive(Debug)]
pub(crate) struct Limiter {
    limit: Option<RateLimit>,
    clock: Clock,
    windows: Mutex<HashMap<u64, Window>>,
}

#[derive(Debug)]
struct Window {
    began: Timestamp,
    used: u64,
    writes: VecDeque<Timestamp>,
}

impl Limiter {
    pub(crate) fn new(limit: Option<RateLimit>, clock: Clock) -> Limiter {
        Limiter { limit, clock, windows: Mutex::default() }
    }

    /// Counts a request of `installation`; 0 stands for whoever is none.
    pub(crate) fn count(&self, installation: u64, writes: bool) -> Result<Quota, Exceeded> {
        let now = self.clock.now();
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        let window = windows.entry(installation).or_insert_with(|| Window::new(now));
        if now >= window.began + HOUR {
            *window = Window::new(now);
        }
        while window.writes.front().is_some_and(|write| *write + MINUTE <= now) {
            window.writes.pop_front();
        }
        if let Some(limit) = self.limit {
            if window.used >= limit.requests_per_hour {
                return Err(Exceeded::Primary(window.quota(limit.requests_per_hour)));
            }
            if writes && window.writes.len() >= limit.writes_per_minute {
                return Err(Exceeded::Secondary { retry_after: MINUTE.as_secs() });
            }
        }
        window.used += 1;
        if writes {
            window.writes.push_back(now);
        }
        Ok(window.quota(self.limit.map_or(USUAL, |limit| limit.requests_per_hour)))
    }

    /// Takes a counted request back: one that is answered with 304 costs nothing.
    pub(crate) fn uncount(&self, installation: u64) -> Quota {
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(window) = windows.get_mut(&installation) {
            window.used = window.used.saturating_sub(1);
        }
        drop(windows);
        self.quota(installation)
    }

    /// Where an installation stands, without counting.
    pub(crate) fn quota(&self, installation: u64) -> Quota {
        let limit = self.limit.map_or(USUAL, |limit| limit.requests_per_hour);
        let windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        let unused = Window::new(self.clock.now());
        windows.get(&installation).unwrap_or(&unused).quota(limit)
    }
}

impl Window {
    fn new(began: Timestamp) -> Window {
        Window { began, used: 0, writes: VecDeque::new() }
    }

    fn quota(&self, limit: u64) -> Quota {
        Quota { limit, used: self.used, reset: self.began + HOUR }
    }
}

/// What GitHub says when somebody writes too fast, to be injected as a fault. The status is 403 or
/// 429, as at GitHub.
pub fn secondary_limit(status: u16, retry_after_seconds: u64) -> Answer {
    let body = serde_json::json!({ "message": SECONDARY, "documentation_url": DOCUMENTATION });
    Answer::new(status, body.to_string())
        .with("content-type", "application/json; charset=utf-8")
        .with("retry-after", &retry_after_seconds.to_string())
}

pub(crate) const SECONDARY: &str =
    "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.";
pub(crate) const DOCUMENTATION: &str = "https://docs.github.com/free-pro-team@latest/rest/overview/rate-limits-for-the-rest-api#about-secondary-rate-limits";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hour_after_an_exceeded_one_begins_at_zero() {
        let clock = Clock::standing_at(Timestamp::UNIX_EPOCH);
        let limit = RateLimit { requests_per_hour: 2, writes_per_minute: 10 };
        let limiter = Limiter::new(Some(limit), clock.clone());
        assert!(limiter.count(1, false).is_ok());
        assert_eq!(limiter.count(1, false).unwrap().remaining(), 0);
        assert!(matches!(limiter.count(1, false), Err(Exceeded::Primary(_))));
        assert!(limiter.count(2, false).is_ok(), "every installation has its own");
        clock.advance(HOUR);
        assert_eq!(limiter.count(1, false).unwrap().remaining(), 1);
    }

    #[test]
    fn writes_are_limited_by_the_minute() {
        let clock = Clock::standing_at(Timestamp::UNIX_EPOCH);
        let limit = RateLimit { requests_per_hour: 100, writes_per_minute: 1 };
        let limiter = Limiter::new(Some(limit), clock.clone());
        assert!(limiter.count(1, true).is_ok());
        assert!(matches!(limiter.count(1, true), Err(Exceeded::Secondary { .. })));
        assert!(limiter.count(1, false).is_ok(), "reading goes on");
        clock.advance(MINUTE);
        assert!(limiter.count(1, true).is_ok());
    }
}

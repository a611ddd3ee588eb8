//! The rate limiter: so many requests in a window, and one too many ends them all for a while.

use std::collections::VecDeque;

use http::StatusCode;
use jiff::{SignedDuration, Timestamp};

use super::envelope::ApiError;
use super::settings::RateLimit;
use crate::call::Reply;

/// When requests came, and until when they are refused.
#[derive(Debug, Default)]
pub(super) struct Limiter {
    times: VecDeque<Timestamp>,
    blocked_until: Option<Timestamp>,
}

impl Limiter {
    /// Counts a request. `Err` is the 429 that it gets.
    pub(super) fn admit(&mut self, limit: RateLimit, now: Timestamp) -> Result<(), Box<Reply>> {
        let window = SignedDuration::try_from(limit.window).unwrap_or(SignedDuration::MAX);
        let penalty = SignedDuration::try_from(limit.penalty).unwrap_or(SignedDuration::MAX);
        if self.blocked_until.is_some_and(|until| until <= now) {
            self.blocked_until = None;
            self.times.clear();
        }
        while self.times.front().is_some_and(|time| now.duration_since(*time) >= window) {
            self.times.pop_front();
        }
        if self.blocked_until.is_none() && self.times.len() >= limit.requests {
            self.blocked_until = Some(now.saturating_add(penalty).unwrap_or(Timestamp::MAX));
        }
        match self.blocked_until {
            None => {
                self.times.push_back(now);
                Ok(())
            }
            Some(until) => Err(Box::new(too_many(until.duration_since(now)))),
        }
    }

    /// Adds to an answer what is left.
    pub(super) fn tell(&self, limit: RateLimit, reply: Reply) -> Reply {
        let left = limit.requests.saturating_sub(self.times.len());
        let window = limit.window.as_secs();
        reply
            .with("ratelimit", &format!("\"default\";r={left};t={window}"))
            .with("ratelimit-policy", &format!("\"default\";q={};w={window}", limit.requests))
    }
}

/// The code of this error is unverified; clients go by the status.
fn too_many(wait: SignedDuration) -> Reply {
    let message = "Please wait and consider throttling your request speed";
    ApiError::new(StatusCode::TOO_MANY_REQUESTS, 10_429, message)
        .reply()
        .with("retry-after", &wait.as_secs().max(1).to_string())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn one_request_too_many_is_refused_until_the_penalty_is_over() {
        let limit = RateLimit {
            requests: 2,
            window: Duration::from_secs(300),
            penalty: Duration::from_secs(100),
        };
        let at = |seconds| Timestamp::from_second(seconds).unwrap();
        let mut limiter = Limiter::default();
        assert!(limiter.admit(limit, at(0)).is_ok());
        assert!(limiter.admit(limit, at(1)).is_ok());
        let refused = limiter.admit(limit, at(2)).unwrap_err();
        assert_eq!(refused.status, 429);
        assert_eq!(refused.headers["retry-after"], "100");
        assert!(limiter.admit(limit, at(101)).is_err());
        assert!(limiter.admit(limit, at(102)).is_ok());
    }
}

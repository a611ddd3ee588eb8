//! What can go wrong at GitHub, sorted by what may be done about it.
//!
//! [`classify`] is the one place that reads a status: a pure function of an answer and the time.
//! The order in which limits are read is that of GitHub's documentation: `retry-after`, then
//! `x-ratelimit-remaining: 0`, then the words "secondary rate limit".

use http::{HeaderMap, StatusCode};
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use crate::limits::{Limits, header_number};

/// A call that did not succeed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("GitHub, {call}: {failure}")]
pub struct GithubError {
    /// The call: `GET /repos/acme/homelab/pulls/7`. No secret is ever in a path.
    pub call: String,
    /// What went wrong.
    pub failure: Failure,
}

/// What went wrong, by what may be done about it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// It does not exist, or we may not see it.
    #[error("not found")]
    NotFound,
    /// The App is not installed there any more: nobody waits for what it would do.
    #[error("the App is not installed there any more")]
    NotInstalled,
    /// It existed and was deleted: what is edited must be made anew.
    #[error("gone")]
    Gone,
    /// We may not: a permission is missing, the installation is suspended, the credentials are
    /// refused. Asking again changes nothing.
    #[error("refused: {message}")]
    Denied {
        /// GitHub's words.
        message: String,
    },
    /// Too much was asked. Nothing was done.
    #[error("rate limit, until {until}")]
    Limited {
        /// When to ask again.
        until: Timestamp,
    },
    /// The request is not acceptable as it is. Nothing was done.
    #[error("not accepted: {message}")]
    Unprocessable {
        /// GitHub's words.
        message: String,
    },
    /// A write whose outcome is not known: look before it is made again.
    #[error("outcome unknown: {why}")]
    Unknown {
        /// How the answer was lost.
        why: String,
    },
    /// Nothing was done: a read without a usable answer, or a write that was never sent.
    #[error("unreachable: {why}")]
    Unreachable {
        /// What happened.
        why: String,
    },
    /// The answer is not what GitHub documents.
    #[error("unexpected answer: {why}")]
    Malformed {
        /// What is unexpected.
        why: String,
    },
}

impl Failure {
    pub(crate) fn on(self, call: impl Into<String>) -> GithubError {
        GithubError { call: call.into(), failure: self }
    }
}

/// Whether a call changes something at GitHub.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effect {
    Read,
    Write,
}

impl Effect {
    /// The failure when a request was sent and no usable answer came.
    pub(crate) fn lost(self, why: impl Into<String>) -> Failure {
        let why = why.into();
        match self {
            Self::Read => Failure::Unreachable { why },
            Self::Write => Failure::Unknown { why },
        }
    }
}

/// What an answer that is not a success means.
pub(crate) fn classify(
    status: StatusCode,
    headers: &HeaderMap,
    body: &[u8],
    effect: Effect,
    now: Timestamp,
) -> Failure {
    let message = message(body);
    match status.as_u16() {
        403 | 429 => match limited_until(status, headers, &message, now) {
            Some(until) => Failure::Limited { until },
            None => Failure::Denied { message },
        },
        401 => Failure::Denied { message },
        404 => Failure::NotFound,
        410 => Failure::Gone,
        400 | 405 | 409 | 413 | 415 | 422 => Failure::Unprocessable { message },
        500..=599 | 408 => effect.lost(format!("status {}", status.as_u16())),
        other => Failure::Malformed { why: format!("status {other}") },
    }
}

/// How long GitHub waits at least after a secondary limit that names no time.
const SECONDARY: SignedDuration = SignedDuration::from_secs(60);

/// The longest wait that is believed; primary limits reset within the hour.
const LONGEST: SignedDuration = SignedDuration::from_secs(2 * 3600);

fn limited_until(
    status: StatusCode,
    headers: &HeaderMap,
    message: &str,
    now: Timestamp,
) -> Option<Timestamp> {
    let after = |wait: SignedDuration| now.saturating_add(wait.min(LONGEST)).unwrap_or(now);
    if let Some(seconds) = header_number(headers, "retry-after") {
        let seconds = i64::try_from(seconds).unwrap_or(i64::MAX);
        return Some(after(SignedDuration::from_secs(seconds)));
    }
    let limits = Limits::of(headers);
    if let (Some(0), Some(reset)) = (limits.remaining, limits.reset) {
        // One second at least: the reset is in whole seconds and our clock may be ahead.
        let earliest = after(SignedDuration::from_secs(1));
        return Some(reset.clamp(earliest, after(LONGEST)));
    }
    let message = message.to_ascii_lowercase();
    let limited = message.contains("secondary rate limit") || message.contains("abuse detection");
    (limited || status == StatusCode::TOO_MANY_REQUESTS).then(|| after(SECONDARY))
}

/// GitHub's error body.
#[derive(Deserialize)]
struct ErrorBody {
    message: String,
    #[serde(default)]
    errors: serde_json::Value,
}

/// The longest message that is repeated, in characters.
const LONGEST_MESSAGE: usize = 400;

/// What GitHub says is wrong, with the details that a 422 carries, cut to what can be shown.
pub(crate) fn message(body: &[u8]) -> String {
    let text = match serde_json::from_slice::<ErrorBody>(body) {
        Ok(ErrorBody { message, errors }) if errors.is_null() => message,
        Ok(ErrorBody { message, errors }) => format!("{message} {errors}"),
        Err(_) => "without a message".to_owned(),
    };
    text.chars().take(LONGEST_MESSAGE).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_000_000;

    type Headers<'a> = &'a [(&'static str, &'static str)];

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn answer(status: u16, headers: Headers, body: &str, effect: Effect) -> Failure {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.insert(*name, value.parse().unwrap());
        }
        classify(StatusCode::from_u16(status).unwrap(), &map, body.as_bytes(), effect, at(NOW))
    }

    #[test]
    fn limits_are_told_from_refusals() {
        let spent = [("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "1000300")];
        let both = [("retry-after", "30"), spent[0], spent[1]];
        let secondary = r#"{"message":"You have exceeded a secondary rate limit."}"#;
        let plain = r#"{"message":"Resource not accessible by integration"}"#;
        let table: &[(u16, Headers, &str, Option<i64>)] = &[
            (403, &[("retry-after", "30")], "{}", Some(30)),
            (429, &[("retry-after", "30")], "{}", Some(30)),
            (403, &both, secondary, Some(30)),
            (403, &spent, "{}", Some(300)),
            (429, &spent, "{}", Some(300)),
            (403, &[], secondary, Some(60)),
            (429, &[], "{}", Some(60)),
            (403, &[("x-ratelimit-remaining", "12")], plain, None),
            (403, &[], plain, None),
            // A clock that is ahead, and a server that asks for ages.
            (403, &[("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "5")], "{}", Some(1)),
            (403, &[("retry-after", "99999999999999999999")], plain, None),
            (403, &[("retry-after", "9999999999")], plain, Some(7200)),
        ];
        for (status, headers, body, wait) in table {
            let expected = match wait {
                Some(wait) => Failure::Limited { until: at(NOW + wait) },
                None => Failure::Denied { message: message(body.as_bytes()) },
            };
            assert_eq!(answer(*status, headers, body, Effect::Read), expected, "{status} {body}");
        }
    }

    #[test]
    fn only_a_write_without_an_answer_is_unknown() {
        for status in [500, 502, 503, 504, 408] {
            assert!(matches!(answer(status, &[], "", Effect::Write), Failure::Unknown { .. }));
            assert!(matches!(answer(status, &[], "", Effect::Read), Failure::Unreachable { .. }));
        }
    }

    #[test]
    fn the_other_statuses_have_their_meaning() {
        let read = |status| answer(status, &[], r#"{"message":"no"}"#, Effect::Read);
        assert_eq!(read(404), Failure::NotFound);
        assert_eq!(read(410), Failure::Gone);
        assert_eq!(read(401), Failure::Denied { message: "no".into() });
        for status in [400, 405, 409, 422] {
            assert_eq!(read(status), Failure::Unprocessable { message: "no".into() });
        }
        assert!(matches!(read(302), Failure::Malformed { .. }));
    }

    #[test]
    fn a_message_carries_the_details_and_stays_short() {
        let body = br#"{"message":"Validation Failed","errors":[{"field":"sha"}]}"#;
        assert_eq!(message(body), r#"Validation Failed [{"field":"sha"}]"#);
        let long = format!(r#"{{"message":"{}"}}"#, "x".repeat(9_000));
        assert_eq!(message(long.as_bytes()).len(), LONGEST_MESSAGE);
        assert_eq!(message(b"<html>"), "without a message");
    }
}

//! What a call came to, told apart by what it means for a write, in words a person can act on.
//!
//! The codes are the vendor's; it documents few of them, so its own sentence always follows ours.

use std::time::Duration;

use landfall_core::plan::Outcome;
use landfall_os::http::{HttpError, Response};
use serde::Deserialize;

use crate::hold::Lapsed;
use crate::provider::{Later, ProviderError};

/// How long all calls of a token are blocked after too many, if the answer does not say.
const BLOCKED: Duration = Duration::from_secs(300);

/// One entry of the envelope's `errors`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct ApiError {
    #[serde(default)]
    code: i64,
    #[serde(default)]
    message: String,
    #[serde(default)]
    error_chain: Vec<ApiError>,
}

/// Why a call has no result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum CallError {
    /// It never left.
    NotSent(String),
    /// It was held back, because its lease would not have lasted.
    Lapsed(Lapsed),
    /// The vendor answered no: nothing changed.
    Refused {
        /// The HTTP status.
        status: u16,
        /// The vendor's codes, those of the chain too.
        codes: Vec<i64>,
        /// What to tell a person.
        message: String,
    },
    /// Too many calls: nothing changed.
    Limited {
        /// When to try again.
        after: Duration,
    },
    /// A timeout, a cut connection, a 5xx: nobody knows whether a write was done.
    Unknown(String),
    /// It was answered with something that is not what the description says.
    Unexpected(String),
}

impl CallError {
    /// What an answer without a result means.
    pub(super) fn of(response: &Response, errors: &[ApiError]) -> Self {
        match response.status {
            429 => Self::Limited { after: retry_after(response) },
            status @ 400..=499 if status != 408 => {
                let codes = codes(errors);
                let message = explain(status, &codes, errors);
                Self::Refused { status, codes, message }
            }
            status => Self::Unknown(format!("Cloudflare answered {status}{}", said(errors))),
        }
    }

    /// Whether the vendor gave this code.
    pub(crate) fn has_code(&self, code: i64) -> bool {
        matches!(self, Self::Refused { codes, .. } if codes.contains(&code))
    }

    /// The outcome of a write that came to this. Something unexpected came after it was sent.
    pub(crate) fn into_outcome(self) -> Result<Outcome, Later> {
        match self {
            Self::NotSent(message) | Self::Refused { message, .. } => Ok(Outcome::Failed(message)),
            Self::Limited { after } => Err(Later { after, why: limited(after) }),
            Self::Lapsed(lapsed) => Err(lapsed.into()),
            Self::Unknown(message) | Self::Unexpected(message) => Ok(Outcome::Unknown(message)),
        }
    }
}

impl From<Lapsed> for CallError {
    fn from(lapsed: Lapsed) -> Self {
        Self::Lapsed(lapsed)
    }
}

impl From<HttpError> for CallError {
    fn from(error: HttpError) -> Self {
        match error {
            HttpError::NotSent(error) => Self::NotSent(error.to_string()),
            HttpError::Unknown(error) => Self::Unknown(error.to_string()),
        }
    }
}

impl From<CallError> for ProviderError {
    fn from(error: CallError) -> Self {
        match error {
            CallError::NotSent(message) | CallError::Unknown(message) => Self::Unreachable(message),
            CallError::Lapsed(lapsed) => Self::Unreachable(lapsed.to_string()),
            CallError::Refused { status: 401 | 403, message, .. } => Self::Denied(message),
            CallError::Refused { status: 404, message, .. } => Self::Missing(message),
            CallError::Refused { codes, message, .. }
                if codes.iter().any(|code| matches!(code, 7000 | 7003)) =>
            {
                Self::Missing(message)
            }
            CallError::Refused { codes, message, .. }
                if codes.iter().any(|code| is_denial(*code)) =>
            {
                Self::Denied(message)
            }
            CallError::Refused { message, .. } | CallError::Unexpected(message) => {
                Self::Unexpected(message)
            }
            CallError::Limited { after } => Self::Limited { after, message: limited(after) },
        }
    }
}

fn limited(after: Duration) -> String {
    format!(
        "Cloudflare takes no more requests with this token for {} s (1200 in 5 minutes are its limit)",
        after.as_secs()
    )
}

fn retry_after(response: &Response) -> Duration {
    let seconds = response.header("retry-after").and_then(|value| value.trim().parse().ok());
    seconds.map_or(BLOCKED, |seconds: u64| Duration::from_secs(seconds.min(3600)))
}

fn codes(errors: &[ApiError]) -> Vec<i64> {
    errors
        .iter()
        .flat_map(|error| std::iter::once(error.code).chain(codes(&error.error_chain)))
        .collect()
}

/// The token is not one, has expired, or lacks a permission.
fn is_denial(code: i64) -> bool {
    matches!(code, 1000 | 6003 | 6103 | 6111 | 9106 | 9109 | 10_000)
}

fn explain(status: u16, codes: &[i64], errors: &[ApiError]) -> String {
    let known = codes.iter().find_map(|code| meaning(*code));
    let known = known.or(match status {
        401 | 403 => meaning(10_000),
        404 => Some("Cloudflare does not know what was asked for"),
        _ => None,
    });
    match known {
        Some(known) => format!("{known}{}", said(errors)),
        None => format!("Cloudflare refused it ({status}){}", said(errors)),
    }
}

fn meaning(code: i64) -> Option<&'static str> {
    Some(match code {
        code if is_denial(code) => {
            "Cloudflare refuses the connection's token: it needs Zone:Read and DNS:Edit on the zone, \
             and Cloudflare Tunnel:Edit on the account for tunnels"
        }
        7000 | 7003 => "Cloudflare knows no such account or zone, or the token cannot see it",
        81_053 => {
            "an A, AAAA or CNAME record stands at this name already, and nothing can stand beside a CNAME"
        }
        81_057 | 81_058 => "this record exists already",
        81_044 => "the record is gone",
        9300 => "the zone's plan allows no tags on records",
        9005 | 9207 => "Cloudflare does not accept the content of a record",
        1013 => "a tunnel with this name exists already",
        1022 => "the tunnel still has connections: stop its connectors first",
        1055 => "the tunnel does not exist, or was deleted",
        1056 => "Cloudflare does not accept the tunnel's configuration",
        _ => return None,
    })
}

/// The vendor's own words, those of the chain too, at most so many as a comment can bear.
fn said(errors: &[ApiError]) -> String {
    let texts = texts(errors);
    if texts.is_empty() {
        return String::new();
    }
    let all: String = texts.join("; ").chars().filter(|c| !c.is_control()).take(300).collect();
    format!(": {all}")
}

fn texts(errors: &[ApiError]) -> Vec<String> {
    let own = |error: &ApiError| {
        (!error.message.is_empty()).then(|| format!("{} [{}]", error.message, error.code))
    };
    errors
        .iter()
        .flat_map(|error| own(error).into_iter().chain(texts(&error.error_chain)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use landfall_os::http::HeaderMap;

    fn answer(status: u16, errors: &str) -> CallError {
        let response = Response { status, headers: HeaderMap::new(), body: Default::default() };
        CallError::of(&response, &serde_json::from_str::<Vec<ApiError>>(errors).unwrap())
    }

    #[test]
    fn a_refusal_says_what_to_do_and_then_what_the_vendor_said() {
        for (status, errors, told) in [
            (
                403,
                r#"[{"code":10000,"message":"Authentication error"}]"#,
                "needs Zone:Read and DNS:Edit",
            ),
            (
                400,
                r#"[{"code":6003,"message":"Invalid request headers","error_chain":[{"code":6111,"message":"Invalid format"}]}]"#,
                "Invalid format [6111]",
            ),
            (
                404,
                r#"[{"code":7003,"message":"Could not route"}]"#,
                "knows no such account or zone",
            ),
            (
                400,
                r#"[{"code":81053,"message":"exists"}]"#,
                "nothing can stand beside a CNAME: exists [81053]",
            ),
            (
                400,
                r#"[{"code":1056,"message":"Bad Configuration"}]"#,
                "does not accept the tunnel's configuration",
            ),
            (409, r#"[{"code":1013,"message":"taken"}]"#, "exists already: taken [1013]"),
            (403, "[]", "refuses the connection's token"),
            (
                400,
                r#"[{"code":424242,"message":"what"}]"#,
                "Cloudflare refused it (400): what [424242]",
            ),
        ] {
            let error = answer(status, errors);
            assert!(matches!(error.clone().into_outcome(), Ok(Outcome::Failed(_))), "{errors}");
            let message = ProviderError::from(error).to_string();
            assert!(message.contains(told), "{errors}: {message}");
        }
    }

    #[test]
    fn only_a_clear_no_means_that_nothing_was_done() {
        for status in [408, 500, 502, 503, 524, 302] {
            let outcome = answer(status, "[]").into_outcome();
            assert!(matches!(outcome, Ok(Outcome::Unknown(_))), "{status}");
        }
        for status in [400, 401, 403, 404, 409] {
            let outcome = answer(status, "[]").into_outcome();
            assert!(matches!(outcome, Ok(Outcome::Failed(_))), "{status}");
        }
        assert_eq!(answer(429, "[]").into_outcome().unwrap_err().after, BLOCKED);
    }

    #[test]
    fn a_bad_token_is_a_denial_whatever_the_status() {
        let error = answer(400, r#"[{"code":6003,"message":"Invalid request headers"}]"#);
        assert!(matches!(ProviderError::from(error), ProviderError::Denied(_)));
    }
}

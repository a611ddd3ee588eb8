//! What a console says when it does not do what was asked, in words fit for a comment.
//!
//! Four layers answer, each in its own JSON, and proxies answer in HTML: see [`Said::of`]. Codes and
//! messages are repeated, cut and without control characters; bodies never are.

use std::fmt;
use std::time::Duration;

use landfall_os::http::{HttpError, Response};
use serde::Deserialize;
use serde_json::Value;

use crate::hold::Lapsed;
use crate::provider::ProviderError;

/// The longest piece of a console's words that is repeated, in characters.
const LONGEST: usize = 200;
/// How long to wait where a console does not say: its limits are by the minute.
const A_MINUTE: Duration = Duration::from_secs(60);

/// A console's own words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Said {
    status: u16,
    code: Option<String>,
    message: Option<String>,
}

/// Why a console was not asked, or did not answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Unasked {
    /// It did not let us in; nothing was asked.
    Door(ProviderError),
    /// It would have changed something, and the right to that was about to end.
    Lapsed(Lapsed),
    /// There is no whole answer.
    Http(HttpError),
}

/// Every shape of an error: `{code, message}` of the Integration API, of static-dns and of the
/// login, `{meta: {msg}}` of the classic API, `{error: {message}}` of UniFi OS.
#[derive(Deserialize)]
struct Shapes {
    code: Option<Value>,
    message: Option<Value>,
    meta: Option<Meta>,
    error: Option<Inner>,
}

#[derive(Deserialize)]
struct Meta {
    msg: Option<Value>,
}

#[derive(Deserialize)]
struct Inner {
    message: Option<Value>,
}

impl Said {
    /// Reads an answer that is a refusal.
    pub(crate) fn of(answer: &Response) -> Self {
        let status = answer.status;
        let Ok(Shapes { code, message, meta, error }) = answer.json::<Shapes>() else {
            return Self { status, code: None, message: None };
        };
        let code = code.or_else(|| meta.and_then(|meta| meta.msg));
        let message = message.or_else(|| error.and_then(|error| error.message));
        Self {
            status,
            code: code.as_ref().and_then(plain),
            message: message.as_ref().and_then(plain),
        }
    }

    /// The same as an error of a request that reads.
    pub(crate) fn into_error(self, answer: &Response) -> ProviderError {
        match self.status {
            401 | 403 => ProviderError::Denied(format!(
                "the console lets these credentials not do this: {self}"
            )),
            429 => ProviderError::Limited {
                after: retry_after(answer),
                message: format!("the console wants fewer requests: {self}"),
            },
            500.. => ProviderError::Unreachable(format!("the console cannot answer: {self}")),
            _ => ProviderError::Unexpected(format!("the console refuses to answer: {self}")),
        }
    }
}

impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.code, &self.message) {
            (Some(code), Some(message)) => write!(f, "{code} ({message})"),
            (Some(one), None) | (None, Some(one)) => write!(f, "{one} (HTTP {})", self.status),
            (None, None) => write!(f, "HTTP {} without an explanation", self.status),
        }
    }
}

impl From<Unasked> for ProviderError {
    fn from(unasked: Unasked) -> Self {
        match unasked {
            Unasked::Lapsed(lapsed) => Self::Unreachable(lapsed.to_string()),
            Unasked::Door(error) => error,
            Unasked::Http(error) => Self::Unreachable(error.to_string()),
        }
    }
}

impl From<HttpError> for Unasked {
    fn from(error: HttpError) -> Self {
        Self::Http(error)
    }
}

/// When a console wants to be asked again, within reason.
pub(crate) fn retry_after(answer: &Response) -> Duration {
    let seconds = answer.header("retry-after").and_then(|text| text.trim().parse().ok());
    seconds.map_or(A_MINUTE, |seconds: u64| Duration::from_secs(seconds.min(3600)))
}

fn plain(value: &Value) -> Option<String> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    let text: String = text.chars().filter(|c| !c.is_control()).take(LONGEST).collect();
    (!text.trim().is_empty()).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(status: u16, body: &str) -> String {
        let headers = Default::default();
        Said::of(&Response { status, headers, body: body.to_owned().into() }).to_string()
    }

    #[test]
    fn every_layer_is_understood() {
        for (body, told) in [
            (r#"{"statusCode":400,"code":"api.dns.x","message":"No"}"#, "api.dns.x (No)"),
            (
                r#"{"code":"api.err.Y","errorCode":400,"message":"No","details":{}}"#,
                "api.err.Y (No)",
            ),
            (r#"{"meta":{"rc":"error","msg":"api.err.Z"},"data":[]}"#, "api.err.Z (HTTP 400)"),
            (r#"{"error":{"code":401,"message":"Unauthorized"}}"#, "Unauthorized (HTTP 400)"),
        ] {
            assert_eq!(said(400, body), told);
        }
    }

    #[test]
    fn nothing_raw_is_repeated() {
        assert_eq!(said(502, "<html>nginx</html>"), "HTTP 502 without an explanation");
        assert_eq!(said(404, "[]"), "HTTP 404 without an explanation");
        assert_eq!(said(400, r#"{"message":"a\nb","code":{"x":1}}"#), "ab (HTTP 400)");
        let long = format!(r#"{{"message":"{}"}}"#, "x".repeat(5000));
        assert!(said(400, &long).len() < 250);
    }
}

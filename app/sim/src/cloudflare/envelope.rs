//! The envelope of every answer: `success`, `errors`, `messages`, `result`.

use http::StatusCode;
use serde::Serialize;
use serde_json::{Value, json};

use crate::call::{Call, Reply};

/// An error: HTTP status, code and message, and the code that explains it more closely.
#[derive(Debug, Clone)]
pub(super) struct ApiError {
    status: StatusCode,
    code: u32,
    message: String,
    cause: Option<(u32, String)>,
}

/// What a handler ends with.
pub(super) type Outcome = Result<Reply, ApiError>;

impl ApiError {
    pub(super) fn new(status: StatusCode, code: u32, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), cause: None }
    }

    pub(super) fn bad_request(code: u32, message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, message)
    }

    pub(super) fn because(mut self, code: u32, message: impl Into<String>) -> Self {
        self.cause = Some((code, message.into()));
        self
    }

    /// A record is not valid: the general code with the one that says what.
    pub(super) fn invalid_record(code: u32, message: impl Into<String>) -> Self {
        Self::bad_request(1004, "DNS Validation Error").because(code, message)
    }

    /// No such path, or an id in it that does not exist.
    pub(super) fn no_route(call: &Call) -> Self {
        let message =
            format!("Could not route to {}, perhaps your object identifier is invalid?", call.path);
        Self::new(StatusCode::NOT_FOUND, 7003, message)
    }

    /// The token may not do this.
    pub(super) fn authentication() -> Self {
        Self::new(StatusCode::FORBIDDEN, 10_000, "Authentication error")
    }

    pub(super) fn reply(&self) -> Reply {
        let mut error = json!({ "code": self.code, "message": self.message });
        if let Some((code, message)) = &self.cause {
            error["error_chain"] = json!([{ "code": code, "message": message }]);
        }
        let body = json!({ "success": false, "errors": [error], "messages": [], "result": null });
        Reply::json(self.status, &body)
    }
}

#[derive(Serialize)]
struct Envelope<T> {
    result: T,
    success: bool,
    errors: [Value; 0],
    messages: [Value; 0],
    #[serde(skip_serializing_if = "Option::is_none")]
    result_info: Option<Value>,
}

/// A result alone.
pub(super) fn result<T: Serialize>(result: T) -> Outcome {
    wrapped(result, None)
}

/// One page of `items`, as `page` and `per_page` ask for it.
pub(super) fn page<T: Serialize>(call: &Call, items: &[T], sizes: PageSizes) -> Outcome {
    let per_page = number(call, "per_page", sizes.default)?;
    let page = number(call, "page", 1)?;
    if !(sizes.smallest..=sizes.largest).contains(&per_page) || page == 0 {
        return Err(ApiError::bad_request(1002, "Invalid page or per_page"));
    }
    let shown: Vec<&T> =
        items.iter().skip((page - 1).saturating_mul(per_page)).take(per_page).collect();
    let info = json!({
        "page": page,
        "per_page": per_page,
        "count": shown.len(),
        "total_count": items.len(),
        "total_pages": items.len().div_ceil(per_page),
    });
    wrapped(shown, Some(info))
}

/// How large a page may be.
#[derive(Debug, Clone, Copy)]
pub(super) struct PageSizes {
    pub(super) smallest: usize,
    pub(super) default: usize,
    pub(super) largest: usize,
}

fn wrapped<T: Serialize>(result: T, result_info: Option<Value>) -> Outcome {
    let envelope = Envelope { result, success: true, errors: [], messages: [], result_info };
    Ok(Reply::json(StatusCode::OK, &envelope))
}

fn number(call: &Call, name: &str, default: usize) -> Result<usize, ApiError> {
    let invalid = |_| ApiError::bad_request(1002, format!("Invalid {name}"));
    call.param(name).map_or(Ok(default), |text| text.parse().map_err(invalid))
}

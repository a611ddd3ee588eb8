//! Answers that refuse, in GitHub's words.

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::header::{HeaderName, HeaderValue};
use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};

const DOCUMENTATION: &str = "https://docs.github.com/rest";

/// A refusal. Boxed, because most handlers have one as their error.
#[derive(Debug)]
pub(crate) struct Refusal(Box<Inner>);

#[derive(Debug)]
struct Inner {
    status: StatusCode,
    headers: HeaderMap,
    body: Value,
}

pub(crate) type Reply<T = Json<Value>> = Result<T, Refusal>;

impl Refusal {
    pub(crate) fn new(status: StatusCode, message: &str) -> Refusal {
        let body = json!({
            "message": message,
            "documentation_url": DOCUMENTATION,
            "status": status.as_str(),
        });
        Refusal(Box::new(Inner { status, headers: HeaderMap::new(), body }))
    }

    /// Also for what the caller may not see.
    pub(crate) fn not_found() -> Refusal {
        Refusal::new(StatusCode::NOT_FOUND, "Not Found")
    }

    pub(crate) fn unauthorized(message: &str) -> Refusal {
        Refusal::new(StatusCode::UNAUTHORIZED, message)
    }

    /// The caller sees the resource but its token lacks a permission.
    pub(crate) fn forbidden(accepted: &str) -> Refusal {
        Refusal::new(StatusCode::FORBIDDEN, "Resource not accessible by integration")
            .with("x-accepted-github-permissions", accepted)
    }

    /// One field that breaks a rule of the resource.
    pub(crate) fn invalid(resource: &str, field: &str, code: &str, message: &str) -> Refusal {
        let mut refusal = Refusal::new(StatusCode::UNPROCESSABLE_ENTITY, "Validation Failed");
        let mut error = json!({ "resource": resource, "field": field, "code": code });
        if !message.is_empty() {
            error["message"] = message.into();
        }
        refusal.0.body["errors"] = json!([error]);
        refusal
    }

    /// A request that does not fit the description, found before any rule is asked.
    pub(crate) fn unfit(detail: &str) -> Refusal {
        let message = format!("Invalid request.\n\n{detail}");
        Refusal::new(StatusCode::UNPROCESSABLE_ENTITY, &message)
    }

    /// A required field that is missing.
    pub(crate) fn missing(field: &str) -> Refusal {
        Refusal::unfit(&format!("\"{field}\" wasn't supplied."))
    }

    pub(crate) fn with(mut self, name: &'static str, value: &str) -> Refusal {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.0.headers.insert(HeaderName::from_static(name), value);
        }
        self
    }

    /// A field beside `message`.
    pub(crate) fn saying(mut self, field: &str, value: &str) -> Refusal {
        self.0.body[field] = value.into();
        self
    }
}

/// The simulator itself failed: nothing that GitHub would say, so the reason is told.
impl From<anyhow::Error> for Refusal {
    fn from(error: anyhow::Error) -> Refusal {
        tracing::error!(error = format!("{error:#}"), "the simulated GitHub failed");
        Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, &format!("{error:#}"))
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        (self.0.status, self.0.headers, Json(self.0.body)).into_response()
    }
}

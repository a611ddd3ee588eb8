//! API tokens: whether a request has one, and what it may do.

use http::StatusCode;
use serde_json::json;

use super::cloud::Cloud;
use super::envelope::{ApiError, Outcome};
use super::settings::{Permission, TokenOwner, TokenSettings, TokenStatus};
use crate::call::{Call, Reply};

/// The token that a request shows.
pub(super) fn of(cloud: &Cloud, call: &Call) -> Result<TokenSettings, ApiError> {
    let Some(header) = call.header("authorization") else {
        return Err(ApiError::bad_request(
            9106,
            "Missing X-Auth-Key, X-Auth-Email or Authorization headers",
        ));
    };
    let Some(value) = header.strip_prefix("Bearer ").filter(|value| !value.trim().is_empty())
    else {
        return Err(ApiError::bad_request(6003, "Invalid request headers")
            .because(6111, "Invalid format for Authorization header"));
    };
    let known = cloud.settings.tokens.iter().find(|token| token.value == value).cloned();
    match known {
        Some(token) if token.status == TokenStatus::Active || is_verification(call) => Ok(token),
        _ if is_verification(call) => {
            Err(ApiError::new(StatusCode::UNAUTHORIZED, 1000, "Invalid API Token"))
        }
        _ if call.path.contains("/zones") => {
            Err(ApiError::new(StatusCode::FORBIDDEN, 9109, "Invalid access token"))
        }
        _ => Err(ApiError::authentication()),
    }
}

/// Says that a token is good, at the address for tokens of its owner.
pub(super) fn verify(token: &TokenSettings, asked: TokenOwner) -> Outcome {
    if token.owner != asked {
        return Err(ApiError::new(StatusCode::UNAUTHORIZED, 1000, "Invalid API Token"));
    }
    let status = match token.status {
        TokenStatus::Active => "active",
        TokenStatus::Disabled => "disabled",
        TokenStatus::Expired => "expired",
    };
    let message = format!("This API Token is valid and {status}");
    let body = json!({
        "result": { "id": token.id, "status": status },
        "success": true,
        "errors": [],
        "messages": [{ "code": 10_000, "message": message, "type": null }],
    });
    Ok(Reply::json(StatusCode::OK, &body))
}

/// Refuses a token that may not do this.
pub(super) fn require(token: &TokenSettings, wanted: Permission) -> Result<(), ApiError> {
    match (token.may(wanted), wanted) {
        (true, _) => Ok(()),
        (false, Permission::ZoneRead) => Err(unauthorized()),
        (false, _) => Err(ApiError::authentication()),
    }
}

/// Whether the token is for this zone.
pub(super) fn sees(token: &TokenSettings, zone: &str) -> bool {
    token.zones.as_ref().is_none_or(|zones| zones.contains(zone))
}

/// What is said of a zone that the token is not for.
pub(super) fn unauthorized() -> ApiError {
    ApiError::new(StatusCode::FORBIDDEN, 9109, "Unauthorized to access requested resource")
}

fn is_verification(call: &Call) -> bool {
    call.path.ends_with("/tokens/verify")
}

//! What was asked: parameters, body, and the version of the API that was asked for.

use landfall_sim::exchange::{Exchange, Wire};
use serde_json::Value;

use super::document::{Document, Matched};
use super::schema::Side;
use super::{Findings, body, known, parameter};

/// The version that the description is of. Another one answers otherwise.
const GITHUB_VERSION: &str = "2022-11-28";

pub(super) fn check(
    document: &Document,
    matched: &Matched<'_>,
    exchange: &Exchange,
    findings: &mut Findings,
) {
    parameter::check(document, matched, &exchange.query, findings);
    if exchange.wire == Wire::GitHub {
        github_headers(exchange, findings);
    }
    let described = matched.place.under(&["requestBody"]);
    match (described, exchange.request_body.is_empty()) {
        (None, true) => {}
        (None, false) => findings.add("request body", "the operation takes none"),
        (Some(described), true) => {
            if described.value["required"] == true && !known::body_may_be_left_out(exchange) {
                findings.add("request body", "it is missing");
            }
        }
        (Some(described), false) => {
            let media_type = media_type(exchange.request_header("content-type"));
            let content = described.under(&["content", &media_type]);
            let Some(schema) = content.and_then(|content| content.schema()) else {
                findings.add("request body", format!("the operation takes no {media_type}"));
                return;
            };
            let Ok(value) = serde_json::from_slice::<Value>(&exchange.request_body) else {
                findings.add("request body", "it is no JSON");
                return;
            };
            let validator = document.validator(Side::Ours, &schema.fragment);
            body::check(&validator, &value, "request body", findings);
        }
    }
}

fn github_headers(exchange: &Exchange, findings: &mut Findings) {
    if exchange.request_header("user-agent").is_none() {
        findings.add("header", "GitHub answers nobody without a User-Agent");
    }
    match exchange.request_header("x-github-api-version") {
        None | Some(GITHUB_VERSION) => {}
        Some(other) => {
            findings
                .add("header", format!("version {other} is another API than the one described"));
        }
    }
}

/// A media type without its parameters.
pub(super) fn media_type(header: Option<&str>) -> String {
    let value = header.unwrap_or_default();
    value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

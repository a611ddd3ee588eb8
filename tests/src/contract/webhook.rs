//! Webhooks: the payload of an event and action, and the headers that come with it.
//!
//! What a receiver answers is not looked at: GitHub takes any 2xx, and which answer is right is the scenario's business.

use landfall_sim::exchange::Exchange;
use serde_json::Value;

use super::document::{Document, Place};
use super::schema::Side;
use super::{Findings, body, known};

/// GitHub signs only for a hook that has a secret.
const SIGNATURE: &str = "x-hub-signature-256";

pub(super) fn check(document: &Document, exchange: &Exchange, findings: &mut Findings) {
    let Some(event) = exchange.request_header("x-github-event") else {
        findings.add("header", "x-github-event is missing");
        return;
    };
    let Ok(payload) = serde_json::from_slice::<Value>(&exchange.request_body) else {
        findings.add("payload", "it is no JSON");
        return;
    };
    let name = name(event, &payload);
    let Some(described) = document.place(&["webhooks", &name, "post"]) else {
        if !known::is_undescribed_event(event, &payload) {
            findings.add("payload", format!("GitHub describes no {name}"));
        }
        return;
    };
    headers(&described, exchange, findings);
    let content = described.under(&["requestBody", "content", "application/json"]);
    if let Some(schema) = content.and_then(|content| content.schema()) {
        let validator = document.validator(Side::Theirs, &schema.fragment);
        body::check(&validator, &payload, &format!("payload of {name}"), findings);
    }
}

/// The description's name for an event and an action: `pull-request-opened`.
fn name(event: &str, payload: &Value) -> String {
    let action = payload["action"].as_str();
    let parts = [Some(event), action].into_iter().flatten();
    parts.collect::<Vec<_>>().join("-").replace('_', "-")
}

fn headers(described: &Place<'_>, exchange: &Exchange, findings: &mut Findings) {
    let parameters = described.under(&["parameters"]).map(|list| list.elements());
    for parameter in parameters.unwrap_or_default() {
        let name = parameter.value["name"].as_str().unwrap_or_default().to_ascii_lowercase();
        let required = parameter.value["required"] == true && name != SIGNATURE;
        if required && exchange.request_header(&name).is_none() {
            findings.add("header", format!("{name} is missing"));
        }
    }
}

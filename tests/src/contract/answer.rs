//! What was answered: a status that the operation has, and the body that belongs to it.

use landfall_sim::exchange::Exchange;
use serde_json::Value;

use super::document::{Document, Matched, Place};
use super::known::{self, Undescribed};
use super::request::media_type;
use super::schema::Side;
use super::{Findings, body, pointer};

pub(super) fn check(
    document: &Document,
    matched: &Matched<'_>,
    exchange: &Exchange,
    findings: &mut Findings,
) {
    let Some(status) = exchange.status else {
        findings.add("answer", "there was none");
        return;
    };
    let class = format!("{}XX", status / 100);
    let described = [status.to_string().as_str(), class.as_str(), "default"]
        .into_iter()
        .find_map(|status| matched.place.under(&["responses", status]));
    match described {
        Some(described) => described_answer(document, &described, exchange, findings),
        None => undescribed_answer(document, status, exchange, findings),
    }
}

fn described_answer(
    document: &Document,
    described: &Place<'_>,
    exchange: &Exchange,
    findings: &mut Findings,
) {
    let Some(content) = described.under(&["content"]) else {
        match known::may_say_why(exchange) {
            _ if exchange.response_body.is_empty() => {}
            Some(schema) => json(document, &named(schema), exchange, findings),
            None => findings.add("answer", "this status has no body"),
        }
        return;
    };
    let media_type = media_type(exchange.response_header("content-type"));
    let content = content.under(&[&media_type]);
    match content.as_ref().and_then(Place::schema).map(known::failure_alone) {
        Some(schema) => json(document, &schema.fragment, exchange, findings),
        None if content.is_some() => {}
        None => findings.add("answer", format!("this status has no body of type `{media_type}`")),
    }
}

fn undescribed_answer(
    document: &Document,
    status: u16,
    exchange: &Exchange,
    findings: &mut Findings,
) {
    let mut reasons = known::undescribed(exchange).peekable();
    if reasons.peek().is_none() {
        findings.add("answer", format!("the vendor describes no status {status}"));
        return;
    }
    let mut first = None;
    for expected in reasons {
        let mut tried = Findings::of(exchange);
        match expected {
            Undescribed::Nothing if exchange.response_body.is_empty() => return,
            Undescribed::Page if exchange.response_json().is_none() => return,
            Undescribed::Nothing => tried.add("answer", "this status has no body"),
            Undescribed::Page => tried.add("answer", "this is a web page at the vendor"),
            Undescribed::Schema(name) => json(document, &named(name), exchange, &mut tried),
            Undescribed::Refusal(keys) => {
                let said = exchange.response_json().unwrap_or_default();
                if said.pointer(keys).is_none() {
                    tried.add("answer", format!("a refusal has {keys}"));
                }
            }
        }
        if tried.violations.is_empty() {
            return;
        }
        first.get_or_insert(tried.violations);
    }
    findings.violations.extend(first.unwrap_or_default());
}

fn named(schema: &str) -> String {
    pointer::fragment(&["components", "schemas", schema])
}

fn json(document: &Document, fragment: &str, exchange: &Exchange, findings: &mut Findings) {
    let Ok(value) = serde_json::from_slice::<Value>(&exchange.response_body) else {
        findings.add("answer", "it is no JSON");
        return;
    };
    let part = format!("answer {}", exchange.status.unwrap_or_default());
    body::check(&document.validator(Side::Theirs, fragment), &value, &part, findings);
}

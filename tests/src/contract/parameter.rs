//! The parameters in a path and a query.

use serde_json::Value;

use super::Findings;
use super::document::{Document, Matched, Place};
use super::schema::Side;

/// Every parameter that was sent is described and has a value of its type; every required one was sent.
pub(super) fn check(
    document: &Document,
    matched: &Matched<'_>,
    query: &str,
    findings: &mut Findings,
) {
    let described = matched.place.under(&["parameters"]).map(|list| list.elements());
    let described = described.unwrap_or_default();
    let find = |kind: &str, name: &str| {
        described
            .iter()
            .find(|parameter| parameter.value["in"] == kind && parameter.value["name"] == name)
    };
    for (name, value) in &matched.values {
        if let Some(parameter) = find("path", name) {
            typed(document, parameter, &decoded(value), findings);
        }
    }
    let sent: Vec<(String, String)> = pairs(query);
    for (name, value) in &sent {
        match find("query", name) {
            Some(parameter) => typed(document, parameter, value, findings),
            None => findings.add("query", format!("the operation has no parameter {name}")),
        }
    }
    let required = described.iter().filter(|parameter| {
        parameter.value["in"] == "query" && parameter.value["required"] == true
    });
    for parameter in required {
        let name = parameter.value["name"].as_str().unwrap_or_default();
        if !sent.iter().any(|(known, _)| known == name) {
            findings.add("query", format!("the parameter {name} is missing"));
        }
    }
}

/// A parameter is text on its way; it fits if any value that the text may mean does.
fn typed(document: &Document, parameter: &Place<'_>, text: &str, findings: &mut Findings) {
    let Some(schema) = parameter.schema() else { return };
    let validator = document.validator(Side::Ours, &schema.fragment);
    let listed = text.split(',').map(Value::from).collect();
    let parsed = serde_json::from_str(text).ok().filter(|value: &Value| !value.is_string());
    let meanings = [Some(Value::from(text)), parsed, Some(listed)];
    if !meanings.into_iter().flatten().any(|value| validator.is_valid(&value)) {
        let name = parameter.value["name"].as_str().unwrap_or_default();
        let place = parameter.value["in"].as_str().unwrap_or_default();
        findings.add(place, format!("the value of {name} is not what the vendor takes"));
    }
}

fn pairs(query: &str) -> Vec<(String, String)> {
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decoded(&name.replace('+', " ")), decoded(&value.replace('+', " ")))
        })
        .collect()
}

fn decoded(text: &str) -> String {
    percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned()
}

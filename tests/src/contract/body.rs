//! A JSON value against a schema of a description, and its faults in few words.

use jsonschema::error::ValidationErrorKind;
use jsonschema::{ValidationError, Validator};
use serde_json::Value;

use super::Findings;

/// More faults than these in one body say nothing new.
const MOST: usize = 5;

/// Adds what is wrong with a value to the findings of `part`.
pub(super) fn check(validator: &Validator, value: &Value, part: &str, findings: &mut Findings) {
    for fault in faults(validator, value) {
        findings.add(&format!("{part}{}", fault.at), fault.what);
    }
}

/// A fault and where in the value it is.
pub(super) struct Fault {
    /// Empty for the value as a whole, else `, /output/title`.
    at: String,
    what: String,
}

fn faults(validator: &Validator, value: &Value) -> Vec<Fault> {
    let mut faults: Vec<Fault> = validator.iter_errors(value).map(|error| fault(&error)).collect();
    // A value that does not fit its kind has no property that fits either; saying so after the cause only hides it.
    let telling = faults.iter().any(|fault| !fault.what.starts_with(UNNAMED));
    faults.retain(|fault| !telling || !fault.what.starts_with(UNNAMED));
    faults.truncate(MOST);
    faults
}

const UNNAMED: &str = "the vendor knows no";

fn fault(error: &ValidationError<'_>) -> Fault {
    let place = error.instance_path().to_string();
    let at = if place.is_empty() { String::new() } else { format!(", {place}") };
    match error.kind() {
        ValidationErrorKind::OneOfNotValid { context } | ValidationErrorKind::AnyOf { context } => {
            closest(context).map(fault).unwrap_or(Fault { at, what: masked(error) })
        }
        ValidationErrorKind::UnevaluatedProperties { unexpected } => {
            Fault { at, what: format!("{UNNAMED} {}", unexpected.join(", ")) }
        }
        _ => Fault { at, what: masked(error) },
    }
}

/// Of several schemas that all do not fit, the fault in the one that fits best: that fails deepest in the value, and least.
fn closest<'e>(
    branches: &'e [Vec<ValidationError<'static>>],
) -> Option<&'e ValidationError<'static>> {
    let depth = |error: &ValidationError<'_>| error.instance_path().as_str().matches('/').count();
    let meant = branches.iter().filter(|branch| !branch.iter().any(is_another_kind));
    let meant: Vec<_> = meant.collect();
    let meant = if meant.is_empty() { branches.iter().collect() } else { meant };
    let best = meant.into_iter().max_by_key(|branch| {
        let deepest = branch.iter().map(depth).max().unwrap_or_default();
        (deepest, std::cmp::Reverse(branch.len()))
    })?;
    best.first()
}

/// Whether a branch describes something else altogether, such as a record of another type.
fn is_another_kind(error: &ValidationError<'static>) -> bool {
    matches!(
        error.kind(),
        ValidationErrorKind::Enum { .. }
            | ValidationErrorKind::Constant { .. }
            | ValidationErrorKind::Type { .. }
    )
}

fn masked(error: &ValidationError<'_>) -> String {
    error.masked_with("it").to_string()
}

//! Views: reports in the shape that the templates print.
//!
//! A view words numbers, orders and groups; it does not escape. The templates do that, with the
//! filters of `crate::markdown`, because only they know what a text stands in.

mod diff;
mod pull;
mod run;
mod section;
mod shown;

pub use diff::{counts, counts_done, diff_lines, one_line};
pub use pull::{ConflictLine, EnvironmentRow, NextLine, PullView, outcome, pull};
pub use run::{RunView, StepRow, SuggestedCommand, run};
pub use section::ServiceSection;

use serde::Serialize;

use crate::diagnostic::{Diagnostic, Severity};
use crate::way::{Mark, Way};

/// A finding with its place, as it stands in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// `services/nas.yaml:3:5`
    pub place: String,
    /// What is wrong.
    pub message: String,
    /// What would be right.
    pub help: Option<String>,
    /// The documented code.
    pub code: &'static str,
    /// Other places, each with what it is.
    pub related: Vec<String>,
}

/// The findings of one severity.
#[must_use]
pub fn findings(diagnostics: &[Diagnostic], severity: Severity) -> Vec<Finding> {
    let of_it = diagnostics.iter().filter(|diagnostic| diagnostic.severity == severity);
    let finding = |diagnostic: &Diagnostic| Finding {
        place: diagnostic.span.to_string(),
        message: diagnostic.message.clone(),
        help: diagnostic.help.clone(),
        code: diagnostic.code,
        related: diagnostic.related.iter().map(|(span, note)| format!("{span}: {note}")).collect(),
    };
    of_it.map(finding).collect()
}

/// A hop as it is printed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HopView {
    /// The name.
    pub label: String,
    /// `created`, `changed`, `broken`, `not declared here`; empty for what is there already.
    pub mark: &'static str,
}

/// The hops of a way.
#[must_use]
pub fn way(way: &Way) -> Vec<HopView> {
    let word = |mark| match mark {
        Mark::Existing => "",
        Mark::Unseen => "not declared here",
        Mark::Created => "created",
        Mark::Changed => "changed",
        Mark::Broken => "broken",
    };
    way.hops.iter().map(|hop| HopView { label: hop.label.clone(), mark: word(hop.mark) }).collect()
}

/// `1 environment`, `2 environments`.
pub(crate) fn plural(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

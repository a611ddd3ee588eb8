//! The effective config as text, with the line that each value came from: `landfall show`.

use std::fmt;

use crate::diagnostic::Span;
use crate::yaml::{Node, NodeValue};

/// One line of the effective config.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// YAML, indented, without a line break.
    pub text: String,
    /// Where its value was written; none for a line that only opens a mapping or a list.
    pub origin: Option<Span>,
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.origin {
            Some(Span { file, start, .. }) => write!(f, "{}  # {file}:{}", self.text, start.line),
            None => f.write_str(&self.text),
        }
    }
}

/// The lines of a mapping. What they say reads back as the same tree.
#[must_use]
pub fn show(node: &Node) -> Vec<Line> {
    let mut lines = Vec::new();
    lay_out(node, "", 0, &mut lines);
    lines
}

/// `lead` stands before the value: its indentation and key, or the dash of its item.
fn lay_out(node: &Node, lead: &str, depth: usize, lines: &mut Vec<Line>) {
    let mut leaf = |value: &str| {
        let origin = Some(node.span.clone());
        lines.push(Line { text: format!("{lead}{value}"), origin });
    };
    match &node.value {
        NodeValue::Null => leaf("null"),
        NodeValue::Scalar { text, plain: true } if reads_back_plain(text) => leaf(text),
        NodeValue::Scalar { text, .. } => leaf(&quoted(text)),
        NodeValue::List(items) if items.is_empty() => leaf("[]"),
        NodeValue::Map(entries) if entries.is_empty() => leaf("{}"),
        NodeValue::List(items) => {
            open(lead, lines);
            let indent = "  ".repeat(depth);
            items.iter().for_each(|item| lay_out(item, &format!("{indent}- "), depth + 1, lines));
        }
        NodeValue::Map(entries) => {
            open(lead, lines);
            let indent = "  ".repeat(depth);
            for (key, node) in entries {
                let key =
                    if reads_back_plain(&key.text) { key.text.clone() } else { quoted(&key.text) };
                lay_out(node, &format!("{indent}{key}: "), depth + 1, lines);
            }
        }
    }
}

fn open(lead: &str, lines: &mut Vec<Line>) {
    if !lead.is_empty() {
        lines.push(Line { text: lead.trim_end().to_owned(), origin: None });
    }
}

/// Whether the text may stand without quotes: no character that means something to YAML.
fn reads_back_plain(text: &str) -> bool {
    let inner = |c: char| c.is_ascii_alphanumeric() || "-_./:@+%".contains(c);
    let first = |c: char| c.is_ascii_alphanumeric() || "/._".contains(c);
    text.starts_with(first) && text.chars().all(inner) && !text.ends_with(':')
}

/// JSON's quotes are YAML's double quotes.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

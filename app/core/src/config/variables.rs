//! Variables: `${name}` in values and keys, inserted before anything is merged.
//!
//! What is inserted is text and is not looked at again, so nothing can grow by itself; how much may
//! be inserted into one file is bounded all the same.

use std::collections::BTreeMap;
use std::collections::HashMap;

use crate::diagnostic::{Diagnostic, Span};
use crate::yaml::{Key, Node, NodeValue, did_you_mean};

/// How much text all insertions into one file may make, in bytes.
const MAX_INSERTED: usize = 1024 * 1024;

/// The variables of one environment and service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variables<'a> {
    values: BTreeMap<&'a str, &'a str>,
}

impl<'a> Variables<'a> {
    /// The names that are always there.
    pub const BUILT_IN: [&'static str; 2] = ["environment", "service"];

    /// The environment's own, and the built-in ones.
    pub fn new(
        own: impl IntoIterator<Item = (&'a str, &'a str)>,
        environment: &'a str,
        service: &'a str,
    ) -> Self {
        let built_in = [("environment", environment), ("service", service)];
        Self { values: own.into_iter().chain(built_in).collect() }
    }

    /// Whether `name` may be the name of a variable: `[a-z_][a-z0-9_]*`.
    #[must_use]
    pub fn is_name(name: &str) -> bool {
        name.starts_with(|c: char| c.is_ascii_lowercase() || c == '_')
            && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
    }
}

/// Inserts variables into all values and keys below `node`.
///
/// # Errors
/// Unknown names, malformed references, and keys of one map that become equal.
pub fn insert(node: &Node, variables: &Variables<'_>) -> Result<Node, Vec<Diagnostic>> {
    let mut insertion = Insertion { variables, left: MAX_INSERTED, findings: Vec::new() };
    let node = insertion.node(node);
    if insertion.findings.is_empty() { Ok(node) } else { Err(insertion.findings) }
}

struct Insertion<'v> {
    variables: &'v Variables<'v>,
    left: usize,
    findings: Vec<Diagnostic>,
}

impl Insertion<'_> {
    fn node(&mut self, node: &Node) -> Node {
        let value = match &node.value {
            NodeValue::Null => NodeValue::Null,
            NodeValue::Scalar { text, plain } => {
                NodeValue::Scalar { text: self.text(text, &node.span), plain: *plain }
            }
            NodeValue::List(items) => {
                NodeValue::List(items.iter().map(|item| self.node(item)).collect())
            }
            NodeValue::Map(entries) => NodeValue::Map(self.entries(entries)),
        };
        Node { value, span: node.span.clone() }
    }

    fn entries(&mut self, entries: &[(Key, Node)]) -> Vec<(Key, Node)> {
        let mut inserted = Vec::with_capacity(entries.len());
        for (key, node) in entries {
            let text = self.text(&key.text, &key.span);
            inserted.push((Key { text, span: key.span.clone() }, self.node(node)));
        }
        // Keys are unique before, so only a key that changed can be equal to another.
        if entries.iter().zip(&inserted).any(|(before, after)| before.0.text != after.0.text) {
            self.find_equal(&inserted);
        }
        inserted
    }

    fn find_equal(&mut self, entries: &[(Key, Node)]) {
        let mut seen: HashMap<&str, &Key> = HashMap::with_capacity(entries.len());
        for (key, _) in entries {
            if let Some(first) = seen.insert(&key.text, key) {
                let message = format!(
                    "with the variables inserted, the key `{}` stands here twice",
                    key.text
                );
                let finding = Diagnostic::error("keys-become-equal", key.span.clone(), message);
                self.findings.push(finding.related(first.span.clone(), "the first one"));
            }
        }
    }

    fn text(&mut self, text: &str, span: &Span) -> String {
        let mut out = String::new();
        let mut rest = text;
        while let Some(at) = rest.find("${") {
            let (before, reference) = (&rest[..at], &rest[at..]);
            if let Some(literal) = before.strip_suffix('$') {
                out.push_str(literal);
                out.push_str("${");
                rest = &reference[2..];
                continue;
            }
            out.push_str(before);
            let Some(end) = reference.find('}') else {
                self.refuse(
                    "bad-variable",
                    span,
                    "`${` has no `}` behind it",
                    Some("write `$${` for a literal `${`"),
                );
                return text.to_owned();
            };
            out.push_str(self.value(&reference[2..end], span));
            rest = &reference[end + 1..];
        }
        out.push_str(rest);
        out
    }

    fn value(&mut self, name: &str, span: &Span) -> &str {
        let Some(value) = self.variables.values.get(name).copied() else {
            self.refuse_name(name, span);
            return "";
        };
        match self.left.checked_sub(value.len()) {
            Some(left) => {
                self.left = left;
                value
            }
            None if self.left == 0 => "",
            None => {
                self.left = 0;
                let message = format!(
                    "the variables inserted into this file come to more than {MAX_INSERTED} bytes"
                );
                self.refuse("too-large", span, &message, None);
                ""
            }
        }
    }

    fn refuse_name(&mut self, name: &str, span: &Span) {
        let shown: String = name.chars().take(80).collect();
        if name.contains('.') {
            let message =
                format!("`${{{shown}}}`, the output of another unit, is not supported yet");
            return self.refuse("not-yet", span, &message, None);
        }
        let help = did_you_mean(name, self.variables.values.keys().copied());
        let environment = self.variables.values.get("environment").copied().unwrap_or_default();
        let message = format!("{environment} has no variable `{shown}`");
        self.refuse("unknown-variable", span, &message, help.as_deref());
    }

    fn refuse(&mut self, code: &'static str, span: &Span, message: &str, help: Option<&str>) {
        const ENOUGH: usize = 50;
        if self.findings.len() < ENOUGH {
            let mut finding = Diagnostic::error(code, span.clone(), message);
            finding.help = help.map(ToOwned::to_owned);
            self.findings.push(finding);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::yaml::parse;

    fn inserted(text: &str) -> Result<String, String> {
        let variables = Variables::new([("suffix", "-staging"), ("empty", "")], "staging", "nas");
        let node = parse("x.yaml", text.as_bytes()).unwrap();
        match insert(&node, &variables) {
            Ok(node) => Ok(super::super::digest::canonical(&node).to_string()),
            Err(findings) => Err(findings[0].to_string()),
        }
    }

    #[test]
    fn values_and_keys_are_inserted_and_a_doubled_dollar_is_a_literal() {
        let text = "'${service}${suffix}.lan': ['$${service}', 'a${empty}b $5 ${environment}']";
        let json = r#"{"nas-staging.lan":["${service}","ab $5 staging"]}"#;
        assert_eq!(inserted(text).unwrap(), json);
    }

    #[test]
    fn what_cannot_be_inserted_is_told_where_it_stands() {
        assert_eq!(
            inserted("a: ${sufix}").unwrap_err(),
            "x.yaml:1:4: staging has no variable `sufix` [unknown-variable]; did you mean `suffix`?"
        );
        assert!(inserted("a: ${unifi_dns.nas.address}").unwrap_err().contains("[not-yet]"));
        assert!(inserted("a: ${suffix").unwrap_err().contains("[bad-variable]"));
        assert!(inserted("{a: 1, 'a${empty}': 2}").unwrap_err().contains("[keys-become-equal]"));
    }

    #[test]
    fn many_insertions_of_a_long_value_are_refused_and_not_made() {
        let long = "x".repeat(100_000);
        let variables = Variables::new([("long", long.as_str())], "e", "s");
        let node = parse("x.yaml", format!("a: {}", "${long}".repeat(1000)).as_bytes()).unwrap();
        let findings = insert(&node, &variables).unwrap_err();
        assert_eq!((findings.len(), findings[0].code), (1, "too-large"));
    }
}

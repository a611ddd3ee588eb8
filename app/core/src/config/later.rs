//! Keys that are designed and not there yet: refused by name, so that nobody believes they work.

use crate::diagnostic::Diagnostic;
use crate::yaml::{Key, Node, NodeValue};

/// Keys of an environment that come later.
pub(super) const ENVIRONMENT: &[&str] = &["cli", "gates", "on_failure", "secrets", "state"];

/// Keys of a service that come later; kinds that do are in the registry.
pub(super) const SERVICE: &[&str] = &["verify"];

/// The finding for a key that comes later.
pub(super) fn refuse(key: &Key) -> Diagnostic {
    let message = format!("`{}` is not supported yet", key.text);
    Diagnostic::error("not-yet", key.span.clone(), message)
        .help("remove the key; this version of Landfall would ignore it")
}

/// The node without the keys in `apart`, and a finding for each that is in `later`.
pub(super) fn split(node: &Node, apart: &[&str], later: &[&str]) -> (Node, Vec<Diagnostic>) {
    let NodeValue::Map(entries) = &node.value else { return (node.clone(), Vec::new()) };
    let is_in = |list: &[&str], key: &Key| list.contains(&key.text.as_str());
    let findings = entries.iter().filter(|(key, _)| is_in(later, key)).map(|(key, _)| refuse(key));
    let kept = entries.iter().filter(|(key, _)| !is_in(later, key) && !is_in(apart, key));
    let rest = Node { value: NodeValue::Map(kept.cloned().collect()), span: node.span.clone() };
    (rest, findings.collect())
}

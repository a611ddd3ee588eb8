//! The connections of an environment: under the name of their kind, or named with `kind:`.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::environment::named_badly;
use super::kind::Connection;
use super::{Registry, later};
use crate::diagnostic::{Diagnostic, Span};
use crate::name::{ConnectionName, KindName};
use crate::yaml::{Key, Node, NodeValue, Spanned, decode, did_you_mean};

/// A connection with its name.
#[derive(Debug, Clone)]
pub struct NamedConnection {
    /// Its name: the kind's own, or one that was chosen.
    pub name: ConnectionName,
    /// Its kind.
    pub kind: KindName,
    /// What it is.
    pub connection: Arc<dyn Connection>,
    /// Where it is declared.
    pub span: Span,
}

/// Reads `connections:`; what is wrong goes to `findings`.
pub(super) fn read_all(
    registry: Registry<'_>,
    node: Option<&Node>,
    findings: &mut Vec<Diagnostic>,
) -> BTreeMap<ConnectionName, NamedConnection> {
    let Some(node) = node.filter(|node| !node.is_null()) else { return BTreeMap::new() };
    let NodeValue::Map(entries) = &node.value else {
        let message = format!("expected a mapping, found {}", node.describe());
        findings.push(Diagnostic::error("wrong-type", node.span.clone(), message));
        return BTreeMap::new();
    };
    let mut connections = BTreeMap::new();
    for (key, node) in entries {
        match read(registry, key, node) {
            Ok(connection) => drop(connections.insert(connection.name.clone(), connection)),
            Err(errors) => findings.extend(errors),
        }
    }
    connections
}

fn read(
    registry: Registry<'_>,
    key: &Key,
    node: &Node,
) -> Result<NamedConnection, Vec<Diagnostic>> {
    let name = ConnectionName::new(key.text.as_str())
        .map_err(|e| vec![named_badly(&e, key.span.clone())])?;
    let (rest, _) = later::split(node, &["kind"], &[]);
    let written = node.get("kind").map(decode::<Spanned<String>>).transpose()?;
    let word = written.unwrap_or_else(|| Spanned::new(key.text.clone(), key.span.clone()));
    let Some(kind) = registry.connection(&word) else {
        return Err(vec![unknown(registry, &word, node)]);
    };
    let connection = kind.decode(&rest)?.into();
    Ok(NamedConnection { name, kind: kind.name(), connection, span: key.span.clone() })
}

fn unknown(registry: Registry<'_>, word: &Spanned<String>, node: &Node) -> Diagnostic {
    let message = format!("there is no kind of connection `{}`", word.value);
    let mut finding = Diagnostic::error("unknown-value", word.span.clone(), message);
    let kinds = registry.connection_names();
    finding.help = did_you_mean(word, kinds.iter().map(String::as_str));
    if node.get("kind").is_none() {
        let named = format!("a name of your own needs a kind: `{}: {{ kind: .. }}`", word.value);
        finding.help = Some(finding.help.map_or(named.clone(), |help| format!("{help}; {named}")));
    }
    finding
}

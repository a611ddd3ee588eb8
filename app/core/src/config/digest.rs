//! What a tree means, without where it was written.

use serde_json::{Map, Value};

use crate::plan::{Digest, Target, UnitHash};
use crate::yaml::{Node, NodeValue};

/// The tree without places, comments and quotes. Scalars are their text: whoever decodes one gets
/// the same from `300` and from any other spelling with the same text.
pub(super) fn canonical(node: &Node) -> Value {
    match &node.value {
        NodeValue::Null => Value::Null,
        NodeValue::Scalar { text, .. } => Value::from(text.as_str()),
        NodeValue::List(items) => items.iter().map(canonical).collect(),
        NodeValue::Map(entries) => {
            let pairs = entries.iter().map(|(key, node)| (key.text.clone(), canonical(node)));
            Value::Object(pairs.collect::<Map<_, _>>())
        }
    }
}

/// The digest of a tree's meaning: comments, order of keys and quotes do not change it.
pub(super) fn digest(node: &Node) -> Digest {
    Digest::of(&canonical(node))
}

/// The content id of a source file: equal in every environment.
#[must_use]
pub fn content_digest(source: &[u8]) -> Digest {
    Digest::of(&Value::from(String::from_utf8_lossy(source)))
}

/// The hash of a unit: its effective config and the targets that it writes to, in any order.
pub fn unit_hash<'t>(config: &Digest, targets: impl IntoIterator<Item = &'t Target>) -> UnitHash {
    let mut targets: Vec<String> = targets.into_iter().map(ToString::to_string).collect();
    targets.sort_unstable();
    targets.dedup();
    Digest::of(&serde_json::json!({ "config": config, "targets": targets })).into()
}

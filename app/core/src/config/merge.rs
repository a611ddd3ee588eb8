//! Merging: maps by key, everything else is replaced, `null` removes.

use std::collections::HashMap;

use crate::yaml::{Key, Node, NodeValue};

/// `overlay` over `base`. Every value keeps the place it was written at; an entry that is in both and
/// merged keeps its place in the order of `base`.
#[must_use]
pub fn merge(base: Node, overlay: Node) -> Node {
    let Node { value, span } = overlay;
    let overlay = match value {
        NodeValue::Map(entries) => entries,
        value => return Node { value, span },
    };
    match base.value {
        NodeValue::Map(entries) => {
            Node { value: NodeValue::Map(merge_maps(entries, overlay)), span: base.span }
        }
        // What is new has nothing to remove; its own nulls go.
        _ => Node { value: NodeValue::Map(merge_maps(Vec::new(), overlay)), span },
    }
}

fn merge_maps(base: Vec<(Key, Node)>, overlay: Vec<(Key, Node)>) -> Vec<(Key, Node)> {
    // Slots keep the order while entries go; the index keeps this linear.
    let mut slots: Vec<Option<(Key, Node)>> = base.into_iter().map(Some).collect();
    let at: HashMap<String, usize> = if overlay.is_empty() {
        HashMap::new()
    } else {
        slots.iter().flatten().enumerate().map(|(at, (key, _))| (key.text.clone(), at)).collect()
    };
    for (key, node) in overlay {
        let slot = at.get(&key.text).copied();
        match (slot, node.is_null()) {
            (Some(slot), true) => slots[slot] = None,
            (None, true) => {}
            (Some(slot), false) => {
                slots[slot] = slots[slot].take().map(|(old, base)| replace(old, base, key, node));
            }
            (None, false) => slots.push(Some((key, without_nulls(node)))),
        }
    }
    slots.into_iter().flatten().collect()
}

/// Two maps stay at the key of the first; anything else is the second's alone.
fn replace(old: Key, base: Node, key: Key, node: Node) -> (Key, Node) {
    let both = matches!((&base.value, &node.value), (NodeValue::Map(_), NodeValue::Map(_)));
    if both { (old, merge(base, node)) } else { (key, without_nulls(node)) }
}

/// A map of an overlay that stands where the base has none: its nulls remove nothing and go.
fn without_nulls(node: Node) -> Node {
    match node.value {
        NodeValue::Map(entries) => {
            Node { value: NodeValue::Map(merge_maps(Vec::new(), entries)), span: node.span }
        }
        _ => node,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::yaml::parse;

    fn merged(base: &str, overlay: &str) -> serde_json::Value {
        let read = |text: &str| parse("x.yaml", text.as_bytes()).unwrap();
        super::super::digest::canonical(&merge(read(base), read(overlay)))
    }

    #[test]
    fn maps_merge_by_key_lists_are_replaced_and_null_removes() {
        let merged = merged(
            "{a: {x: 1, y: 2}, b: [1, 2], c: 3, d: {e: 1}}",
            "{a: {y: 3, z: 4, w: ~}, b: [9], c: ~, d: 5, f: {g: ~, h: 1}}",
        );
        let expected = serde_json::json!({
            "a": {"x": "1", "y": "3", "z": "4"}, "b": ["9"], "d": "5", "f": {"h": "1"},
        });
        assert_eq!(merged, expected);
    }
}

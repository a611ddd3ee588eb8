//! JSON pointers as fragments of an address: how a place in a document is named, and found again.

use serde_json::Value;

/// The fragment that names a place, from the root: `["paths", "/app", "get"]` is `#/paths/~1app/get`.
pub(super) fn fragment(place: &[&str]) -> String {
    let tokens = place.iter().map(|token| format!("/{}", encode(token)));
    format!("#{}", tokens.collect::<String>())
}

/// The same fragment with everything escaped that an address may not contain: a vendor's schema names have spaces.
pub(super) fn tidy(fragment: &str) -> String {
    fragment.replace(' ', "%20")
}

/// What stands at a fragment of the same document.
pub(super) fn find<'a>(root: &'a Value, fragment: &str) -> Option<&'a Value> {
    root.pointer(
        &fragment.strip_prefix('#')?.replace("%20", " ").replace("%7B", "{").replace("%7D", "}"),
    )
}

fn encode(token: &str) -> String {
    let escaped = token.replace('~', "~0").replace('/', "~1");
    escaped.replace(' ', "%20").replace('{', "%7B").replace('}', "%7D")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_a_fragment_names_is_found_again() {
        let root = json!({ "paths": { "/v1/sites/{id}": { "get out": 1 } } });
        let fragment = fragment(&["paths", "/v1/sites/{id}", "get out"]);
        assert_eq!(fragment, "#/paths/~1v1~1sites~1%7Bid%7D/get%20out");
        assert_eq!(find(&root, &fragment), Some(&json!(1)));
    }
}

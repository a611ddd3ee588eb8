//! Whatever is read, the answer is a tree or an error with a place, within bounds.

use landfall_core::config::{RepositoryConfig, ServiceFile, ServiceGlob, merge, units};
use landfall_core::diagnostic::Diagnostic;
use landfall_core::name::ConfigPath;
use landfall_core::yaml::{MAX_BYTES, Node, NodeValue, decode, parse};
use proptest::prelude::*;

use crate::kinds::{REGISTRY, Tunnel};

const REPOSITORY: &str = r#"
version: 1
environments:
  production:
    vars: { a: b }
    connections:
      unifi: { url: "https://192.168.1.1", api_key: "ref+env://LANDFALL_SECRET_UNIFI" }
"#;

/// Text with more than its share of what means something to YAML and to us.
fn hostile() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        "[ -~\\n]{0,8}",
        Just("\n  ".to_owned()),
        Just(": ".to_owned()),
        Just("- ".to_owned()),
        Just("${".to_owned()),
        Just("{".to_owned()),
        Just("[".to_owned()),
        Just("&a *a ".to_owned()),
        Just("!!t ".to_owned()),
        Just("? ".to_owned()),
        Just("|\n".to_owned()),
        Just("---\n".to_owned()),
        Just("unifi_dns:\n  a.lan: ".to_owned()),
        Just("environments:\n  production:\n    ".to_owned()),
        "\\PC{0,4}",
    ];
    proptest::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

/// A tree of maps, lists and scalars, without nulls.
fn tree() -> impl Strategy<Value = NodeValue> {
    let leaf = "[a-z0-9]{0,4}".prop_map(|text| NodeValue::Scalar { text, plain: false });
    leaf.prop_recursive(4, 64, 6, |inner| {
        let list = proptest::collection::vec(inner.clone(), 0..4);
        prop_oneof![
            list.prop_map(|items| NodeValue::List(items.into_iter().map(placed).collect())),
            proptest::collection::btree_map("[a-d]", inner, 0..4).prop_map(mapping),
        ]
    })
}

fn map() -> impl Strategy<Value = Node> {
    proptest::collection::btree_map("[a-d]", tree(), 0..4)
        .prop_map(|entries| placed(mapping(entries)))
}

fn mapping(entries: std::collections::BTreeMap<String, NodeValue>) -> NodeValue {
    let span = placed(NodeValue::Null).span;
    let key = |text| landfall_core::yaml::Key { text, span: span.clone() };
    NodeValue::Map(entries.into_iter().map(|(text, value)| (key(text), placed(value))).collect())
}

fn placed(value: NodeValue) -> Node {
    Node { value, span: parse("x.yaml", b"").unwrap().span }
}

fn all_placed(findings: &[Diagnostic]) -> bool {
    let placed = |f: &Diagnostic| {
        f.span.start.line >= 1 && f.span.start.column >= 1 && !f.span.file.is_empty()
    };
    !findings.is_empty() && findings.iter().all(placed)
}

/// A pattern with more than its share of what means something in one.
fn hostile_pattern() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        prop::sample::select(
            &[
                "*",
                "**",
                "/",
                "{",
                "}",
                ",",
                "[",
                "]",
                "!",
                "\\",
                "?",
                ":",
                "services/",
                "apex",
                "é",
                "*:*:"
            ][..]
        )
        .prop_map(str::to_owned),
        "[a-z.-]{0,4}",
        ("[{*\\[(]", 1..3000_usize).prop_map(|(piece, times)| piece.repeat(times)),
    ];
    proptest::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

/// A text as YAML takes it, also where a key is as long.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

proptest! {
    #[test]
    fn a_pattern_of_the_repository_config_is_refused_or_can_be_asked(
        pattern in hostile_pattern(), other in hostile_pattern(), path in "services/[a-z*{]{1,20}\\.yaml"
    ) {
        let text = format!(
            "version: 1\nservices: {0}\nscopes:\n  ? {1}\n  : [a.example.com]\nenvironments:\n  production:\n    guardrails: {{ protect: [{0}, {1}] }}\n",
            quoted(&pattern), quoted(&other),
        );
        match RepositoryConfig::load(REGISTRY, "landfall.yaml", text.as_bytes()) {
            Ok(repository) => {
                let path = ConfigPath::new(path).unwrap();
                // Nothing is said by what they answer, but that they do, and about what was written.
                let about = repository.scopes.iter().filter(|scope| scope.is_about(&path));
                prop_assert!(about.count() <= repository.scopes.len());
                prop_assert_eq!(repository.services.matches(&path), {
                    let again = ServiceGlob::new(&pattern).unwrap();
                    again.matches(&path)
                });
            }
            Err(findings) => prop_assert!(all_placed(&findings)),
        }
    }

    #[test]
    fn text_becomes_a_tree_or_errors_with_places(text in hostile()) {
        let repository = RepositoryConfig::load(REGISTRY, "landfall.yaml", REPOSITORY.as_bytes()).unwrap();
        match parse("x.yaml", text.as_bytes()) {
            Ok(node) => if let Err(findings) = decode::<Tunnel>(&node) {
                prop_assert!(all_placed(&findings));
            },
            Err(findings) => prop_assert!(all_placed(&findings)),
        }
        let path = ConfigPath::new("services/x.yaml").unwrap();
        match ServiceFile::parse(REGISTRY, &path, text.as_bytes()) {
            Ok(service) => for environment in repository.environments.values() {
                if let Err(findings) = units(REGISTRY, &repository, environment, &service) {
                    prop_assert!(all_placed(&findings));
                }
            },
            Err(findings) => prop_assert!(all_placed(&findings)),
        }
        if let Err(findings) = RepositoryConfig::load(REGISTRY, "landfall.yaml", text.as_bytes()) {
            prop_assert!(all_placed(&findings));
        }
    }

    #[test]
    fn bytes_become_a_tree_or_errors_with_places(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        if let Err(findings) = parse("x.yaml", &bytes) {
            prop_assert!(all_placed(&findings));
        }
    }

    #[test]
    fn merging_nothing_changes_nothing(base in map()) {
        let empty = placed(NodeValue::Map(Vec::new()));
        prop_assert_eq!(&merge(base.clone(), empty.clone()), &base);
        prop_assert_eq!(&merge(empty, base.clone()), &base);
        prop_assert_eq!(&merge(base.clone(), base.clone()), &base);
    }

    #[test]
    fn the_overlay_wins_and_the_rest_stays(base in map(), overlay in map()) {
        let merged = merge(base.clone(), overlay.clone());
        for (key, value) in overlay.entries() {
            let both = |node: &Node| matches!(node.value, NodeValue::Map(_));
            let expected = match base.get(&key.text) {
                Some(old) if both(old) && both(value) => merge(old.clone(), value.clone()),
                _ => value.clone(),
            };
            prop_assert_eq!(merged.get(&key.text), Some(&expected));
        }
        for (key, value) in base.entries().iter().filter(|(key, _)| overlay.get(&key.text).is_none()) {
            prop_assert_eq!(merged.get(&key.text), Some(value));
        }
    }

    #[test]
    fn a_null_removes_its_key_alone(base in map(), at in "[a-d]") {
        let null = mapping([(at.clone(), NodeValue::Null)].into());
        let merged = merge(base.clone(), placed(null));
        prop_assert!(merged.get(&at).is_none());
        for (key, value) in base.entries().iter().filter(|(key, _)| key.text != at) {
            prop_assert_eq!(merged.get(&key.text), Some(value));
        }
    }
}

#[test]
fn deep_wide_and_large_texts_are_refused_within_bounds() {
    let code = |text: String| parse("x.yaml", text.as_bytes()).unwrap_err()[0].code;
    assert_eq!(code("[".repeat(100_000)), "too-deep");
    assert_eq!(code("{a: ".repeat(100_000)), "too-deep");
    let indented: String = (0..1000).map(|depth| format!("{}a:\n", " ".repeat(depth))).collect();
    assert_eq!(code(indented), "too-deep");
    assert_eq!(code(format!("- {}\n", "- ".repeat(100_000))), "too-deep");
    assert_eq!(code(format!("[{}]", "a,".repeat(200_000))), "too-large");
    assert_eq!(code("#".repeat(MAX_BYTES + 1)), "too-large");
    assert_eq!(code("a: !x b\n".repeat(100_000)), "tag");
}

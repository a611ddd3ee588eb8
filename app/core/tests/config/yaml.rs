//! The tree and its decoder as a kind of component uses them.

use landfall_core::config::secret::SecretRef;
use landfall_core::name::DnsName;
use landfall_core::yaml::{Either, Entries, OneOrMany, Spanned, decode, parse};
use serde::Deserialize;

#[derive(Debug, Deserialize)]
struct Tunnel {
    tunnel: Spanned<String>,
    #[serde(default)]
    routes: Entries<DnsName, OneOrMany<Either<Spanned<String>, Route>>>,
}

#[derive(Debug, Deserialize)]
struct Route {
    origin: Spanned<String>,
    #[serde(default)]
    no_tls_verify: bool,
    timeout: Option<u16>,
}

#[derive(Debug, Deserialize)]
#[expect(dead_code, reason = "only its errors are looked at")]
struct Access {
    url: String,
    key: SecretRef,
}

/// What is said about `text` when it is read as `T`.
fn said<T: serde::de::DeserializeOwned + std::fmt::Debug>(text: &str) -> Vec<String> {
    let node = parse("x.yaml", text.as_bytes());
    let result = node.and_then(|node| decode::<T>(&node));
    result.unwrap_err().iter().map(ToString::to_string).collect()
}

#[test]
fn every_value_keeps_its_place_and_its_text() {
    let text = "tunnel: 1.10\nroutes:\n  A.example.com: http://nas:80\n  b.example.com:\n    - origin: ssh://nas\n      timeout: 30\n";
    let tunnel: Tunnel = decode(&parse("s.yaml", text.as_bytes()).unwrap()).unwrap();
    assert_eq!(tunnel.tunnel.value, "1.10");
    assert_eq!(tunnel.tunnel.span.to_string(), "s.yaml:1:9");
    let (name, routes) = &tunnel.routes.0[0];
    assert_eq!((name.as_str(), name.span.to_string().as_str()), ("a.example.com", "s.yaml:3:3"));
    let Either::Scalar(origin) = &routes.0[0] else { panic!("{routes:?}") };
    assert_eq!((origin.as_str(), origin.span.start.column), ("http://nas:80", 18));
    let Either::Structure(route) = &tunnel.routes.0[1].1.0[0] else { panic!("{tunnel:?}") };
    assert_eq!(
        (route.origin.span.start.line, route.timeout, route.no_tls_verify),
        (5, Some(30), false)
    );
}

#[test]
fn what_is_wrong_is_told_where_it_stands_and_all_at_once() {
    let text = "tunel: x\nroutes:\n  a b: http://x\n  b.example.com: { origin: [] }\n  c.example.com: { origin: x, timeout: 70000 }\n  d.example.com: {}\n";
    assert_eq!(
        said::<Tunnel>(text),
        [
            "x.yaml:1:1: the key `tunel` is not known here [unknown-key]; did you mean `tunnel`?",
            "x.yaml:3:3: `a b` is not a domain name: labels of 1 to 63 letters, digits, `-` or `_`, with dots between them [invalid-value]",
            "x.yaml:4:28: expected a text, found a list [wrong-type]",
            "x.yaml:5:40: expected a whole number from 0 to 65535, found 70000 [invalid-value]",
            "x.yaml:6:18: the key `origin` is missing [missing-key]",
            "x.yaml:1:1: the key `tunnel` is missing [missing-key]",
        ]
    );
}

#[test]
fn a_quoted_number_is_a_text_and_yes_is_no_truth() {
    let route = |rest: &str| format!("{{ origin: x, {rest} }}");
    assert_eq!(
        said::<Route>(&route("timeout: '30'")),
        ["x.yaml:1:23: expected a whole number from 0 to 65535, found a quoted text [wrong-type]"]
    );
    assert_eq!(
        said::<Route>(&route("no_tls_verify: yes")),
        ["x.yaml:1:29: expected `true` or `false`, found a text [wrong-type]"]
    );
}

#[test]
fn a_literal_secret_is_refused_and_not_repeated() {
    let said = said::<Access>("url: https://x\nkey: hunter2\n");
    assert_eq!(said.len(), 1);
    assert!(said[0].contains("[literal-secret]") && said[0].starts_with("x.yaml:2:6"), "{said:?}");
    assert!(!said[0].contains("hunter2"), "{said:?}");
}

#[test]
fn two_keys_that_are_one_name_are_refused() {
    let said = said::<Tunnel>("tunnel: x\nroutes:\n  nas.lan: a\n  NAS.lan: b\n");
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(said[0].contains("[duplicate-key]"), "{said:?}");
}

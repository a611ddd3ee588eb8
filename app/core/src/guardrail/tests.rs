use proptest::prelude::*;

use super::*;
use crate::plan::testing::{change, key, plan};

fn zones() -> BTreeMap<Target, DnsName> {
    BTreeMap::from([("cloudflare_dns:z1".parse().unwrap(), DnsName::new("example.com").unwrap())])
}

fn deletes(count: usize) -> Plan {
    plan((0..count).map(|n| {
        change("nas/unifi_dns", Action::Delete, key("unifi_dns:s", "A", &format!("h{n}.lan")))
    }))
}

#[test]
fn four_deletes_pass_whatever_their_share_and_the_fifth_counts() {
    let rules = Guardrails::default();
    assert!(violations(&deletes(4), &[&rules], 4, &zones()).is_empty());
    let found = violations(&deletes(5), &[&rules], 16, &zones());
    assert_eq!(found, [Violation::Deletes { deletes: 5, owned: 16, limit: 30 }]);
    assert!(violations(&deletes(5), &[&rules], 17, &zones()).is_empty());
}

#[test]
fn the_stricter_of_two_rules_counts() {
    let (loose, strict) = (Guardrails { max_deletes: 100, protect: vec![] }, Guardrails::default());
    assert_eq!(violations(&deletes(5), &[&loose, &strict], 5, &zones()).len(), 1);
    assert!(violations(&deletes(5), &[&loose], 5, &zones()).is_empty());
}

#[test]
fn apex_wildcard_ns_and_mx_are_protected_by_default() {
    let rules = Guardrails::default();
    for (rtype, name, protected) in [
        ("TXT", "example.com", true),
        ("CNAME", "*.example.com", true),
        ("NS", "lab.example.com", true),
        ("MX", "mail.example.com", true),
        ("A", "www.example.com", false),
    ] {
        let plan = plan([change(
            "web/cloudflare_dns",
            Action::Delete,
            key("cloudflare_dns:z1", rtype, name),
        )]);
        assert_eq!(
            !violations(&plan, &[&rules], 100, &zones()).is_empty(),
            protected,
            "{rtype} {name}"
        );
    }
}

#[test]
fn creating_a_protected_name_is_fine() {
    let plan = plan([change(
        "web/cloudflare_dns",
        Action::Create,
        key("cloudflare_dns:z1", "MX", "example.com"),
    )]);
    assert!(violations(&plan, &[&Guardrails::default()], 1, &zones()).is_empty());
}

#[test]
fn patterns_read_back_as_written() {
    for text in ["apex", "wildcard", "cloudflare_dns:MX:*", "*:*:*.internal.lan"] {
        assert_eq!(text.parse::<Protect>().unwrap().to_string(), text);
    }
    assert!("MX".parse::<Protect>().is_err());
    assert!(glob("*.internal.lan", "a.internal.lan") && !glob("*.internal.lan", "internal.lan"));
}

#[test]
fn a_pattern_is_matched_in_time_and_stack_however_many_stars_it_has() {
    let stars = format!("*:*:{}b", "*a".repeat(140));
    let hostile: Protect = stars.parse().unwrap();
    let name = "a".repeat(250);
    assert!(!hostile.matches(&key("unifi_dns:s", "A", &name), &zones()));
    assert!(hostile.matches(&key("unifi_dns:s", "A", &format!("{name}b")), &zones()));
    let error = format!("*:*:{}", "*".repeat(20_000)).parse::<Protect>().unwrap_err();
    assert!(error.to_string().len() < 500, "{error}");
}

/// What a pattern means, told in the simplest way: fine for short texts alone.
fn glob_by_meaning(pattern: &[char], text: &[char]) -> bool {
    match pattern.split_first() {
        None => text.is_empty(),
        Some(('*', rest)) => (0..=text.len()).any(|at| glob_by_meaning(rest, &text[at..])),
        Some((first, rest)) => text.first() == Some(first) && glob_by_meaning(rest, &text[1..]),
    }
}

proptest! {
    #[test]
    fn a_pattern_means_what_it_says(pattern in "[ab*é]{0,8}", text in "[abé]{0,10}") {
        let chars = |text: &str| text.chars().collect::<Vec<char>>();
        prop_assert_eq!(
            glob(&pattern, &text),
            glob_by_meaning(&chars(&pattern), &chars(&text)),
            "{} on {}", pattern, text
        );
    }

    #[test]
    fn what_is_protected_reads_back_as_written_or_is_refused(text in "\\PC{0,400}") {
        if let Ok(protect) = text.parse::<Protect>() {
            prop_assert_eq!(protect.to_string(), text);
            protect.matches(&key("unifi_dns:s", "A", "nas.lan"), &zones());
        }
    }
}

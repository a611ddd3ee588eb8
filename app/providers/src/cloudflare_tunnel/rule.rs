//! Ingress rules: what one is called, what it is worth, and which of two is more specific.
//!
//! A rule's value is `{ "service": "http://host:8096", "origin_request": { .. } }`. Its position
//! in the list is never in it: others share the list, and the order is derived.

use std::cmp::Ordering;

use serde_json::{Map, Value, json};

/// The type of a rule in a resource key.
pub(crate) const TYPE: &str = "rule";

/// What a rule matches.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Matcher {
    /// The hostname in lower case; `*.` and a name for all below it; empty for all.
    pub(crate) hostname: String,
    /// The path as a regular expression; none for all paths.
    pub(crate) path: Option<String>,
}

impl Matcher {
    /// What this rule of a configuration matches.
    pub(crate) fn of(rule: &Value) -> Self {
        let text =
            |key: &str| rule.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
        let hostname = text("hostname").filter(|hostname| *hostname != "*").unwrap_or_default();
        Self { hostname: hostname.to_lowercase(), path: text("path").map(str::to_owned) }
    }

    /// Whether it matches every request: only the last rule may.
    pub(crate) fn is_catch_all(&self) -> bool {
        self.hostname.is_empty() && self.path.is_none()
    }

    /// The rule's name as a resource: the hostname, or with its path `hostname/api`,
    /// `hostname/^/api`, and `hostname api` for a path that begins with neither `/` nor `^/`.
    /// [`Self::parse`] reads it back: no two matchers have one name.
    pub(crate) fn name(&self) -> String {
        let hostname = &self.hostname;
        match &self.path {
            None => hostname.clone(),
            Some(path) if path.starts_with("^/") => format!("{hostname}/{path}"),
            Some(path) if path.starts_with('/') && !path.starts_with("/^/") => {
                format!("{hostname}{path}")
            }
            Some(path) => format!("{hostname} {path}"),
        }
    }

    /// Reads what [`Self::name`] wrote.
    pub(crate) fn parse(name: &str) -> Self {
        let at = name.find(['/', ' ']).unwrap_or(name.len());
        let (hostname, rest) = name.split_at(at);
        let path = match rest.strip_prefix(' ') {
            Some(path) => Some(path),
            None if rest.starts_with("/^/") => Some(&rest[1..]),
            None => Some(rest).filter(|rest| !rest.is_empty()),
        };
        Self { hostname: hostname.to_owned(), path: path.map(str::to_owned) }
    }

    /// Exact hostnames before wildcards, longer wildcards before shorter, of one hostname the
    /// longer path first: `Less` must stand before `Greater`. The rest is `Equal`, and may stand
    /// in any order.
    pub(crate) fn specificity(&self, other: &Self) -> Ordering {
        let breadth = |matcher: &Self| match matcher.hostname.as_str() {
            "" => (2, 0),
            wild if wild.starts_with("*.") => (1, usize::MAX - wild.len()),
            _ => (0, 0),
        };
        let path = |matcher: &Self| matcher.path.as_ref().map_or(0, String::len);
        let by_host = breadth(self).cmp(&breadth(other));
        if by_host == Ordering::Equal && self.hostname == other.hostname {
            return path(other).cmp(&path(self));
        }
        by_host
    }
}

/// The value of a rule of a configuration. Settings that are null or empty say nothing.
pub(crate) fn value_of(rule: &Value) -> Value {
    let mut value = json!({ "service": rule.get("service").cloned().unwrap_or_default() });
    let said = |setting: &Value| match setting {
        Value::Null => false,
        Value::Object(map) => !map.is_empty(),
        _ => true,
    };
    let settings = rule.get("originRequest").and_then(Value::as_object);
    let settings = settings.into_iter().flatten().filter(|(_, setting)| said(setting));
    let settings: Map<String, Value> =
        settings.map(|(key, setting)| (key.clone(), setting.clone())).collect();
    if !settings.is_empty() {
        value["origin_request"] = settings.into();
    }
    value
}

/// The rule of a configuration that has this value.
pub(crate) fn rule_of(matcher: &Matcher, value: &Value) -> Value {
    let mut rule = json!({ "hostname": matcher.hostname });
    if let Some(path) = &matcher.path {
        rule["path"] = path.clone().into();
    }
    rule["service"] = value.get("service").cloned().unwrap_or_default();
    if let Some(settings) = value.get("origin_request") {
        rule["originRequest"] = settings.clone();
    }
    rule
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matcher(hostname: &str, path: Option<&str>) -> Matcher {
        Matcher { hostname: hostname.to_owned(), path: path.map(str::to_owned) }
    }

    #[test]
    fn every_matcher_has_its_own_name_and_reads_back() {
        let paths = [
            None,
            Some("/api"),
            Some("^/api"),
            Some("api"),
            Some("^api"),
            Some("/^/api"),
            Some("//x"),
            Some(" x"),
        ];
        let names: std::collections::BTreeSet<String> = paths
            .iter()
            .map(|path| {
                let matcher = matcher("a.example.com", *path);
                assert_eq!(Matcher::parse(&matcher.name()), matcher);
                matcher.name()
            })
            .collect();
        assert_eq!(names.len(), paths.len());
        assert!(names.contains("a.example.com/api") && names.contains("a.example.com/^/api"));
    }

    #[test]
    fn exact_stands_before_wildcard_and_the_longer_path_first() {
        let order = [
            matcher("a.example.com", Some("/api/v2")),
            matcher("a.example.com", Some("/api")),
            matcher("a.example.com", None),
            matcher("*.media.example.com", None),
            matcher("*.example.com", Some("/x")),
            matcher("*.example.com", None),
            matcher("", Some("/x")),
            matcher("", None),
        ];
        for (at, first) in order.iter().enumerate() {
            for second in &order[at + 1..] {
                assert_eq!(first.specificity(second), Ordering::Less, "{first:?} {second:?}");
                assert_eq!(second.specificity(first), Ordering::Greater);
            }
        }
        assert_eq!(
            matcher("a.x", Some("/long")).specificity(&matcher("b.x", None)),
            Ordering::Equal
        );
    }

    #[test]
    fn a_rule_reads_back_from_its_value_and_silence_is_not_a_setting() {
        let rule = json!({ "hostname": "a.example.com", "path": "/api", "service": "https://nas.lan",
            "originRequest": { "noTLSVerify": true } });
        assert_eq!(rule_of(&Matcher::of(&rule), &value_of(&rule)), rule);
        let quiet = json!({ "hostname": "A.example.com", "path": "", "service": "https://nas.lan",
            "originRequest": { "access": {}, "caPool": null } });
        assert_eq!(value_of(&quiet), json!({ "service": "https://nas.lan" }));
        assert_eq!(Matcher::of(&quiet), matcher("a.example.com", None));
    }

    #[test]
    fn only_a_rule_without_host_and_path_catches_all() {
        for rule in
            [json!({ "service": "x" }), json!({ "hostname": "*", "path": "", "service": "x" })]
        {
            assert!(Matcher::of(&rule).is_catch_all(), "{rule}");
        }
        assert!(!Matcher::of(&json!({ "path": "/x", "service": "x" })).is_catch_all());
    }
}

//! A tunnel's configuration with only the rules of one effect replaced: pure.
//!
//! The vendor takes a whole configuration at once and many share it. So the new one is the live
//! one, as it was read, with our rules put in or taken out. Rules of others stay as they are, in
//! their order, with settings that we have never heard of; so do the settings of the whole tunnel.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::rule::{Matcher, rule_of, value_of};

/// What the catch-all of a configuration without one says.
const NOT_FOUND: &str = "http_status:404";

/// A configuration as it was read: an object, empty for a tunnel that never had one.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Configuration(Map<String, Value>);

impl Configuration {
    /// The configuration of an answer, where a new tunnel has `null`.
    pub(crate) fn new(config: Option<Value>) -> Self {
        match config {
            Some(Value::Object(map)) => Self(map),
            _ => Self::default(),
        }
    }

    /// The configuration as it is sent.
    pub(crate) fn into_value(self) -> Value {
        self.0.into()
    }

    fn rules(&self) -> &[Value] {
        self.0.get("ingress").and_then(Value::as_array).map_or(&[], Vec::as_slice)
    }

    /// The value of every rule but the catch-all, by the rule's name. Where two rules match the
    /// same, the later is never reached and is listed as `shadowed` in the value of the first.
    pub(crate) fn values(&self) -> BTreeMap<String, Value> {
        let mut values: BTreeMap<String, Value> = BTreeMap::new();
        for rule in self.rules() {
            let matcher = Matcher::of(rule);
            if matcher.is_catch_all() {
                continue;
            }
            let value = value_of(rule);
            match values.get_mut(&matcher.name()) {
                None => {
                    values.insert(matcher.name(), value);
                }
                Some(first) => shadow(first, value),
            }
        }
        values
    }

    /// Replaces the rules named: put in, changed in place, or with `None` taken out.
    #[must_use]
    pub(crate) fn with(mut self, changes: &BTreeMap<String, Option<&Value>>) -> Self {
        let (mut rules, catch_all) = self.split();
        for (name, value) in changes {
            let matcher = Matcher::parse(name);
            let at = rules.iter().position(|rule| Matcher::of(rule) == matcher);
            rules.retain(|rule| Matcher::of(rule) != matcher);
            if let Some(value) = value {
                let at = place(&rules, &matcher, at);
                rules.insert(at, rule_of(&matcher, value));
            }
        }
        rules.push(catch_all);
        self.0.insert("ingress".to_owned(), rules.into());
        self
    }

    /// The rules without the catch-all, and the catch-all, foreign or our own.
    fn split(&self) -> (Vec<Value>, Value) {
        let mut rules = self.rules().to_vec();
        match rules.pop_if(|rule| Matcher::of(rule).is_catch_all()) {
            Some(catch_all) => (rules, catch_all),
            None => (rules, json!({ "service": NOT_FOUND })),
        }
    }

    /// Everything but the rules named, to see whether what belongs to others is as it was.
    pub(crate) fn others(&self, named: &BTreeSet<&str>) -> Self {
        let (mut rules, catch_all) = self.split();
        rules.retain(|rule| !named.contains(Matcher::of(rule).name().as_str()));
        rules.push(catch_all);
        let mut others = self.0.clone();
        others.insert("ingress".to_owned(), rules.into());
        // Settings that the vendor fills in with nothing are not a difference.
        others.retain(|_, setting| !matches!(setting, Value::Null) && *setting != json!({}));
        Self(others)
    }
}

fn shadow(first: &mut Value, later: Value) {
    match first.get_mut("shadowed").and_then(Value::as_array_mut) {
        Some(shadowed) => shadowed.push(later),
        None => first["shadowed"] = json!([later]),
    }
}

/// Where a rule goes: where it was, unless a less specific one stands before that; else before
/// the first less specific one.
fn place(rules: &[Value], matcher: &Matcher, was_at: Option<usize>) -> usize {
    let broader =
        rules.iter().position(|rule| Matcher::of(rule).specificity(matcher) == Ordering::Greater);
    let last = broader.unwrap_or(rules.len());
    was_at.map_or(last, |at| at.min(last))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn live() -> Configuration {
        Configuration::new(Some(json!({
            "ingress": [
                { "hostname": "b.example.com", "service": "http://b", "originRequest": { "futureKey": 7 } },
                { "hostname": "*.example.com", "service": "http://wild" },
                { "service": "http_status:503" },
            ],
            "originRequest": { "connectTimeout": 30 },
            "warp-routing": { "enabled": true },
        })))
    }

    fn with(config: Configuration, changes: &[(&str, Option<Value>)]) -> Value {
        let changes = changes.iter().map(|(name, value)| ((*name).to_owned(), value.as_ref()));
        config.with(&changes.collect()).into_value()
    }

    fn hostnames(config: &Value) -> Vec<&str> {
        let rules = config["ingress"].as_array().unwrap();
        rules.iter().map(|rule| rule["hostname"].as_str().unwrap_or("-")).collect()
    }

    fn service(text: &str) -> Option<Value> {
        Some(json!({ "service": text }))
    }

    #[test]
    fn a_new_rule_goes_before_the_wildcard_and_nothing_else_is_touched() {
        let new = with(live(), &[("a.example.com", service("http://a"))]);
        assert_eq!(hostnames(&new), ["b.example.com", "a.example.com", "*.example.com", "-"]);
        assert_eq!(new["ingress"][0]["originRequest"]["futureKey"], 7);
        assert_eq!(new["ingress"][3]["service"], "http_status:503");
        assert_eq!(new["originRequest"], json!({ "connectTimeout": 30 }));
        assert_eq!(new["warp-routing"], json!({ "enabled": true }));
    }

    #[test]
    fn the_longer_path_of_a_hostname_stands_first() {
        let new = with(
            live(),
            &[
                ("b.example.com/api", service("http://api")),
                ("b.example.com/api/v2", service("http://v2")),
            ],
        );
        let paths: Vec<_> =
            new["ingress"].as_array().unwrap().iter().map(|rule| &rule["path"]).collect();
        assert_eq!(
            paths,
            [&json!("/api/v2"), &json!("/api"), &Value::Null, &Value::Null, &Value::Null]
        );
    }

    #[test]
    fn a_changed_rule_stays_where_it_is_and_a_removed_one_leaves_the_rest() {
        let new = with(live(), &[("b.example.com", service("http://b2"))]);
        assert_eq!(hostnames(&new), ["b.example.com", "*.example.com", "-"]);
        assert_eq!(
            new["ingress"][0],
            json!({ "hostname": "b.example.com", "service": "http://b2" })
        );
        let gone = with(live(), &[("b.example.com", None)]);
        assert_eq!(hostnames(&gone), ["*.example.com", "-"]);
    }

    #[test]
    fn a_changed_rule_that_a_broader_one_hides_comes_before_it() {
        let hidden = Configuration::new(Some(json!({ "ingress": [
            { "hostname": "*.example.com", "service": "http://wild" },
            { "hostname": "a.example.com", "service": "http://a" },
            { "service": "http_status:404" },
        ]})));
        let new = with(hidden, &[("a.example.com", service("http://a2"))]);
        assert_eq!(hostnames(&new), ["a.example.com", "*.example.com", "-"]);
    }

    #[test]
    fn a_configuration_without_a_catch_all_gets_one() {
        let new = with(Configuration::new(None), &[("a.example.com", service("http://a"))]);
        assert_eq!(
            new,
            json!({ "ingress": [
                { "hostname": "a.example.com", "service": "http://a" }, { "service": "http_status:404" },
            ]})
        );
    }

    #[test]
    fn what_belongs_to_others_is_told_apart_from_our_rules() {
        let named = BTreeSet::from(["a.example.com"]);
        let before = live().others(&named);
        let after = live().with(&BTreeMap::from([(
            "a.example.com".to_owned(),
            Some(&json!({ "service": "http://a" })),
        )]));
        assert_eq!(after.others(&named), before);
        assert_ne!(
            live().with(&BTreeMap::from([("b.example.com".to_owned(), None)])).others(&named),
            before
        );
    }

    #[test]
    fn a_rule_that_is_never_reached_is_seen_and_goes_with_the_first() {
        let twice = Configuration::new(Some(json!({ "ingress": [
            { "hostname": "a.example.com", "service": "http://1" },
            { "hostname": "a.example.com", "service": "http://2" },
        ]})));
        assert_eq!(twice.values()["a.example.com"]["shadowed"], json!([{ "service": "http://2" }]));
        assert_eq!(hostnames(&with(twice, &[("a.example.com", None)])), ["-"]);
    }
}

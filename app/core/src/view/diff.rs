//! Changes as lines of a diff block: `+` what comes, `-` what goes, `!` what becomes another.
//!
//! GitHub colours a line by its first character. Nothing that a provider or a repository says
//! stands first in a line, so it can colour nothing.

use std::collections::{BTreeMap, BTreeSet};

use crate::plan::{Action, Change, Value};

/// `2 to create, 1 to delete`; empty when nothing changes.
#[must_use]
pub fn counts<'a>(changes: impl IntoIterator<Item = &'a Change>) -> String {
    told_by_action(changes, |action, count| format!("{count} to {action}"))
}

/// `2 created, 1 deleted`; empty when nothing changed.
#[must_use]
pub fn counts_done<'a>(changes: impl IntoIterator<Item = &'a Change>) -> String {
    told_by_action(changes, |action, count| format!("{count} {}", past(action)))
}

fn told_by_action<'a>(
    changes: impl IntoIterator<Item = &'a Change>,
    tell: impl Fn(Action, usize) -> String,
) -> String {
    let mut counts = BTreeMap::new();
    for change in changes {
        *counts.entry(change.action).or_insert(0_usize) += 1;
    }
    let told: Vec<String> = counts.into_iter().map(|(action, count)| tell(action, count)).collect();
    told.join(", ")
}

fn past(action: Action) -> &'static str {
    match action {
        Action::Create => "created",
        Action::Update => "updated",
        Action::Replace => "replaced",
        Action::Delete => "deleted",
        Action::Adopt => "adopted",
        Action::Transfer => "transferred",
        Action::Forget => "forgotten",
        Action::Release => "released",
        Action::Run => "run",
    }
}

/// The lines of one change.
#[must_use]
pub fn diff_lines(change: &Change) -> Vec<String> {
    let name = format!("{} {}", change.action, change.key);
    let value = |value: &Option<Value>| value.as_ref().map(value_text).unwrap_or_default();
    match change.action {
        Action::Create | Action::Run => vec![format!("+ {name} = {}", value(&change.after))],
        Action::Delete => vec![format!("- {name} = {}", value(&change.before))],
        Action::Forget | Action::Release => vec![format!("- {name}")],
        Action::Update | Action::Replace | Action::Adopt | Action::Transfer => {
            let from = change
                .from
                .as_ref()
                .map(|unit| format!(" from {}", unit.service))
                .unwrap_or_default();
            let mut lines = vec![format!("! {name}{from}{}", same(change))];
            lines.extend(field_lines(change));
            lines
        }
    }
}

fn same(change: &Change) -> String {
    match (&change.before, &change.after) {
        (Some(before), Some(after)) if before == after => format!(" = {}", value_text(after)),
        _ => String::new(),
    }
}

/// The fields that differ, before and after.
fn field_lines(change: &Change) -> Vec<String> {
    let (before, after) = (change.before.as_ref(), change.after.as_ref());
    let keys = [before, after]
        .into_iter()
        .flatten()
        .filter_map(Value::as_object)
        .flat_map(|map| map.keys());
    let keys: BTreeSet<&String> = keys.collect();
    let mut lines = Vec::new();
    for key in keys {
        let field = |value: Option<&Value>| value.and_then(|value| value.get(key)).cloned();
        let (old, new) = (field(before), field(after));
        if old == new {
            continue;
        }
        lines.extend(old.map(|old| format!("-     {key}: {}", plain(&old))));
        lines.extend(new.map(|new| format!("+     {key}: {}", plain(&new))));
    }
    lines
}

/// One change in one line, for terminals and lists.
#[must_use]
pub fn one_line(change: &Change) -> String {
    let value = match (&change.before, &change.after) {
        (Some(before), Some(after)) if before != after => {
            format!("{} → {}", value_text(before), value_text(after))
        }
        (before, after) => after.as_ref().or(before.as_ref()).map(value_text).unwrap_or_default(),
    };
    let line = format!("{} {} {value}", change.action, change.key);
    line.trim_end().to_owned()
}

/// A value in one line: what it holds first, then the rest, `192.168.1.50 (ttl 300)`. An automatic
/// TTL (0 at one vendor, 1 at the other) is not worth a word.
#[must_use]
pub fn value_text(value: &Value) -> String {
    let Some(map) = value.as_object() else { return plain(value) };
    let main = ["values", "service", "tunnel", "content"]
        .into_iter()
        .find_map(|key| map.get_key_value(key));
    let automatic =
        |key: &str, value: &Value| key == "ttl" && matches!(value.as_u64(), Some(0 | 1));
    let worth_a_word = |value: &Value| !matches!(value, Value::Null | Value::Bool(false));
    let rest = map
        .iter()
        .filter(|(key, value)| main.is_none_or(|(name, _)| *key != name) && !automatic(key, value));
    let told = |(key, value): (&String, &Value)| match value {
        Value::Bool(true) => key.clone(),
        value => format!("{key} {}", plain(value)),
    };
    let rest: Vec<String> = rest.filter(|(_, value)| worth_a_word(value)).map(told).collect();
    let main = main.map(|(_, value)| plain(value)).unwrap_or_default();
    match (main.is_empty(), rest.is_empty()) {
        (_, true) => main,
        (true, false) => rest.join(", "),
        (false, false) => format!("{main} ({})", rest.join(", ")),
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(plain).collect::<Vec<_>>().join(", "),
        Value::Object(_) => value_text_of_object(value),
        other => other.to_string(),
    }
}

/// An object within a value: `{priority 10, target mail.example.com}`; one field needs no braces.
/// A tunnel is told by its name, without the account that is the same for all of an environment.
fn value_text_of_object(value: &Value) -> String {
    let map = value.as_object().into_iter().flatten();
    let field = |(key, value): (&String, &Value)| match (key.as_str(), plain(value)) {
        ("tunnel", text) => format!("tunnel {}", text.rsplit('/').next().unwrap_or(&text)),
        (key, text) => format!("{key} {text}"),
    };
    let fields: Vec<String> = map.map(field).collect();
    match fields.as_slice() {
        [only] => only.clone(),
        fields => format!("{{{}}}", fields.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::plan::testing::{change, key};

    fn a(action: Action, before: Option<Value>, after: Option<Value>) -> Change {
        Change {
            before,
            after,
            ..change("nas/unifi_dns", action, key("unifi_dns:s", "A", "nas.lan"))
        }
    }

    #[test]
    fn what_comes_what_goes_and_what_becomes_another() {
        let (old, new) =
            (json!({"values": ["10.0.0.1"], "ttl": 0}), json!({"values": ["10.0.0.2"], "ttl": 0}));
        assert_eq!(
            diff_lines(&a(Action::Create, None, Some(new.clone()))),
            ["+ create A nas.lan = 10.0.0.2"]
        );
        assert_eq!(
            diff_lines(&a(Action::Delete, Some(old.clone()), None)),
            ["- delete A nas.lan = 10.0.0.1"]
        );
        assert_eq!(
            diff_lines(&a(Action::Update, Some(old.clone()), Some(new))),
            ["! update A nas.lan", "-     values: 10.0.0.1", "+     values: 10.0.0.2"]
        );
        assert_eq!(
            diff_lines(&a(Action::Adopt, Some(old.clone()), Some(old))),
            ["! adopt A nas.lan = 10.0.0.1"]
        );
    }

    #[test]
    fn a_value_says_what_it_holds_first_and_nothing_automatic() {
        let record = json!({"values": ["10.0.0.1", "10.0.0.2"], "ttl": 300, "proxied": true});
        assert_eq!(value_text(&record), "10.0.0.1, 10.0.0.2 (proxied, ttl 300)");
        assert_eq!(value_text(&json!({"service": "http://nas.lan:80"})), "http://nas.lan:80");
        assert_eq!(
            value_text(&json!({"values": [{"priority": 10, "target": "mail"}], "ttl": 1})),
            "{priority 10, target mail}"
        );
        let alias = json!({"values": [{"tunnel": "0123456789abcdef/media"}], "proxied": true});
        assert_eq!(value_text(&alias), "tunnel media (proxied)");
    }

    #[test]
    fn counts_are_in_the_order_of_actions() {
        let changes = [
            a(Action::Delete, None, None),
            a(Action::Create, None, None),
            a(Action::Create, None, None),
        ];
        assert_eq!(counts(&changes), "2 to create, 1 to delete");
        assert_eq!(counts_done(&changes), "2 created, 1 deleted");
    }
}

//! Changes as lines of a diff block: `+` what comes, `-` what goes, `!` what becomes another.
//!
//! GitHub colours a line by its first character. Nothing that a provider or a repository says
//! stands first in a line, so it can colour nothing.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use crate::name::DnsName;
use crate::plan::{Action, Change, Value, fields, plain, value_text};

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

/// The lines of one change; with the zone that it is in where another change has the same name.
#[must_use]
pub fn diff_lines(change: &Change, zone: Option<&DnsName>) -> Vec<String> {
    let zone = zone.map(|zone| format!(" in zone {zone}")).unwrap_or_default();
    let name = format!("{} {}{zone}", change.action, change.key);
    let value = |value: &Option<Value>| value.as_ref().map(value_text).unwrap_or_default();
    match change.action {
        Action::Create | Action::Run => vec![format!("+ {name} = {}", value(&change.after))],
        Action::Delete => vec![format!("- {name} = {}", value(&change.before))],
        Action::Forget | Action::Release => vec![format!("- {name}")],
        Action::Update | Action::Replace | Action::Adopt | Action::Transfer => {
            let mut lines = vec![format!("! {name}{}{}", moves(change), same(change))];
            lines.extend(field_lines(change));
            lines
        }
    }
}

/// Between which services it moves; or between which units, where the service is one.
fn moves(change: &Change) -> String {
    let Some(from) = &change.from else { return String::new() };
    let to = &change.unit;
    match from.service == to.service {
        true => format!(": {}/{} → {}/{}", from.service, from.kind, to.service, to.kind),
        false => format!(": {} → {}", from.service, to.service),
    }
}

fn same(change: &Change) -> String {
    match (&change.before, &change.after) {
        (Some(before), Some(after)) if before == after => match change.action {
            Action::Transfer => " (nothing is sent)".to_owned(),
            _ => format!(" = {}", value_text(after)),
        },
        _ => String::new(),
    }
}

/// The fields that differ, before and after.
fn field_lines(change: &Change) -> Vec<String> {
    let (before, after) = (by_key(change.before.as_ref()), by_key(change.after.as_ref()));
    let keys: BTreeSet<&Cow<'_, str>> = before.keys().chain(after.keys()).collect();
    let mut lines = Vec::new();
    for key in keys {
        let (old, new) = (before.get(key), after.get(key));
        if old == new {
            continue;
        }
        lines.extend(old.map(|old| format!("-     {key}: {}", plain(old))));
        lines.extend(new.map(|new| format!("+     {key}: {}", plain(new))));
    }
    lines
}

fn by_key(value: Option<&Value>) -> BTreeMap<Cow<'_, str>, &Value> {
    value.into_iter().flat_map(fields).collect()
}

/// One change in one line, for terminals and lists.
#[must_use]
pub fn one_line(change: &Change) -> String {
    let value = match (&change.before, &change.after) {
        (Some(before), Some(after)) if before != after => {
            format!("{} → {}", value_text(before), value_text(after))
        }
        (Some(_), Some(_)) if change.action == Action::Transfer => String::new(),
        (before, after) => after.as_ref().or(before.as_ref()).map(value_text).unwrap_or_default(),
    };
    let line = format!("{} {}{} {value}", change.action, change.key, moves(change));
    line.trim_end().to_owned()
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
            diff_lines(&a(Action::Create, None, Some(new.clone())), None),
            ["+ create A nas.lan = 10.0.0.2"]
        );
        assert_eq!(
            diff_lines(&a(Action::Delete, Some(old.clone()), None), None),
            ["- delete A nas.lan = 10.0.0.1"]
        );
        assert_eq!(
            diff_lines(&a(Action::Update, Some(old.clone()), Some(new)), None),
            ["! update A nas.lan", "-     values: 10.0.0.1", "+     values: 10.0.0.2"]
        );
        assert_eq!(
            diff_lines(&a(Action::Adopt, Some(old.clone()), Some(old)), None),
            ["! adopt A nas.lan = 10.0.0.1"]
        );
    }

    #[test]
    fn a_transfer_says_between_whom_and_whether_anything_is_sent() {
        let (old, new) = (json!({"values": ["10.0.0.1"]}), json!({"values": ["10.0.0.2"]}));
        let from = |unit: &str, after: &Value| Change {
            from: Some(crate::plan::testing::unit(unit)),
            ..a(Action::Transfer, Some(old.clone()), Some(after.clone()))
        };
        assert_eq!(
            diff_lines(&from("storage/unifi_dns", &old), None),
            ["! transfer A nas.lan: storage → nas (nothing is sent)"]
        );
        assert_eq!(one_line(&from("storage/unifi_dns", &old)), "transfer A nas.lan: storage → nas");
        assert_eq!(
            diff_lines(&from("nas/cloudflare_dns", &new), None),
            [
                "! transfer A nas.lan: nas/cloudflare_dns → nas/unifi_dns",
                "-     values: 10.0.0.1",
                "+     values: 10.0.0.2",
            ]
        );
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

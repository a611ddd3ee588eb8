//! One transactional batch for the changes of a zone: pure.
//!
//! The vendor runs a batch as deletes, patches, puts, posts in one transaction, so a CNAME that
//! makes room for an A is gone before the A comes. We patch and never put: a put would wipe the
//! tags and settings that are not ours to set.

use std::collections::BTreeMap;

use landfall_core::plan::{Action, Change, ResourceKey};
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::set::{Content, Record, RecordSet};
use crate::cloudflare::TunnelNames;

/// A record that lives, with the id that names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LiveRecord {
    /// The provider's id.
    pub(crate) id: String,
    /// What it is.
    pub(crate) record: Record,
}

/// The records that live at some names, by key.
pub(crate) type LiveRecords = BTreeMap<ResourceKey, Vec<LiveRecord>>;

/// The body of one batch request.
#[derive(Debug, Default, PartialEq, Serialize)]
pub(crate) struct Batch {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    deletes: Vec<Value>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    patches: Vec<Value>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    posts: Vec<Value>,
}

impl Batch {
    /// Whether there is nothing to send.
    pub(crate) fn is_empty(&self) -> bool {
        let Self { deletes, patches, posts } = self;
        deletes.is_empty() && patches.is_empty() && posts.is_empty()
    }
}

/// How a batch is written: whose records these are, and what the tunnels they lead to are called.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Writing<'w> {
    /// The ownership marker, kept in the comment of a record.
    pub(crate) marker: &'w str,
    /// The tunnels of the account.
    pub(crate) tunnels: &'w TunnelNames,
}

/// The batch that brings `live` to what the changes want, with as few operations as possible.
///
/// # Errors
/// A sentence: a value that cannot be written, such as a tunnel that does not exist.
pub(crate) fn batch(
    changes: &[Change],
    live: &LiveRecords,
    writing: Writing<'_>,
) -> Result<Batch, String> {
    let mut batch = Batch::default();
    for change in changes {
        let found = live.get(&change.key).map_or(&[][..], Vec::as_slice);
        let wanted = wanted(change)?;
        add(&mut batch, change, Steps::between(found, wanted.records()), writing)?;
    }
    Ok(batch)
}

/// The records that a change wants; none for a delete.
fn wanted(change: &Change) -> Result<RecordSet, String> {
    match &change.after {
        None => Ok(RecordSet::default()),
        Some(value) => RecordSet::from_value(value)
            .ok_or_else(|| format!("the plan's value of {} is not a record set", change.key)),
    }
}

fn add(
    batch: &mut Batch,
    change: &Change,
    steps: Steps<'_>,
    writing: Writing<'_>,
) -> Result<(), String> {
    let adopts = change.action == Action::Adopt;
    let Steps { kept, patched, deleted, created } = steps;
    batch.deletes.extend(deleted.iter().map(|found| json!({ "id": found.id })));
    let kept = kept.into_iter().filter(|_| adopts).map(|found| (found, &found.record));
    for (found, record) in kept.chain(patched) {
        let mut body = body(&change.key, record, writing.tunnels)?;
        body.insert("id".to_owned(), found.id.clone().into());
        if adopts {
            body.insert("comment".to_owned(), writing.marker.into());
        }
        batch.patches.push(body.into());
    }
    for record in created {
        let mut body = body(&change.key, record, writing.tunnels)?;
        body.insert("comment".to_owned(), writing.marker.into());
        batch.posts.push(body.into());
    }
    Ok(())
}

fn body(
    key: &ResourceKey,
    record: &Record,
    tunnels: &TunnelNames,
) -> Result<Map<String, Value>, String> {
    let Some(mut body) = record.body(&key.rtype, tunnels) else {
        return Err(match &record.content {
            Content::Tunnel(name) => {
                format!("{key} leads to the tunnel `{name}`, which does not exist")
            }
            Content::Text(text) => format!("`{text}` is not a content of {key}"),
        });
    };
    body.insert("type".to_owned(), key.rtype.clone().into());
    body.insert("name".to_owned(), key.name.clone().into());
    Ok(body)
}

/// What has to be done to the records of one set.
#[derive(Debug, Default, PartialEq)]
struct Steps<'s> {
    kept: Vec<&'s LiveRecord>,
    patched: Vec<(&'s LiveRecord, &'s Record)>,
    deleted: Vec<&'s LiveRecord>,
    created: Vec<&'s Record>,
}

impl<'s> Steps<'s> {
    /// Keeps what is equal, patches what has the same content, then any other pair, and deletes
    /// or creates the rest.
    fn between(found: &'s [LiveRecord], wanted: &'s [Record]) -> Self {
        let mut steps = Self::default();
        let mut found: Vec<&LiveRecord> = found.iter().collect();
        let mut wanted: Vec<&Record> = wanted.iter().collect();
        for (found, _) in pairs(&mut found, &mut wanted, |a, b| a == b) {
            steps.kept.push(found);
        }
        steps.patched.extend(pairs(&mut found, &mut wanted, |a, b| a.content == b.content));
        steps.patched.extend(pairs(&mut found, &mut wanted, |_, _| true));
        steps.deleted = found;
        steps.created = wanted;
        steps
    }
}

/// Takes out the pairs that `fit`, each record at most once.
fn pairs<'s>(
    found: &mut Vec<&'s LiveRecord>,
    wanted: &mut Vec<&'s Record>,
    fit: impl Fn(&Record, &Record) -> bool,
) -> Vec<(&'s LiveRecord, &'s Record)> {
    let mut pairs = Vec::new();
    found.retain(|live| match wanted.iter().position(|record| fit(&live.record, record)) {
        Some(at) => {
            pairs.push((*live, wanted.remove(at)));
            false
        }
        None => true,
    });
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;
    use landfall_core::plan::Target;

    fn key(rtype: &str) -> ResourceKey {
        ResourceKey::new("cloudflare_dns:zone".parse::<Target>().unwrap(), rtype, "x.example.com")
    }

    fn a(content: &str, ttl: u32) -> Record {
        Record { content: Content::Text(content.to_owned()), ttl, proxied: false }
    }

    fn live(id: &str, record: Record) -> LiveRecord {
        LiveRecord { id: id.to_owned(), record }
    }

    fn change(action: Action, rtype: &str, after: Option<Vec<Record>>) -> Change {
        Change {
            unit: "production/web/cloudflare_dns".parse().unwrap(),
            action,
            key: key(rtype),
            before: None,
            after: after.map(|records| RecordSet::new(records).to_value(rtype)),
            from: None,
            ids: Vec::new(),
        }
    }

    fn made(changes: &[Change], live: &LiveRecords) -> Value {
        let writing = Writing {
            marker: "landfall repository 1 production",
            tunnels: &TunnelNames::default(),
        };
        serde_json::to_value(batch(changes, live, writing).unwrap()).unwrap()
    }

    #[test]
    fn only_what_differs_is_sent_and_a_changed_record_keeps_its_id() {
        let found = vec![
            live("1", a("192.0.2.1", 1)),
            live("2", a("192.0.2.2", 1)),
            live("3", a("192.0.2.3", 1)),
        ];
        let wanted = vec![a("192.0.2.1", 1), a("192.0.2.2", 300), a("192.0.2.9", 1)];
        let sent = made(
            &[change(Action::Update, "A", Some(wanted))],
            &LiveRecords::from([(key("A"), found)]),
        );
        assert_eq!(
            sent,
            json!({ "patches": [
                { "id": "2", "type": "A", "name": "x.example.com", "content": "192.0.2.2", "ttl": 300, "proxied": false },
                { "id": "3", "type": "A", "name": "x.example.com", "content": "192.0.2.9", "ttl": 1, "proxied": false },
            ]})
        );
    }

    #[test]
    fn a_cname_makes_room_for_an_address_in_one_batch() {
        let cname = live("1", a("host.example.com", 1));
        let changes = [
            change(Action::Delete, "CNAME", None),
            change(Action::Create, "A", Some(vec![a("192.0.2.1", 1)])),
        ];
        let sent = made(&changes, &LiveRecords::from([(key("CNAME"), vec![cname])]));
        assert_eq!(sent["deletes"], json!([{ "id": "1" }]));
        assert_eq!(sent["posts"][0]["comment"], "landfall repository 1 production");
    }

    #[test]
    fn adopting_marks_every_record_of_the_set() {
        let found = vec![live("1", a("192.0.2.1", 1)), live("2", a("192.0.2.2", 1))];
        let wanted = vec![a("192.0.2.1", 1), a("192.0.2.3", 1)];
        let sent = made(
            &[change(Action::Adopt, "A", Some(wanted))],
            &LiveRecords::from([(key("A"), found)]),
        );
        let comments: Vec<_> =
            sent["patches"].as_array().unwrap().iter().map(|p| &p["comment"]).collect();
        assert_eq!(comments, ["landfall repository 1 production"; 2]);
    }

    #[test]
    fn a_name_for_a_tunnel_that_does_not_exist_is_refused_with_its_name() {
        let record = Record { content: Content::Tunnel("acc/media".into()), ttl: 1, proxied: true };
        let writing = Writing { marker: "m", tunnels: &TunnelNames::default() };
        let refused = batch(
            &[change(Action::Create, "CNAME", Some(vec![record]))],
            &LiveRecords::new(),
            writing,
        );
        assert!(refused.unwrap_err().contains("`acc/media`, which does not exist"));
    }
}

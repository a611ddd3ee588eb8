//! What happened, as the simulators saw it: every exchange as a line in a file, and what the check
//! goes by.
//!
//! It is told of each exchange before the answer goes out, so a write that a provider accepted is
//! here with its time whether or not anybody lived to read the answer.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use landfall_sim::cloudflare::{CloudflareMutation, CloudflareRecord};
use landfall_sim::exchange::{Exchange, Wire};
use landfall_sim::unifi::{UnifiMutation, UnifiRecord};
use serde_json::Value;

use crate::town::Town;

/// Everything so far. Clones share it.
#[derive(Debug, Clone)]
pub(crate) struct History(Arc<Mutex<Seen>>);

/// What was seen.
#[derive(Debug)]
pub(crate) struct Seen {
    file: BufWriter<File>,
    /// Writes that providers accepted, in their order.
    pub(crate) writes: Vec<Write>,
    /// Writes that a provider refused because what they would make is there already.
    pub(crate) refused: Vec<String>,
    /// Of each of our comments, by pull request and marker: under which ids it ever was there.
    pub(crate) comments: BTreeMap<(u64, String), BTreeSet<u64>>,
    /// How many requests met a fault.
    pub(crate) faults: u64,
    /// For how long servers stood still.
    pub(crate) pauses: Vec<Pause>,
    /// How many of the providers' mutations are among the writes.
    counted: (usize, usize),
}

/// A server that stood still for longer than a lease.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pause {
    pub(crate) from: Timestamp,
    pub(crate) until: Timestamp,
}

/// A write that a provider accepted.
#[derive(Debug, Clone)]
pub(crate) struct Write {
    /// Right after it was done.
    pub(crate) at: Timestamp,
    pub(crate) act: Act,
    /// What was written: a record's name, a route's hostname, a tunnel's name.
    pub(crate) name: String,
    /// Its type, as Landfall calls it: `A`, `rule`; `tunnel` for the tunnel itself.
    pub(crate) rtype: String,
    /// What it says, or said.
    pub(crate) value: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Act {
    Created,
    Changed,
    Deleted,
}

impl fmt::Display for Write {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { at, act, name, rtype, value } = self;
        write!(f, "{at} {act:?} {rtype} {name} {value}")
    }
}

impl History {
    /// From now on, also in a file of `folder`.
    ///
    /// # Errors
    /// The file cannot be made.
    pub(crate) fn begin(town: &Town, folder: &Path) -> anyhow::Result<Self> {
        let seen = Seen {
            file: BufWriter::new(File::create(folder.join("exchanges.log"))?),
            writes: Vec::new(),
            refused: Vec::new(),
            comments: BTreeMap::new(),
            faults: 0,
            pauses: Vec::new(),
            counted: (0, 0),
        };
        let history = Self(Arc::new(Mutex::new(seen)));
        let (this, watched) = (history.clone(), town.clone());
        town.exchanges.listen(move |exchange| this.seen().note(exchange, &watched));
        Ok(history)
    }

    /// What was seen so far.
    pub(crate) fn seen(&self) -> MutexGuard<'_, Seen> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes a line among the exchanges.
    pub(crate) fn remark(&self, what: &str) {
        let _ = writeln!(self.seen().file, "{} -- {what}", Timestamp::now());
    }

    /// Puts everything on disk.
    ///
    /// # Errors
    /// The disk is full.
    pub(crate) fn flush(&self) -> std::io::Result<()> {
        self.seen().file.flush()
    }
}

impl Seen {
    fn note(&mut self, exchange: &Exchange, town: &Town) {
        let now = Timestamp::now();
        let fault = if exchange.faulted { " (by a fault)" } else { "" };
        let _ = writeln!(self.file, "{now} {exchange:?}{fault}");
        self.faults += u64::from(exchange.faulted);
        if writes_to_a_provider(exchange) {
            self.provider(exchange, town, now);
        } else if exchange.wire == Wire::GitHub && exchange.method != "GET" {
            self.comments(exchange, town);
        }
    }

    fn provider(&mut self, exchange: &Exchange, town: &Town, now: Timestamp) {
        let body = String::from_utf8_lossy(&exchange.response_body);
        let (unifi, cloudflare) = (town.unifi.mutations(), town.cloudflare.mutations());
        let before = self.writes.len();
        for mutation in &unifi[self.counted.0..] {
            self.writes.extend(console(mutation, now));
        }
        for mutation in &cloudflare[self.counted.1..] {
            self.writes.extend(account(mutation, now));
        }
        self.counted = (unifi.len(), cloudflare.len());
        for write in &self.writes[before..] {
            let _ = writeln!(self.file, "{now}    {write}");
        }
        if body.contains("already exists") || body.contains("AlreadyExists") {
            self.refused.push(format!("{now} {exchange:?}: {body}"));
        }
    }

    fn comments(&mut self, exchange: &Exchange, town: &Town) {
        let mut pieces = exchange.path.split('/').skip_while(|piece| *piece != "issues").skip(1);
        let Some(Ok(pull)) = pieces.next().map(str::parse) else { return };
        for comment in town.repo.comments(pull) {
            if let Some(marker) = marker(&comment.body) {
                self.comments.entry((pull, marker.to_owned())).or_default().insert(comment.id);
            }
        }
    }
}

fn writes_to_a_provider(exchange: &Exchange) -> bool {
    matches!(exchange.wire, Wire::Unifi | Wire::Cloudflare) && exchange.method != "GET"
}

/// The line by which a comment of ours is known.
pub(crate) fn marker(body: &str) -> Option<&str> {
    body.lines().next().filter(|line| line.starts_with("<!-- landfall:"))
}

fn console(mutation: &UnifiMutation, at: Timestamp) -> Vec<Write> {
    let write = |act, record: &UnifiRecord| {
        let (name, value) = (record.content.name.clone(), &record.content.value);
        Write { at, act, name, rtype: value.record_type().to_owned(), value: value.to_string() }
    };
    match mutation {
        UnifiMutation::Created(record) => vec![write(Act::Created, record)],
        UnifiMutation::Replaced { after, .. } => vec![write(Act::Changed, after)],
        UnifiMutation::Deleted(record) => vec![write(Act::Deleted, record)],
    }
}

fn account(mutation: &CloudflareMutation, at: Timestamp) -> Vec<Write> {
    let write = |act, record: &CloudflareRecord| {
        let fields = &record.fields;
        let (name, rtype) = (fields.name.clone(), fields.record_type.clone());
        Write { at, act, name, rtype, value: fields.to_string() }
    };
    let tunnel = |act, name: &String| {
        let (name, rtype) = (name.clone(), "tunnel".to_owned());
        vec![Write { at, act, name, rtype, value: String::new() }]
    };
    match mutation {
        CloudflareMutation::RecordCreated(record) => vec![write(Act::Created, record)],
        CloudflareMutation::RecordUpdated { after, .. } => vec![write(Act::Changed, after)],
        CloudflareMutation::RecordDeleted(record) => vec![write(Act::Deleted, record)],
        CloudflareMutation::TunnelCreated { name, .. } => tunnel(Act::Created, name),
        CloudflareMutation::TunnelUpdated { name, .. } => tunnel(Act::Changed, name),
        CloudflareMutation::TunnelDeleted { name, .. } => tunnel(Act::Deleted, name),
        CloudflareMutation::Configured { before, after, .. } => configured(before, after, at),
    }
}

/// The routes that differ between two configurations.
fn configured(before: &Value, after: &Value, at: Timestamp) -> Vec<Write> {
    let (before, after) = (routes(before), routes(after));
    let write = |act, (name, value): (&String, &String)| {
        let (name, value) = (name.clone(), value.clone());
        Write { at, act, name, rtype: "rule".to_owned(), value }
    };
    let gone = before.iter().filter(|(name, _)| !after.contains_key(*name));
    let gone = gone.map(|route| write(Act::Deleted, route));
    let come = after.iter().filter_map(|route| match before.get(route.0) {
        None => Some(write(Act::Created, route)),
        Some(value) if value != route.1 => Some(write(Act::Changed, route)),
        Some(_) => None,
    });
    gone.chain(come).collect()
}

fn routes(config: &Value) -> BTreeMap<String, String> {
    let rules = config["ingress"].as_array().into_iter().flatten();
    let route = |rule: &Value| {
        Some((rule["hostname"].as_str()?.to_owned(), rule["service"].as_str()?.to_owned()))
    };
    rules.filter_map(route).collect()
}

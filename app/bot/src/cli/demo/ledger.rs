//! What happened at the providers since the last look, as lines for people.

use landfall_sim::cloudflare::{CloudflareMutation, CloudflareRecord};
use landfall_sim::unifi::{UnifiMutation, UnifiRecord, UnifiSim};
use serde_json::Value;

use super::before::{TUNNEL, ZONE};
use crate::cli::sim::simulators::Simulators;

/// How far each provider's changes were read.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    lab: usize,
    home: usize,
    cloudflare: usize,
}

impl Ledger {
    /// What is new, one line for each record, route and tunnel.
    pub(super) fn news(&mut self, simulators: &Simulators) -> Vec<String> {
        let mut lines = console(&simulators.lab, "UniFi (staging)", &mut self.lab);
        lines.extend(console(&simulators.home, "UniFi (production)", &mut self.home));
        let all = simulators.cloudflare.mutations();
        lines.extend(all.iter().skip(self.cloudflare).flat_map(cloudflare));
        self.cloudflare = all.len();
        lines
    }
}

fn console(console: &UnifiSim, place: &str, read: &mut usize) -> Vec<String> {
    let told = |record: &UnifiRecord| {
        let content = &record.content;
        format!("{} {} = {}", content.value.record_type(), content.name, content.value)
    };
    let line = |mutation: &UnifiMutation| match mutation {
        UnifiMutation::Created(record) => format!("{place}: created {}", told(record)),
        UnifiMutation::Replaced { before, after } => {
            format!("{place}: changed {}, was {}", told(after), before.content.value)
        }
        UnifiMutation::Deleted(record) => format!("{place}: deleted {}", told(record)),
    };
    let all = console.mutations();
    let lines = all.iter().skip(*read).map(line).collect();
    *read = all.len();
    lines
}

fn cloudflare(mutation: &CloudflareMutation) -> Vec<String> {
    let told = |record: &CloudflareRecord| {
        let fields = &record.fields;
        format!("{} {} = {fields}", fields.record_type, fields.name)
    };
    let line = match mutation {
        CloudflareMutation::RecordCreated(record) => {
            format!("zone {ZONE}: created {}", told(record))
        }
        CloudflareMutation::RecordUpdated { before, after } => match before.fields.to_string() {
            was if was == after.fields.to_string() => {
                format!("zone {ZONE}: marked as ours {}", told(after))
            }
            was => format!("zone {ZONE}: changed {}, was {was}", told(after)),
        },
        CloudflareMutation::RecordDeleted(record) => {
            format!("zone {ZONE}: deleted {}", told(record))
        }
        CloudflareMutation::TunnelCreated { name, .. } => format!("tunnel {name}: created"),
        CloudflareMutation::TunnelUpdated { name, .. } => format!("tunnel {name}: changed"),
        CloudflareMutation::TunnelDeleted { name, .. } => format!("tunnel {name}: deleted"),
        CloudflareMutation::Configured { before, after, version, .. } => {
            return configured(before, after, *version);
        }
    };
    vec![line]
}

/// The rules that came and went with a new configuration.
fn configured(before: &Value, after: &Value, version: u64) -> Vec<String> {
    let rules = |config: &Value| config["ingress"].as_array().cloned().unwrap_or_default();
    let (before, after) = (rules(before), rules(after));
    let line = |word: &str, rule: &Value| {
        let hostname = rule["hostname"].as_str().unwrap_or("catch-all");
        let service = rule["service"].as_str().unwrap_or_default();
        format!("tunnel {TUNNEL} (version {version}): {word} {hostname} → {service}")
    };
    let gone = before.iter().filter(|rule| !after.contains(rule)).map(|rule| line("dropped", rule));
    let come = after.iter().filter(|rule| !before.contains(rule)).map(|rule| line("routed", rule));
    gone.chain(come).collect()
}

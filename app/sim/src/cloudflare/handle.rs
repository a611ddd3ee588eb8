//! One zone, one tunnel: to look at, and to change behind their clients' backs.

use serde_json::{Value, json};

use super::CloudflareSim;
use super::cloud::Cloud;
use super::ingress::{self, IngressRule};
use super::record::{CloudflareRecord, RecordFields};
use super::tunnel::{Connector, Tunnel};

/// A zone of a running account.
#[derive(Debug, Clone)]
pub struct CloudflareZone {
    sim: CloudflareSim,
    place: usize,
}

/// A tunnel of a running account. It stays the same one when another gets its name.
#[derive(Debug, Clone)]
pub struct CloudflareTunnel {
    sim: CloudflareSim,
    place: usize,
}

impl CloudflareZone {
    pub(super) fn new(sim: CloudflareSim, place: usize) -> Self {
        Self { sim, place }
    }

    /// The zone's id.
    pub fn id(&self) -> String {
        self.with(|cloud, place| cloud.zones[place].settings.id.clone())
    }

    /// Deletes the zone and adds it again, as a person does: another id, and no records.
    pub fn make_anew(&self) {
        self.with(|cloud, place| {
            cloud.zones[place].settings.id = cloud.ids.hex(32);
            cloud.zones[place].records.clear();
        });
    }

    /// All records, oldest first.
    pub fn records(&self) -> Vec<CloudflareRecord> {
        self.with(|cloud, place| cloud.zones[place].records.clone())
    }

    /// The records with this name, oldest first.
    pub fn named(&self, name: &str) -> Vec<CloudflareRecord> {
        let records = self.records().into_iter();
        records.filter(|record| record.fields.name == name).collect()
    }

    /// The values of the records with this name and type, as a zone file writes them, sorted.
    pub fn record(&self, name: &str, record_type: &str) -> Vec<String> {
        let named = self.named(name).into_iter().map(|record| record.fields);
        let mut values: Vec<_> = named
            .filter(|fields| fields.record_type == record_type)
            .map(|fields| fields.to_string())
            .collect();
        values.sort();
        values
    }

    /// Adds a record as if a person had: behind every client's back, without a rule or a mutation.
    pub fn seed(&self, fields: RecordFields) -> CloudflareRecord {
        self.with(|cloud, place| {
            let (id, now) = (cloud.ids.hex(32), cloud.now());
            cloud.zones[place].insert(id, fields, now)
        })
    }

    /// Adds `count` A records `host-0` and so on.
    pub fn seed_hosts(&self, count: u32) {
        let zone = self.with(|cloud, place| cloud.zones[place].settings.name.clone());
        for number in 0..count {
            let [_, b, c, d] = number.to_be_bytes();
            self.seed(RecordFields::new(
                "A",
                &format!("host-{number}.{zone}"),
                &format!("10.{b}.{c}.{d}"),
            ));
        }
    }

    /// Changes all records with this name behind every client's back; says how many there were.
    pub fn edit(&self, name: &str, mut change: impl FnMut(&mut RecordFields)) -> usize {
        self.with(|cloud, place| {
            let now = cloud.now();
            let named =
                cloud.zones[place].records.iter_mut().filter(|record| record.fields.name == name);
            named
                .map(|record| {
                    change(&mut record.fields);
                    record.modified_on = now;
                })
                .count()
        })
    }

    /// Removes all records with this name behind every client's back; says how many there were.
    pub fn remove(&self, name: &str) -> usize {
        self.with(|cloud, place| {
            let records = &mut cloud.zones[place].records;
            let before = records.len();
            records.retain(|record| record.fields.name != name);
            before - records.len()
        })
    }

    fn with<T>(&self, act: impl FnOnce(&mut Cloud, usize) -> T) -> T {
        act(&mut self.sim.lock(), self.place)
    }
}

impl CloudflareTunnel {
    pub(super) fn new(sim: CloudflareSim, place: usize) -> Self {
        Self { sim, place }
    }

    /// The tunnel's id, as in `{id}.cfargotunnel.com`.
    pub fn id(&self) -> String {
        self.with(|tunnel| tunnel.id.to_string())
    }

    /// Its rules in order, the catch-all last; none if it was never configured.
    pub fn rules(&self) -> Vec<IngressRule> {
        self.with(|tunnel| ingress::rules(&tunnel.config).expect("only rules were stored"))
    }

    /// Where requests for a hostname go: the services of its rules, in order.
    pub fn services(&self, hostname: &str) -> Vec<String> {
        let rules = self.rules().into_iter();
        rules
            .filter(|rule| rule.hostname.as_deref() == Some(hostname))
            .map(|rule| rule.service)
            .collect()
    }

    /// Its configuration as it was put; null if it never was.
    pub fn config(&self) -> Value {
        self.with(|tunnel| tunnel.config.clone())
    }

    /// How often it was configured.
    pub fn version(&self) -> u64 {
        self.with(|tunnel| tunnel.version)
    }

    /// Where its configuration lives.
    pub fn source(&self) -> super::ConfigSource {
        self.with(|tunnel| tunnel.source)
    }

    /// What a connector would be started with. Nobody but the simulated Cloudflare may know it.
    pub fn secret(&self) -> String {
        self.with(|tunnel| tunnel.secret.clone())
    }

    /// Replaces its rules behind every client's back, as a person does in the dashboard: the
    /// version goes up, nothing is checked, other keys stay.
    ///
    /// # Panics
    /// `ingress` is not a list of rules: a mistake in the test.
    pub fn seed_rules(&self, ingress: &Value) {
        let now = self.sim.lock().now();
        self.with(|tunnel| {
            let mut config =
                if tunnel.config.is_null() { json!({}) } else { tunnel.config.clone() };
            config["ingress"] = ingress.clone();
            ingress::rules(&config).expect("the test gives a list of rules");
            tunnel.configure(config, now);
        });
    }

    /// Lets a cloudflared connect: the tunnel is healthy and cannot be deleted.
    pub fn connect(&self) {
        let connector = {
            let mut cloud = self.sim.lock();
            Connector { id: cloud.ids.uuid(), since: cloud.now() }
        };
        self.with(|tunnel| {
            tunnel.connectors.push(connector);
            tunnel.was_connected = true;
        });
    }

    /// Stops every cloudflared of it.
    pub fn disconnect(&self) {
        self.with(|tunnel| tunnel.connectors.clear());
    }

    fn with<T>(&self, act: impl FnOnce(&mut Tunnel) -> T) -> T {
        act(&mut self.sim.lock().tunnels[self.place])
    }
}

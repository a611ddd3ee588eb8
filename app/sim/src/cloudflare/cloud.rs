//! Everything that a simulated account keeps in memory, under one lock.

use jiff::Timestamp;

use super::limiter::Limiter;
use super::record::CloudflareRecord;
use super::settings::CloudflareSettings;
use super::tunnel::Tunnel;
use super::zone::Zone;
use crate::ids::Ids;

/// An account's state. Handlers get it whole, so every request sees and makes one consistent state.
#[derive(Debug)]
pub(super) struct Cloud {
    pub(super) settings: CloudflareSettings,
    pub(super) ids: Ids,
    pub(super) limiter: Limiter,
    pub(super) zones: Vec<Zone>,
    pub(super) tunnels: Vec<Tunnel>,
    pub(super) mutations: Vec<CloudflareMutation>,
    /// When the account and its zones came to be.
    pub(super) since: Timestamp,
}

/// A change that came through the API. Each operation of a batch is one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CloudflareMutation {
    RecordCreated(CloudflareRecord),
    /// By PUT or PATCH.
    RecordUpdated {
        before: Box<CloudflareRecord>,
        after: Box<CloudflareRecord>,
    },
    RecordDeleted(CloudflareRecord),
    TunnelCreated {
        id: String,
        name: String,
    },
    TunnelUpdated {
        id: String,
        name: String,
    },
    TunnelDeleted {
        id: String,
        name: String,
    },
    /// A tunnel's configuration was replaced in full.
    Configured {
        tunnel: String,
        version: u64,
        before: serde_json::Value,
        after: serde_json::Value,
    },
}

impl Cloud {
    pub(super) fn new(settings: CloudflareSettings) -> Self {
        let zones = settings.zones.iter().cloned();
        Self {
            zones: zones.map(|settings| Zone { settings, records: Vec::new() }).collect(),
            ids: Ids::new(format!("cloudflare {}", settings.account)),
            limiter: Limiter::default(),
            tunnels: Vec::new(),
            mutations: Vec::new(),
            since: settings.clock.now(),
            settings,
        }
    }

    pub(super) fn now(&self) -> Timestamp {
        self.settings.clock.now()
    }
}

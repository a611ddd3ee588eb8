//! Tunnels: created, renamed, softly deleted, each with one configuration that has versions.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

use super::record::time;

/// A tunnel, deleted ones among them.
#[derive(Debug, Clone)]
pub(super) struct Tunnel {
    pub(super) id: Uuid,
    pub(super) name: String,
    pub(super) source: ConfigSource,
    /// Base64.
    pub(super) secret: String,
    pub(super) created_at: Timestamp,
    pub(super) deleted_at: Option<Timestamp>,
    /// The cloudflared processes that are connected.
    pub(super) connectors: Vec<Connector>,
    pub(super) was_connected: bool,
    /// 0 for a tunnel that was never configured.
    pub(super) version: u64,
    pub(super) config: Value,
    pub(super) configured_at: Timestamp,
}

/// Where a tunnel's configuration lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConfigSource {
    /// At Cloudflare: what the API puts is what cloudflared runs.
    Cloudflare,
    /// In a file next to cloudflared: what the API puts runs nowhere.
    Local,
}

/// A connected cloudflared.
#[derive(Debug, Clone)]
pub(super) struct Connector {
    pub(super) id: Uuid,
    pub(super) since: Timestamp,
}

impl ConfigSource {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Cloudflare => "cloudflare",
            Self::Local => "local",
        }
    }
}

impl Tunnel {
    pub(super) fn is_live(&self) -> bool {
        self.deleted_at.is_none()
    }

    /// Gives it a configuration, whole, with the next version.
    pub(super) fn configure(&mut self, config: Value, now: Timestamp) {
        self.version += 1;
        self.config = config;
        self.configured_at = now;
    }

    pub(super) fn status(&self) -> &'static str {
        match (self.connectors.is_empty(), self.was_connected) {
            (false, _) => "healthy",
            (true, true) => "down",
            (true, false) => "inactive",
        }
    }

    /// What cloudflared needs to connect: account, tunnel and secret.
    pub(super) fn token(&self, account: &str) -> String {
        let parts = json!({ "a": account, "t": self.id, "s": self.secret });
        STANDARD.encode(parts.to_string())
    }

    /// As it is answered.
    pub(super) fn json(&self, account: &str) -> Value {
        json!({
            "id": self.id,
            "account_tag": account,
            "name": self.name,
            "config_src": self.source.name(),
            "remote_config": self.source == ConfigSource::Cloudflare,
            "status": self.status(),
            "tun_type": "cfd_tunnel",
            "created_at": time(self.created_at),
            "deleted_at": self.deleted_at.map(time),
            "conns_active_at": self.connectors.first().map(|connector| time(connector.since)),
            "conns_inactive_at": null,
            "connections": [],
            "metadata": {},
        })
    }

    /// As it is answered once, when it was made: with what connects it.
    pub(super) fn json_with_secrets(&self, account: &str) -> Value {
        let mut json = self.json(account);
        json["token"] = json!(self.token(account));
        json["credentials_file"] = json!({
            "AccountTag": account,
            "TunnelID": self.id,
            "TunnelName": self.name,
            "TunnelSecret": self.secret,
        });
        json
    }

    pub(super) fn config_json(&self) -> Value {
        json!({
            "tunnel_id": self.id,
            "version": self.version,
            "config": self.config,
            "source": self.source.name(),
            "created_at": time(self.configured_at),
        })
    }

    pub(super) fn connections_json(&self) -> Value {
        let connector = |connector: &Connector| {
            json!({
                "id": connector.id,
                "features": ["ha-origin"],
                "version": "2026.8.0",
                "arch": "linux_amd64",
                "config_version": self.version,
                "run_at": time(connector.since),
                "conns": [],
            })
        };
        self.connectors.iter().map(connector).collect()
    }
}

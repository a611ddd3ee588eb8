//! The tunnels of an account, by name and by uuid.
//!
//! A plan names a tunnel `account/name`, whether or not it exists yet; the vendor's records name
//! it by uuid. Deleted tunnels keep their name and stay listed unless asked otherwise, so the list
//! is always asked for the living alone: a name leads to at most one of them.

use std::collections::BTreeMap;

use serde::Deserialize;

/// A tunnel that exists.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Tunnel {
    /// Its uuid.
    pub(crate) id: String,
    /// Its name, unique among the living of an account.
    pub(crate) name: String,
    /// `cloudflare` when its configuration is kept at the vendor, `local` when in a file on its host.
    #[serde(default)]
    config_src: Option<String>,
    /// The older word for the same, still the only one in some answers.
    #[serde(default)]
    remote_config: Option<bool>,
    #[serde(default)]
    deleted_at: Option<String>,
}

impl Tunnel {
    /// Whether its configuration is in a file on its host, so that what is written here is not used.
    pub(crate) fn is_local(&self) -> bool {
        match self.config_src.as_deref() {
            Some(source) => source == "local",
            None => self.remote_config == Some(false),
        }
    }
}

/// The living tunnels of one account.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct TunnelNames {
    by_name: BTreeMap<String, Tunnel>,
    names: BTreeMap<String, String>,
}

impl TunnelNames {
    /// The names of `tunnels` in `account`.
    pub(crate) fn new(account: &str, tunnels: Vec<Tunnel>) -> Self {
        let mut all = Self::default();
        for tunnel in tunnels.into_iter().filter(|tunnel| tunnel.deleted_at.is_none()) {
            let name = qualified(account, &tunnel.name);
            all.names.insert(tunnel.id.clone(), name.clone());
            all.by_name.insert(name, tunnel);
        }
        all
    }

    /// The tunnel behind `account/name`.
    pub(crate) fn get(&self, name: &str) -> Option<&Tunnel> {
        self.by_name.get(name)
    }

    /// `account/name` of the tunnel with this uuid.
    pub(crate) fn name_of(&self, uuid: &str) -> Option<&str> {
        self.names.get(uuid).map(String::as_str)
    }
}

/// What a plan calls the tunnel `name` of `account`.
pub(crate) fn qualified(account: &str, name: &str) -> String {
    format!("{account}/{name}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{from_value, json};

    #[test]
    fn a_deleted_tunnel_does_not_stand_for_its_name() {
        let tunnels = from_value(json!([
            { "id": "1", "name": "media", "deleted_at": "2026-01-01T00:00:00Z" },
            { "id": "2", "name": "media", "deleted_at": null, "config_src": "cloudflare" },
        ]));
        let names = TunnelNames::new("acc", tunnels.unwrap());
        assert_eq!(names.get("acc/media").map(|t| t.id.as_str()), Some("2"));
        assert_eq!((names.name_of("1"), names.name_of("2")), (None, Some("acc/media")));
    }

    #[test]
    fn a_tunnel_is_local_by_its_source_or_by_the_older_word() {
        let local = |extra: serde_json::Value| {
            let mut tunnel = json!({ "id": "1", "name": "a" });
            tunnel.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
            from_value::<Tunnel>(tunnel).unwrap().is_local()
        };
        assert!(local(json!({ "config_src": "local" })));
        assert!(!local(json!({ "config_src": "cloudflare", "remote_config": false })));
        assert!(local(json!({ "remote_config": false })));
        assert!(!local(json!({})));
    }
}

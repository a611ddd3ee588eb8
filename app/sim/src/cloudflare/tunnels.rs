//! The endpoints of tunnels: `/accounts/{id}/cfd_tunnel` and what is below.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{Method, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

use super::cloud::{Cloud, CloudflareMutation};
use super::envelope::{self, ApiError, Outcome, PageSizes};
use super::ingress;
use super::tunnel::{ConfigSource, Tunnel};
use crate::call::Call;

const TUNNEL_PAGES: PageSizes = PageSizes { smallest: 1, default: 1000, largest: 1000 };
const SHORTEST_SECRET: usize = 32;

#[derive(Debug, Deserialize)]
struct Creation {
    name: String,
    #[serde(default)]
    config_src: Source,
    tunnel_secret: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Source {
    Cloudflare,
    #[default]
    Local,
}

#[derive(Debug, Deserialize)]
struct Edit {
    name: Option<String>,
    tunnel_secret: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Configuration {
    config: Value,
}

/// Answers what follows `/accounts/{id}/cfd_tunnel`.
pub(super) fn answer(cloud: &mut Cloud, call: &Call, rest: &[&str]) -> Outcome {
    match (&call.method, rest) {
        (&Method::GET, []) => list(cloud, call),
        (&Method::POST, []) => create(cloud, call),
        (method, [id]) => {
            let place = place(cloud, id)?;
            match *method {
                Method::GET => envelope::result(cloud.tunnels[place].json(&cloud.settings.account)),
                Method::PATCH => edit(cloud, place, call),
                Method::DELETE => delete(cloud, place),
                _ => Err(ApiError::no_route(call)),
            }
        }
        (&Method::GET, [id, "configurations"]) => {
            let place = configured_place(cloud, id)?;
            envelope::result(cloud.tunnels[place].config_json())
        }
        (&Method::PUT, [id, "configurations"]) => {
            let place = configured_place(cloud, id)?;
            configure(cloud, place, call)
        }
        (&Method::GET, [id, "token"]) => {
            let place = place(cloud, id)?;
            envelope::result(cloud.tunnels[place].token(&cloud.settings.account))
        }
        (&Method::GET, [id, "connections"]) => {
            let place = place(cloud, id)?;
            envelope::result(cloud.tunnels[place].connections_json())
        }
        (&Method::DELETE, [id, "connections"]) => {
            let place = place(cloud, id)?;
            cloud.tunnels[place].connectors.clear();
            envelope::result(json!({}))
        }
        _ => Err(ApiError::no_route(call)),
    }
}

/// Deleted tunnels stay in the list unless `is_deleted=false`.
fn list(cloud: &Cloud, call: &Call) -> Outcome {
    let wanted = |tunnel: &&Tunnel| {
        let id = tunnel.id.to_string();
        let holds = |name: &str, test: &dyn Fn(&str) -> bool| call.param(name).is_none_or(test);
        holds("name", &|name| tunnel.name == name)
            && holds("uuid", &|wanted| id == wanted)
            && holds("is_deleted", &|deleted| (deleted == "true") != tunnel.is_live())
            && holds("status", &|status| tunnel.status() == status)
            && holds("include_prefix", &|prefix| tunnel.name.starts_with(prefix))
            && holds("exclude_prefix", &|prefix| !tunnel.name.starts_with(prefix))
    };
    let tunnels = cloud.tunnels.iter().filter(wanted);
    let tunnels: Vec<_> = tunnels.map(|tunnel| tunnel.json(&cloud.settings.account)).collect();
    envelope::page(call, &tunnels, TUNNEL_PAGES)
}

fn create(cloud: &mut Cloud, call: &Call) -> Outcome {
    let creation: Creation = call.json().map_err(bad_body)?;
    check_name(cloud, &creation.name, None)?;
    let secret = match creation.tunnel_secret {
        Some(secret) => checked_secret(secret)?,
        None => STANDARD.encode(cloud.ids.bytes()),
    };
    let source = match creation.config_src {
        Source::Cloudflare => ConfigSource::Cloudflare,
        Source::Local => ConfigSource::Local,
    };
    let tunnel = cloud.add_tunnel(&creation.name, source, secret);
    let json = tunnel.json_with_secrets(&cloud.settings.account);
    cloud
        .mutations
        .push(CloudflareMutation::TunnelCreated { id: tunnel.id.to_string(), name: creation.name });
    envelope::result(json)
}

fn edit(cloud: &mut Cloud, place: usize, call: &Call) -> Outcome {
    let edit: Edit = call.json().map_err(bad_body)?;
    if let Some(name) = edit.name {
        check_name(cloud, &name, Some(place))?;
        cloud.tunnels[place].name = name;
    }
    if let Some(secret) = edit.tunnel_secret {
        cloud.tunnels[place].secret = checked_secret(secret)?;
    }
    let tunnel = &cloud.tunnels[place];
    let (id, name) = (tunnel.id.to_string(), tunnel.name.clone());
    cloud.mutations.push(CloudflareMutation::TunnelUpdated { id, name });
    envelope::result(tunnel.json(&cloud.settings.account))
}

fn delete(cloud: &mut Cloud, place: usize) -> Outcome {
    let now = cloud.now();
    let tunnel = &mut cloud.tunnels[place];
    if !tunnel.connectors.is_empty() {
        return Err(ApiError::bad_request(
            1022,
            "Cannot delete tunnel because it has active connections. Stop all connectors first.",
        ));
    }
    if tunnel.is_live() {
        tunnel.deleted_at = Some(now);
        let (id, name) = (tunnel.id.to_string(), tunnel.name.clone());
        cloud.mutations.push(CloudflareMutation::TunnelDeleted { id, name });
    }
    envelope::result(cloud.tunnels[place].json(&cloud.settings.account))
}

fn configure(cloud: &mut Cloud, place: usize, call: &Call) -> Outcome {
    let Configuration { config } = call.json().map_err(bad_body)?;
    let bad = |reason| ApiError::bad_request(1056, format!("Bad Configuration: {reason}"));
    ingress::check(&ingress::rules(&config).map_err(bad)?).map_err(bad)?;
    let now = cloud.now();
    let tunnel = &mut cloud.tunnels[place];
    let before = tunnel.config.clone();
    tunnel.configure(config, now);
    cloud.mutations.push(CloudflareMutation::Configured {
        tunnel: tunnel.name.clone(),
        version: tunnel.version,
        before,
        after: tunnel.config.clone(),
    });
    envelope::result(tunnel.config_json())
}

impl Cloud {
    /// Makes a tunnel without asking any rule.
    pub(super) fn add_tunnel(
        &mut self,
        name: &str,
        source: ConfigSource,
        secret: String,
    ) -> Tunnel {
        let now = self.now();
        let tunnel = Tunnel {
            id: self.ids.uuid(),
            name: name.to_owned(),
            source,
            secret,
            created_at: now,
            deleted_at: None,
            connectors: Vec::new(),
            was_connected: false,
            version: 0,
            config: Value::Null,
            configured_at: now,
        };
        self.tunnels.push(tunnel.clone());
        tunnel
    }
}

/// The code of a tunnel that never was is unverified.
fn place(cloud: &Cloud, id: &str) -> Result<usize, ApiError> {
    let place = cloud.tunnels.iter().position(|tunnel| tunnel.id.to_string() == id);
    place.ok_or_else(|| ApiError::new(StatusCode::NOT_FOUND, 1003, "Tunnel not found"))
}

fn configured_place(cloud: &Cloud, id: &str) -> Result<usize, ApiError> {
    let live = |tunnel: &Tunnel| tunnel.id.to_string() == id && tunnel.is_live();
    let place = cloud.tunnels.iter().position(live);
    let message = format!("Configuration for tunnel '{id}' was not found");
    place.ok_or_else(|| ApiError::new(StatusCode::NOT_FOUND, 1055, message))
}

fn check_name(cloud: &Cloud, name: &str, except: Option<usize>) -> Result<(), ApiError> {
    if name.is_empty() {
        return Err(bad_body("the name is empty"));
    }
    let others = cloud.tunnels.iter().enumerate().filter(|(place, _)| Some(*place) != except);
    if others.into_iter().any(|(_, tunnel)| tunnel.is_live() && tunnel.name == name) {
        let message = "You already have a tunnel with this name. Please choose a different name for this tunnel.";
        return Err(ApiError::new(StatusCode::CONFLICT, 1013, message));
    }
    Ok(())
}

fn checked_secret(secret: String) -> Result<String, ApiError> {
    match STANDARD.decode(&secret) {
        Ok(bytes) if bytes.len() >= SHORTEST_SECRET => Ok(secret),
        _ => Err(bad_body("tunnel_secret must be base64 of at least 32 bytes")),
    }
}

/// The code is unverified.
fn bad_body(reason: impl std::fmt::Display) -> ApiError {
    ApiError::bad_request(1002, format!("Bad request: {reason}"))
}

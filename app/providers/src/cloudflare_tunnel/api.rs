//! Reading a tunnel: the account's list for its uuid, and its configuration.

use landfall_core::plan::{Live, LiveResource, ResourceKey, Target, Value};
use serde::Deserialize;

use super::ingress::Configuration;
use super::rule;
use crate::cloudflare::{CallError, Session, Tunnel};
use crate::hold::Hold;
use crate::provider::ProviderError;

/// The vendor's code for the configuration of a tunnel that is gone.
const GONE: i64 = 1055;

/// A configuration as the API gives it. A tunnel that never had one has version 0 and null.
#[derive(Debug, Deserialize)]
struct ApiConfiguration {
    #[serde(default)]
    version: u64,
    #[serde(default)]
    config: Option<Value>,
}

/// A configuration with the version that the vendor counts up with every write.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Versioned {
    pub(super) version: u64,
    pub(super) configuration: Configuration,
}

impl From<ApiConfiguration> for Versioned {
    fn from(found: ApiConfiguration) -> Self {
        Self { version: found.version, configuration: Configuration::new(found.config) }
    }
}

/// A tunnel that exists, as it was read.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) id: String,
    pub(super) live: Versioned,
}

/// What lives in a tunnel: every rule but the catch-all, whoever made it. A tunnel that does not
/// exist has none, and is named as missing.
pub(crate) async fn observe(session: &Session, target: &Target) -> Result<Live, ProviderError> {
    let name = own_name(session, target)?;
    let Some(found) = find(session, target).await? else {
        return Ok(Live { missing_containers: vec![format!("tunnel {name}")], ..Live::default() });
    };
    let rules = found.live.configuration.values().into_iter();
    let resource = |(name, value): (String, Value)| {
        let live = LiveResource { value, ids: vec![found.id.clone()] };
        (ResourceKey::new(target.clone(), rule::TYPE, name), live)
    };
    Ok(Live { resources: rules.map(resource).collect(), ..Live::default() })
}

/// The tunnel's name, if the target is in the session's account.
pub(super) fn own_name<'t>(
    session: &Session,
    target: &'t Target,
) -> Result<&'t str, ProviderError> {
    session.own_tunnel(&target.id).ok_or_else(|| {
        ProviderError::Missing(format!("{target} is not in the connection's account"))
    })
}

/// The tunnel of a target with its configuration; none if it does not exist.
///
/// # Errors
/// Also where it exists and is managed by a file on its host: what is written here it would not use.
pub(super) async fn find(
    session: &Session,
    target: &Target,
) -> Result<Option<Found>, ProviderError> {
    let tunnels = session.tunnels(|known| known.get(&target.id).is_some()).await?;
    let Some(tunnel) = tunnels.get(&target.id) else { return Ok(None) };
    match managed(session, tunnel).await {
        Err(error) if error.has_code(GONE) => {}
        found => return found?.map(Some),
    }
    // The list was older than the tunnel's end. There may be a new one with its name.
    session.forget_tunnels().await;
    let tunnels = session.tunnels(|_| false).await?;
    match tunnels.get(&target.id) {
        Some(tunnel) => managed(session, tunnel).await?.map(Some),
        None => Ok(None),
    }
}

async fn managed(
    session: &Session,
    tunnel: &Tunnel,
) -> Result<Result<Found, ProviderError>, CallError> {
    if tunnel.is_local() {
        return Ok(Err(ProviderError::Missing(local(&tunnel.name))));
    }
    let live = configuration(session, &tunnel.id).await?;
    Ok(Ok(Found { id: tunnel.id.clone(), live }))
}

fn local(name: &str) -> String {
    format!(
        "the tunnel `{name}` is managed by a configuration file on its host, which Landfall cannot write: \
         migrate it to Cloudflare in the dashboard (Networks, Tunnels, the tunnel, Start migration), or name another"
    )
}

/// Reads a tunnel's configuration.
pub(super) async fn configuration(session: &Session, id: &str) -> Result<Versioned, CallError> {
    session.api.get::<ApiConfiguration>(&path(session, id)).await.map(Versioned::from)
}

/// Replaces a tunnel's configuration, all of it, and tells the version that it got.
pub(super) async fn replace(
    session: &Session,
    hold: Hold<'_>,
    id: &str,
    configuration: Configuration,
) -> Result<u64, CallError> {
    let body = serde_json::json!({ "config": configuration.into_value() });
    session
        .api
        .put::<ApiConfiguration>(hold, &path(session, id), &body)
        .await
        .map(|found| found.version)
}

fn path<'p>(session: &'p Session, id: &'p str) -> [&'p str; 5] {
    ["accounts", &session.account, "cfd_tunnel", id, "configurations"]
}

/// Creates a tunnel whose configuration is kept at the vendor. The answer also carries the
/// connector's token and credentials; only the id is read from it.
pub(super) async fn create(
    session: &Session,
    hold: Hold<'_>,
    name: &str,
) -> Result<String, CallError> {
    let body = serde_json::json!({ "name": name, "config_src": "cloudflare" });
    let tunnel: Tunnel =
        session.api.post(hold, &["accounts", &session.account, "cfd_tunnel"], &body).await?;
    Ok(tunnel.id)
}

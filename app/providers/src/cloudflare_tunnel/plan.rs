//! What a component wants of its tunnel and of the zones of its hostnames: pure.

use std::collections::BTreeMap;

use landfall_core::config::kind::Connection;
use landfall_core::config::names::Route;
use landfall_core::diagnostic::Diagnostic;
use landfall_core::plan::{Change, Desired, Effect, ResourceKey, Target};
use serde_json::json;

use super::config::{CloudflareTunnel, WantedRule};
use super::rule;
use crate::cloudflare::{tunnel_scope, zone_scope, zone_target};
use crate::cloudflare_dns::{AUTOMATIC, Content, RecordSet, ZoneRecord};
use crate::provider::{Found, Needs};

/// The tunnel and the zones of the hostnames.
pub(super) fn needs(config: &CloudflareTunnel, connection: &dyn Connection) -> Needs {
    let zones = connection.zones();
    let mut needs = Needs::default();
    needs.scopes.insert(tunnel_scope(config.tunnel.as_str()));
    needs
        .scopes
        .extend(config.routes.0.iter().filter_map(|(name, _)| name.zone(&zones)).map(zone_scope));
    needs
}

/// One rule for each path of each hostname, and one proxied CNAME for each hostname.
pub(super) fn desired(
    config: &CloudflareTunnel,
    connection: &dyn Connection,
    found: &Found,
) -> Result<Vec<Desired>, Vec<Diagnostic>> {
    let Some(tunnel) = found.targets.get(&tunnel_scope(config.tunnel.as_str())) else {
        let message = format!("the tunnel `{}` was not looked up", config.tunnel.as_str());
        return Err(vec![Diagnostic::error("target-unknown", config.tunnel.span.clone(), message)]);
    };
    let zones = connection.zones();
    let (mut desired, mut findings) = (Vec::new(), Vec::new());
    let mut names: BTreeMap<ResourceKey, Desired> = BTreeMap::new();
    for wanted in config.rules() {
        match zone_target(wanted.hostname, &zones, found) {
            Ok(zone) => {
                let cname = cname(zone, tunnel, &wanted);
                names.entry(cname.key.clone()).or_insert(cname).adopt |= wanted.adopt;
                desired.push(rule(tunnel, wanted));
            }
            Err(finding) => findings.push(finding),
        }
    }
    desired.extend(names.into_values());
    if findings.is_empty() { Ok(desired) } else { Err(findings) }
}

fn rule(tunnel: &Target, wanted: WantedRule<'_>) -> Desired {
    let WantedRule { hostname, matcher, origin, settings, adopt } = wanted;
    let rule = json!({ "service": origin.service(), "originRequest": settings });
    Desired {
        key: ResourceKey::new(tunnel.clone(), rule::TYPE, matcher.name()),
        value: rule::value_of(&rule),
        adopt,
        span: hostname.span.clone(),
    }
}

/// The record refers to the tunnel by name, which is the identity of the tunnel's target: so it
/// is the same before the tunnel exists and after.
fn cname(zone: &Target, tunnel: &Target, wanted: &WantedRule<'_>) -> Desired {
    let record =
        ZoneRecord { content: Content::Tunnel(tunnel.id.clone()), ttl: AUTOMATIC, proxied: true };
    Desired {
        key: ResourceKey::new(zone.clone(), "CNAME", wanted.hostname.as_str()),
        value: RecordSet::new(vec![record]).to_value("CNAME"),
        adopt: wanted.adopt,
        span: wanted.hostname.span.clone(),
    }
}

/// The public hostnames and where they lead.
pub(super) fn routes(config: &CloudflareTunnel) -> Vec<Route> {
    let route = |wanted: WantedRule<'_>| Route {
        rule: wanted.matcher.name(),
        hostname: wanted.hostname.value.clone(),
        path: wanted.matcher.path,
        tunnel: config.tunnel.as_str().to_owned(),
        origin: wanted.origin.service().to_owned(),
        origin_name: wanted.origin.host().cloned(),
        span: wanted.hostname.span.clone(),
        origin_span: wanted.origin.span.clone(),
    };
    config.rules().map(route).collect()
}

/// A tunnel's configuration is written at once, so its changes are one effect.
pub(super) fn effects(target: &Target, changes: Vec<Change>) -> Vec<Effect> {
    if changes.is_empty() {
        return Vec::new();
    }
    vec![Effect { target: target.clone(), changes }]
}

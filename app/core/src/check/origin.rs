//! Origins: where a public hostname leads to must exist, and must not be public itself.

use std::collections::{HashMap, HashSet};

use super::scene::{Scene, Stage};
use crate::config::names::{Route, Space};
use crate::diagnostic::{Diagnostic, Span};
use crate::name::{DnsName, HostPattern};

/// An origin that is public would be reached through the tunnel that leads to it: a loop.
pub(super) fn public_origin(scene: &Scene<'_>) -> Vec<Diagnostic> {
    let mut findings = Vec::new();
    for stage in &scene.stages {
        let published: HashMap<&DnsName, &Span> =
            routes(stage).map(|route| (&route.hostname, &route.span)).collect();
        let zones = zones(stage);
        for route in routes(stage) {
            let Some(origin) = &route.origin_name else { continue };
            let span = route.origin_span.clone();
            if let Some(at) = published.get(origin) {
                let message = format!(
                    "the origin {origin} is itself a public hostname, so requests would go in a loop"
                );
                let finding = Diagnostic::error("origin-loop", span, message);
                let finding = finding.help("point at the address or the local name of the machine");
                findings.push(finding.related((*at).clone(), "it is published here"));
            } else if let Some(zone) = zone_of(origin, &zones).filter(|_| !is_known(scene, origin))
            {
                let message = format!("the origin {origin} is in the public zone {zone}");
                let help = "point at a local name; if it does resolve to a private address, list it in `known_names`";
                findings.push(Diagnostic::error("origin-public", span, message).help(help));
            }
        }
    }
    findings
}

/// An origin that nobody declares may be a slip, or a name that somebody else looks after.
pub(super) fn unknown_origin(scene: &Scene<'_>) -> Vec<Diagnostic> {
    let mut findings = Vec::new();
    for stage in &scene.stages {
        let records = stage.parts.iter().flat_map(|part| &part.unit.names.records);
        let local: HashSet<&DnsName> = records
            .filter(|record| record.space == Space::Local)
            .map(|record| &record.name)
            .collect();
        let published: HashSet<&DnsName> = routes(stage).map(|route| &route.hostname).collect();
        let zones = zones(stage);
        for route in routes(stage) {
            let Some(origin) = &route.origin_name else { continue };
            let told_already = published.contains(origin) || zone_of(origin, &zones).is_some();
            if told_already
                || origin.as_str() == "localhost"
                || is_known(scene, origin)
                || is_declared(origin, &local)
            {
                continue;
            }
            let message =
                format!("no service of {} declares the origin {origin}", stage.environment.name);
            let help = "declare the name, or list it in `known_names` if somebody else does";
            findings.push(
                Diagnostic::warning("origin-unknown", route.origin_span.clone(), message)
                    .help(help),
            );
        }
    }
    findings
}

fn routes<'a>(stage: &'a Stage<'_>) -> impl Iterator<Item = &'a Route> {
    stage.parts.iter().flat_map(|part| &part.unit.names.routes)
}

fn is_known(scene: &Scene<'_>, name: &DnsName) -> bool {
    scene.repository.known_names.iter().any(|pattern: &HostPattern| pattern.matches(name))
}

/// The name itself and every name above it, the longest first.
fn ancestors(name: &DnsName) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(name.as_str()), |name| name.split_once('.').map(|(_, rest)| rest))
}

fn zones<'a>(stage: &'a Stage<'_>) -> HashSet<&'a str> {
    stage.parts.iter().flat_map(|part| &part.reach.zones).map(DnsName::as_str).collect()
}

fn zone_of<'n>(name: &'n DnsName, zones: &HashSet<&str>) -> Option<&'n str> {
    ancestors(name).find(|above| zones.contains(above))
}

/// Whether the name is declared, or lies under a wildcard that is.
fn is_declared(name: &DnsName, declared: &HashSet<&DnsName>) -> bool {
    let wildcards =
        ancestors(name).skip(1).filter_map(|above| DnsName::new(format!("*.{above}")).ok());
    declared.contains(name) || wildcards.into_iter().any(|wildcard| declared.contains(&wildcard))
}

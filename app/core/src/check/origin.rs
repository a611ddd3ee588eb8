//! Origins: where a public hostname leads to must exist, and must not be public itself.

use std::collections::{HashMap, HashSet};

use super::scene::{Scene, Stage};
use crate::config::names::{Record, Route, Space};
use crate::diagnostic::{Diagnostic, Span};
use crate::name::{DnsName, HostPattern};

/// At most this many aliases are followed from an origin.
const MOST_ALIASES: usize = 8;

/// An origin that is public, itself or as an alias of something public, would be reached through
/// the tunnel that leads to it: a loop.
pub(super) fn public_origin(scene: &Scene<'_>) -> Vec<Diagnostic> {
    let mut findings = Vec::new();
    for stage in &scene.stages {
        let published: HashMap<&DnsName, &Span> =
            routes(stage).map(|route| (&route.hostname, &route.span)).collect();
        let (zones, aliases) = (zones(stage), aliases(stage));
        for route in routes(stage) {
            let Some(origin) = &route.origin_name else { continue };
            // Each name with the alias that led to it.
            let names = std::iter::successors(Some((origin, None)), |(name, _)| {
                aliases.get(*name).map(|(target, span)| (target, Some(*span)))
            });
            findings.extend(names.take(MOST_ALIASES).find_map(|(name, alias)| {
                let finding = match published.get(name) {
                    Some(at) => Some(goes_round(route, name, at)),
                    None if is_known(scene, name) => None,
                    None => zone_of(name, &zones).map(|zone| is_public(route, name, zone)),
                };
                let note = |span: &Span| (span.clone(), format!("the alias of {name}"));
                finding.map(|finding| Diagnostic {
                    related: finding.related.into_iter().chain(alias.map(note)).collect(),
                    ..finding
                })
            }));
        }
    }
    findings
}

fn goes_round(route: &Route, name: &DnsName, published: &Span) -> Diagnostic {
    let message = format!("{} a public hostname, so requests would go in a loop", is(route, name));
    Diagnostic::error("origin-loop", route.origin_span.clone(), message)
        .help("point at the address or the local name of the machine")
        .related(published.clone(), "it is published here")
}

fn is_public(route: &Route, name: &DnsName, zone: &str) -> Diagnostic {
    let message = format!("{} in the public zone {zone}", is(route, name));
    let help =
        "point at a local name; if it does resolve to a private address, list it in `known_names`";
    Diagnostic::error("origin-public", route.origin_span.clone(), message).help(help)
}

/// The beginning of a sentence about `name`, which the origin is or leads to.
fn is(route: &Route, name: &DnsName) -> String {
    match &route.origin_name {
        Some(origin) if origin != name => {
            format!("the origin {origin} is an alias of {name}, which is")
        }
        _ => format!("the origin {name} is"),
    }
}

/// Local aliases: what each leads to, and where it is declared.
fn aliases<'a>(stage: &'a Stage<'_>) -> HashMap<&'a DnsName, (DnsName, &'a Span)> {
    let records = stage.parts.iter().flat_map(|part| &part.unit.names.records);
    let aliases = records.filter(|r| r.space == Space::Local && r.rtype == "CNAME");
    let target = |record: &Record| DnsName::new(record.values.first()?.as_str()).ok();
    aliases.filter_map(|r| Some((&r.name, (target(r)?, &r.span)))).collect()
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

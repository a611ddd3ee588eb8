//! Record sets within one environment: who declares them, what stands beside them, where they may be.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Display;

use super::claims::{Claim, Realm};
use super::scene::Scene;
use crate::config::{Scope, ServiceFile};
use crate::diagnostic::Diagnostic;
use crate::name::{DnsName, HostPattern, ServiceName};
use crate::plan::Cnames;

/// A record set has one owner: two units that declare it would undo each other.
pub(super) fn declared_twice(scene: &Scene<'_>) -> Vec<Diagnostic> {
    per_stage(scene, |claims, findings| {
        let mut first: HashMap<(Realm<'_>, &DnsName, &str), Claim<'_>> =
            HashMap::with_capacity(claims.len());
        for claim in claims {
            let key = (claim.realm, claim.name, claim.rtype);
            let Some(other) = first.get(&key) else {
                first.insert(key, *claim);
                continue;
            };
            if other.unit.name == claim.unit.name {
                continue;
            }
            let (what, help) = match other.unit.name.service == claim.unit.name.service {
                true => ("component", "declare it in one of them"),
                false => ("service", "declare it in one service, and let the other one need it"),
            };
            let message =
                format!("{} {} is declared by another {what} too", claim.rtype, claim.name);
            let note = format!("declared by {} here", other.unit.name.service);
            let finding = Diagnostic::error("name-declared-twice", claim.span.clone(), message);
            findings.push(finding.help(help).related(other.span.clone(), note));
        }
    })
}

/// What may stand beside a CNAME: nothing in a local network, and in public what Cloudflare lets.
pub(super) fn cname_beside_another_type(scene: &Scene<'_>) -> Vec<Diagnostic> {
    per_stage(scene, |claims, findings| {
        for (realm, at_name) in by_name(claims) {
            let Some(cname) = at_name.get("CNAME") else { continue };
            let excluded = |claim: &&&Claim<'_>| cnames(realm).exclude("CNAME", claim.rtype);
            let Some(other) = at_name.values().find(excluded) else { continue };
            let message =
                format!("{} is a CNAME and has a record of type {} too", cname.name, other.rtype);
            findings.push(
                Diagnostic::error("cname-beside-other", cname.span.clone(), message)
                    .help("they cannot stand at one name; keep one of them")
                    .related(other.span.clone(), format!("the {} record", other.rtype)),
            );
        }
    })
}

/// Below a zone's own name NS hand it on to other servers, and Cloudflare lets nothing stand beside.
pub(super) fn ns_beside_another_type(scene: &Scene<'_>) -> Vec<Diagnostic> {
    per_stage(scene, |claims, findings| {
        let public = by_name(claims).filter(|(realm, _)| *realm == Realm::Public);
        for (_, at_name) in public {
            let Some(ns) = at_name.get("NS").filter(|ns| !ns.zones.contains(ns.name)) else {
                continue;
            };
            let others = at_name.values().filter(|claim| !matches!(claim.rtype, "NS" | "CNAME"));
            for other in others.take(1) {
                let message = format!(
                    "{} is handed on by NS and has a record of type {} too",
                    ns.name, other.rtype
                );
                findings.push(
                    Diagnostic::error("ns-beside-other", ns.span.clone(), message)
                        .help("declare the record at the servers that NS name, or remove NS")
                        .related(other.span.clone(), format!("the {} record", other.rtype)),
                );
            }
        }
    })
}

fn cnames(realm: Realm<'_>) -> Cnames {
    match realm {
        Realm::Public => Cnames::Flattened,
        Realm::Local(_) => Cnames::Alone,
    }
}

/// Of each name the first claim of every type.
fn by_name<'c, 'a>(
    claims: &'c [Claim<'a>],
) -> impl Iterator<Item = (Realm<'a>, BTreeMap<&'a str, &'c Claim<'a>>)> {
    let mut found: HashMap<(Realm<'a>, &DnsName), BTreeMap<&str, &Claim<'a>>> =
        HashMap::with_capacity(claims.len());
    for claim in claims {
        found.entry((claim.realm, claim.name)).or_default().entry(claim.rtype).or_insert(claim);
    }
    found.into_iter().map(|((realm, _), types)| (realm, types))
}

/// One CNAME of a name: a UniFi gateway whose configuration has two stops answering at all.
pub(super) fn two_cnames(scene: &Scene<'_>) -> Vec<Diagnostic> {
    per_stage(scene, |claims, findings| {
        let mut first: HashMap<(Realm<'_>, &DnsName), &Claim<'_>> = HashMap::new();
        for claim in claims.iter().filter(|claim| claim.rtype == "CNAME") {
            let other = first.insert((claim.realm, claim.name), claim);
            let again = other.filter(|other| other.unit.name == claim.unit.name);
            if claim.values < 2 && again.is_none() {
                continue;
            }
            let message = format!("{} has more than one CNAME", claim.name);
            let mut finding = Diagnostic::error("two-cnames", claim.span.clone(), message)
                .help("a name is an alias of one other name; two of them can take local DNS down");
            if let Some(other) = again {
                finding = finding.related(other.span.clone(), "the other one");
            }
            findings.push(finding);
        }
    })
}

/// A public name lies in a zone that its connection may write to.
pub(super) fn outside_zones(scene: &Scene<'_>) -> Vec<Diagnostic> {
    per_stage(scene, |claims, findings| {
        for claim in claims.iter().filter(|claim| claim.realm == Realm::Public) {
            if claim.name.zone(claim.zones).is_some() {
                continue;
            }
            let help = match claim.zones.is_empty() {
                true => "the connection lists no zones".to_owned(),
                false => {
                    format!("the connection `{}` has {}", claim.unit.connection, some(claim.zones))
                }
            };
            let environment = &claim.unit.name.environment;
            let message = format!("{} is in none of the zones of {environment}", claim.name);
            findings
                .push(Diagnostic::error("outside-zones", claim.span.clone(), message).help(help));
        }
    })
}

/// A public name is one that `scopes:` gives to the services under this path.
pub(super) fn outside_scope(scene: &Scene<'_>) -> Vec<Diagnostic> {
    if scene.repository.scopes.is_empty() {
        return Vec::new();
    }
    let about = |file: &ServiceFile| -> Vec<&Scope> {
        let scopes = &scene.repository.scopes;
        scopes.iter().filter(|scope| scope.is_about(&file.path)).collect()
    };
    per_stage(scene, |claims, findings| {
        let mut known: HashMap<&ServiceName, Vec<&Scope>> = HashMap::new();
        for claim in claims.iter().filter(|claim| claim.realm == Realm::Public) {
            let Some(file) = scene.file(&claim.unit.name.service) else { continue };
            let scopes = known.entry(&file.name).or_insert_with(|| about(file));
            let hosts: Vec<&HostPattern> = scopes.iter().flat_map(|scope| &scope.hosts).collect();
            let (Some(scope), false) =
                (scopes.first(), hosts.iter().any(|host| host.matches(claim.name)))
            else {
                continue;
            };
            let message = format!("{} is outside the scope of {}", claim.name, file.path);
            findings.push(
                Diagnostic::error("outside-scope", claim.span.clone(), message)
                    .help(format!("services here may use {}", some(&hosts)))
                    .related(scope.span.clone(), "the scope"),
            );
        }
    })
}

/// The first of `names`, and how many there are beside them.
fn some<T: Display>(names: &[T]) -> String {
    const SHOWN: usize = 10;
    let shown: Vec<String> = names.iter().take(SHOWN).map(|name| format!("`{name}`")).collect();
    match names.len().saturating_sub(SHOWN) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

fn per_stage(
    scene: &Scene<'_>,
    check: impl Fn(&[Claim<'_>], &mut Vec<Diagnostic>),
) -> Vec<Diagnostic> {
    let mut findings = Vec::new();
    for stage in &scene.stages {
        check(&stage.claims, &mut findings);
    }
    findings
}

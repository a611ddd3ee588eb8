//! Across environments: a resource has one owner, wherever that is.

use std::collections::HashMap;

use super::claims::{Claim, Realm};
use super::scene::Scene;
use crate::diagnostic::Diagnostic;
use crate::name::DnsName;

/// One resource that two environments declare. Local names are the same only behind one address;
/// two addresses of one console are found when the console says who it is.
pub(super) fn two_environments(scene: &Scene<'_>) -> Vec<Diagnostic> {
    let mut first: HashMap<(Realm<'_>, &DnsName, &str), &Claim<'_>> = HashMap::new();
    let mut findings = Vec::new();
    for claim in scene.stages.iter().flat_map(|stage| &stage.claims) {
        let other = *first.entry((claim.realm, claim.name, claim.rtype)).or_insert(claim);
        let (here, there) = (&claim.unit.name.environment, &other.unit.name.environment);
        if here == there {
            continue;
        }
        let message =
            format!("{} {} is declared by {there} and by {here}", claim.rtype, claim.name);
        let mut finding = Diagnostic::error("two-environments", claim.span.clone(), message).help(format!(
            "let it live in one of them, `only: [{here}]`, or put a variable into the name, as in `name${{suffix}}`"
        ));
        if claim.span != other.span {
            finding = finding.related(other.span.clone(), format!("declared for {there} here"));
        }
        findings.push(finding);
    }
    findings
}

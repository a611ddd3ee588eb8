//! A pull request from a fork: what it declares otherwise than its base, from its data alone.
//!
//! Whoever owns the fork may change it at any time and nobody here has read it yet, so no provider is
//! asked about it and no credential is used. What its services come to in an environment is compared
//! with what they come to now, line by line.

use std::collections::{BTreeMap, BTreeSet};

use landfall_core::config::{Environment, effective, show};
use landfall_core::name::ServiceName;
use landfall_core::report::Declares;
use similar::{ChangeTag, TextDiff};

use crate::gather::Declared;

/// Why it has no plan.
pub(super) const NOT_PLANNED: &str =
    "it comes from a fork, so no provider is asked; what it declares otherwise is shown";

/// What `merged` declares otherwise than `before` in an environment, service by service.
pub(super) fn declares(
    environment: &Environment,
    before: Option<&Declared>,
    merged: &Declared,
) -> Vec<Declares> {
    let was = before.map(|declared| lines(environment, declared)).unwrap_or_default();
    let is = lines(environment, merged);
    let services: BTreeSet<&ServiceName> = was.keys().chain(is.keys()).collect();
    let differs = |service: &&ServiceName| was.get(*service) != is.get(*service);
    let none = Vec::new();
    let declares = services.into_iter().filter(differs).map(|service| {
        let of = |side: &BTreeMap<ServiceName, Vec<String>>| side.get(service).cloned();
        let (was, is) = (of(&was), of(&is));
        Declares {
            service: service.clone(),
            is_new: was.is_none(),
            is_gone: is.is_none(),
            lines: diff(was.as_ref().unwrap_or(&none), is.as_ref().unwrap_or(&none)),
        }
    });
    declares.collect()
}

/// What each service that lives in an environment comes to there.
fn lines(environment: &Environment, declared: &Declared) -> BTreeMap<ServiceName, Vec<String>> {
    let services = declared.tree.services.iter();
    let here = services.filter(|service| service.lives_in(&environment.name));
    let lines = here.filter_map(|service| {
        // It was loaded, so its variables are known.
        let node = effective(environment, service).ok()?;
        let lines = show(&node).into_iter().map(|line| line.text).collect();
        Some((service.name.clone(), lines))
    });
    lines.collect()
}

/// The lines that come and go, with those around them.
fn diff(was: &[String], is: &[String]) -> Vec<String> {
    let (was, is): (Vec<&str>, Vec<&str>) =
        (was.iter().map(String::as_str).collect(), is.iter().map(String::as_str).collect());
    let diff = TextDiff::from_slices(&was, &is);
    let groups = diff.grouped_ops(3);
    let changes = groups.iter().flatten().flat_map(|op| diff.iter_changes(op));
    let line = changes.map(|change| {
        let mark = match change.tag() {
            ChangeTag::Equal => ' ',
            ChangeTag::Insert => '+',
            ChangeTag::Delete => '-',
        };
        format!("{mark} {}", change.value())
    });
    line.collect()
}

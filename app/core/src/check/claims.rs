//! Claims: a unit says that a record set at a name is its own.
//!
//! A public route claims the CNAME that leads into its tunnel. One claim for one record set, however
//! many paths a route has.

use std::collections::HashSet;

use super::scene::Part;
use crate::config::Unit;
use crate::config::names::Space;
use crate::diagnostic::Span;
use crate::name::DnsName;

/// Where two equal names are one name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Realm<'a> {
    /// The internet.
    Public,
    /// The network behind one connection, by its address.
    Local(&'a str),
}

/// A claim on a record set.
#[derive(Debug, Clone, Copy)]
pub(super) struct Claim<'a> {
    pub(super) realm: Realm<'a>,
    pub(super) name: &'a DnsName,
    pub(super) rtype: &'a str,
    /// How many values it has, where that is known.
    pub(super) values: usize,
    pub(super) unit: &'a Unit,
    /// The public zones of the unit's connection.
    pub(super) zones: &'a [DnsName],
    pub(super) span: &'a Span,
}

/// The claims of one unit.
pub(super) fn claims<'a>(part: &Part<'a>) -> Vec<Claim<'a>> {
    let Part { unit, reach } = *part;
    let names = &unit.names;
    let claim = |realm, name, rtype, values, span| Claim {
        realm,
        name,
        rtype,
        values,
        unit,
        zones: &reach.zones,
        span,
    };
    let mut claims: Vec<Claim<'a>> = Vec::with_capacity(names.records.len() + names.routes.len());
    for record in &names.records {
        let realm = match record.space {
            Space::Public => Realm::Public,
            Space::Local => Realm::Local(&reach.address),
        };
        claims.push(claim(realm, &record.name, record.rtype, record.values.len(), &record.span));
    }
    let mut named: HashSet<&DnsName> = claims
        .iter()
        .filter(|c| c.realm == Realm::Public && c.rtype == "CNAME")
        .map(|c| c.name)
        .collect();
    for route in &names.routes {
        if named.insert(&route.hostname) {
            claims.push(claim(Realm::Public, &route.hostname, "CNAME", 1, &route.span));
        }
    }
    claims
}

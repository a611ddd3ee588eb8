//! The words by which planners and readers speak of zones and tunnels.

use landfall_core::diagnostic::Diagnostic;
use landfall_core::name::{DnsName, KindName};
use landfall_core::plan::Target;
use landfall_core::yaml::Spanned;

use crate::provider::{Found, Lookup, Scope};

const ZONE: &str = "zone ";
const TUNNEL: &str = "tunnel ";

/// A kind's constant as a name.
pub(crate) fn kind_name(name: &'static str) -> KindName {
    KindName::new(name).expect("the constants of this crate are names")
}

/// The scope of a zone.
pub(crate) fn zone_scope(zone: &DnsName) -> Scope {
    format!("{ZONE}{zone}")
}

/// The scope of a tunnel.
pub(crate) fn tunnel_scope(name: &str) -> Scope {
    format!("{TUNNEL}{name}")
}

/// The question what the tunnel with this uuid is called; the answer is `account/name`.
pub(crate) fn tunnel_lookup(uuid: &str) -> Lookup {
    format!("{TUNNEL}{uuid}")
}

/// The uuid that a look-up asks about.
pub(super) fn looked_up(lookup: &str) -> Option<&str> {
    lookup.strip_prefix(TUNNEL)
}

/// What a scope is about.
pub(super) enum About<'s> {
    Zone(&'s str),
    Tunnel(&'s str),
}

/// Reads a scope back.
pub(super) fn about(scope: &str) -> Option<About<'_>> {
    let zone = scope.strip_prefix(ZONE).map(About::Zone);
    zone.or_else(|| scope.strip_prefix(TUNNEL).map(About::Tunnel))
}

/// The target of the zone that `name` is in.
///
/// # Errors
/// The connection has no such zone, told at the name.
pub(crate) fn zone_target<'f>(
    name: &Spanned<DnsName>,
    zones: &[DnsName],
    found: &'f Found,
) -> Result<&'f Target, Diagnostic> {
    let error = |message: String| Diagnostic::error("target-unknown", name.span.clone(), message);
    let zone = name
        .zone(zones)
        .ok_or_else(|| error(format!("`{}` is in no zone of the connection", name.value)))?;
    let target = found.targets.get(&zone_scope(zone));
    target.ok_or_else(|| error(format!("the zone `{zone}` was not looked up")))
}

//! The names that components declare: all that the checks see of them.

use crate::diagnostic::Span;
use std::collections::BTreeSet;

use crate::name::{DnsName, MacAddress};
use crate::plan::ResourceName;

/// What one component declares and points at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Names {
    /// Record sets.
    pub records: Vec<Record>,
    /// Public hostnames that lead to an origin.
    pub routes: Vec<Route>,
    /// Devices that a name is looked up from.
    pub devices: Vec<Device>,
}

impl Names {
    /// What the component will want, whatever the targets are: its record sets, and for a route the
    /// CNAME that leads into the tunnel and the rule that leads out of it.
    #[must_use]
    pub fn resources(&self) -> BTreeSet<ResourceName> {
        let records = self.records.iter().map(|r| ResourceName::new(r.rtype, r.name.as_str()));
        let routes = self.routes.iter().flat_map(|route| {
            let cname = ResourceName::new("CNAME", route.hostname.as_str());
            [cname, ResourceName::new("rule", route.rule.as_str())]
        });
        records.chain(routes).collect()
    }
}

/// Where a name is valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Space {
    /// In the local network only.
    Local,
    /// On the internet.
    Public,
}

/// A record set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Where it is valid.
    pub space: Space,
    /// Its name.
    pub name: DnsName,
    /// Its type: `A`, `CNAME`.
    pub rtype: &'static str,
    /// Its values as text: addresses, names pointed at. Empty when they are looked up.
    pub values: Vec<String>,
    /// Where it is declared.
    pub span: Span,
}

/// A public hostname, or a path of one, and where it leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// The public name.
    pub hostname: DnsName,
    /// The path, as a regular expression; none for all paths.
    pub path: Option<String>,
    /// What the rule that leads there is called at its provider.
    pub rule: String,
    /// The tunnel it goes through.
    pub tunnel: String,
    /// The origin as written: `http://jellyfin.internal.lan:8096`.
    pub origin: String,
    /// The origin's host if it is a name; none for an address or a service of the connector's own.
    pub origin_name: Option<DnsName>,
    /// Where the hostname is declared.
    pub span: Span,
    /// Where the origin is declared.
    pub origin_span: Span,
}

/// A device whose address is looked up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// Its hardware address.
    pub mac: MacAddress,
    /// The name that gets its address.
    pub name: DnsName,
    /// Where it is declared.
    pub span: Span,
}

//! Which addresses may be connected to: public ones, and what the operator lists.
//!
//! A repository says where its console lives, so without rules it could make the server talk to
//! its neighbours: the cloud's metadata service, a database on the private network. Names are
//! checked by the address they resolve to (see `resolver`), literal addresses as they stand.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::str::FromStr;
use std::sync::Arc;

use ipnet::IpNet;
use url::Host;

/// The rules. The default permits public addresses alone.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AddressRules {
    allowed: Arc<[Allowed]>,
}

/// One entry of the operator's list; without a port it is for every port.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Allowed {
    place: Place,
    port: Option<u16>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Place {
    /// Wherever this name leads.
    Name(String),
    Net(IpNet),
}

/// An entry of the list that is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{entry}` is not a host, `host:port`, an address, `address:port` or a network such as `192.168.1.0/24`"
)]
pub struct AddressRulesError {
    /// The entry as written.
    pub entry: String,
}

impl AddressRules {
    /// Reads the operator's list: entries with commas between them, each a host (`unifi.lan`), a
    /// host and a port (`unifi.lan:8443`), an address (`192.168.1.1`, `[fd00::1]:8443`) or a
    /// network (`192.168.1.0/24`). Spaces and empty entries are ignored.
    ///
    /// # Errors
    /// The first entry that is none of these.
    pub fn parse(list: &str) -> Result<Self, AddressRulesError> {
        let entries = list.split(',').map(str::trim).filter(|entry| !entry.is_empty());
        let allowed = entries.map(Allowed::parse).collect::<Result<_, _>>()?;
        Ok(Self { allowed })
    }

    /// Every address: for a peer that the operator names, not a repository.
    #[must_use]
    pub fn everywhere() -> Self {
        let net = |net: &str| Allowed {
            place: Place::Net(net.parse().expect("the whole of an address family is a network")),
            port: None,
        };
        Self { allowed: ["0.0.0.0/0", "::/0"].map(net).into() }
    }

    /// Whether `address`, which `host` is or resolved to, may be connected to on `port`.
    #[must_use]
    pub fn permits(&self, host: &str, port: u16, address: IpAddr) -> bool {
        let address = address.to_canonical();
        let host = host.trim_end_matches('.').to_ascii_lowercase();
        is_public(address)
            || self.allowed.iter().any(|allowed| allowed.covers(&host, port, address))
    }
}

impl FromStr for AddressRules {
    type Err = AddressRulesError;

    fn from_str(list: &str) -> Result<Self, AddressRulesError> {
        Self::parse(list)
    }
}

impl Allowed {
    fn parse(entry: &str) -> Result<Self, AddressRulesError> {
        let bad = || AddressRulesError { entry: entry.chars().take(80).collect() };
        let bare = entry.strip_prefix('[').and_then(|e| e.strip_suffix(']')).unwrap_or(entry);
        if let Ok(net) = entry.parse::<IpNet>() {
            return Ok(Self { place: Place::Net(net.trunc()), port: None });
        }
        if let Ok(address) = bare.parse::<IpAddr>() {
            return Ok(Self { place: Place::Net(address.into()), port: None });
        }
        if let Ok(socket) = entry.parse::<SocketAddr>() {
            return Ok(Self { place: Place::Net(socket.ip().into()), port: Some(socket.port()) });
        }
        let (name, port) = match entry.split_once(':') {
            Some((name, port)) => (name, Some(port.parse().map_err(|_| bad())?)),
            None => (entry, None),
        };
        match Host::parse(name.trim_end_matches('.')) {
            Ok(Host::Domain(name)) if !name.contains('*') => {
                Ok(Self { place: Place::Name(name), port })
            }
            _ => Err(bad()),
        }
    }

    fn covers(&self, host: &str, port: u16, address: IpAddr) -> bool {
        let place = match &self.place {
            Place::Name(name) => name == host,
            Place::Net(net) => net.contains(&address),
        };
        place && self.port.is_none_or(|only| only == port)
    }
}

/// IPv4 networks that are not on the public internet (IANA special-purpose registry, RFC 6890).
const NOT_PUBLIC_V4: [&str; 16] = [
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.31.196.0/24",
    "192.88.99.0/24",
    "192.168.0.0/16",
    "192.175.48.0/24",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "224.0.0.0/3",
];

/// Networks inside `2000::/3`, which is all of public IPv6, that are not public themselves:
/// protocol assignments with Teredo, documentation, 6to4. Outside of it lie loopback, link-local,
/// unique local (Fly's `fdaa::/16` too) and multicast.
const NOT_PUBLIC_V6: [&str; 4] = ["2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"];

fn is_public(address: IpAddr) -> bool {
    let inside = |nets: &[&str]| {
        nets.iter()
            .any(|net| net.parse::<IpNet>().expect("a constant of this file").contains(&address))
    };
    match address {
        IpAddr::V4(_) => !inside(&NOT_PUBLIC_V4),
        IpAddr::V6(v6) => match behind_nat64(v6) {
            Some(v4) => is_public(v4),
            None => v6.segments()[0] & 0xe000 == 0x2000 && !inside(&NOT_PUBLIC_V6),
        },
    }
}

/// The IPv4 address inside `64:ff9b::/96` (RFC 6052): how hosts with IPv6 alone reach IPv4.
fn behind_nat64(address: Ipv6Addr) -> Option<IpAddr> {
    let [.., a, b, c, d] = address.octets();
    let prefix = [0x64, 0xff9b, 0, 0, 0, 0];
    (address.segments()[..6] == prefix).then(|| IpAddr::from([a, b, c, d]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn everywhere_is_every_address() {
        let rules = AddressRules::everywhere();
        for address in ["127.0.0.1", "169.254.170.2", "::1", "fd00::1", "203.0.113.1"] {
            assert!(rules.permits("host", 443, address.parse().unwrap()), "{address}");
        }
    }

    #[test]
    fn only_public_addresses_are_permitted_by_default() {
        let rules = AddressRules::default();
        let inner = [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "127.0.0.1",
            "169.254.169.254",
            "172.31.0.1",
            "192.168.1.1",
            "192.0.2.1",
            "198.19.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:10.0.0.1",
            "::ffff:127.0.0.1",
            "::127.0.0.1",
            "64:ff9b::a00:1",
            "64:ff9b:1::1",
            "fdaa::3",
            "fc00::1",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "2001::1",
            "100::1",
        ];
        for inner in inner {
            assert!(!rules.permits("h", 443, address(inner)), "{inner}");
        }
        for outer in
            ["1.1.1.1", "140.82.121.3", "2606:4700::1111", "64:ff9b::808:808", "::ffff:8.8.8.8"]
        {
            assert!(rules.permits("h", 443, address(outer)), "{outer}");
        }
    }

    #[test]
    fn the_operator_allows_names_addresses_networks_and_single_ports() {
        let rules = AddressRules::parse(
            "unifi.lan, lab.lan:8443, 10.1.0.0/16, 192.168.1.1:443,[fd00::1]:8443,::1",
        )
        .unwrap();
        let permits = |host, port, ip| rules.permits(host, port, address(ip));
        assert!(
            permits("unifi.lan", 443, "192.168.9.9") && permits("UniFi.LAN.", 1, "192.168.9.9")
        );
        assert!(permits("lab.lan", 8443, "192.168.9.9") && !permits("lab.lan", 443, "192.168.9.9"));
        assert!(
            permits("x", 1, "10.1.2.3")
                && permits("x", 1, "::ffff:10.1.2.3")
                && !permits("x", 1, "10.2.2.3")
        );
        assert!(permits("x", 443, "192.168.1.1") && !permits("x", 80, "192.168.1.1"));
        assert!(
            permits("x", 8443, "fd00::1") && !permits("x", 1, "fd00::1") && permits("x", 1, "::1")
        );
        assert!(
            !permits("evil-unifi.lan", 443, "192.168.9.9")
                && !permits("a.unifi.lan", 443, "192.168.9.9")
        );
    }

    #[test]
    fn an_entry_that_is_none_is_named() {
        assert_eq!(AddressRules::parse(" , ").unwrap(), AddressRules::default());
        for bad in
            ["https://unifi.lan", "*.lan", "10.0.0.0/33", "unifi.lan:port", "a b", "10.0.0.1/x"]
        {
            let error = AddressRules::parse(&format!("ok.lan,{bad}")).unwrap_err();
            assert_eq!(error.entry, bad);
        }
    }
}

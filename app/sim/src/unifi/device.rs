//! What is on the network: the devices that both client listings show.

use std::net::Ipv4Addr;

/// A device that the console knows, connected or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// Lower case, with colons.
    pub mac: String,
    /// The name that a person or the device itself gave.
    pub name: String,
    /// How it is connected, and where it is now.
    pub link: Link,
    /// The address that DHCP always gives it.
    pub fixed_ip: Option<Ipv4Addr>,
    /// The address it had last.
    pub last_ip: Option<Ipv4Addr>,
    /// The local DNS name that the console gives it, outside of all records.
    pub local_dns_record: Option<String>,
}

/// A device's connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Link {
    /// By cable. The address is missing for a moment after it connects.
    Wired(Option<Ipv4Addr>),
    /// By radio.
    Wireless(Option<Ipv4Addr>),
    /// Known, but away: the Integration API does not list it.
    Away,
}

impl Device {
    /// A wired device at an address that DHCP gave it.
    pub fn wired(mac: &str, name: &str, ip: Ipv4Addr) -> Self {
        Self { link: Link::Wired(Some(ip)), last_ip: Some(ip), ..Self::away(mac, name) }
    }

    /// A wireless device at an address that DHCP gave it.
    pub fn wireless(mac: &str, name: &str, ip: Ipv4Addr) -> Self {
        Self { link: Link::Wireless(Some(ip)), last_ip: Some(ip), ..Self::away(mac, name) }
    }

    /// A device that is known but away.
    pub fn away(mac: &str, name: &str) -> Self {
        Self {
            mac: mac.to_ascii_lowercase(),
            name: name.to_owned(),
            link: Link::Away,
            fixed_ip: None,
            last_ip: None,
            local_dns_record: None,
        }
    }

    /// The same with an address that DHCP always gives it.
    pub fn with_fixed_ip(self, ip: Ipv4Addr) -> Self {
        Self { fixed_ip: Some(ip), ..self }
    }

    /// The same with the address it had last.
    pub fn with_last_ip(self, ip: Ipv4Addr) -> Self {
        Self { last_ip: Some(ip), ..self }
    }

    /// The same with a local DNS name.
    pub fn with_local_dns_record(self, name: &str) -> Self {
        Self { local_dns_record: Some(name.to_owned()), ..self }
    }

    /// The address it has now.
    pub(crate) fn ip(&self) -> Option<Ipv4Addr> {
        match self.link {
            Link::Wired(ip) | Link::Wireless(ip) => ip,
            Link::Away => None,
        }
    }

    pub(crate) fn is_connected(&self) -> bool {
        self.link != Link::Away
    }
}

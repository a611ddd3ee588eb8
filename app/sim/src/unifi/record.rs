//! A console's DNS records, as one thing: both of its APIs are views of these.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use uuid::Uuid;

/// One record of a site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnifiRecord {
    /// The id that the Integration API gives it.
    pub id: Uuid,
    /// The id that the static-dns API gives it: 24 hexadecimal digits.
    pub legacy_id: String,
    /// What it says.
    pub content: UnifiContent,
    /// Who made it. Only a user's records can be changed.
    pub origin: Origin,
}

/// What a record says: all that a client sends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnifiContent {
    /// The name, for SRV with its service and protocol in front.
    pub name: String,
    /// Type and value.
    pub value: RecordValue,
    /// Seconds; 0 is the console's own choice. MX, TXT, SRV and forwards have none and say 0.
    pub ttl: u32,
    /// Whether the gateway answers with it.
    pub enabled: bool,
}

/// A record's type with its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RecordValue {
    /// An IPv4 address.
    A(Ipv4Addr),
    /// An IPv6 address.
    Aaaa(Ipv6Addr),
    /// An alias of another name.
    Cname(String),
    /// A mail server.
    Mx { server: String, priority: u16 },
    /// A text, as it was written, quotes and all.
    Txt(String),
    /// A server for the service that the name says.
    Srv { server: String, port: u16, priority: u16, weight: u16 },
    /// Queries for the name and everything below it go to this server.
    Forward(IpAddr),
}

/// Who made a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// A person or an API client.
    User,
    /// The console itself.
    System,
}

impl UnifiContent {
    /// An enabled record with the time to live left to the console.
    pub fn new(name: &str, value: RecordValue) -> Self {
        Self { name: name.to_owned(), value, ttl: 0, enabled: true }
    }

    /// The same with a time to live in seconds.
    pub fn with_ttl(self, ttl: u32) -> Self {
        Self { ttl, ..self }
    }

    /// Whether the console takes both for the same record: it compares neither TTL nor `enabled`.
    pub(crate) fn is_same_as(&self, other: &Self) -> bool {
        self.name.eq_ignore_ascii_case(&other.name) && self.value == other.value
    }
}

impl RecordValue {
    /// The type in the words of DNS. A forward is what the static-dns API calls `NS`.
    pub fn record_type(&self) -> &'static str {
        match self {
            Self::A(_) => "A",
            Self::Aaaa(_) => "AAAA",
            Self::Cname(_) => "CNAME",
            Self::Mx { .. } => "MX",
            Self::Txt(_) => "TXT",
            Self::Srv { .. } => "SRV",
            Self::Forward(_) => "NS",
        }
    }
}

/// The value as a zone file writes it: `10 mail.lan`, `0 5 389 ldap.lan`.
impl fmt::Display for RecordValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::A(address) => write!(f, "{address}"),
            Self::Aaaa(address) => write!(f, "{address}"),
            Self::Cname(target) => f.write_str(target),
            Self::Mx { server, priority } => write!(f, "{priority} {server}"),
            Self::Txt(text) => f.write_str(text),
            Self::Srv { server, port, priority, weight } => {
                write!(f, "{priority} {weight} {port} {server}")
            }
            Self::Forward(server) => write!(f, "{server}"),
        }
    }
}

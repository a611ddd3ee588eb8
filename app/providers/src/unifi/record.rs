//! A console's DNS records in one normal form, whichever of its APIs they came through.
//!
//! Both sides of a comparison are brought here first: names lower-case and without a trailing dot,
//! addresses in their shortest spelling, texts without the quotes that are only there for a comma,
//! and a TTL only for the types that have one in both APIs. Nothing here talks to a console.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

use landfall_core::name::DnsName;

/// A type of record that Landfall writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum RecordType {
    A,
    Aaaa,
    Cname,
    Mx,
    Txt,
    Srv,
}

/// What a record says, beside its name and type.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Record {
    /// The value as a zone file writes it: `192.168.1.50`, `10 mail.lan`, `0 5 389 ldap.lan`.
    pub(crate) text: String,
    /// Seconds; 0 leaves it to the console, and is what types without a TTL have.
    pub(crate) ttl: u32,
    /// Whether the gateway answers with it.
    pub(crate) enabled: bool,
    /// Whose it is.
    pub(crate) origin: Origin,
}

/// Who made a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Origin {
    /// A person or an API client: it can be changed.
    User,
    /// The console itself: it only occupies its name.
    Console,
}

/// A record as a console lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Listed {
    /// The console's id of it; each API has its own.
    pub(crate) id: String,
    /// The name in normal form, for SRV with its service and protocol in front.
    pub(crate) name: String,
    /// The type in the words of DNS; `NS` for a forward, and whatever the console says for a type
    /// that is not known here.
    pub(crate) rtype: String,
    /// What it says.
    pub(crate) record: Record,
}

impl RecordType {
    pub(crate) const ALL: [Self; 6] =
        [Self::A, Self::Aaaa, Self::Cname, Self::Mx, Self::Txt, Self::Srv];

    /// The type in the words of DNS.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::A => "A",
            Self::Aaaa => "AAAA",
            Self::Cname => "CNAME",
            Self::Mx => "MX",
            Self::Txt => "TXT",
            Self::Srv => "SRV",
        }
    }

    /// The type with this word.
    pub(crate) fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|rtype| rtype.as_str() == word)
    }

    /// Whether it has a TTL in both APIs. (The older one keeps a TTL for every type, the
    /// Integration API for these alone.)
    pub(crate) fn has_ttl(self) -> bool {
        matches!(self, Self::A | Self::Aaaa | Self::Cname)
    }

    /// A value of this type in normal form. A text keeps the spaces around it: with and without
    /// them are two texts.
    pub(crate) fn normal(self, text: &str) -> String {
        let given = text;
        let text = text.trim();
        match self {
            Self::A => text.parse().map_or_else(|_| text.to_owned(), |ip: Ipv4Addr| ip.to_string()),
            Self::Aaaa => {
                text.parse().map_or_else(|_| text.to_owned(), |ip: Ipv6Addr| ip.to_string())
            }
            Self::Cname => normal_name(text),
            Self::Txt => unquoted(given).to_owned(),
            Self::Mx | Self::Srv => match text.rsplit_once(' ') {
                Some((numbers, host)) => format!("{numbers} {}", normal_name(host)),
                None => text.to_owned(),
            },
        }
    }
}

impl fmt::Display for RecordType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Record {
    /// A record as we write them: enabled, and a user's.
    pub(crate) fn new(text: String, ttl: u32) -> Self {
        Self { text, ttl, enabled: true, origin: Origin::User }
    }
}

impl Listed {
    /// Brings what a console lists into normal form. `word` is the type in the words of DNS.
    pub(crate) fn new(id: String, name: &str, word: &str, mut record: Record) -> Self {
        match RecordType::named(word) {
            Some(rtype) => {
                record.text = rtype.normal(&record.text);
                record.ttl = if rtype.has_ttl() { record.ttl } else { 0 };
            }
            None => record.ttl = 0,
        }
        Self { id, name: normal_name(name), rtype: word.to_owned(), record }
    }
}

/// A name in normal form; what is not a name stays as it is, in lower case.
pub(crate) fn normal_name(text: &str) -> String {
    DnsName::new(text).map_or_else(|_| text.trim_end_matches('.').to_lowercase(), String::from)
}

/// A text without the double quotes around it.
pub(crate) fn unquoted(text: &str) -> &str {
    text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(text)
}

/// A text as a console takes it: in double quotes where it has a comma (`comma-not-quoted`).
pub(crate) fn quoted(text: &str) -> String {
    if text.contains(',') { format!("\"{text}\"") } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_have_one_normal_form() {
        for (rtype, text, normal) in [
            (RecordType::A, " 192.168.1.50", "192.168.1.50"),
            (RecordType::Aaaa, "FD00:0:0::50", "fd00::50"),
            (RecordType::Cname, "NAS.Lan.", "nas.lan"),
            (RecordType::Mx, "10 Mail.Lan.", "10 mail.lan"),
            (RecordType::Srv, "0 5 389 LDAP.lan.", "0 5 389 ldap.lan"),
            (RecordType::Txt, "\"a,b\"", "a,b"),
            (RecordType::Txt, "a b", "a b"),
            (RecordType::Txt, " a ", " a "),
        ] {
            assert_eq!(rtype.normal(text), normal);
            assert_eq!(rtype.normal(normal), normal, "normal is normal already");
        }
    }

    #[test]
    fn a_text_is_quoted_for_a_comma_and_read_back_without_the_quotes() {
        for text in ["v=spf1 -all", "a,b", "k=v, w"] {
            assert_eq!(unquoted(&quoted(text)), text);
        }
        assert_eq!(quoted("a,b"), "\"a,b\"");
        assert_eq!(quoted("a b"), "a b");
    }

    #[test]
    fn a_type_without_a_ttl_never_shows_one() {
        let record = Record::new("10 mail.lan".to_owned(), 300);
        assert_eq!(Listed::new("1".into(), "LAN.", "MX", record.clone()).record.ttl, 0);
        assert_eq!(Listed::new("1".into(), "LAN.", "MX", record).name, "lan");
    }
}

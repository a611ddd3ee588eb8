//! Which types of record may stand beside each other at one name.

use super::ResourceKey;

/// What a target lets stand beside a CNAME.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Cnames {
    /// Nothing: RFC 1034 section 3.6.2, and a UniFi console.
    #[default]
    Alone,
    /// All but addresses and NS: Cloudflare answers with what the CNAME leads to ("flattening"), so
    /// that MX and TXT may stand beside one, at the name of the zone above all.
    Flattened,
}

impl Cnames {
    /// Whether records of these two types cannot stand at one name, because one is a CNAME.
    #[must_use]
    pub fn exclude(self, one: &str, other: &str) -> bool {
        let beside = match (one, other) {
            ("CNAME", "CNAME") => return false,
            ("CNAME", other) | (other, "CNAME") => other,
            _ => return false,
        };
        match self {
            Self::Alone => true,
            Self::Flattened => matches!(beside, "A" | "AAAA" | "NS"),
        }
    }
}

/// Whether two resources cannot exist at once where CNAMEs are `cnames`.
pub(super) fn excludes(one: &ResourceKey, other: &ResourceKey, cnames: Cnames) -> bool {
    one.name == other.name && one.target == other.target && cnames.exclude(&one.rtype, &other.rtype)
}

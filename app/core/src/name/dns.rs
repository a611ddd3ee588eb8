//! Names of hosts: domain names in one normal form, patterns over them, and MAC addresses.

use super::{NameError, checked_text};

checked_text!(
    /// A domain name in its normal form: lower-case, IDNA to ASCII (UTS 46), no trailing dot.
    ///
    /// Labels may hold `_` (RFC 2782 service labels) and the first may be `*` (RFC 4592).
    /// At most 253 characters, 63 a label (RFC 1035 section 2.3.4).
    DnsName,
    |value| normalise(&value)
);

fn normalise(value: &str) -> Result<String, NameError> {
    const RULE: &str = "labels of 1 to 63 letters, digits, `-` or `_`, with dots between them";
    let bad = || NameError::new("a domain name", value, RULE);
    let bare = value.strip_suffix('.').unwrap_or(value);
    let (star, rest) = match bare.strip_prefix("*.") {
        Some(rest) => ("*.", rest),
        None => ("", bare),
    };
    let ascii = idna::domain_to_ascii_cow(rest.as_bytes(), idna::AsciiDenyList::EMPTY)
        .map_err(|_| bad())?
        .into_owned();
    let name = format!("{star}{ascii}");
    let fits = !ascii.is_empty() && name.len() <= 253 && ascii.split('.').all(is_label);
    if fits { Ok(name) } else { Err(bad()) }
}

fn is_label(label: &str) -> bool {
    let inner = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    (1..=63).contains(&label.len())
        && label.chars().all(inner)
        && !label.starts_with('-')
        && !label.ends_with('-')
}

impl DnsName {
    /// Whether this is `zone` itself or a name below it.
    #[must_use]
    pub fn is_within(&self, zone: &DnsName) -> bool {
        match self.as_str().strip_suffix(zone.as_str()) {
            Some(rest) => rest.is_empty() || rest.ends_with('.'),
            None => false,
        }
    }

    /// Whether the first label is `*`.
    #[must_use]
    pub fn is_wildcard(&self) -> bool {
        self.as_str().starts_with("*.")
    }

    /// The longest of `zones` that this name is in.
    #[must_use]
    pub fn zone<'z>(&self, zones: impl IntoIterator<Item = &'z DnsName>) -> Option<&'z DnsName> {
        let inside = zones.into_iter().filter(|zone| self.is_within(zone));
        inside.max_by_key(|zone| zone.as_str().len())
    }
}

checked_text!(
    /// A pattern over host names as in `scopes:`: a name, or `*.` and a name for everything below it.
    HostPattern,
    |value| normalise(&value)
);

impl HostPattern {
    /// Whether `name` is the pattern's name or, for `*.`, any name below it.
    #[must_use]
    pub fn matches(&self, name: &DnsName) -> bool {
        match self.as_str().strip_prefix("*.") {
            Some(rest) => name.as_str().strip_suffix(rest).is_some_and(|head| head.ends_with('.')),
            None => self.as_str() == name.as_str(),
        }
    }
}

checked_text!(
    /// A hardware address in its normal form `aa:bb:cc:dd:ee:01`; read with `:`, `-` or nothing between.
    MacAddress,
    |value| {
        let digits: String = value.chars().filter(|c| !matches!(c, ':' | '-')).collect();
        let separators = value.len() - digits.len();
        let hex = digits.len() == 12 && digits.chars().all(|c| c.is_ascii_hexdigit());
        if !hex || !matches!(separators, 0 | 5) {
            return Err(NameError::new("a MAC address", &value, "twelve hexadecimal digits, as in `aa:bb:cc:dd:ee:01`"));
        }
        let lower = digits.to_ascii_lowercase();
        let pairs: Vec<&str> = (0..6).map(|i| &lower[i * 2..i * 2 + 2]).collect();
        Ok(pairs.join(":"))
    }
);

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> DnsName {
        DnsName::new(text).unwrap()
    }

    #[test]
    fn names_have_one_normal_form() {
        assert_eq!(name("Jellyfin.Example.COM.").as_str(), "jellyfin.example.com");
        assert_eq!(name("bücher.example").as_str(), "xn--bcher-kva.example");
        assert_eq!(name("*.example.com").as_str(), "*.example.com");
        assert_eq!(name("_ldap._tcp.lan").as_str(), "_ldap._tcp.lan");
        for bad in ["", ".", "a..b", "-a.lan", "a b.lan", "a/b", "a.*.b", "x\n.lan"] {
            assert!(DnsName::new(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn the_longest_zone_wins_and_suffixes_end_at_a_dot() {
        let zones = [name("example.com"), name("media.example.com")];
        assert_eq!(name("a.media.example.com").zone(&zones), Some(&zones[1]));
        assert_eq!(name("example.com").zone(&zones), Some(&zones[0]));
        assert_eq!(name("notexample.com").zone(&zones), None);
    }

    #[test]
    fn a_pattern_with_a_star_matches_below_but_not_itself() {
        let pattern = HostPattern::new("*.media.example.com").unwrap();
        assert!(pattern.matches(&name("a.media.example.com")));
        assert!(!pattern.matches(&name("media.example.com")));
        assert!(!pattern.matches(&name("xmedia.example.com")));
    }

    #[test]
    fn a_mac_address_is_read_in_three_spellings() {
        for text in ["AA:BB:CC:DD:EE:01", "aa-bb-cc-dd-ee-01", "aabbccddee01"] {
            assert_eq!(MacAddress::new(text).unwrap().as_str(), "aa:bb:cc:dd:ee:01");
        }
        assert!(MacAddress::new("aa:bb:cc:dd:ee").is_err());
    }
}

//! What `cloudflare_dns` takes in a service file: public names and their records.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

use landfall_core::diagnostic::{Diagnostic, Span};
use landfall_core::name::{DnsName, NameError};
use landfall_core::yaml::{Either, Entries, Node, OneOrMany, Spanned, decode};
use schemars::JsonSchema;
use serde::Deserialize;

use super::content;
use super::set::AUTOMATIC;
use super::txt;

/// The most values of one name. A name's records are changed in one request of 200 operations,
/// and in the worst case every value is one delete and one create.
const MAX_VALUES: usize = 100;

/// Public names, each with its records. A name is in the zone of the connection with the longest
/// suffix of it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct CloudflareDns(pub Entries<DnsName, Entry>);

/// The records of one name. Where a field takes one value it also takes a list.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// IPv4 addresses.
    #[serde(default)]
    pub a: OneOrMany<Ipv4Addr>,
    /// IPv6 addresses.
    #[serde(default)]
    pub aaaa: OneOrMany<Ipv6Addr>,
    /// The name that this one is another name of. No other record can stand beside it.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub cname: Option<DnsName>,
    /// Mail servers, each as `10 mail.example.com` or as a mapping.
    #[serde(default)]
    pub mx: OneOrMany<Either<MxText, Mx>>,
    /// Texts, of any length and without quotes around them.
    #[serde(default)]
    pub txt: OneOrMany<Spanned<String>>,
    /// Services; the name is `_service._protocol.example.com`.
    #[serde(default)]
    pub srv: OneOrMany<Srv>,
    /// Certificate authorities that may issue for the name.
    #[serde(default)]
    pub caa: OneOrMany<Caa>,
    /// Name servers that the name is delegated to.
    #[serde(default)]
    #[schemars(with = "OneOrMany<String>")]
    pub ns: OneOrMany<DnsName>,
    /// Seconds that answers may be kept: 60 to 86400, or 1 for automatic, the default.
    #[serde(default)]
    pub ttl: Option<Spanned<u32>>,
    /// Whether Cloudflare's proxy stands before the addresses or the alias. Off by default.
    #[serde(default)]
    pub proxied: Option<Spanned<bool>>,
    /// Whether records that exist and are nobody's become this service's.
    #[serde(default)]
    pub adopt: bool,
}

/// A mail server.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Mx {
    /// Lower is tried first.
    pub priority: u16,
    /// The server; `.` for a name that takes no mail (RFC 7505).
    pub host: Host,
}

/// A mail server on one line, as in a zone file: `10 mail.example.com`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(with = "String")]
pub struct MxText(pub Mx);

/// Where a service is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Srv {
    /// Lower is tried first.
    pub priority: u16,
    /// The share among those of one priority.
    pub weight: u16,
    /// The port.
    pub port: u16,
    /// The host; `.` for a service that is not offered (RFC 2782).
    pub target: Host,
}

/// A certificate authority authorization (RFC 8659).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Caa {
    /// 128 makes it critical.
    #[serde(default)]
    pub flags: u8,
    /// `issue`, `issuewild`, `iodef`.
    pub tag: Tag,
    /// What the tag is about: the name of an authority, an address to report to.
    pub value: Text,
}

/// A host, or `.` for none.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
pub struct Host(String);

/// The tag of a CAA record, in lower case.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
pub struct Tag(String);

/// A text without quotes and control characters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
pub struct Text(String);

impl TryFrom<String> for MxText {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        const RULE: &str = "a mail server is a priority and a host, as in `10 mail.example.com`";
        let (priority, host) = text.trim().split_once(' ').ok_or(RULE)?;
        let priority = priority.parse().map_err(|_| RULE)?;
        let host = Host::try_from(host.trim().to_owned()).map_err(|error| error.to_string())?;
        Ok(Self(Mx { priority, host }))
    }
}

impl TryFrom<String> for Host {
    type Error = NameError;

    fn try_from(text: String) -> Result<Self, NameError> {
        if text == "." { Ok(Self(text)) } else { DnsName::new(text).map(|name| Self(name.into())) }
    }
}

impl TryFrom<String> for Tag {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        if !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric()) {
            Ok(Self(text.to_ascii_lowercase()))
        } else {
            Err("a CAA tag is letters and digits: `issue`, `issuewild`, `iodef`")
        }
    }
}

impl TryFrom<String> for Text {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        if text.contains('"') || text.chars().any(char::is_control) {
            Err("a CAA value has no quotes, line breaks or other control characters")
        } else {
            Ok(Self(text))
        }
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Mx {
    fn content(way: &Either<MxText, Self>) -> String {
        let (Either::Scalar(MxText(mx)) | Either::Structure(mx)) = way;
        format!("{} {}", mx.priority, mx.host)
    }
}

impl CloudflareDns {
    /// Decodes the component and checks what one entry alone can show.
    pub(super) fn decode(node: &Node) -> Result<Self, Vec<Diagnostic>> {
        let config: Self = decode(node)?;
        let findings: Vec<_> =
            config.0.0.iter().flat_map(|(name, entry)| entry.check(&name.span)).collect();
        if findings.is_empty() { Ok(config) } else { Err(findings) }
    }
}

impl Entry {
    /// The types that the entry has, each with its contents in their normal form.
    pub(super) fn sets(&self) -> Vec<(&'static str, Vec<String>)> {
        let Self { a, aaaa, cname, mx, txt, srv, caa, ns, ttl: _, proxied: _, adopt: _ } = self;
        let all = [
            ("A", texts(&a.0, Ipv4Addr::to_string)),
            ("AAAA", texts(&aaaa.0, Ipv6Addr::to_string)),
            ("CNAME", cname.iter().map(DnsName::to_string).collect()),
            ("MX", texts(&mx.0, Mx::content)),
            ("TXT", texts(&txt.0, |text| txt::join(text))),
            (
                "SRV",
                texts(&srv.0, |srv| {
                    format!("{} {} {} {}", srv.priority, srv.weight, srv.port, srv.target)
                }),
            ),
            ("CAA", texts(&caa.0, |caa| content::caa_text(caa.flags, &caa.tag.0, &caa.value.0))),
            ("NS", texts(&ns.0, DnsName::to_string)),
        ];
        all.into_iter().filter(|(_, contents)| !contents.is_empty()).collect()
    }

    /// The TTL and the proxying of this entry's records of a type.
    pub(super) fn settings(&self, rtype: &str) -> (u32, bool) {
        let proxied = content::is_proxiable(rtype)
            && self.proxied.as_ref().is_some_and(|proxied| proxied.value);
        let ttl = self.ttl.as_ref().map_or(AUTOMATIC, |ttl| ttl.value);
        (if proxied { AUTOMATIC } else { ttl }, proxied)
    }

    fn check(&self, at: &Span) -> Vec<Diagnostic> {
        let sets = self.sets();
        let mut findings = Vec::new();
        if sets.is_empty() {
            let error = Diagnostic::error("no-record", at.clone(), "the name has no record");
            findings.push(error.help("say what it holds, as in `{ a: 192.0.2.1 }`"));
        }
        if sets.iter().map(|(_, contents)| contents.len()).sum::<usize>() > MAX_VALUES {
            let message = format!("the name has more than {MAX_VALUES} values");
            findings.push(Diagnostic::error("too-many-values", at.clone(), message));
        }
        findings.extend(sets.iter().filter_map(|(rtype, contents)| twice(rtype, contents, at)));
        findings.extend(self.check_ttl(&sets));
        findings.extend(self.check_proxied(&sets));
        findings.extend(self.txt.0.iter().filter_map(check_text));
        findings
    }

    fn check_ttl(&self, sets: &[(&'static str, Vec<String>)]) -> Option<Diagnostic> {
        let ttl = self.ttl.as_ref()?;
        let error = |message: String| Diagnostic::error("invalid-value", ttl.span.clone(), message);
        // 30 to 59 seconds are for one plan of the vendor alone, and elsewhere a refusal of the whole
        // batch, with the records of every other service in it.
        if !matches!(ttl.value, AUTOMATIC | 60..=86_400) {
            let message = format!("{} is not a TTL", ttl.value);
            return Some(error(message).help("60 to 86400 seconds, or 1 for automatic"));
        }
        let unused = !sets.is_empty() && sets.iter().all(|(rtype, _)| self.settings(rtype).1);
        (unused && ttl.value != AUTOMATIC).then(|| {
            error("a proxied record has an automatic TTL".to_owned())
                .help("remove `ttl`, or `proxied`")
        })
    }

    fn check_proxied(&self, sets: &[(&'static str, Vec<String>)]) -> Option<Diagnostic> {
        let proxied = self.proxied.as_ref().filter(|proxied| proxied.value)?;
        let none = !sets.iter().any(|(rtype, _)| content::is_proxiable(rtype));
        none.then(|| {
            Diagnostic::error(
                "invalid-value",
                proxied.span.clone(),
                "no record of this name can be proxied",
            )
            .help("only A, AAAA and CNAME records can")
        })
    }
}

fn texts<T>(values: &[T], text: impl Fn(&T) -> String) -> Vec<String> {
    values.iter().map(text).collect()
}

fn twice(rtype: &str, contents: &[String], at: &Span) -> Option<Diagnostic> {
    let mut seen = std::collections::BTreeSet::new();
    let again = contents.iter().find(|content| !seen.insert(*content))?;
    let again: String = again.chars().take(80).collect();
    Some(Diagnostic::error(
        "value-twice",
        at.clone(),
        format!("the {rtype} `{again}` stands twice at this name"),
    ))
}

fn check_text(text: &Spanned<String>) -> Option<Diagnostic> {
    let wrong = if text.is_empty() {
        "a TXT cannot be empty"
    } else if text.chars().any(char::is_control) {
        "a TXT has no line breaks or other control characters"
    } else {
        return None;
    };
    Some(Diagnostic::error("invalid-value", text.span.clone(), wrong))
}

#[cfg(test)]
mod tests {
    use super::*;
    use landfall_core::yaml::parse;

    fn read(text: &str) -> Result<CloudflareDns, Vec<Diagnostic>> {
        CloudflareDns::decode(&parse("services/web.yaml", text.as_bytes()).unwrap())
    }

    fn sets(text: &str) -> Vec<(&'static str, Vec<String>)> {
        read(text).unwrap().0.0[0].1.sets()
    }

    fn refused(text: &str) -> String {
        read(text).unwrap_err().iter().map(|d| format!("{d}\n")).collect()
    }

    #[test]
    fn every_type_is_read_to_its_normal_form() {
        let read = sets(
            "Example.com:\n  a: [192.0.2.1, 192.0.2.2]\n  aaaa: 2001:DB8:0::1\n  mx: [{ priority: 10, host: Mail.Example.com. }, 20 b.example.com, 0 .]\n  \
             txt: ['v=spf1 -all', '\"two\" \"parts\"']\n  srv: { priority: 1, weight: 5, port: 443, target: h.example.com }\n  \
             caa: { tag: Issue, value: ca.example }\n  ns: [ns1.example.net, ns2.example.net]\n",
        );
        let owned = |texts: &[&str]| texts.iter().map(|t| (*t).to_owned()).collect::<Vec<_>>();
        assert_eq!(
            read,
            [
                ("A", owned(&["192.0.2.1", "192.0.2.2"])),
                ("AAAA", owned(&["2001:db8::1"])),
                ("MX", owned(&["10 mail.example.com", "20 b.example.com", "0 ."])),
                ("TXT", owned(&["v=spf1 -all", "twoparts"])),
                ("SRV", owned(&["1 5 443 h.example.com"])),
                ("CAA", owned(&["0 issue \"ca.example\""])),
                ("NS", owned(&["ns1.example.net", "ns2.example.net"])),
            ]
        );
    }

    #[test]
    fn a_name_and_an_alias_are_brought_to_ascii() {
        let config = read("bücher.example.com: { cname: Läden.example.com }").unwrap();
        assert_eq!(config.0.0[0].0.as_str(), "xn--bcher-kva.example.com");
        assert_eq!(
            config.0.0[0].1.sets(),
            [("CNAME", vec!["xn--lden-loa.example.com".to_owned()])]
        );
    }

    #[test]
    fn what_makes_no_sense_is_told_at_its_place() {
        for (text, told) in [
            ("a.example.com: {}", "services/web.yaml:1:1: the name has no record"),
            ("a.example.com: { a: 192.0.2.1, ttl: 5 }", "services/web.yaml:1:37: 5 is not a TTL"),
            ("a.example.com: { a: 192.0.2.1, ttl: 59 }", "services/web.yaml:1:37: 59 is not a TTL"),
            (
                "a.example.com: { a: 192.0.2.1, ttl: 300, proxied: true }",
                "a proxied record has an automatic TTL",
            ),
            (
                "a.example.com: { txt: x, proxied: true }",
                "services/web.yaml:1:35: no record of this name can be proxied",
            ),
            ("a.example.com: { a: [192.0.2.1, 192.0.2.1] }", "the A `192.0.2.1` stands twice"),
            ("a.example.com: { txt: [ok, ''] }", "services/web.yaml:1:28: a TXT cannot be empty"),
            ("a.example.com: { a: 192.0.2.500 }", "services/web.yaml:1:21: invalid IPv4 address"),
            ("a.example.com: { cnam: b.example.com }", "did you mean `cname`?"),
            (
                "a.example.com: { caa: { tag: 'is sue', value: x } }",
                "a CAA tag is letters and digits",
            ),
        ] {
            assert!(refused(text).contains(told), "{text}: {}", refused(text));
        }
    }

    #[test]
    fn a_proxied_name_is_automatic_and_its_other_types_keep_their_ttl() {
        let config =
            read("a.example.com: { a: 192.0.2.1, txt: x, ttl: 300, proxied: true }").unwrap();
        let entry = &config.0.0[0].1;
        assert_eq!((entry.settings("A"), entry.settings("TXT")), ((AUTOMATIC, true), (300, false)));
    }
}

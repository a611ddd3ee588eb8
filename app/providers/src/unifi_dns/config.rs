//! What `unifi_dns` takes in a service file: local names and their records.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, Ipv6Addr};

use landfall_core::diagnostic::{Diagnostic, Span};
use landfall_core::name::{DnsName, MacAddress};
use landfall_core::yaml::{Either, Entries, Node, OneOrMany, Spanned};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::provider::decode;
use crate::unifi::record::{RecordType, quoted};

/// The longest name that a console takes.
const MAX_NAME: usize = 127;
/// The longest text that any console takes, with room for the quotes that it wants around a comma.
const MAX_TEXT: usize = 1022;
/// The longest TTL of an address, in seconds.
const MAX_TTL: u32 = 86_400;
/// The longest TTL of an alias, in seconds.
const MAX_CNAME_TTL: u32 = 604_800;

/// Local names, each with its records.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct UnifiDns(pub Entries<DnsName, Entry>);

/// The records of one name. Where a field takes one value it also takes a list.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// IPv4 addresses, or devices whose address the console knows: `{ mac: "aa:bb:cc:dd:ee:01" }`.
    #[serde(default)]
    pub a: OneOrMany<Either<Ipv4Addr, FromDevice>>,
    /// IPv6 addresses.
    #[serde(default)]
    pub aaaa: OneOrMany<Ipv6Addr>,
    /// The name that this one is another name of. No other record can stand beside it.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub cname: Option<Spanned<DnsName>>,
    /// Mail servers: `10 mail.lan`, or `{ priority: 10, host: mail.lan }`.
    #[serde(default)]
    pub mx: OneOrMany<Either<MxText, Mx>>,
    /// Texts, without quotes around them.
    #[serde(default)]
    pub txt: OneOrMany<Spanned<String>>,
    /// Services; the name is `_service._protocol.example.lan`.
    #[serde(default)]
    pub srv: OneOrMany<Srv>,
    /// Seconds that addresses and aliases may be kept by who asked; 0, the default, leaves it to
    /// the console. Other types have none.
    #[serde(default)]
    pub ttl: Option<Spanned<u32>>,
    /// Whether records that exist and are nobody's become this service's.
    #[serde(default)]
    pub adopt: bool,
}

/// The address that a device has.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FromDevice {
    /// The device's hardware address.
    #[schemars(with = "String")]
    pub mac: Spanned<MacAddress>,
}

/// A mail server.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Mx {
    /// Lower is tried first.
    pub priority: u16,
    /// The server.
    pub host: DnsName,
}

/// A mail server on one line, as in a zone file: `10 mail.lan`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(with = "String")]
pub struct MxText(pub Mx);

/// Where a service is.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Srv {
    /// Lower is tried first.
    pub priority: u16,
    /// The share among those of one priority.
    pub weight: u16,
    /// The port.
    pub port: u16,
    /// The host.
    pub target: DnsName,
}

/// What an entry has of one type: texts in their normal form, and devices still to be looked up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wish<'e> {
    pub(super) rtype: RecordType,
    pub(super) texts: Vec<String>,
    pub(super) devices: Vec<&'e Spanned<MacAddress>>,
}

impl TryFrom<String> for MxText {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        const RULE: &str = "a mail server is a priority and a host, as in `10 mail.lan`";
        let (priority, host) = text.trim().split_once(' ').ok_or(RULE)?;
        let priority = priority.parse().map_err(|_| RULE)?;
        let host = DnsName::new(host.trim()).map_err(|error| error.to_string())?;
        Ok(Self(Mx { priority, host }))
    }
}

impl UnifiDns {
    /// Decodes the component and checks what one entry alone can show.
    pub(super) fn decode(node: &Node) -> Result<Self, Vec<Diagnostic>> {
        let config: Self = decode(node)?;
        let findings: Vec<_> =
            config.0.0.iter().flat_map(|(name, entry)| entry.check(name)).collect();
        if findings.is_empty() { Ok(config) } else { Err(findings) }
    }
}

impl Entry {
    /// The types that the entry has.
    pub(super) fn wishes(&self) -> Vec<Wish<'_>> {
        // Destructured so that a new field cannot be forgotten.
        let Self { a, aaaa, cname, mx, txt, srv, ttl: _, adopt: _ } = self;
        let (mut addresses, mut devices) = (Vec::new(), Vec::new());
        for one in &a.0 {
            match one {
                Either::Scalar(address) => addresses.push(address.to_string()),
                Either::Structure(device) => devices.push(&device.mac),
            }
        }
        let plain = |rtype, texts| Wish { rtype, texts, devices: Vec::new() };
        let all = [
            Wish { rtype: RecordType::A, texts: addresses, devices },
            plain(RecordType::Aaaa, aaaa.0.iter().map(Ipv6Addr::to_string).collect()),
            plain(RecordType::Cname, cname.iter().map(|name| name.to_string()).collect()),
            plain(RecordType::Mx, mx.0.iter().map(mx_text).collect()),
            plain(RecordType::Txt, txt.0.iter().map(|text| bare(text).to_owned()).collect()),
            plain(RecordType::Srv, srv.0.iter().map(srv_text).collect()),
        ];
        all.into_iter().filter(|wish| !wish.texts.is_empty() || !wish.devices.is_empty()).collect()
    }

    /// The hosts that its records lead to.
    fn hosts(&self) -> impl Iterator<Item = &DnsName> {
        let mail = self.mx.0.iter().map(|mx| {
            let (Either::Scalar(MxText(mx)) | Either::Structure(mx)) = mx;
            &mx.host
        });
        let services = self.srv.0.iter().map(|srv| &srv.target);
        self.cname.iter().map(|cname| &cname.value).chain(mail).chain(services)
    }

    /// The texts that are longer than `longest` bytes the way they are sent.
    pub(super) fn texts_beyond(&self, longest: usize) -> impl Iterator<Item = &Spanned<String>> {
        self.txt.0.iter().filter(move |text| quoted(bare(text)).len() > longest)
    }

    fn check(&self, name: &Spanned<DnsName>) -> Vec<Diagnostic> {
        let wrong = |span: &Span, message: String| {
            Diagnostic::error("invalid-value", span.clone(), message)
        };
        let mut findings = Vec::new();
        let wishes = self.wishes();
        if wishes.is_empty() {
            findings.push(wrong(&name.span, "the name has no record".to_owned()));
        }
        if name.as_str().len() > MAX_NAME {
            findings.push(wrong(
                &name.span,
                format!("a console takes names of at most {MAX_NAME} characters"),
            ));
        }
        if !self.srv.0.is_empty() && srv_parts(name.as_str()).is_none() {
            let message = "the name of a service record is `_service._protocol.` and a domain";
            findings.push(
                wrong(&name.span, message.to_owned()).help("as in `_ldap._tcp.internal.lan`"),
            );
        }
        for wish in &wishes {
            let devices = wish.devices.iter().map(|mac| mac.as_str());
            if let Some(twice) = first_twice(wish.texts.iter().map(String::as_str).chain(devices)) {
                findings
                    .push(wrong(&name.span, format!("the {} `{twice}` stands twice", wish.rtype)));
            }
        }
        findings.extend(self.hosts().find(|host| host.as_str().len() > MAX_NAME).map(|host| {
            let rule = format!("longer than the {MAX_NAME} characters that a console takes");
            wrong(&name.span, format!("`{host}` is {rule}"))
        }));
        findings.extend(
            self.txt.0.iter().filter_map(|text| Some(wrong(&text.span, text_fault(text)?))),
        );
        findings.extend(
            self.ttl.as_ref().and_then(|ttl| Some(wrong(&ttl.span, self.ttl_fault(**ttl)?))),
        );
        findings
    }

    fn ttl_fault(&self, ttl: u32) -> Option<String> {
        let addresses = !self.a.0.is_empty() || !self.aaaa.0.is_empty();
        let most = match (addresses, &self.cname) {
            (true, _) => MAX_TTL,
            (false, Some(_)) => MAX_CNAME_TTL,
            (false, None) => {
                return Some("only A, AAAA and CNAME records have a TTL at a console".to_owned());
            }
        };
        (ttl > most).then(|| format!("{ttl} is not a TTL: 0 to {most} seconds"))
    }
}

/// The service, the protocol and the domain of a service record's name.
pub(crate) fn srv_parts(name: &str) -> Option<(&str, &str, &str)> {
    let (service, rest) = name.split_once('.')?;
    let (protocol, domain) = rest.split_once('.')?;
    (service.starts_with('_') && protocol.starts_with('_')).then_some((service, protocol, domain))
}

fn mx_text(mx: &Either<MxText, Mx>) -> String {
    let (Either::Scalar(MxText(mx)) | Either::Structure(mx)) = mx;
    format!("{} {}", mx.priority, mx.host)
}

fn srv_text(srv: &Srv) -> String {
    format!("{} {} {} {}", srv.priority, srv.weight, srv.port, srv.target)
}

/// A text without the quotes around it that a console wants where there is a comma.
fn bare(text: &str) -> &str {
    crate::unifi::record::unquoted(text)
}

fn text_fault(text: &str) -> Option<String> {
    let text = bare(text);
    if text.is_empty() || text.len() > MAX_TEXT {
        Some(format!("a TXT has 1 to {MAX_TEXT} bytes"))
    } else if text.contains('"') {
        // What a gateway makes of them is not known; its dnsmasq quotes texts itself.
        Some("a TXT at a console has no double quotes inside".to_owned())
    } else if text.chars().any(char::is_control) {
        Some("a TXT has no line breaks or other control characters".to_owned())
    } else if text.trim() != text {
        // Whether a console keeps them is not known; where it does not, every plan would differ.
        Some("a TXT at a console has no spaces around it".to_owned())
    } else {
        None
    }
}

fn first_twice<'t>(texts: impl Iterator<Item = &'t str>) -> Option<&'t str> {
    let mut seen = BTreeSet::new();
    let mut texts = texts;
    texts.find(|text| !seen.insert(*text))
}

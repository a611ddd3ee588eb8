//! What `unifi` takes under `connections:`: where a console is, and how it and we prove who we are.

use std::any::Any;

use landfall_core::config::kind::Connection;
use landfall_core::config::secret::SecretRef;
use landfall_core::diagnostic::{Diagnostic, Span};
use landfall_core::name::DnsName;
use landfall_core::yaml::{Node, Spanned};
use landfall_os::http::{Pin, Tls};
use schemars::JsonSchema;
use serde::Deserialize;
use url::Url;

use crate::address::{IN_THE_CLEAR, is_in_the_clear};
use crate::provider::decode;

/// A console, as `landfall.yaml` says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unifi {
    /// `https`, a host, perhaps a port; nothing else.
    pub(super) url: Url,
    /// The site's name in the console's paths.
    pub(super) site: String,
    /// Who we are.
    pub(super) login: Login,
    /// Whom to believe that it is the console.
    pub(super) tls: Tls,
}

/// How we prove who we are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Login {
    /// A key, sent with every request. Needs no login.
    ApiKey(SecretRef),
    /// A user of the console itself (not of ui.com: those need a second factor).
    User {
        /// The user's name.
        name: UserName,
        /// The password.
        password: SecretRef,
    },
}

/// A user's name, as it is or by reference.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(super) enum UserName {
    Plain(String),
    Reference(SecretRef),
}

/// A connection to a UniFi console. Either `api_key`, or `username` and `password`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Written {
    /// Where the console is: `https://192.168.1.1`, `https://unifi.lan:8443`.
    #[schemars(with = "String")]
    url: Spanned<ConsoleUrl>,
    /// The site, as it stands in the console's addresses. `default` unless said.
    #[serde(default)]
    site: Option<Spanned<String>>,
    /// A reference to an API key, made in the console under Integrations.
    #[serde(default)]
    api_key: Option<SecretRef>,
    /// The name of a local user of the console, or a reference to it.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    username: Option<UserName>,
    /// A reference to the user's password.
    #[serde(default)]
    password: Option<SecretRef>,
    /// Whom to believe that it is the console. The system's certificate authorities unless said.
    #[serde(default)]
    tls: Option<Spanned<WrittenTls>>,
}

/// One of the three.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct WrittenTls {
    /// The certificate authority's certificate, or the console's own, as PEM text.
    #[serde(default)]
    ca: Option<Spanned<String>>,
    /// The console's own certificate: `sha256/BASE64` of its key, or its fingerprint in hexadecimal.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pin: Option<PinText>,
    /// `true` believes anybody: someone in between can read the credentials.
    #[serde(default)]
    insecure: bool,
}

/// The address of a console: nothing but scheme, host and port.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
struct ConsoleUrl(Url);

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(try_from = "String")]
struct PinText(Pin);

impl Unifi {
    /// Decodes a connection.
    pub(super) fn decode(node: &Node) -> Result<Self, Vec<Diagnostic>> {
        let written: Written = decode(node)?;
        let Written { url, site, api_key, username, password, tls } = written;
        let insecure = tls.as_ref().is_some_and(|tls| tls.insecure);
        let login = login(api_key, username, password, &node.span);
        let tls = tls.map_or(Ok(Tls::System), |tls| trust(&tls));
        let findings: Vec<Diagnostic> = [
            login.as_ref().err().cloned(),
            tls.as_ref().err().cloned(),
            open_to_all(&url, insecure),
            site.as_ref().and_then(no_site),
        ]
        .into_iter()
        .flatten()
        .collect();
        match (login, tls) {
            (Ok(login), Ok(tls)) if findings.is_empty() => {
                let site = site.map_or_else(|| "default".to_owned(), |site| site.value);
                Ok(Self { url: url.value.0, site, login, tls })
            }
            _ => Err(findings),
        }
    }
}

impl Connection for Unifi {
    fn zones(&self) -> Vec<DnsName> {
        Vec::new()
    }

    fn address(&self) -> String {
        format!("{} (site {})", self.url.as_str().trim_end_matches('/'), self.site)
    }

    fn secrets(&self) -> Vec<SecretRef> {
        match &self.login {
            Login::ApiKey(key) => vec![key.clone()],
            Login::User { name: UserName::Plain(_), password } => vec![password.clone()],
            Login::User { name: UserName::Reference(name), password } => {
                vec![name.clone(), password.clone()]
            }
        }
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

fn login(
    api_key: Option<SecretRef>,
    username: Option<UserName>,
    password: Option<SecretRef>,
    span: &Span,
) -> Result<Login, Diagnostic> {
    const HELP: &str = "give `api_key`, or `username` and `password`";
    let wrong = |code, message| Err(Diagnostic::error(code, span.clone(), message).help(HELP));
    match (api_key, username, password) {
        (Some(key), None, None) => Ok(Login::ApiKey(key)),
        (None, Some(name), Some(password)) => Ok(Login::User { name, password }),
        (None, None, None) => wrong("missing-key", "the connection has no credentials"),
        (None, Some(_), None) => wrong("missing-key", "the key `password` is missing"),
        (None, None, Some(_)) => wrong("missing-key", "the key `username` is missing"),
        (Some(_), ..) => wrong("invalid-value", "the connection has two kinds of credentials"),
    }
}

fn trust(written: &Spanned<WrittenTls>) -> Result<Tls, Diagnostic> {
    let WrittenTls { ca, pin, insecure } = &written.value;
    let wrong = |span: &Span, message| Diagnostic::error("invalid-value", span.clone(), message);
    match (ca, pin, insecure) {
        (Some(ca), None, false) if ca.contains("-----BEGIN CERTIFICATE-----") => {
            Ok(Tls::Ca(ca.value.clone()))
        }
        (Some(ca), None, false) => Err(wrong(
            &ca.span,
            "a certificate authority is PEM text: `-----BEGIN CERTIFICATE-----` and so on",
        )),
        (None, Some(pin), false) => Ok(Tls::Pin(pin.0)),
        (None, None, true) => Ok(Tls::Insecure),
        (None, None, false) => Ok(Tls::System),
        _ => Err(wrong(&written.span, "only one of `ca`, `pin` and `insecure` can hold")),
    }
}

/// Plain HTTP sends the credentials in the clear; that wants the same word as believing anybody.
fn open_to_all(url: &Spanned<ConsoleUrl>, insecure: bool) -> Option<Diagnostic> {
    (is_in_the_clear(&url.0) && !insecure).then(|| {
        Diagnostic::error("invalid-value", url.span.clone(), IN_THE_CLEAR)
            .help("use `https`, or say `tls: { insecure: true }`")
    })
}

fn no_site(site: &Spanned<String>) -> Option<Diagnostic> {
    let fits = !site.is_empty()
        && site.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'));
    let message = "a site is named as in the console's addresses: letters and digits";
    (!fits).then(|| {
        Diagnostic::error("invalid-value", site.span.clone(), message)
            .help("the first site is `default`, whatever its title")
    })
}

impl TryFrom<String> for ConsoleUrl {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        const RULE: &str =
            "a console's address is `https://`, a host, perhaps a port, and nothing else";
        let url = Url::parse(&text).map_err(|_| RULE)?;
        let plain = matches!(url.scheme(), "http" | "https")
            && url.has_host()
            && url.path() == "/"
            && url.username().is_empty()
            && url.password().is_none()
            && url.query().is_none()
            && url.fragment().is_none();
        if plain { Ok(Self(url)) } else { Err(RULE) }
    }
}

impl TryFrom<String> for PinText {
    type Error = landfall_os::http::PinError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse().map(Self)
    }
}

impl TryFrom<String> for UserName {
    type Error = landfall_core::name::NameError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        match text.split_once('+') {
            Some(("ref" | "secretref", _)) => SecretRef::parse(&text).map(Self::Reference),
            _ => Ok(Self::Plain(text)),
        }
    }
}

#[cfg(test)]
mod tests {
    use landfall_core::yaml::parse;

    use super::*;

    const KEY: &str = "api_key: ref+env://LANDFALL_SECRET_UNIFI";

    fn read(text: &str) -> Result<Unifi, String> {
        let node = parse("landfall.yaml", text.as_bytes()).unwrap();
        Unifi::decode(&node).map_err(|findings| findings.iter().map(|d| format!("{d}\n")).collect())
    }

    #[test]
    fn a_key_and_an_address_are_enough() {
        let unifi = read(&format!("{{ url: 'https://192.168.1.1', {KEY} }}")).unwrap();
        assert_eq!(unifi.site, "default");
        assert_eq!(unifi.tls, Tls::System);
        assert_eq!(unifi.secrets().len(), 1);
        assert_eq!(unifi.address(), "https://192.168.1.1 (site default)");
        assert!(unifi.zones().is_empty());
    }

    #[test]
    fn a_user_has_a_name_by_reference_or_as_it_is() {
        let password = "password: ref+env://LANDFALL_SECRET_P";
        let plain =
            read(&format!("{{ url: 'https://u.lan:8443', username: landfall, {password} }}"));
        assert_eq!(plain.unwrap().secrets().len(), 1);
        let text = format!(
            "{{ url: 'https://u.lan', username: 'ref+env://LANDFALL_SECRET_U', {password} }}"
        );
        assert_eq!(read(&text).unwrap().secrets().len(), 2);
    }

    #[test]
    fn the_console_is_believed_in_one_of_four_ways() {
        let tls = |tls: &str| {
            read(&format!("{{ url: 'https://u.lan', {KEY}, tls: {tls} }}")).map(|u| u.tls)
        };
        let pin = "ab".repeat(32);
        assert_eq!(tls(&format!("{{ pin: '{pin}' }}")), Ok(Tls::Pin(pin.parse().unwrap())));
        assert_eq!(tls("{ insecure: true }"), Ok(Tls::Insecure));
        assert_eq!(tls("{ insecure: false }"), Ok(Tls::System));
        let pem = "-----BEGIN CERTIFICATE-----";
        assert_eq!(tls(&format!("{{ ca: '{pem}' }}")), Ok(Tls::Ca(pem.to_owned())));
        assert!(tls("{ ca: ca.pem }").unwrap_err().contains("PEM text"));
        assert!(tls("{ pin: abc }").unwrap_err().contains("not a pin"));
        assert!(
            tls(&format!("{{ pin: '{pin}', insecure: true }}"))
                .unwrap_err()
                .contains("only one of")
        );
    }

    #[test]
    fn what_cannot_be_is_told_at_its_place() {
        for (text, told) in [
            (
                "{ url: 'https://u.lan' }".to_owned(),
                "1:1: the connection has no credentials [missing-key]",
            ),
            (format!("{{ url: 'https://u.lan', {KEY}, username: a }}"), "two kinds of credentials"),
            ("{ url: 'https://u.lan', username: a }".to_owned(), "`password` is missing"),
            (
                "{ url: 'https://u.lan', password: 'ref+env://A' }".to_owned(),
                "`username` is missing",
            ),
            (
                format!("{{ url: 'https://u.lan/network', {KEY} }}"),
                "landfall.yaml:1:8: a console's address is",
            ),
            (format!("{{ url: 'ftp://u.lan', {KEY} }}"), "a console's address is"),
            (format!("{{ url: 'http://u.lan', {KEY} }}"), "for all to read"),
            (format!("{{ url: 'https://u.lan', site: 'a/b', {KEY} }}"), "a site is named"),
            (format!("{{ url: 'https://u.lan', sites: x, {KEY} }}"), "did you mean `site`?"),
        ] {
            let findings = read(&text).unwrap_err();
            assert!(findings.contains(told), "{text}: {findings}");
        }
        assert!(read(&format!("{{ url: 'http://127.0.0.1:8080', {KEY} }}")).is_ok());
    }

    #[test]
    fn a_literal_where_a_secret_belongs_is_refused_and_not_repeated() {
        for text in [
            "{ url: 'https://u.lan', api_key: hunter2 }",
            "{ url: 'https://u.lan', username: a, password: hunter2 }",
        ] {
            let findings = read(text).unwrap_err();
            assert!(!findings.contains("hunter2"), "{findings}");
        }
    }
}

//! What `cloudflare_tunnel` takes in a service file: a tunnel and the hostnames that lead through it.

use std::collections::BTreeSet;

use landfall_core::diagnostic::{Diagnostic, Span};
use landfall_core::name::DnsName;
use landfall_core::yaml::{Either, Entries, Node, OneOrMany, Spanned, decode};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::origin::Origin;
use super::path;
use super::rule::Matcher;

/// Public hostnames that lead through a tunnel to an origin.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CloudflareTunnel {
    /// The tunnel's name. Many services may share one; it is created if it does not exist.
    pub tunnel: Spanned<TunnelName>,
    /// Hostnames, each with its origin, or with several for different paths. Each also gets its
    /// proxied CNAME in its zone.
    pub routes: Entries<DnsName, OneOrMany<Way>>,
    /// Whether rules and records that exist and are nobody's become this service's.
    #[serde(default)]
    pub adopt: bool,
}

/// An origin, or an origin with a path or settings.
pub type Way = Either<Spanned<Origin>, Route>;

/// The name of a tunnel: up to 100 printable characters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
pub struct TunnelName(String);

/// Where requests to a hostname go, and how the connector speaks to the origin. Seconds are whole.
///
/// What is not set is the tunnel's own default; see the vendor's "Origin parameters". Settings the
/// vendor may have that are not listed here cannot be set, and stay on rules that are not ours.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Route {
    /// The requests it is for: a regular expression over the path. All, if there is none.
    #[serde(skip_serializing)]
    pub path: Option<Spanned<String>>,
    /// Where it leads: `http://host:port`, without a path.
    #[serde(skip_serializing)]
    pub origin: Spanned<Origin>,
    /// Whether a rule that exists and is nobody's becomes this service's.
    #[serde(default, skip_serializing)]
    pub adopt: bool,
    /// Demands a valid Access token on every request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access: Option<AccessPolicy>,
    /// A file on the connector's host with the authorities to trust.
    #[serde(rename(serialize = "caPool"), skip_serializing_if = "Option::is_none")]
    pub ca_pool: Option<String>,
    /// Seconds to connect.
    #[serde(rename(serialize = "connectTimeout"), skip_serializing_if = "Option::is_none")]
    pub connect_timeout: Option<u32>,
    /// For servers that cannot read chunked bodies (WSGI).
    #[serde(rename(serialize = "disableChunkedEncoding"), skip_serializing_if = "Option::is_none")]
    pub disable_chunked_encoding: Option<bool>,
    /// Speaks HTTP/2 to an https origin.
    #[serde(rename(serialize = "http2Origin"), skip_serializing_if = "Option::is_none")]
    pub http2_origin: Option<bool>,
    /// The `Host` header that the origin sees.
    #[serde(rename(serialize = "httpHostHeader"), skip_serializing_if = "Option::is_none")]
    pub http_host_header: Option<String>,
    /// Idle connections to keep.
    #[serde(rename(serialize = "keepAliveConnections"), skip_serializing_if = "Option::is_none")]
    pub keep_alive_connections: Option<u32>,
    /// Seconds to keep an idle connection.
    #[serde(rename(serialize = "keepAliveTimeout"), skip_serializing_if = "Option::is_none")]
    pub keep_alive_timeout: Option<u32>,
    /// Takes the name for TLS from the request.
    #[serde(rename(serialize = "matchSNItoHost"), skip_serializing_if = "Option::is_none")]
    pub match_sni_to_host: Option<bool>,
    /// Does not fall back between IPv6 and IPv4.
    #[serde(rename(serialize = "noHappyEyeballs"), skip_serializing_if = "Option::is_none")]
    pub no_happy_eyeballs: Option<bool>,
    /// Accepts any certificate of the origin.
    #[serde(rename(serialize = "noTLSVerify"), skip_serializing_if = "Option::is_none")]
    pub no_tls_verify: Option<bool>,
    /// The name that the origin's certificate must have.
    #[serde(rename(serialize = "originServerName"), skip_serializing_if = "Option::is_none")]
    pub origin_server_name: Option<String>,
    /// `socks` for a SOCKS proxy; none is a plain one.
    #[serde(rename(serialize = "proxyType"), skip_serializing_if = "Option::is_none")]
    pub proxy_type: Option<String>,
    /// Seconds between TCP keep-alives.
    #[serde(rename(serialize = "tcpKeepAlive"), skip_serializing_if = "Option::is_none")]
    pub tcp_keep_alive: Option<u32>,
    /// Seconds for the TLS handshake.
    #[serde(rename(serialize = "tlsTimeout"), skip_serializing_if = "Option::is_none")]
    pub tls_timeout: Option<u32>,
}

/// Who may pass, by Cloudflare Access.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AccessPolicy {
    /// Whether a request without a token is denied.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub required: Option<bool>,
    /// The team's name.
    #[serde(rename(serialize = "teamName"))]
    pub team_name: String,
    /// The applications that may reach the hostname.
    #[serde(rename(serialize = "audTag"))]
    pub aud_tag: Vec<String>,
}

impl TryFrom<String> for TunnelName {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let fits = !text.is_empty() && text.len() <= 100 && text.trim() == text;
        if fits && !text.chars().any(char::is_control) {
            Ok(Self(text))
        } else {
            Err("a tunnel's name is 1 to 100 printable characters, without spaces around it")
        }
    }
}

impl TunnelName {
    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// One rule as the configuration wants it.
#[derive(Debug)]
pub(super) struct WantedRule<'c> {
    pub(super) hostname: &'c Spanned<DnsName>,
    pub(super) matcher: Matcher,
    pub(super) origin: &'c Spanned<Origin>,
    pub(super) settings: Map<String, Value>,
    pub(super) adopt: bool,
}

impl CloudflareTunnel {
    /// Decodes the component and checks what it alone can show.
    pub(super) fn decode(node: &Node) -> Result<Self, Vec<Diagnostic>> {
        let config: Self = decode(node)?;
        let routes = config.routes.0.iter();
        let findings: Vec<_> = routes.flat_map(|(name, ways)| check(&name.span, &ways.0)).collect();
        if findings.is_empty() { Ok(config) } else { Err(findings) }
    }

    /// The rules, in the order written.
    pub(super) fn rules(&self) -> impl Iterator<Item = WantedRule<'_>> {
        let ways =
            self.routes.0.iter().flat_map(|(name, ways)| ways.0.iter().map(move |way| (name, way)));
        ways.map(|(hostname, way)| {
            let (origin, path, settings, adopt) = match way {
                Either::Scalar(origin) => (origin, None, Map::new(), false),
                Either::Structure(route) => {
                    (&route.origin, route.path.as_ref(), route.settings(), route.adopt)
                }
            };
            let path = path.map(|path| path.value.clone());
            let matcher = Matcher { hostname: hostname.as_str().to_owned(), path };
            WantedRule { hostname, matcher, origin, settings, adopt: adopt || self.adopt }
        })
    }
}

impl Route {
    /// The settings as a rule's `originRequest` has them.
    fn settings(&self) -> Map<String, Value> {
        match serde_json::to_value(self) {
            Ok(Value::Object(settings)) => settings,
            _ => unreachable!("a struct of plain fields is a JSON object"),
        }
    }
}

fn check(at: &Span, ways: &[Way]) -> Vec<Diagnostic> {
    let mut findings = Vec::new();
    if ways.is_empty() {
        let error = Diagnostic::error("no-origin", at.clone(), "the hostname leads nowhere");
        findings.push(error.help("give it an origin, as in `http://nas.internal.lan:8080`"));
    }
    let mut seen = BTreeSet::new();
    for way in ways {
        let path = match way {
            Either::Structure(Route { path: Some(path), .. }) => Some(path),
            _ => None,
        };
        findings.extend(path.and_then(check_path));
        if !seen.insert(path) {
            let span = path.map_or(at, |path| &path.span).clone();
            findings.push(Diagnostic::error(
                "path-twice",
                span,
                "two origins are for the same path of this hostname",
            ));
        }
    }
    findings
}

fn check_path(path: &Spanned<String>) -> Option<Diagnostic> {
    let error = |message: String| Diagnostic::error("invalid-value", path.span.clone(), message);
    if path.is_empty() || path.chars().any(char::is_control) {
        let message = "a path has at least one character, and no control characters";
        return Some(error(message.to_owned()).help("leave `path` out for all paths"));
    }
    let fault = path::fault(path)?;
    let message = format!("a path is a regular expression, and here {fault}");
    Some(error(message).help("the connector takes RE2, as in `^/api/` or `\\.(jpg|png)$`"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use landfall_core::yaml::parse;
    use serde_json::json;

    fn read(text: &str) -> Result<CloudflareTunnel, Vec<Diagnostic>> {
        CloudflareTunnel::decode(&parse("services/web.yaml", text.as_bytes()).unwrap())
    }

    fn refused(routes: &str) -> String {
        let text = format!("tunnel: media\nroutes:\n{routes}\n");
        read(&text).unwrap_err().iter().map(|d| format!("{d}\n")).collect()
    }

    #[test]
    fn an_origin_a_route_and_several_paths_are_read() {
        let config = read(
            "tunnel: media\nroutes:\n  a.example.com: http://a.lan:80\n  b.example.com: { origin: https://b.lan, no_tls_verify: true }\n  \
             '*.example.com':\n    - { path: ^/api, origin: http://api.lan, http2_origin: false }\n    - http://rest.lan\n",
        )
        .unwrap();
        let rules: Vec<_> = config
            .rules()
            .map(|r| (r.matcher.name(), r.origin.service().to_owned(), r.settings))
            .collect();
        let no = Map::new;
        let one = |key: &str, value: bool| Map::from_iter([(key.to_owned(), json!(value))]);
        assert_eq!(
            rules,
            [
                ("a.example.com".into(), "http://a.lan:80".into(), no()),
                ("b.example.com".into(), "https://b.lan".into(), one("noTLSVerify", true)),
                ("*.example.com/^/api".into(), "http://api.lan".into(), one("http2Origin", false)),
                ("*.example.com".into(), "http://rest.lan".into(), no()),
            ]
        );
    }

    #[test]
    fn access_is_written_as_the_vendor_spells_it() {
        let config = read(
            "tunnel: media\nroutes:\n  a.example.com: { origin: http://a.lan, access: { required: true, team_name: acme, aud_tag: [x] } }\n",
        )
        .unwrap();
        let settings = config.rules().next().unwrap().settings;
        assert_eq!(
            settings["access"],
            json!({ "required": true, "teamName": "acme", "audTag": ["x"] })
        );
    }

    #[test]
    fn what_cannot_be_is_told_at_its_place() {
        for (routes, told) in [
            (
                "  a.example.com: http://a.lan/app",
                "services/web.yaml:3:18: the origin `http://a.lan/app` has a path",
            ),
            (
                "  a.example.com: { origin: a.lan }",
                "services/web.yaml:3:28: `a.lan` is not an origin",
            ),
            ("  a.example.com: []", "services/web.yaml:3:3: the hostname leads nowhere"),
            ("  a.example.com: [http://a.lan, http://b.lan]", "two origins are for the same path"),
            (
                "  a.example.com: { path: '*', origin: http://a.lan }",
                "services/web.yaml:3:26: a path is a regular expression, and here",
            ),
            (
                "  a.example.com: { path: 'api(', origin: http://a.lan }",
                "services/web.yaml:3:26: a path is a regular expression, and here",
            ),
            (
                "  a.example.com: { origin: http://a.lan, no_tls_verfy: true }",
                "did you mean `no_tls_verify`?",
            ),
            (
                "  'a b.example.com': http://a.lan",
                "services/web.yaml:3:3: `a b.example.com` is not a domain name",
            ),
        ] {
            assert!(refused(routes).contains(told), "{routes}: {}", refused(routes));
        }
    }
}

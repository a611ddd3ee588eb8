//! Where a rule leads: the service of an ingress rule in its normal form.
//!
//! The connector takes `scheme://host:port` of some schemes, sockets, and words of its own. It
//! refuses a URL with a path, because a rule cannot rewrite the path of a request.

use landfall_core::name::DnsName;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use url::{Host, Url};

/// The schemes that lead to a host, as the vendor lists them.
const SCHEMES: [&str; 6] = ["http", "https", "tcp", "ssh", "rdp", "smb"];
const RULE: &str = "`http://host:port`, another of https, tcp, ssh, rdp, smb, `unix:/path`, \
                    `http_status:404`, `hello_world`, `bastion` or `socks-proxy`";

/// A service that the connector accepts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
pub struct Origin {
    service: String,
    host: Option<DnsName>,
}

/// Why a text is not an origin.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OriginError {
    /// It has a path, a query or a fragment.
    #[error(
        "the origin `{0}` has a path, and a tunnel sends every request to its own path: write the origin as `{1}`"
    )]
    Path(String, String),
    /// It carries a user name or a password.
    #[error("an origin cannot carry a user name or a password")]
    Credentials,
    /// It is nothing the connector knows.
    #[error("`{0}` is not an origin: {RULE}")]
    Unknown(String),
}

impl Origin {
    /// Reads an origin as a person writes it.
    ///
    /// # Errors
    /// What is wrong with it and what would be right.
    pub(crate) fn new(text: &str) -> Result<Self, OriginError> {
        let plain = |service: &str| Self { service: service.to_owned(), host: None };
        if is_own_service(text) {
            return Ok(plain(text));
        }
        let unknown = || OriginError::Unknown(text.chars().take(80).collect());
        let url = Url::parse(text).map_err(|_| unknown())?;
        if !SCHEMES.contains(&url.scheme()) {
            return Err(unknown());
        }
        // The host is parsed anew: for schemes the URL standard does not know it is kept opaque.
        let host = Host::parse(url.host_str().filter(|host| !host.is_empty()).ok_or_else(unknown)?);
        let host = host.map_err(|_| unknown())?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(OriginError::Credentials);
        }
        let service = service(text, &url, &host);
        if !matches!(url.path(), "" | "/") || url.query().is_some() || url.fragment().is_some() {
            return Err(OriginError::Path(text.chars().take(80).collect(), service));
        }
        Ok(Self { service, host: host_name(&host) })
    }

    /// The service as a rule has it.
    pub(crate) fn service(&self) -> &str {
        &self.service
    }

    /// The name of the host it leads to; none for an address, for the connector's own machine, and
    /// for a service of the connector's own.
    pub(crate) fn host(&self) -> Option<&DnsName> {
        self.host.as_ref()
    }
}

/// `scheme://host[:port]`. A port that was written stays, even where it is the scheme's own: the
/// vendor keeps what it was given, and a text that changes by itself would be a change in a plan.
fn service(text: &str, url: &Url, host: &Host) -> String {
    let port = url.port().or_else(|| written_port(text));
    let port = port.map(|port| format!(":{port}")).unwrap_or_default();
    format!("{}://{host}{port}", url.scheme())
}

fn written_port(text: &str) -> Option<u16> {
    let authority = text.split_once("://")?.1.split(['/', '?', '#']).next()?;
    authority.rsplit_once(':')?.1.parse().ok()
}

fn host_name(host: &Host) -> Option<DnsName> {
    match host {
        Host::Domain(name) if name != "localhost" => DnsName::new(name.as_str()).ok(),
        _ => None,
    }
}

fn is_own_service(text: &str) -> bool {
    match text.split_once(':') {
        Some(("http_status", code)) => matches!(code.parse(), Ok(100..=999)),
        Some(("unix" | "unix+tls", path)) => path.starts_with('/') && !path.starts_with("//"),
        Some(_) => false,
        None => matches!(text, "hello_world" | "bastion" | "socks-proxy"),
    }
}

impl TryFrom<String> for Origin {
    type Error = OriginError;

    fn try_from(text: String) -> Result<Self, OriginError> {
        Self::new(&text)
    }
}

impl From<Origin> for String {
    fn from(origin: Origin) -> String {
        origin.service
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_has_one_normal_form_and_keeps_the_port_that_was_written() {
        for (text, service, host) in [
            (
                "HTTP://Jellyfin.Internal.LAN:8096/",
                "http://jellyfin.internal.lan:8096",
                Some("jellyfin.internal.lan"),
            ),
            ("http://nas.lan:80", "http://nas.lan:80", Some("nas.lan")),
            ("https://nas.lan", "https://nas.lan", Some("nas.lan")),
            ("ssh://Nas.lan:22", "ssh://nas.lan:22", Some("nas.lan")),
            ("http://192.168.1.50:80", "http://192.168.1.50:80", None),
            ("tcp://[2001:DB8::1]:5432", "tcp://[2001:db8::1]:5432", None),
            ("http://localhost:8080", "http://localhost:8080", None),
            ("http_status:404", "http_status:404", None),
            ("unix:/run/app.sock", "unix:/run/app.sock", None),
            ("hello_world", "hello_world", None),
        ] {
            let origin = Origin::new(text).unwrap();
            assert_eq!(
                (origin.service(), origin.host().map(DnsName::as_str)),
                (service, host),
                "{text}"
            );
        }
    }

    #[test]
    fn a_path_is_refused_with_the_origin_that_would_be_right() {
        let error = Origin::new("http://nas.lan:80/app").unwrap_err().to_string();
        assert!(error.ends_with("write the origin as `http://nas.lan:80`"), "{error}");
        assert!(matches!(Origin::new("http://nas.lan?x=1"), Err(OriginError::Path(..))));
    }

    #[test]
    fn what_the_connector_does_not_know_is_refused() {
        for text in [
            "",
            "nas.lan:80",
            "ftp://nas.lan",
            "http://",
            "http_status:99",
            "http_status:x",
            "unix:run",
        ] {
            assert!(matches!(Origin::new(text), Err(OriginError::Unknown(_))), "{text}");
        }
        let error = Origin::new("http://me:hunter2@nas.lan").unwrap_err().to_string();
        assert!(!error.contains("hunter2"), "{error}");
    }
}

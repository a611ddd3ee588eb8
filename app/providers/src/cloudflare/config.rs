//! What a connection of kind `cloudflare` takes in `landfall.yaml`.

use std::any::Any;

use landfall_core::config::kind::Connection;
use landfall_core::config::secret::SecretRef;
use landfall_core::diagnostic::Diagnostic;
use landfall_core::name::DnsName;
use landfall_core::yaml::{Node, Spanned, decode};
use schemars::JsonSchema;
use serde::Deserialize;
use url::Url;

use super::realm::Realm;
use crate::address::{IN_THE_CLEAR, is_in_the_clear};

/// Where the vendor's API is.
const API: &str = "https://api.cloudflare.com/client/v4";

/// An account and the zones of it that may be written.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Cloudflare {
    /// The account's id: 32 hexadecimal digits.
    pub account: AccountId,
    /// The zones that may be written.
    #[schemars(with = "Vec<String>")]
    pub zones: Vec<DnsName>,
    /// A reference to an API token with Zone:Read and DNS:Edit on the zones, and Cloudflare
    /// Tunnel:Edit on the account if tunnels are used.
    #[schemars(with = "String")]
    pub token: SecretRef,
    /// Where the API is, if not at the vendor's own address: a simulator.
    #[schemars(with = "Option<String>")]
    url: Option<Spanned<String>>,
}

/// The id of an account: 32 hexadecimal digits, lower-case.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
pub struct AccountId(String);

impl TryFrom<String> for AccountId {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        if text.len() == 32 && text.chars().all(|c| c.is_ascii_hexdigit()) {
            Ok(Self(text.to_ascii_lowercase()))
        } else {
            Err(
                "an account is 32 hexadecimal digits; the dashboard shows it on the overview of a zone",
            )
        }
    }
}

impl AccountId {
    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Cloudflare {
    /// Decodes a connection.
    pub(super) fn decode(node: &Node) -> Result<Self, Vec<Diagnostic>> {
        let config: Self = decode(node)?;
        match config.url.as_ref().and_then(fault) {
            Some(fault) => Err(vec![fault]),
            None => Ok(config),
        }
    }

    /// Where the API is.
    pub(super) fn base(&self) -> Url {
        let text = self.url.as_ref().map_or(API, |url| url.value.as_str());
        base(text).expect("checked when it was decoded")
    }
}

/// What is wrong with an address.
fn fault(url: &Spanned<String>) -> Option<Diagnostic> {
    let message = match base(&url.value) {
        None => "not the address of an API",
        Some(base) if is_in_the_clear(&base) => IN_THE_CLEAR,
        Some(_) => return None,
    };
    let fault = Diagnostic::error("invalid-value", url.span.clone(), message);
    Some(fault.help("`https://` and a host, without a user, a query or a fragment"))
}

fn base(text: &str) -> Option<Url> {
    let url = Url::parse(text).ok()?;
    let plain = url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.fragment().is_none();
    (matches!(url.scheme(), "http" | "https") && url.has_host() && plain).then_some(url)
}

impl Connection for Cloudflare {
    fn zones(&self) -> Vec<DnsName> {
        self.zones.clone()
    }

    fn address(&self) -> String {
        match Realm::of(&self.base()).host() {
            Some(host) => format!("Cloudflare account {} at {host}", self.account.as_str()),
            None => format!("Cloudflare account {}", self.account.as_str()),
        }
    }

    fn secrets(&self) -> Vec<SecretRef> {
        vec![self.token.clone()]
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use landfall_core::yaml::parse;

    fn read(text: &str) -> Result<Cloudflare, Vec<Diagnostic>> {
        Cloudflare::decode(&parse("landfall.yaml", text.as_bytes()).unwrap())
    }

    const GOOD: &str = "account: 0123456789ABCDEF0123456789abcdef\nzones: [Example.com]\ntoken: ref+env://LANDFALL_SECRET_CF\n";

    #[test]
    fn a_connection_has_an_account_zones_and_a_reference() {
        let connection = read(GOOD).unwrap();
        assert_eq!(connection.account.as_str(), "0123456789abcdef0123456789abcdef");
        assert_eq!(connection.zones()[0].as_str(), "example.com");
        assert_eq!(connection.base().as_str(), API);
    }

    #[test]
    fn a_literal_token_is_refused_and_not_repeated() {
        let errors = read(&GOOD.replace("ref+env://LANDFALL_SECRET_CF", "hunter2")).unwrap_err();
        assert_eq!(errors[0].code, "literal-secret");
        assert!(!errors[0].to_string().contains("hunter2"));
    }

    #[test]
    fn an_account_that_is_none_and_an_address_with_a_query_are_told_at_their_place() {
        let errors = read(&GOOD.replace("0123456789ABCDEF", "x")).unwrap_err();
        assert!(
            errors[0].to_string().starts_with("landfall.yaml:1:10: an account is 32"),
            "{}",
            errors[0]
        );
        let errors = read(&format!("{GOOD}url: http://127.0.0.1/?x=1\n")).unwrap_err();
        assert!(
            errors[0].to_string().starts_with("landfall.yaml:4:6: not the address"),
            "{}",
            errors[0]
        );
    }

    #[test]
    fn an_account_that_another_host_answers_for_is_another_one() {
        let address = |url: &str| read(&format!("{GOOD}{url}")).unwrap().address();
        let own = address("");
        assert_eq!(own, "Cloudflare account 0123456789abcdef0123456789abcdef");
        assert_eq!(address("url: https://api.cloudflare.com/client/v4\n"), own);
        assert_eq!(address("url: https://evil.example\n"), format!("{own} at evil.example"));
    }

    #[test]
    fn the_token_is_sent_in_the_clear_to_this_machine_alone() {
        for (url, fits) in [
            ("https://api.example.com/client/v4", true),
            ("http://127.0.0.1:8787/client/v4", true),
            ("http://localhost:8787", true),
            ("http://api.example.com/client/v4", false),
        ] {
            let found = read(&format!("{GOOD}url: {url}\n"));
            assert_eq!(found.is_ok(), fits, "{url}");
            for error in found.err().into_iter().flatten() {
                assert!(
                    error.to_string().starts_with("landfall.yaml:4:6: `http` sends"),
                    "{error}"
                );
            }
        }
    }
}

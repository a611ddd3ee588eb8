//! Names as types: a value of one of these has been checked, so nothing behind it checks again.
//!
//! All of them are plain text on the wire and in the store. Constructors say what is wrong and
//! what would be right; the messages are shown to people as they are.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

mod dns;
mod git;

pub use dns::{DnsName, HostPattern, MacAddress};
pub use git::{BlobSha, BranchName, CommitSha, ConfigPath, TreeSha};

/// Why a text is not the name it was meant to be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{value}` is not {what}: {rule}")]
pub struct NameError {
    /// What it should have been, with its article: "a service name".
    pub what: &'static str,
    /// The offending text, cut to a length that can be shown.
    pub value: String,
    /// The rule that was broken.
    pub rule: &'static str,
}

impl NameError {
    pub(crate) fn new(what: &'static str, value: &str, rule: &'static str) -> Self {
        let value = value.chars().take(80).collect();
        Self { what, value, rule }
    }
}

/// Defines a checked text: constructor, `Display`, `FromStr`, and serde through the constructor.
macro_rules! checked_text {
    ($(#[$meta:meta])* $name:ident, $check:expr) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, ::serde::Serialize, ::serde::Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// Checks `value` and makes the name.
            ///
            /// # Errors
            /// Says which rule the text breaks.
            pub fn new(value: impl Into<String>) -> Result<Self, $crate::name::NameError> {
                let check: fn(String) -> Result<String, $crate::name::NameError> = $check;
                check(value.into()).map(Self)
            }

            /// The name as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::name::NameError;

            fn from_str(value: &str) -> Result<Self, Self::Err> {
                Self::new(value)
            }
        }

        impl TryFrom<String> for $name {
            type Error = $crate::name::NameError;

            fn try_from(value: String) -> Result<Self, Self::Error> {
                Self::new(value)
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> String {
                name.0
            }
        }

        /// In a schema it is a text: the rule is checked when it is read.
        impl ::schemars::JsonSchema for $name {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut ::schemars::SchemaGenerator) -> ::schemars::Schema {
                ::schemars::json_schema!({ "type": "string" })
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }
    };
}
pub(crate) use checked_text;

/// A lower-case label of letters, digits, and the separators given.
fn label(
    what: &'static str,
    value: String,
    separators: &[char],
    rule: &'static str,
) -> Result<String, NameError> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let inner = |c: char| plain(c) || separators.contains(&c);
    let fits = !value.is_empty()
        && value.len() <= 100
        && value.starts_with(plain)
        && value.ends_with(plain)
        && value.chars().all(inner);
    if fits { Ok(value) } else { Err(NameError::new(what, &value, rule)) }
}

checked_text!(
    /// An environment: `staging`, `production`, or any name.
    EnvironmentName,
    |value| label(
        "an environment name",
        value,
        &['-', '_'],
        "lower-case letters, digits, `-` and `_`, at most 100"
    )
);

checked_text!(
    /// An environment of GitHub Actions, as it is written there: any text, of which GitHub says that it is
    /// not case sensitive. One of ours may be called the same.
    ActionsEnvironment,
    |value| {
        let fits = !value.is_empty() && value.len() <= 1024 && !value.contains(char::is_control);
        let rule = "a text on one line";
        if fits { Ok(value) } else { Err(NameError::new("an environment of Actions", &value, rule)) }
    }
);

impl ActionsEnvironment {
    /// Whether it is called like one of ours.
    #[must_use]
    pub fn is(&self, ours: &EnvironmentName) -> bool {
        self.0.eq_ignore_ascii_case(ours.as_str())
    }
}

checked_text!(
    /// A service: the name of its file without the ending.
    ServiceName,
    |value| label(
        "a service name",
        value,
        &['-', '_', '.'],
        "lower-case letters, digits, `-`, `_` and `.`, at most 100"
    )
);

checked_text!(
    /// A connection of an environment.
    ConnectionName,
    |value| label(
        "a connection name",
        value,
        &['-', '_'],
        "lower-case letters, digits, `-` and `_`, at most 100"
    )
);

checked_text!(
    /// A kind of component, and so of provider: `unifi_dns`, `cloudflare_tunnel`.
    KindName,
    |value| label(
        "a kind of component",
        value,
        &['_'],
        "lower-case letters, digits and `_`"
    )
);

checked_text!(
    /// A repository as GitHub spells it: `owner/name`. Shown to people; rows are keyed by [`RepositoryId`].
    RepositoryName,
    |value| {
        let part = |p: &str| {
            !p.is_empty()
                && p != "."
                && p != ".."
                && p.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
        };
        match value.split_once('/') {
            Some((owner, name)) if part(owner) && part(name) => Ok(value),
            _ => Err(NameError::new("a repository name", &value, "`owner/name`")),
        }
    }
);

impl RepositoryName {
    /// The part before the slash.
    #[must_use]
    pub fn owner(&self) -> &str {
        self.0.split_once('/').map_or("", |(owner, _)| owner)
    }

    /// The part behind the slash.
    #[must_use]
    pub fn name(&self) -> &str {
        self.0.split_once('/').map_or("", |(_, name)| name)
    }
}

/// Defines a number that GitHub gave out.
macro_rules! number {
    ($(#[$meta:meta])* $name:ident) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub u64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

number!(
    /// GitHub's number of a repository; it survives renames and transfers.
    RepositoryId
);
number!(
    /// GitHub's number of an installation of the App.
    InstallationId
);
number!(
    /// A pull request's number within its repository.
    PullNumber
);
number!(
    /// GitHub's number of a user; logins are re-used, numbers are not.
    UserId
);

/// The smallest thing that is reviewed: a component of a service in an environment.
/// Written `production/jellyfin/cloudflare_tunnel`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct UnitName {
    /// The environment it lives in.
    pub environment: EnvironmentName,
    /// The service it is a part of.
    pub service: ServiceName,
    /// The kind of component.
    pub kind: KindName,
}

impl fmt::Display for UnitName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.environment, self.service, self.kind)
    }
}

impl FromStr for UnitName {
    type Err = NameError;

    fn from_str(value: &str) -> Result<Self, NameError> {
        let mut parts = value.split('/');
        match (parts.next(), parts.next(), parts.next(), parts.next()) {
            (Some(environment), Some(service), Some(kind), None) => Ok(Self {
                environment: environment.parse()?,
                service: service.parse()?,
                kind: kind.parse()?,
            }),
            _ => Err(NameError::new("a unit", value, "`environment/service/kind`")),
        }
    }
}

impl TryFrom<String> for UnitName {
    type Error = NameError;

    fn try_from(value: String) -> Result<Self, NameError> {
        value.parse()
    }
}

impl From<UnitName> for String {
    fn from(unit: UnitName) -> String {
        unit.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_unit_reads_back_as_written() {
        let text = "production/jellyfin/cloudflare_tunnel";
        assert_eq!(text.parse::<UnitName>().unwrap().to_string(), text);
        assert!("production/jellyfin".parse::<UnitName>().is_err());
    }

    #[test]
    fn labels_are_lower_case_and_start_and_end_plain() {
        assert!(ServiceName::new("media-server").is_ok());
        for bad in ["", "Media", "-a", "a-", "a b", "a/b", "ä"] {
            assert!(ServiceName::new(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_repository_has_an_owner_and_a_name() {
        let name = RepositoryName::new("acme/homelab").unwrap();
        assert_eq!((name.owner(), name.name()), ("acme", "homelab"));
        for bad in ["acme", "acme/", "a/b/c", "acme/..", "a b/c"] {
            assert!(RepositoryName::new(bad).is_err(), "{bad}");
        }
    }
}

//! References to secrets, as vals writes them: `ref+BACKEND://PATH?k=v#/fragment`.
//!
//! A reference is not a secret: it may be shown. What it leads to is resolved elsewhere, held as
//! a `SecretString`, and never enters this crate.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserialize, Deserializer, Visitor};
use serde::{Serialize, de};

use crate::name::NameError;
use crate::yaml::ask;

/// A reference to a secret. A literal in its place is refused.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(into = "String")]
pub struct SecretRef {
    backend: String,
    path: String,
    query: Vec<(String, String)>,
    fragment: Option<String>,
}

const RULE: &str = "`ref+BACKEND://PATH`, as in `ref+env://LANDFALL_SECRET_UNIFI`";

impl SecretRef {
    /// Reads a reference.
    ///
    /// # Errors
    /// The text is not a reference. The error does not repeat it: it may be the secret itself.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        let bad = || NameError::new("a reference to a secret", "…", RULE);
        let rest = text.strip_prefix("ref+").or_else(|| text.strip_prefix("secretref+"));
        let rest = rest.ok_or_else(bad)?.trim_end_matches('+');
        let (backend, rest) = rest.split_once("://").ok_or_else(bad)?;
        let (rest, fragment) = match rest.split_once('#') {
            Some((rest, fragment)) => (rest, Some(fragment.trim_start_matches('/').to_owned())),
            None => (rest, None),
        };
        let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
        if backend.is_empty()
            || !backend.chars().all(plain)
            || path.is_empty()
            || text.contains([' ', '\n'])
        {
            return Err(bad());
        }
        let pair = |p: &str| p.split_once('=').map(|(k, v)| (k.to_owned(), v.to_owned()));
        let pairs = query.split('&').filter(|p| !p.is_empty());
        let query = pairs.map(|p| pair(p).ok_or_else(bad)).collect::<Result<_, _>>()?;
        Ok(Self { backend: backend.to_owned(), path: path.to_owned(), query, fragment })
    }

    /// Which backend resolves it: `env`, `file`, `op`.
    #[must_use]
    pub fn backend(&self) -> &str {
        &self.backend
    }

    /// What is asked of the backend: the text between `://` and `?` or `#`.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Parameters for the backend, in the order written.
    #[must_use]
    pub fn query(&self) -> &[(String, String)] {
        &self.query
    }

    /// The field wanted of a structured secret: keys with `/` between them.
    #[must_use]
    pub fn fragment(&self) -> Option<&str> {
        self.fragment.as_deref()
    }
}

impl fmt::Display for SecretRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ref+{}://{}", self.backend, self.path)?;
        for (at, (key, value)) in self.query.iter().enumerate() {
            write!(f, "{}{key}={value}", if at == 0 { '?' } else { '&' })?;
        }
        match &self.fragment {
            Some(fragment) => write!(f, "#/{fragment}"),
            None => Ok(()),
        }
    }
}

impl TryFrom<String> for SecretRef {
    type Error = NameError;

    fn try_from(text: String) -> Result<Self, NameError> {
        Self::parse(&text)
    }
}

impl From<SecretRef> for String {
    fn from(reference: SecretRef) -> String {
        reference.to_string()
    }
}

impl<'de> Deserialize<'de> for SecretRef {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_newtype_struct(ask::SECRET, ReferenceVisitor)
    }
}

struct ReferenceVisitor;

impl<'de> Visitor<'de> for ReferenceVisitor {
    type Value = SecretRef;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a reference to a secret")
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, text: D) -> Result<SecretRef, D::Error> {
        let text = String::deserialize(text)?;
        SecretRef::parse(&text).map_err(de::Error::custom)
    }
}

impl JsonSchema for SecretRef {
    fn schema_name() -> Cow<'static, str> {
        "SecretRef".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "pattern": "^(secret)?ref\\+[a-z0-9]+://",
            "description": "A reference to a secret, as in ref+env://LANDFALL_SECRET_UNIFI",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_reads_back_as_written() {
        for text in [
            "ref+env://LANDFALL_SECRET_X",
            "ref+file:///run/secrets/x#/a/b",
            "ref+awssecrets://a/b?region=eu-central-1&version_id=3#/key",
        ] {
            assert_eq!(SecretRef::parse(text).unwrap().to_string(), text);
        }
    }

    #[test]
    fn a_literal_is_refused_and_not_repeated() {
        let error = SecretRef::parse("hunter2").unwrap_err().to_string();
        assert!(!error.contains("hunter2"), "{error}");
    }
}

//! Digests: what was reviewed, in 64 hexadecimal digits.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::Value;
use crate::name::{NameError, checked_text};

/// SHA-256 over a canonical form. Nothing volatile goes in: no times, counters, ids of runs, or
/// the position of a rule in a list that others share.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Digest([u8; 32]);

impl Digest {
    /// The digest of a value: keys sorted, no spaces, so that two equal values have one digest.
    #[must_use]
    pub fn of(value: &Value) -> Self {
        let mut hash = Sha256::new();
        feed(&mut hash, value);
        Self(hash.finalize().into())
    }

    /// The digest of a set of digests: sorted, so that their order does not matter.
    pub fn of_all(digests: impl IntoIterator<Item = Digest>) -> Self {
        let mut sorted: Vec<Digest> = digests.into_iter().collect();
        sorted.sort_unstable();
        let mut hash = Sha256::new();
        for digest in sorted {
            hash.update(digest.0);
        }
        Self(hash.finalize().into())
    }

    /// The first eight digits, as the comment shows them and a command names them.
    #[must_use]
    pub fn short(&self) -> String {
        self.to_string()[..8].to_owned()
    }
}

fn feed(hash: &mut Sha256, value: &Value) {
    match value {
        Value::Object(map) => {
            let mut keys: Vec<&String> = map.keys().collect();
            keys.sort_unstable();
            hash.update(b"{");
            for key in keys {
                hash.update(Value::from(key.as_str()).to_string());
                hash.update(b":");
                feed(hash, &map[key]);
                hash.update(b",");
            }
            hash.update(b"}");
        }
        Value::Array(items) => {
            hash.update(b"[");
            for item in items {
                feed(hash, item);
                hash.update(b",");
            }
            hash.update(b"]");
        }
        plain => hash.update(plain.to_string()),
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Digest {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let bad = || NameError::new("a digest", text, "64 hexadecimal digits in lower case");
        // One digest has one spelling; reading a number would take a sign and capitals as well.
        if text.len() != 64 || !text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) {
            return Err(bad());
        }
        let mut bytes = [0; 32];
        for (byte, at) in bytes.iter_mut().zip((0..64).step_by(2)) {
            *byte = u8::from_str_radix(&text[at..at + 2], 16).map_err(|_| bad())?;
        }
        Ok(Self(bytes))
    }
}

impl TryFrom<String> for Digest {
    type Error = NameError;

    fn try_from(text: String) -> Result<Self, NameError> {
        text.parse()
    }
}

impl From<Digest> for String {
    fn from(digest: Digest) -> String {
        digest.to_string()
    }
}

checked_text!(
    /// The hash of a unit's effective config, named folders and targets: when it changes, the unit does.
    UnitHash,
    |value| value.parse::<Digest>().map(|_| value)
);

impl From<Digest> for UnitHash {
    fn from(digest: Digest) -> Self {
        Self(digest.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_order_of_keys_does_not_matter_and_that_of_lists_does() {
        assert_eq!(
            Digest::of(&json!({"a": 1, "b": [1, 2]})),
            Digest::of(&json!({"b": [1, 2], "a": 1}))
        );
        assert_ne!(Digest::of(&json!([1, 2])), Digest::of(&json!([2, 1])));
        assert_ne!(Digest::of(&json!(["1"])), Digest::of(&json!([1])));
    }

    #[test]
    fn a_digest_reads_back_as_written() {
        let digest = Digest::of(&json!("x"));
        assert_eq!(digest.to_string().parse::<Digest>().unwrap(), digest);
        assert_eq!(digest.short().len(), 8);
        for pair in ["zz", "+f", "FF", " f"] {
            assert!(pair.repeat(32).parse::<Digest>().is_err(), "{pair}");
        }
    }
}

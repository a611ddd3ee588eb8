//! A digest as a person types it.

use std::fmt;

use crate::name::NameError;
use crate::plan::Digest;

/// The beginning of a digest as a person types it: 8 to 64 hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DigestPrefix(String);

impl DigestPrefix {
    /// Reads one.
    ///
    /// # Errors
    /// Too short, too long, or not hexadecimal.
    pub fn new(text: &str) -> Result<Self, NameError> {
        let fits = (8..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_hexdigit());
        if fits {
            Ok(Self(text.to_ascii_lowercase()))
        } else {
            Err(NameError::new(
                "a digest",
                text,
                "at least eight hexadecimal digits, as the comment shows them",
            ))
        }
    }

    /// A digest in full.
    #[must_use]
    pub fn of(digest: &Digest) -> Self {
        Self(digest.to_string())
    }

    /// The digits, lower-case.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for DigestPrefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

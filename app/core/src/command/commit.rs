//! A commit as a person types it.

use std::fmt;

use crate::name::{CommitSha, NameError};

/// The beginning of a commit as a person types it: 7 to 40 hexadecimal digits. Whoever makes a commit
/// can choose how it begins, so less than all of it says which commit is meant only among some that
/// are known, never that it is a certain one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommitPrefix(String);

impl CommitPrefix {
    /// Reads one.
    ///
    /// # Errors
    /// Too short, too long, or not hexadecimal.
    pub fn new(text: &str) -> Result<Self, NameError> {
        let fits = (7..=40).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_hexdigit());
        if fits {
            Ok(Self(text.to_ascii_lowercase()))
        } else {
            Err(NameError::new("a commit", text, "seven to forty hexadecimal digits"))
        }
    }

    /// The digits, lower-case.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether a commit begins so.
    #[must_use]
    pub fn begins(&self, commit: &CommitSha) -> bool {
        commit.as_str().starts_with(&self.0)
    }
}

impl fmt::Display for CommitPrefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

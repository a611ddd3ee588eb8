//! Takes secrets out of text before it is stored, logged or posted.
//!
//! Two layers: every secret that was resolved, in every spelling it commonly takes on its way
//! (`spellings`), and shapes that are secrets whoever they belong to (`patterns`). All matches are
//! found in the original text and their union is replaced, so that one match cannot hide another.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;
use std::ops::Range;
use std::sync::{Arc, PoisonError, RwLock};

use aho_corasick::AhoCorasick;
use secrecy::{ExposeSecret, SecretString};

mod patterns;
mod spellings;
mod stream;

pub use stream::{RedactedStream, RedactingWriter};

/// What stands where a secret was.
pub const MARK: &str = "***";

/// The shortest secret that is learned, in bytes. Shorter ones would blank out ordinary text.
pub const SHORTEST: usize = 6;

/// Knows secrets, and takes them out of text. Clones share what they know.
#[derive(Clone, Default)]
pub struct Redactor {
    known: Arc<RwLock<Known>>,
}

#[derive(Default)]
struct Known {
    spellings: BTreeSet<String>,
    /// None while nothing is known.
    search: Option<AhoCorasick>,
}

impl Redactor {
    /// One that knows no secret yet. Patterns are redacted from the start.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Remembers a secret for the life of the redactor.
    pub fn learn(&self, secret: &SecretString) {
        let new = spellings::of(secret.expose_secret());
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        if new.is_subset(&known.spellings) {
            return;
        }
        known.spellings.extend(new);
        known.search = Some(
            AhoCorasick::new(&known.spellings)
                .expect("the automaton's limit is billions of states, far above what secrets make"),
        );
    }

    /// The text without secrets.
    #[must_use]
    pub fn redact<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let found = self.find(text.as_bytes());
        if found.is_empty() {
            return Cow::Borrowed(text);
        }
        let clean = replace(text.as_bytes(), &found);
        Cow::Owned(String::from_utf8_lossy(&clean).into_owned())
    }

    /// Where secrets stand: in order, apart from each other.
    fn find(&self, text: &[u8]) -> Vec<Range<usize>> {
        let mut found: Vec<Range<usize>> = patterns::find(text).collect();
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(search) = &known.search {
            found.extend(search.find_overlapping_iter(text).map(|hit| hit.range()));
        }
        merge(found)
    }

    /// The length of the longest spelling, in bytes.
    fn longest(&self) -> usize {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        known.spellings.iter().map(String::len).max().unwrap_or(0)
    }
}

impl fmt::Debug for Redactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redactor").finish_non_exhaustive()
    }
}

fn merge(mut ranges: Vec<Range<usize>>) -> Vec<Range<usize>> {
    ranges.sort_unstable_by_key(|range| range.start);
    let mut merged: Vec<Range<usize>> = Vec::new();
    for range in ranges {
        match merged.last_mut() {
            Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
            _ => merged.push(range),
        }
    }
    merged
}

fn replace(text: &[u8], ranges: &[Range<usize>]) -> Vec<u8> {
    let mut clean = Vec::with_capacity(text.len());
    let mut from = 0;
    for range in ranges {
        clean.extend_from_slice(&text[from..range.start]);
        clean.extend_from_slice(MARK.as_bytes());
        from = range.end;
    }
    clean.extend_from_slice(&text[from..]);
    clean
}

#[cfg(test)]
mod tests;

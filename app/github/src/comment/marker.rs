//! The hidden line by which a comment of ours is found again when its number was lost.
//!
//! `<!-- landfall:plan pull=7 repository=42 part=1 -->`: a kind and pairs, the values
//! percent-encoded so that nothing in them ends the HTML comment. A marker says what a comment is
//! for, not who wrote it: anyone can paste one, so the author is checked too.

use std::collections::BTreeMap;
use std::fmt;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

const OPEN: &str = "<!-- landfall:";
const CLOSE: &str = " -->";

/// What a value holds as it is: no `-`, of which two would be the beginning of the end.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'.').remove(b'_').remove(b'/');

/// A marker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Marker {
    kind: String,
    pairs: BTreeMap<String, String>,
}

impl Marker {
    /// A marker of a kind: lower-case letters. Other characters are left out.
    #[must_use]
    pub fn new(kind: &str) -> Self {
        Self { kind: word(kind), pairs: BTreeMap::new() }
    }

    /// Adds what the comment is about.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl fmt::Display) -> Self {
        self.pairs.insert(word(name), value.to_string());
        self
    }

    /// What it says of `name`.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.pairs.get(name).map(String::as_str)
    }

    /// Whether it is of the kind of `wanted` and says all that `wanted` says.
    #[must_use]
    pub fn covers(&self, wanted: &Self) -> bool {
        let says = |(name, value): (&String, &String)| self.pairs.get(name) == Some(value);
        self.kind == wanted.kind && wanted.pairs.iter().all(says)
    }

    /// Reads the marker that a comment begins with.
    #[must_use]
    pub fn parse(comment: &str) -> Option<Self> {
        let line = comment.lines().next()?.trim_end();
        let mut words = line.strip_prefix(OPEN)?.strip_suffix(CLOSE)?.split(' ');
        let mut marker = Self::new(words.next()?);
        for pair in words {
            let (name, value) = pair.split_once('=')?;
            let value = percent_decode_str(value).decode_utf8().ok()?;
            marker = marker.with(name, value);
        }
        Some(marker)
    }
}

impl fmt::Display for Marker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{OPEN}{}", self.kind)?;
        for (name, value) in &self.pairs {
            write!(f, " {name}={}", utf8_percent_encode(value, ENCODED))?;
        }
        f.write_str(CLOSE)
    }
}

fn word(text: &str) -> String {
    text.chars().filter(|c| c.is_ascii_lowercase() || *c == '_').collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_marker_stands_on_the_first_line_and_reads_back() {
        let marker = Marker::new("plan").with("repository", 42).with("pull", 7).with("part", 1);
        assert_eq!(marker.to_string(), "<!-- landfall:plan part=1 pull=7 repository=42 -->");
        assert_eq!(Marker::parse(&format!("{marker}\r\n## Plan")), Some(marker.clone()));
        assert_eq!(Marker::parse(&format!("> {marker}")), None);
        assert_eq!(Marker::parse(&format!("x\n{marker}")), None);
    }

    #[test]
    fn one_marker_covers_another_that_says_less() {
        let marker = Marker::new("plan").with("pull", 7).with("part", 2);
        assert!(marker.covers(&Marker::new("plan").with("pull", 7)));
        assert!(!marker.covers(&Marker::new("plan").with("pull", 70)));
        assert!(!marker.covers(&Marker::new("run").with("pull", 7)));
        assert!(!marker.covers(&Marker::new("plan").with("repository", 1)));
    }

    proptest! {
        #[test]
        fn no_value_ends_the_comment_or_is_changed(value in ".*") {
            let marker = Marker::new("plan").with("environment", &value);
            let text = marker.to_string();
            prop_assert_eq!(text.find("--"), Some(2));
            prop_assert_eq!(text.rfind("--"), Some(text.len() - 3));
            prop_assert_eq!(text.matches("--").count(), 2);
            prop_assert_eq!(text.lines().count(), 1);
            prop_assert_eq!(Marker::parse(&text), Some(marker));
        }

        #[test]
        fn no_comment_makes_reading_panic(comment in "(<!-- landfall:)?.*( -->)?") {
            let _ = Marker::parse(&comment);
        }
    }
}

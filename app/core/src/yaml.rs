//! YAML as a tree in which every value knows its file and place.
//!
//! [`parse`] to it, insert variables, merge, then [`decode`]: spans survive all of it, so that an
//! error found last is still shown at the line that a person wrote. Nothing here knows what the
//! files mean.

mod de;
mod error;
mod number;
mod parse;
mod shape;
mod spanned;
mod suggest;

pub use de::decode;
pub use parse::{MAX_BYTES, MAX_DEPTH, MAX_NODES, parse};
pub use shape::{Either, Entries, OneOrMany};
pub use spanned::Spanned;
pub use suggest::{did_you_mean, nearest};

use crate::diagnostic::Span;

/// The names by which our own types ask our own `Deserializer` for more than serde's data model has.
pub(crate) mod ask {
    /// The value and its place, as a sequence: see `Spanned`.
    pub(crate) const SPANNED: &str = "landfall::Spanned";
    /// A list as a sequence, anything else as itself: see `OneOrMany`.
    pub(crate) const ONE_OR_MANY: &str = "landfall::OneOrMany";
    /// A scalar as a newtype, anything else as `Some`: see `Either`.
    pub(crate) const EITHER: &str = "landfall::Either";
    /// A mapping whose keys differ once they are read: see `Entries`.
    pub(crate) const ENTRIES: &str = "landfall::Entries";
    /// A reference to a secret: a wrong one has a code of its own, and is never repeated.
    pub(crate) const SECRET: &str = "landfall::SecretRef";
}

/// A value with its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// What it is.
    pub value: NodeValue,
    /// Where it was written.
    pub span: Span,
}

/// The shapes of a value. Scalars keep their text: `1.10` is a number only to who asks for one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NodeValue {
    /// `null`, `~`, or nothing.
    Null,
    /// A scalar; `plain` is false when it was quoted or a block, and then it is always a text.
    Scalar {
        /// The text without quotes.
        text: String,
        /// Whether it was written without quotes.
        plain: bool,
    },
    /// A sequence.
    List(Vec<Node>),
    /// A mapping, in the order written, keys unique.
    Map(Vec<(Key, Node)>),
}

/// A key with its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// The key's text.
    pub text: String,
    /// Where it was written.
    pub span: Span,
}

impl Node {
    /// The entries of a mapping; none of anything else.
    #[must_use]
    pub fn entries(&self) -> &[(Key, Node)] {
        match &self.value {
            NodeValue::Map(entries) => entries,
            _ => &[],
        }
    }

    /// The value under `key`, if this is a mapping that has it.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.entry(key).map(|(_, node)| node)
    }

    /// The key and the value under `key`, if this is a mapping that has it.
    #[must_use]
    pub fn entry(&self, key: &str) -> Option<&(Key, Node)> {
        self.entries().iter().find(|(k, _)| k.text == key)
    }

    /// Whether it is `null`.
    #[must_use]
    pub fn is_null(&self) -> bool {
        self.value == NodeValue::Null
    }

    /// What it is, in words fit for a message.
    #[must_use]
    pub fn describe(&self) -> &'static str {
        match &self.value {
            NodeValue::Null => "nothing",
            NodeValue::Scalar { .. } => "a single value",
            NodeValue::List(_) => "a list",
            NodeValue::Map(_) => "a mapping",
        }
    }
}

//! YAML as a tree in which every value knows its file and place.
//!
//! Parse to it, insert variables, merge, then decode: spans survive all of it, so that an error
//! found last is still shown at the line that a person wrote.

use crate::diagnostic::Span;

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

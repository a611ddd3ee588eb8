//! What serde says went wrong, in YAML words and with a place.

use std::fmt;

use serde::de;

use super::suggest::did_you_mean;
use crate::diagnostic::{Diagnostic, Span};

/// An error on its way up. The innermost deserializer that sees it gives it its place.
#[derive(Debug)]
pub(super) struct DecodeError(Box<Inner>);

#[derive(Debug)]
struct Inner {
    code: &'static str,
    message: String,
    help: Option<String>,
    span: Option<Span>,
}

impl DecodeError {
    pub(super) fn new(code: &'static str, message: impl Into<String>) -> Self {
        let inner = Inner { code, message: message.into(), help: None, span: None };
        Self(Box::new(inner))
    }

    /// `expected` and `found` are words with their articles.
    pub(super) fn wrong_type(expected: &str, found: &str) -> Self {
        Self::new("wrong-type", format!("expected {expected}, found {found}"))
    }

    pub(super) fn help(mut self, help: Option<String>) -> Self {
        self.0.help = help;
        self
    }

    /// Gives it a place unless it has one.
    pub(super) fn at(mut self, span: &Span) -> Self {
        self.0.span.get_or_insert_with(|| span.clone());
        self
    }

    /// Replaces a general code by the one of the type that was asked for.
    pub(super) fn coded(mut self, code: &'static str) -> Self {
        self.0.code = code;
        self
    }

    /// Whether no deserializer has placed it: then it is the visitor's own.
    pub(super) fn is_unplaced(&self) -> bool {
        self.0.span.is_none()
    }

    /// `top` is the place of what was decoded, for an error that never passed a deserializer.
    pub(super) fn into_diagnostic(self, top: &Span) -> Diagnostic {
        let Inner { code, message, help, span } = *self.0;
        let mut diagnostic = Diagnostic::error(code, span.unwrap_or_else(|| top.clone()), message);
        diagnostic.help = help;
        diagnostic
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl std::error::Error for DecodeError {}

impl de::Error for DecodeError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::new("invalid-value", message.to_string())
    }

    fn invalid_type(found: de::Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        Self::wrong_type(&in_words(&expected.to_string()), found_in_words(&found))
    }

    fn invalid_value(found: de::Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        let expected = in_words(&expected.to_string());
        Self::new("invalid-value", format!("expected {expected}, found {}", value_in_words(&found)))
    }

    fn invalid_length(length: usize, expected: &dyn de::Expected) -> Self {
        let expected = in_words(&expected.to_string());
        Self::new("invalid-value", format!("expected {expected}, found {length} entries"))
    }

    fn unknown_field(key: &str, known: &'static [&'static str]) -> Self {
        let shown: String = key.chars().take(80).collect();
        let help = did_you_mean(key, known.iter().copied());
        Self::new("unknown-key", format!("the key `{shown}` is not known here")).help(help)
    }

    fn unknown_variant(value: &str, known: &'static [&'static str]) -> Self {
        let shown: String = value.chars().take(80).collect();
        let help = did_you_mean(value, known.iter().copied());
        Self::new("unknown-value", format!("`{shown}` is not known here")).help(help)
    }

    fn missing_field(key: &'static str) -> Self {
        Self::new("missing-key", format!("the key `{key}` is missing"))
    }

    fn duplicate_field(key: &'static str) -> Self {
        Self::new("duplicate-key", format!("the key `{key}` stands here twice"))
    }
}

/// What a visitor expects says it in Rust's words.
fn in_words(expected: &str) -> String {
    let words = match expected {
        "u8" => "a whole number from 0 to 255",
        "u16" => "a whole number from 0 to 65535",
        "u32" | "u64" | "usize" => "a whole number, not negative",
        "i8" | "i16" | "i32" | "i64" => "a whole number",
        "f32" | "f64" => "a number",
        "a string" | "string" | "str" => "a text",
        "a map" => "a mapping",
        "a sequence" => "a list",
        "a boolean" => "`true` or `false`",
        other if other.starts_with("struct ") => "a mapping",
        other => return other.to_owned(),
    };
    words.to_owned()
}

/// Texts are not repeated: what stands in the wrong place may be a secret.
fn found_in_words(found: &de::Unexpected<'_>) -> &'static str {
    match found {
        de::Unexpected::Bool(_) => "`true` or `false`",
        de::Unexpected::Unsigned(_) | de::Unexpected::Signed(_) | de::Unexpected::Float(_) => {
            "a number"
        }
        de::Unexpected::Seq => "a list",
        de::Unexpected::Map => "a mapping",
        de::Unexpected::Unit | de::Unexpected::Option => "nothing",
        _ => "a text",
    }
}

fn value_in_words(found: &de::Unexpected<'_>) -> String {
    match found {
        de::Unexpected::Unsigned(number) => format!("{number}"),
        de::Unexpected::Signed(number) => format!("{number}"),
        other => found_in_words(other).to_owned(),
    }
}

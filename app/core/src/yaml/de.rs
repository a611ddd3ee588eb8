//! Our own serde `Deserializer` over [`Node`]: scalars become what the type asks for, and every
//! error has the place of the innermost value.
//!
//! `1.10` is a text to who asks for a `String` and a number to who asks for one; a quoted scalar is
//! always a text. Unknown keys of a struct are errors without `deny_unknown_fields`. In a map or a
//! list every entry that fails is reported, in a struct the first. Types that serde buffers
//! (`untagged`, `flatten`, `tag = ".."`) lose the places inside them: use [`super::Either`].

mod access;

use std::cell::RefCell;

use serde::de::{self, DeserializeOwned, IntoDeserializer, Visitor};

use super::error::DecodeError;
use super::{Key, Node, NodeValue, ask, number};
use crate::diagnostic::{Diagnostic, Span};
use access::{Entries, Items, Placed};

/// Decodes a tree to the type that a kind or a file has.
///
/// # Errors
/// What is wrong with it, each with its place.
pub fn decode<T: DeserializeOwned>(node: &Node) -> Result<T, Vec<Diagnostic>> {
    let findings = RefCell::new(Vec::new());
    let result = T::deserialize(Decoder::of(node, &findings));
    let mut findings: Vec<DecodeError> = findings.into_inner();
    let value = result.map_err(|error| findings.push(error)).ok();
    match value {
        Some(value) if findings.is_empty() => Ok(value),
        _ => Err(findings.into_iter().map(|error| error.into_diagnostic(&node.span)).collect()),
    }
}

/// Where errors go that do not end the decoding.
type Findings = RefCell<Vec<DecodeError>>;

/// What a decoder stands on: the value of a node, or a key.
#[derive(Clone, Copy)]
enum View<'n> {
    Null,
    Scalar { text: &'n str, plain: bool },
    List(&'n [Node]),
    Map(&'n [(Key, Node)]),
}

impl View<'_> {
    fn describe(self) -> &'static str {
        match self {
            Self::Null => "nothing",
            Self::Scalar { plain: false, .. } => "a quoted text",
            Self::Scalar { text, .. } if number::truth(text).is_some() => "`true` or `false`",
            Self::Scalar { text, .. } if number::float(text).is_some() => "a number",
            Self::Scalar { .. } => "a text",
            Self::List(_) => "a list",
            Self::Map(_) => "a mapping",
        }
    }
}

#[derive(Clone, Copy)]
struct Decoder<'n> {
    view: View<'n>,
    span: &'n Span,
    findings: &'n Findings,
}

impl<'n> Decoder<'n> {
    fn of(node: &'n Node, findings: &'n Findings) -> Self {
        let view = match &node.value {
            NodeValue::Null => View::Null,
            NodeValue::Scalar { text, plain } => View::Scalar { text, plain: *plain },
            NodeValue::List(items) => View::List(items),
            NodeValue::Map(entries) => View::Map(entries),
        };
        Self { view, span: &node.span, findings }
    }

    fn of_key(key: &'n Key, findings: &'n Findings) -> Self {
        Self { view: View::Scalar { text: &key.text, plain: true }, span: &key.span, findings }
    }

    fn wrong(self, expected: &str) -> DecodeError {
        DecodeError::wrong_type(expected, self.view.describe()).at(self.span)
    }

    fn plain(self) -> Option<&'n str> {
        match self.view {
            View::Scalar { text, plain: true } => Some(text),
            _ => None,
        }
    }

    /// A whole number within the bounds of the type that asks.
    fn whole(self, least: i128, most: i128) -> Result<i128, DecodeError> {
        let expected = || match (least, most) {
            (0, most) if most < i128::from(u32::MAX) => format!("a whole number from 0 to {most}"),
            (0, _) => "a whole number, not negative".to_owned(),
            _ => "a whole number".to_owned(),
        };
        let number = self.plain().and_then(number::whole).ok_or_else(|| self.wrong(&expected()))?;
        if (least..=most).contains(&number) {
            return Ok(number);
        }
        let message = format!("expected {}, found {number}", expected());
        Err(DecodeError::new("invalid-value", message).at(self.span))
    }

    fn list<V: Visitor<'n>>(self, items: &'n [Node], visitor: V) -> Result<V::Value, DecodeError> {
        visitor.visit_seq(Items { items: items.iter(), findings: self.findings })
    }

    fn map<V: Visitor<'n>>(
        self,
        entries: &'n [(Key, Node)],
        known: Option<&'static [&'static str]>,
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        let entries = entries.iter();
        visitor.visit_map(Entries { entries, value: None, known, findings: self.findings })
    }

    /// A mapping whose visitor refuses a key that it has had; that error is put at the key.
    fn distinct<V: Visitor<'n>>(
        self,
        entries: &'n [(Key, Node)],
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        let mut access =
            Entries { entries: entries.iter(), value: None, known: None, findings: self.findings };
        visitor.visit_map(&mut access).map_err(|error| {
            let read = entries.len() - access.entries.len();
            match entries.get(read.saturating_sub(1)) {
                Some((key, _)) if error.is_unplaced() => error.coded("duplicate-key").at(&key.span),
                _ => error,
            }
        })
    }

    fn any<V: Visitor<'n>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        match self.view {
            View::Null => visitor.visit_unit(),
            View::Scalar { text, plain: true } => scalar(text, visitor),
            View::Scalar { text, plain: false } => visitor.visit_borrowed_str(text),
            View::List(items) => self.list(items, visitor),
            View::Map(entries) => self.map(entries, None, visitor),
        }
    }
}

/// A plain scalar to who does not say what it wants.
fn scalar<'n, V: Visitor<'n>>(text: &'n str, visitor: V) -> Result<V::Value, DecodeError> {
    if let Some(truth) = number::truth(text) {
        return visitor.visit_bool(truth);
    }
    if let Some(whole) = number::whole(text) {
        if let Ok(number) = u64::try_from(whole) {
            return visitor.visit_u64(number);
        }
        if let Ok(number) = i64::try_from(whole) {
            return visitor.visit_i64(number);
        }
    }
    match number::float(text) {
        Some(number) => visitor.visit_f64(number),
        None => visitor.visit_borrowed_str(text),
    }
}

/// One method per integer type.
macro_rules! whole {
    ($($method:ident $visit:ident $type:ty),*) => {$(
        fn $method<V: Visitor<'n>>(self, visitor: V) -> Result<V::Value, DecodeError> {
            let number = self.whole(i128::from(<$type>::MIN), i128::from(<$type>::MAX))?;
            let number = <$type>::try_from(number).map_err(|_| self.wrong("a whole number"))?;
            visitor.$visit(number).map_err(|error: DecodeError| error.at(self.span))
        }
    )*};
}

impl<'n> de::Deserializer<'n> for Decoder<'n> {
    type Error = DecodeError;

    whole!(deserialize_u8 visit_u8 u8, deserialize_u16 visit_u16 u16, deserialize_u32 visit_u32 u32,
        deserialize_u64 visit_u64 u64, deserialize_i8 visit_i8 i8, deserialize_i16 visit_i16 i16,
        deserialize_i32 visit_i32 i32, deserialize_i64 visit_i64 i64);

    fn deserialize_any<V: Visitor<'n>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        self.any(visitor).map_err(|error| error.at(self.span))
    }

    fn deserialize_bool<V: Visitor<'n>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        match self.plain().and_then(number::truth) {
            Some(truth) => {
                visitor.visit_bool(truth).map_err(|error: DecodeError| error.at(self.span))
            }
            None => Err(self.wrong("`true` or `false`")),
        }
    }

    fn deserialize_f32<V: Visitor<'n>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        self.deserialize_f64(visitor)
    }

    fn deserialize_f64<V: Visitor<'n>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        match self.plain().and_then(number::float) {
            Some(number) => {
                visitor.visit_f64(number).map_err(|error: DecodeError| error.at(self.span))
            }
            None => Err(self.wrong("a number")),
        }
    }

    fn deserialize_str<V: Visitor<'n>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        match self.view {
            View::Scalar { text, .. } => {
                visitor.visit_borrowed_str(text).map_err(|error: DecodeError| error.at(self.span))
            }
            _ => Err(self.wrong("a text")),
        }
    }

    fn deserialize_string<V: Visitor<'n>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        self.deserialize_str(visitor)
    }

    fn deserialize_char<V: Visitor<'n>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        self.deserialize_str(visitor)
    }

    fn deserialize_identifier<V: Visitor<'n>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        self.deserialize_str(visitor)
    }

    fn deserialize_option<V: Visitor<'n>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        match self.view {
            View::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_unit<V: Visitor<'n>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        match self.view {
            View::Null => visitor.visit_unit(),
            _ => Err(self.wrong("nothing")),
        }
    }

    fn deserialize_seq<V: Visitor<'n>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        match self.view {
            View::List(items) => self.list(items, visitor).map_err(|error| error.at(self.span)),
            _ => Err(self.wrong("a list")),
        }
    }

    fn deserialize_tuple<V: Visitor<'n>>(
        self,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_map<V: Visitor<'n>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        match self.view {
            View::Map(entries) => {
                self.map(entries, None, visitor).map_err(|error| error.at(self.span))
            }
            _ => Err(self.wrong("a mapping")),
        }
    }

    fn deserialize_struct<V: Visitor<'n>>(
        self,
        _: &'static str,
        known: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        match self.view {
            View::Map(entries) => {
                self.map(entries, Some(known), visitor).map_err(|error| error.at(self.span))
            }
            _ => Err(self.wrong("a mapping")),
        }
    }

    fn deserialize_enum<V: Visitor<'n>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        let result = match self.view {
            View::Scalar { text, .. } => visitor.visit_enum(text.into_deserializer()),
            View::Map(entries @ [_]) => {
                let entries = Entries {
                    entries: entries.iter(),
                    value: None,
                    known: None,
                    findings: self.findings,
                };
                visitor.visit_enum(de::value::MapAccessDeserializer::new(entries))
            }
            _ => Err(self.wrong("one word, or a mapping with one key")),
        };
        result.map_err(|error: DecodeError| error.at(self.span))
    }

    fn deserialize_newtype_struct<V: Visitor<'n>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        match (name, self.view) {
            (ask::SPANNED, _) => visitor.visit_seq(Placed { decoder: self, next: 0 }),
            (ask::ONE_OR_MANY, View::List(items)) => self.list(items, visitor),
            (ask::ENTRIES, View::Map(entries)) => self.distinct(entries, visitor),
            (ask::ENTRIES, _) => Err(self.wrong("a mapping")),
            (ask::EITHER, View::List(_) | View::Map(_)) => visitor.visit_some(self),
            (ask::SECRET, _) => {
                visitor.visit_newtype_struct(self).map_err(|error| error.coded("literal-secret"))
            }
            _ => visitor.visit_newtype_struct(self),
        }
        .map_err(|error: DecodeError| error.at(self.span))
    }

    fn deserialize_ignored_any<V: Visitor<'n>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        visitor.visit_unit()
    }

    serde::forward_to_deserialize_any! { <V: Visitor<'n>> bytes byte_buf unit_struct tuple_struct }
}

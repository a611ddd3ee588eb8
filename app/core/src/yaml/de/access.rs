//! What a visitor walks: the items of a list, the entries of a mapping, a value behind its place.

use serde::Deserialize;
use serde::de::{self, DeserializeSeed, IntoDeserializer, MapAccess, SeqAccess};

use super::super::error::DecodeError;
use super::super::{Key, Node};
use super::{Decoder, Findings};
use crate::diagnostic::Span;

/// The entries of a list.
pub(super) struct Items<'n> {
    pub(super) items: std::slice::Iter<'n, Node>,
    pub(super) findings: &'n Findings,
}

impl<'n> SeqAccess<'n> for Items<'n> {
    type Error = DecodeError;

    fn next_element_seed<T: DeserializeSeed<'n>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, DecodeError> {
        let next = self.items.next();
        let read = |node| {
            seed.deserialize(Decoder::of(node, self.findings)).map_err(|error| error.at(&node.span))
        };
        next.map(read).transpose()
    }

    /// Notes an item that fails and goes on with the next.
    fn next_element<T: Deserialize<'n>>(&mut self) -> Result<Option<T>, DecodeError> {
        for node in self.items.by_ref() {
            match T::deserialize(Decoder::of(node, self.findings)) {
                Ok(value) => return Ok(Some(value)),
                Err(error) => self.findings.borrow_mut().push(error.at(&node.span)),
            }
        }
        Ok(None)
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.items.len())
    }
}

/// The entries of a mapping. For a struct `known` are its keys, and others are noted and skipped.
pub(super) struct Entries<'n> {
    pub(super) entries: std::slice::Iter<'n, (Key, Node)>,
    pub(super) value: Option<&'n Node>,
    pub(super) known: Option<&'static [&'static str]>,
    pub(super) findings: &'n Findings,
}

impl<'n> Entries<'n> {
    fn next(&mut self) -> Option<&'n (Key, Node)> {
        loop {
            let entry = self.entries.next()?;
            match self.known {
                Some(known) if !known.contains(&entry.0.text.as_str()) => {
                    let error = <DecodeError as de::Error>::unknown_field(&entry.0.text, known);
                    self.findings.borrow_mut().push(error.at(&entry.0.span));
                }
                _ => return Some(entry),
            }
        }
    }
}

impl<'n> MapAccess<'n> for Entries<'n> {
    type Error = DecodeError;

    fn next_key_seed<K: DeserializeSeed<'n>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, DecodeError> {
        let Some((key, value)) = self.next() else { return Ok(None) };
        self.value = Some(value);
        seed.deserialize(Decoder::of_key(key, self.findings)).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'n>>(
        &mut self,
        seed: V,
    ) -> Result<V::Value, DecodeError> {
        let value = self
            .value
            .take()
            .ok_or_else(|| DecodeError::new("invalid-value", "a value without a key"))?;
        // Where a type checks after reading (`try_from`), only who called it knows the place.
        seed.deserialize(Decoder::of(value, self.findings)).map_err(|error| error.at(&value.span))
    }

    /// Notes an entry that fails and goes on with the next.
    fn next_entry<K: Deserialize<'n>, V: Deserialize<'n>>(
        &mut self,
    ) -> Result<Option<(K, V)>, DecodeError> {
        while let Some((key, value)) = self.next() {
            let k = K::deserialize(Decoder::of_key(key, self.findings))
                .map_err(|error| error.at(&key.span));
            let v = V::deserialize(Decoder::of(value, self.findings))
                .map_err(|error| error.at(&value.span));
            match (k, v) {
                (Ok(key), Ok(value)) => return Ok(Some((key, value))),
                (k, v) => self.findings.borrow_mut().extend(k.err().into_iter().chain(v.err())),
            }
        }
        Ok(None)
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.entries.len())
    }
}

/// A value behind its place: file, four numbers, then the value. `Spanned` reads it.
pub(super) struct Placed<'n> {
    pub(super) decoder: Decoder<'n>,
    pub(super) next: u8,
}

impl<'n> SeqAccess<'n> for Placed<'n> {
    type Error = DecodeError;

    fn next_element_seed<T: DeserializeSeed<'n>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, DecodeError> {
        let Span { file, start, end } = self.decoder.span;
        let at = self.next;
        self.next += 1;
        match at {
            0 => seed.deserialize(file.as_ref().into_deserializer()),
            1 => seed.deserialize(start.line.into_deserializer()),
            2 => seed.deserialize(start.column.into_deserializer()),
            3 => seed.deserialize(end.line.into_deserializer()),
            4 => seed.deserialize(end.column.into_deserializer()),
            5 => seed.deserialize(self.decoder),
            _ => return Ok(None),
        }
        .map(Some)
    }
}

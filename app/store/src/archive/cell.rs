//! A value of a row: what both engines have in common.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value;

use super::ArchiveError;

/// How the values of a column are written. Truth is a number, 0 or 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Form {
    /// A number of 64 bits.
    Whole,
    /// Text.
    Text,
    /// Bytes, in base64.
    Bytes,
}

/// A value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Cell {
    Null,
    Whole(i64),
    Text(String),
    Bytes(Vec<u8>),
}

impl Serialize for Cell {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_none(),
            Self::Whole(number) => serializer.serialize_i64(*number),
            Self::Text(text) => serializer.serialize_str(text),
            Self::Bytes(bytes) => serializer.serialize_str(&STANDARD.encode(bytes)),
        }
    }
}

impl Cell {
    /// Reads back what was written for a column of this form.
    pub(super) fn read(value: Value, form: Form) -> Result<Self, ArchiveError> {
        let other = || ArchiveError::Damaged("a value does not fit its column".to_owned());
        Ok(match (value, form) {
            (Value::Null, _) => Self::Null,
            (Value::Number(number), Form::Whole) => Self::Whole(number.as_i64().ok_or_else(other)?),
            (Value::String(text), Form::Text) => Self::Text(text),
            (Value::String(text), Form::Bytes) => {
                Self::Bytes(STANDARD.decode(text).map_err(|_| other())?)
            }
            _ => return Err(other()),
        })
    }

    /// How much memory it takes, about.
    pub(super) fn size(&self) -> usize {
        match self {
            Self::Null | Self::Whole(_) => size_of::<Self>(),
            Self::Text(text) => size_of::<Self>() + text.len(),
            Self::Bytes(bytes) => size_of::<Self>() + bytes.len(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_reads_back_as_written() {
        for (cell, form) in [
            (Cell::Null, Form::Text),
            (Cell::Whole(i64::MIN), Form::Whole),
            (Cell::Whole(i64::MAX), Form::Whole),
            (Cell::Text("\0 \u{1f600}\n\"".to_owned()), Form::Text),
            (Cell::Bytes(vec![0, 255, 10]), Form::Bytes),
        ] {
            let written = serde_json::to_value(&cell).unwrap();
            assert_eq!(Cell::read(written, form).unwrap(), cell);
        }
        assert!(Cell::read(Value::Bool(true), Form::Whole).is_err());
    }
}

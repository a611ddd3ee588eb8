//! Columns to types and back, the same for every engine. A value that does not read back is an
//! error that names the column.

use std::fmt::Display;
use std::str::FromStr;

use jiff::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{Result, StoreError};

/// Reads typed values from a row by the column's name. An engine says how it reads numbers, text,
/// bytes and truth; the rest follows. The forms in `maybe_` read null as none.
pub(crate) trait Columns {
    fn maybe_whole(&self, column: &'static str) -> Result<Option<i64>>;
    fn maybe_str(&self, column: &'static str) -> Result<Option<&str>>;
    fn bytes(&self, column: &'static str) -> Result<Vec<u8>>;
    fn flag(&self, column: &'static str) -> Result<bool>;

    fn whole(&self, column: &'static str) -> Result<i64> {
        self.maybe_whole(column)?.ok_or_else(|| unreadable(column, "null"))
    }

    /// A number that is small by its nature: a place, an attempt, a priority.
    fn small<T: TryFrom<i64, Error: Display>>(&self, column: &'static str) -> Result<T> {
        self.whole(column)?.try_into().map_err(|error| unreadable(column, error))
    }

    fn str(&self, column: &'static str) -> Result<&str> {
        self.maybe_str(column)?.ok_or_else(|| unreadable(column, "null"))
    }

    fn maybe_text<T: FromStr<Err: Display>>(&self, column: &'static str) -> Result<Option<T>> {
        let text = self.maybe_str(column)?;
        text.map(|text| text.parse().map_err(|error| unreadable(column, error))).transpose()
    }

    fn text<T: FromStr<Err: Display>>(&self, column: &'static str) -> Result<T> {
        self.maybe_text(column)?.ok_or_else(|| unreadable(column, "null"))
    }

    fn maybe_json<T: DeserializeOwned>(&self, column: &'static str) -> Result<Option<T>> {
        let text = self.maybe_str(column)?;
        text.map(|text| serde_json::from_str(text).map_err(|error| unreadable(column, error)))
            .transpose()
    }

    fn json<T: DeserializeOwned>(&self, column: &'static str) -> Result<T> {
        self.maybe_json(column)?.ok_or_else(|| unreadable(column, "null"))
    }

    fn maybe_at(&self, column: &'static str) -> Result<Option<Timestamp>> {
        let millis = self.maybe_whole(column)?;
        millis.map(|millis| timestamp(column, millis)).transpose()
    }

    fn at(&self, column: &'static str) -> Result<Timestamp> {
        timestamp(column, self.whole(column)?)
    }

    /// One of GitHub's numbers.
    fn maybe_number(&self, column: &'static str) -> Result<Option<u64>> {
        Ok(self.maybe_whole(column)?.map(i64::cast_unsigned))
    }

    /// One of GitHub's numbers.
    fn number(&self, column: &'static str) -> Result<u64> {
        Ok(self.whole(column)?.cast_unsigned())
    }
}

/// The time behind stored milliseconds.
pub(crate) fn timestamp(column: &'static str, millis: i64) -> Result<Timestamp> {
    Timestamp::from_millisecond(millis).map_err(|error| unreadable(column, error))
}

/// A value as JSON text.
pub(crate) fn json<T: Serialize + ?Sized>(value: &T) -> String {
    serde_json::to_string(value).expect("what is stored has only text as keys")
}

/// Values in their written form.
pub(crate) fn words<T: Display>(values: impl IntoIterator<Item = T>) -> Vec<String> {
    values.into_iter().map(|value| value.to_string()).collect()
}

pub(crate) fn unreadable(column: &'static str, reason: impl Display) -> StoreError {
    StoreError::Unreadable { column, reason: reason.to_string() }
}

//! Columns to types and back. A value that does not read back is an error that names the column.

use std::fmt::Display;
use std::str::FromStr;

use jiff::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;
use sqlx::sqlite::SqliteRow;
use sqlx::{Decode, Row, Sqlite, Type};

use crate::{Result, StoreError};

/// Reads typed values from a row by the column's name. The forms in `maybe_` read null as none.
pub(super) trait Columns {
    /// What the database itself knows: numbers, bytes, text.
    fn plain<'r, T: Decode<'r, Sqlite> + Type<Sqlite>>(&'r self, column: &'static str)
    -> Result<T>;

    fn maybe_text<T: FromStr<Err: Display>>(&self, column: &'static str) -> Result<Option<T>> {
        let text: Option<&str> = self.plain(column)?;
        text.map(|text| text.parse().map_err(|error| unreadable(column, error))).transpose()
    }

    fn text<T: FromStr<Err: Display>>(&self, column: &'static str) -> Result<T> {
        self.maybe_text(column)?.ok_or_else(|| unreadable(column, "null"))
    }

    fn maybe_json<T: DeserializeOwned>(&self, column: &'static str) -> Result<Option<T>> {
        let text: Option<&str> = self.plain(column)?;
        text.map(|text| serde_json::from_str(text).map_err(|error| unreadable(column, error)))
            .transpose()
    }

    fn json<T: DeserializeOwned>(&self, column: &'static str) -> Result<T> {
        self.maybe_json(column)?.ok_or_else(|| unreadable(column, "null"))
    }

    fn maybe_at(&self, column: &'static str) -> Result<Option<Timestamp>> {
        let millis: Option<i64> = self.plain(column)?;
        millis.map(|millis| timestamp(column, millis)).transpose()
    }

    fn at(&self, column: &'static str) -> Result<Timestamp> {
        timestamp(column, self.plain(column)?)
    }

    /// One of GitHub's numbers.
    fn maybe_number(&self, column: &'static str) -> Result<Option<u64>> {
        let number: Option<i64> = self.plain(column)?;
        Ok(number.map(i64::cast_unsigned))
    }

    /// One of GitHub's numbers.
    fn number(&self, column: &'static str) -> Result<u64> {
        Ok(self.plain::<i64>(column)?.cast_unsigned())
    }
}

impl Columns for SqliteRow {
    fn plain<'r, T: Decode<'r, Sqlite> + Type<Sqlite>>(
        &'r self,
        column: &'static str,
    ) -> Result<T> {
        self.try_get(column).map_err(|error| unreadable(column, error))
    }
}

/// The time behind stored milliseconds.
pub(super) fn timestamp(column: &'static str, millis: i64) -> Result<Timestamp> {
    Timestamp::from_millisecond(millis).map_err(|error| unreadable(column, error))
}

/// A value as JSON text.
pub(super) fn json<T: Serialize + ?Sized>(value: &T) -> String {
    serde_json::to_string(value).expect("what is stored has only text as keys")
}

/// A list as JSON text, each element in its written form: for `in (select value from json_each(?))`.
pub(super) fn json_words<T: Display>(values: impl IntoIterator<Item = T>) -> String {
    let words: Vec<String> = values.into_iter().map(|value| value.to_string()).collect();
    json(&words)
}

pub(super) fn unreadable(column: &'static str, reason: impl Display) -> StoreError {
    StoreError::Unreadable { column, reason: reason.to_string() }
}

//! How SQLite's rows are read.

use std::fmt::Display;

use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use crate::Result;
use crate::columns::{Columns, json, unreadable, words};

impl Columns for SqliteRow {
    fn maybe_whole(&self, column: &'static str) -> Result<Option<i64>> {
        self.try_get(column).map_err(|error| unreadable(column, error))
    }

    fn maybe_str(&self, column: &'static str) -> Result<Option<&str>> {
        self.try_get(column).map_err(|error| unreadable(column, error))
    }

    fn bytes(&self, column: &'static str) -> Result<Vec<u8>> {
        self.try_get(column).map_err(|error| unreadable(column, error))
    }

    fn flag(&self, column: &'static str) -> Result<bool> {
        self.try_get(column).map_err(|error| unreadable(column, error))
    }
}

/// A list as JSON text, each element in its written form: for `in (select value from json_each(?))`.
pub(super) fn json_words<T: Display>(values: impl IntoIterator<Item = T>) -> String {
    json(&words(values))
}

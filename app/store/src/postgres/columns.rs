//! How PostgreSQL's rows are read, and what its text cannot hold.

use std::borrow::Cow;

use sqlx::Row as _;
use sqlx::postgres::PgRow;

use crate::Result;
use crate::columns::{Columns, unreadable};

impl Columns for PgRow {
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

/// Text that somebody else wrote: a provider's message, a line of a comment. PostgreSQL's text holds
/// every character but NUL, and refuses the whole row for one.
pub(super) fn without_nul(text: &str) -> Cow<'_, str> {
    match text.contains('\0') {
        true => Cow::Owned(text.replace('\0', "\u{fffd}")),
        false => Cow::Borrowed(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_nul_is_replaced() {
        assert_eq!(without_nul("zone\0a"), "zone\u{fffd}a");
        assert!(matches!(without_nul("tab\tand \u{1f600}"), Cow::Borrowed(_)));
    }
}

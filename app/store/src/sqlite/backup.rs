//! Reading all of a file at one moment, for a backup.

use std::path::Path;
use std::str::FromStr as _;

use async_trait::async_trait;
use futures::StreamExt as _;
use futures::stream::BoxStream;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteRow};
use sqlx::{AssertSqlSafe, Connection as _, Row as _};

use super::open::BUSY;
use crate::archive::{Cell, Column, Form, Snapshot, Table};
use crate::backup::check_schema;
use crate::columns::{Columns as _, unreadable};
use crate::{Result, StoreError};

/// A transaction that only reads. It sees the file as it was at its first question.
pub(crate) struct Moment {
    conn: SqliteConnection,
}

/// Begins to read the file behind `url`.
pub(crate) async fn snapshot(url: &str) -> Result<Moment> {
    let options = SqliteConnectOptions::from_str(url).map_err(|_| StoreError::Address)?;
    let path = options.get_filename();
    // One in memory is its owner's alone.
    if !Path::new(path).exists() {
        return Err(StoreError::Missing(format!("store at {}", path.display())));
    }
    let options = options.create_if_missing(false).busy_timeout(BUSY).pragma("query_only", "on");
    let mut conn = SqliteConnection::connect_with(&options).await?;
    sqlx::query("begin").execute(&mut conn).await?;
    let found = sqlx::query_scalar("select max(version) from _sqlx_migrations");
    check_schema(found.fetch_one(&mut conn).await?)?;
    Ok(Moment { conn })
}

/// The columns of a table, by what they are declared as.
pub(super) async fn columns(conn: &mut SqliteConnection, table: &str) -> Result<Vec<Column>> {
    let query =
        sqlx::query("select name, lower(type) as type from pragma_table_info(?) order by cid");
    let rows = query.bind(table).fetch_all(conn).await?;
    let column = |row: &SqliteRow| -> Result<Column> {
        let form = match row.str("type")? {
            "integer" => Form::Whole,
            "text" => Form::Text,
            "blob" => Form::Bytes,
            other => return Err(unreadable("type", other)),
        };
        Ok(Column { name: row.text("name")?, form })
    };
    rows.iter().map(column).collect()
}

#[async_trait]
impl Snapshot for Moment {
    async fn columns(&mut self, table: &str) -> Result<Vec<Column>> {
        columns(&mut self.conn, table).await
    }

    fn rows<'a>(&'a mut self, table: &'a Table) -> BoxStream<'a, Result<Vec<Cell>>> {
        let query = format!("select {} from \"{}\"", table.names(), table.name);
        let rows = sqlx::query(AssertSqlSafe(query)).fetch(&mut self.conn);
        rows.map(|row| cells(&row?, table)).boxed()
    }
}

fn cells(row: &SqliteRow, table: &Table) -> Result<Vec<Cell>> {
    let cell = |(at, column): (usize, &Column)| -> std::result::Result<Cell, sqlx::Error> {
        let cell = match column.form {
            Form::Whole => row.try_get::<Option<i64>, _>(at)?.map(Cell::Whole),
            Form::Text => row.try_get::<Option<String>, _>(at)?.map(Cell::Text),
            Form::Bytes => row.try_get::<Option<Vec<u8>>, _>(at)?.map(Cell::Bytes),
        };
        Ok(cell.unwrap_or(Cell::Null))
    };
    Ok(table.columns.iter().enumerate().map(cell).collect::<std::result::Result<_, _>>()?)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use crate::archive::expected_tables;
    use crate::{Store as _, SystemClock};

    #[tokio::test]
    async fn every_table_is_in_an_archive_or_left_out_on_purpose() {
        let dir = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", dir.path().join("landfall.db").display());
        let store = super::super::Sqlite::open(&url, Arc::new(SystemClock)).await.unwrap();
        let tables: Vec<String> = sqlx::query_scalar(
            "select name from sqlite_schema where type = 'table' and name not like 'sqlite_%' order by name",
        )
        .fetch_all(&store.readers)
        .await
        .unwrap();
        assert_eq!(tables, expected_tables());
        store.close().await;
    }
}

//! Reading all of a database at one moment, for a backup.

use async_trait::async_trait;
use futures::StreamExt as _;
use futures::stream::BoxStream;
use jiff::Timestamp;
use sqlx::postgres::{PgConnection, PgRow};
use sqlx::{AssertSqlSafe, Connection as _, Row as _};

use super::{open, server_time};
use crate::Result;
use crate::archive::{Cell, Column, Form, Snapshot, Table};
use crate::backup::check_schema;
use crate::columns::{Columns as _, unreadable};

/// A transaction that only reads. It sees the database as it was at its first question.
pub(crate) struct Moment {
    conn: PgConnection,
}

/// Begins to read the database behind `url`, and says what the time is there.
pub(crate) async fn snapshot(url: &str) -> Result<(Moment, Timestamp)> {
    let options = open::options(url)?.application_name("landfall backup");
    let mut conn = PgConnection::connect_with(&options).await?;
    sqlx::raw_sql(open::UNHURRIED).execute(&mut conn).await?;
    sqlx::raw_sql("begin isolation level repeatable read read only").execute(&mut conn).await?;
    let found = sqlx::query_scalar("select max(version) from _sqlx_migrations");
    check_schema(found.fetch_one(&mut conn).await?)?;
    let now = server_time(&mut conn).await?;
    Ok((Moment { conn }, now))
}

/// The columns of a table, by their types.
pub(super) async fn columns(conn: &mut PgConnection, table: &str) -> Result<Vec<Column>> {
    let query = sqlx::query(
        "select column_name::text as name, data_type::text as type from information_schema.columns
         where table_schema = current_schema() and table_name = $1 order by ordinal_position",
    );
    let rows = query.bind(table).fetch_all(conn).await?;
    let column = |row: &PgRow| -> Result<Column> {
        let form = match row.str("type")? {
            "bigint" | "boolean" => Form::Whole,
            "text" => Form::Text,
            "bytea" => Form::Bytes,
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

fn cells(row: &PgRow, table: &Table) -> Result<Vec<Cell>> {
    let cell = |(at, column): (usize, &Column)| -> std::result::Result<Cell, sqlx::Error> {
        let cell = match column.form {
            // Truth is told apart from numbers by trying.
            Form::Whole => match row.try_get::<Option<i64>, _>(at) {
                Ok(number) => number.map(Cell::Whole),
                Err(_) => {
                    row.try_get::<Option<bool>, _>(at)?.map(|truth| Cell::Whole(truth.into()))
                }
            },
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
        let url = landfall_cluster::Cluster::of_process().database();
        let store = super::super::Postgres::open(&url, Arc::new(SystemClock)).await.unwrap();
        let tables: Vec<String> = sqlx::query_scalar(
            "select tablename::text from pg_tables where schemaname = current_schema()
             order by tablename collate \"C\"",
        )
        .fetch_all(&store.pool)
        .await
        .unwrap();
        assert_eq!(tables, expected_tables());
        store.close().await;
    }
}

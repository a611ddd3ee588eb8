//! Filling a database with a backup, in one transaction.
//!
//! Every server holds a connection for as long as it runs, to hear of news, and all of them call
//! themselves `landfall`: while there is one, nothing is restored. A server that starts in the
//! meantime waits for the tables, which are locked to the end of the transaction.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use sqlx::postgres::{PgConnection, PgPoolOptions};
use sqlx::{AssertSqlSafe, QueryBuilder};
use tokio::io::AsyncRead;

use super::backup::columns;
use super::columns::without_nul;
use super::{open, server_time};
use crate::archive::{Cell, Column, Refill, TABLES, Table};
use crate::restore::refill;
use crate::{Clock, Contents, Occupied, Result, StoreError};

/// How often it is looked whether a server is connected, and how long is waited in between.
const LOOKS: u32 = 10;
const PAUSE: Duration = Duration::from_millis(100);

/// Restores into the database behind `url`.
pub(crate) async fn restore(
    url: &str,
    clock: Arc<dyn Clock>,
    occupied: Occupied,
    archive: &mut (dyn AsyncRead + Send + Unpin),
) -> Result<Contents> {
    let options = open::options(url)?.application_name("landfall restore");
    let pool = PgPoolOptions::new().max_connections(1).after_connect(|connection, _| {
        Box::pin(
            async move { sqlx::raw_sql(open::UNHURRIED).execute(connection).await.map(|_| ()) },
        )
    });
    let pool = pool.connect_with(options).await?;
    open::check_version(&pool).await?;
    open::migrate(&pool).await?;
    let mut tables = Tables { tx: pool.begin().await? };
    tables.check_unused().await?;
    tables.lock().await?;
    // One that started in between.
    tables.check_unused().await?;
    if !tables.are_empty().await? {
        match occupied {
            Occupied::Refuse => return Err(StoreError::NotEmpty),
            Occupied::Replace => tables.empty().await?,
        }
    }
    let now = clock.beside(server_time(tables.conn()).await?);
    let contents = refill(&mut tables, archive, now).await?;
    tables.raise_numbers(now).await?;
    tables.tx.commit().await?;
    pool.close().await;
    Ok(contents)
}

struct Tables {
    tx: sqlx::Transaction<'static, sqlx::Postgres>,
}

impl Tables {
    fn conn(&mut self) -> &mut PgConnection {
        &mut self.tx
    }

    async fn lock(&mut self) -> Result<()> {
        let tables = quoted();
        let lock = format!("lock table {tables} in access exclusive mode");
        sqlx::raw_sql(AssertSqlSafe(lock)).execute(self.conn()).await?;
        Ok(())
    }

    /// An error if a server is connected. One that was just stopped may be seen for a moment still.
    async fn check_unused(&mut self) -> Result<()> {
        for _ in 0..LOOKS {
            let query = sqlx::query_scalar(
                "select exists (select 1 from pg_stat_activity
                     where datname = current_database() and application_name = $1)",
            );
            let in_use: bool = query.bind(open::SERVER).fetch_one(self.conn()).await?;
            if !in_use {
                return Ok(());
            }
            // What is asked for again in one transaction is answered as it was before, unless told.
            sqlx::query("select pg_stat_clear_snapshot()").execute(self.conn()).await?;
            tokio::time::sleep(PAUSE).await;
        }
        Err(StoreError::InUse)
    }

    /// Whether nothing was ever kept in them.
    async fn are_empty(&mut self) -> Result<bool> {
        for table in TABLES {
            let query = format!("select exists (select 1 from \"{table}\")");
            if sqlx::query_scalar(AssertSqlSafe(query)).fetch_one(self.conn()).await? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Removes all rows, also those of the audit log, which refuses everybody else.
    async fn empty(&mut self) -> Result<()> {
        let tables = quoted();
        let empty = format!(
            "alter table audit disable trigger user;
             truncate {tables};
             alter table audit enable trigger user"
        );
        sqlx::raw_sql(AssertSqlSafe(empty)).execute(self.conn()).await?;
        Ok(())
    }

    /// What is counted goes on behind what was restored; new jobs and items get numbers that nobody
    /// was given before.
    async fn raise_numbers(&mut self, now: Timestamp) -> Result<()> {
        for (table, column, least) in [
            ("restore", "seq", 0),
            ("delivery", "seq", 0),
            ("job", "id", now.as_millisecond()),
            ("plan", "seq", 0),
            ("run", "seq", 0),
            ("step", "seq", 0),
            ("outbox", "id", now.as_millisecond()),
            ("audit", "seq", 0),
        ] {
            let raise = format!(
                "select setval(pg_get_serial_sequence('{table}', '{column}'),
                     greatest((select coalesce(max({column}), 0) from {table}), $1, 1))"
            );
            sqlx::query(AssertSqlSafe(raise)).bind(least).execute(self.conn()).await?;
        }
        let turns = "select setval('turn_taken', 1 + (select coalesce(max(last), 0) from turn))";
        sqlx::query(turns).execute(self.conn()).await?;
        Ok(())
    }

    /// Which columns of a table hold truth.
    async fn truths(&mut self, table: &str) -> Result<BTreeSet<String>> {
        let query = sqlx::query_scalar(
            "select column_name::text from information_schema.columns
             where table_schema = current_schema() and table_name = $1 and data_type = 'boolean'",
        );
        let names: Vec<String> = query.bind(table).fetch_all(self.conn()).await?;
        Ok(names.into_iter().collect())
    }
}

fn quoted() -> String {
    TABLES.map(|table| format!("\"{table}\"")).join(", ")
}

#[async_trait]
impl Refill for Tables {
    async fn columns(&mut self, table: &str) -> Result<Vec<Column>> {
        columns(&mut self.tx, table).await
    }

    async fn insert(&mut self, table: &Table, rows: Vec<Vec<Cell>>) -> Result<()> {
        let truths = self.truths(&table.name).await?;
        let into =
            format!("insert into \"{}\" ({}) overriding system value ", table.name, table.names());
        let mut query = QueryBuilder::new(into);
        query.push_values(rows, |mut values, row| {
            for (cell, column) in row.into_iter().zip(&table.columns) {
                match (cell, column.form) {
                    (Cell::Whole(number), _) if truths.contains(&column.name) => {
                        values.push_bind(number != 0)
                    }
                    (Cell::Whole(number), _) => values.push_bind(number),
                    (Cell::Text(text), _) => values.push_bind(without_nul(&text).into_owned()),
                    (Cell::Bytes(bytes), _) => values.push_bind(bytes),
                    (Cell::Null, _) => values.push("null"),
                };
            }
        });
        query.build().persistent(false).execute(self.conn()).await?;
        Ok(())
    }

    async fn revise(&mut self, statement: &'static str, numbers: &[i64]) -> Result<()> {
        // It is an error to give more than a statement asks for.
        let numbers = if statement.contains("$1") { numbers } else { &[] };
        let query = numbers.iter().fold(sqlx::query(statement), |query, number| query.bind(number));
        query.execute(self.conn()).await?;
        Ok(())
    }
}

//! Chores in PostgreSQL.

use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;

use super::{Postgres, after};
use crate::{Chore, Chores, Result};

#[async_trait]
impl Chores for Postgres {
    async fn begin_chore(&self, chore: Chore, lease: Duration) -> Result<bool> {
        let mut write = self.write().await?;
        let now = write.now;
        let begun = sqlx::query(
            "insert into chore (name, due) values ($1, $2)
             on conflict (name) do update set due = excluded.due where chore.due <= $3",
        )
        .bind(chore.as_str())
        .bind(after(now, lease))
        .bind(now)
        .execute(write.conn())
        .await?;
        write.commit().await?;
        Ok(begun.rows_affected() == 1)
    }

    async fn put_off_chore(&self, chore: Chore, due: Timestamp) -> Result<()> {
        let mut write = self.write().await?;
        sqlx::query("update chore set due = $1 where name = $2")
            .bind(due.as_millisecond())
            .bind(chore.as_str())
            .execute(write.conn())
            .await?;
        write.commit().await
    }
}

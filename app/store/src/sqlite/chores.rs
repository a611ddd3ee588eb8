//! Chores in SQLite.

use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;

use super::{Sqlite, after};
use crate::{Chore, Chores, Result};

#[async_trait]
impl Chores for Sqlite {
    async fn begin_chore(&self, chore: Chore, lease: Duration) -> Result<bool> {
        let mut write = self.write().await?;
        let now = write.now;
        let begun = sqlx::query(
            "insert into chore (name, due) values (?, ?)
             on conflict (name) do update set due = excluded.due where chore.due <= ?",
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
        sqlx::query("update chore set due = ? where name = ?")
            .bind(due.as_millisecond())
            .bind(chore.as_str())
            .execute(write.conn())
            .await?;
        write.commit().await
    }
}

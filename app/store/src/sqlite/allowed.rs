//! Allowed heads in SQLite.

use async_trait::async_trait;
use landfall_core::name::{PullNumber, RepositoryId};

use super::{Sqlite, audit};
use crate::rows;
use crate::{AllowedHead, AllowedHeads, AuditEntry, Fence, Result};

#[async_trait]
impl AllowedHeads for Sqlite {
    async fn allow_head(
        &self,
        fence: &Fence,
        allowed: &AllowedHead,
        entry: &AuditEntry,
    ) -> Result<()> {
        let mut write = self.write_as(fence).await?;
        let inserted = sqlx::query(
            "insert into allowed_head (repository, pull, head, base, source, idx, by, login, at)
             values (?, ?, ?, ?, ?, ?, ?, ?, ?) on conflict do nothing",
        )
        .bind(allowed.repository.0.cast_signed())
        .bind(allowed.pull.0.cast_signed())
        .bind(allowed.head.as_str())
        .bind(allowed.base.as_str())
        .bind(allowed.command.source.to_string())
        .bind(allowed.command.index)
        .bind(allowed.by.0.cast_signed())
        .bind(&allowed.login)
        .bind(allowed.at.as_millisecond())
        .execute(write.conn())
        .await?;
        if inserted.rows_affected() == 1 {
            audit::append(&mut write, entry).await?;
        }
        write.commit().await
    }

    async fn allowed_heads(
        &self,
        repository: RepositoryId,
        pull: PullNumber,
    ) -> Result<Vec<AllowedHead>> {
        let rows = sqlx::query(
            "select * from allowed_head where repository = ? and pull = ? order by at, head, base",
        )
        .bind(repository.0.cast_signed())
        .bind(pull.0.cast_signed())
        .fetch_all(&self.readers)
        .await?;
        rows.iter().map(rows::allowed_head).collect()
    }
}

//! Commands in PostgreSQL.

use async_trait::async_trait;
use jiff::Timestamp;
use landfall_core::name::{PullNumber, RepositoryId};
use sqlx::postgres::PgConnection;

use super::columns::without_nul;
use super::{Postgres, Write, audit};
use crate::rows;
use crate::{AuditEntry, Command, CommandId, Commands, Fence, Heard, Meant, NewCommand, Result};

/// Keeps a command, once.
pub(super) async fn insert(write: &mut Write, new: &NewCommand) -> Result<()> {
    let now = write.now;
    sqlx::query(
        "insert into command
             (source, idx, repository, pull, author, login, text, said, commented_at, received_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) on conflict do nothing",
    )
    .bind(new.id.source.to_string())
    .bind(i64::from(new.id.index))
    .bind(new.repository.0.cast_signed())
    .bind(new.pull.0.cast_signed())
    .bind(new.author.0.cast_signed())
    .bind(without_nul(&new.login))
    .bind(without_nul(&new.text))
    .bind(new.said.map(|said| said.to_string()))
    .bind(new.commented_at.as_millisecond())
    .bind(now)
    .execute(write.conn())
    .await?;
    Ok(())
}

/// Notes what a command means.
pub(super) async fn means(conn: &mut PgConnection, id: CommandId, meant: &Meant) -> Result<()> {
    sqlx::query("update command set meant = $1 where source = $2 and idx = $3")
        .bind(meant.to_string())
        .bind(id.source.to_string())
        .bind(i64::from(id.index))
        .execute(conn)
        .await?;
    Ok(())
}

#[async_trait]
impl Commands for Postgres {
    async fn pending_commands(
        &self,
        repository: RepositoryId,
        pull: PullNumber,
    ) -> Result<Vec<Command>> {
        let rows = sqlx::query(
            "select * from command where repository = $1 and pull = $2 and outcome is null
             order by commented_at, length(source), source, idx",
        )
        .bind(repository.0.cast_signed())
        .bind(pull.0.cast_signed())
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(rows::command).collect()
    }

    async fn commands_since(
        &self,
        repository: RepositoryId,
        pull: PullNumber,
        since: Timestamp,
    ) -> Result<Vec<Heard>> {
        let rows = sqlx::query(
            "select * from command where repository = $1 and pull = $2 and received_at >= $3
             order by received_at, commented_at, length(source), source, idx",
        )
        .bind(repository.0.cast_signed())
        .bind(pull.0.cast_signed())
        .bind(since.as_millisecond())
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(rows::heard).collect()
    }

    async fn note_meant(&self, fence: &Fence, id: CommandId, meant: &Meant) -> Result<()> {
        let mut write = self.write_as(fence).await?;
        means(write.conn(), id, meant).await?;
        write.commit().await
    }

    async fn finish_command(
        &self,
        fence: &Fence,
        id: CommandId,
        outcome: &str,
        audit: Option<&AuditEntry>,
    ) -> Result<()> {
        let mut write = self.write_as(fence).await?;
        let finished = sqlx::query(
            "update command set outcome = $1 where source = $2 and idx = $3 and outcome is null",
        )
        .bind(without_nul(outcome))
        .bind(id.source.to_string())
        .bind(i64::from(id.index))
        .execute(write.conn())
        .await?;
        if let Some(entry) = audit.filter(|_| finished.rows_affected() > 0) {
            audit::append(&mut write, entry).await?;
        }
        write.commit().await
    }

    async fn command_outcome(&self, id: CommandId) -> Result<Option<String>> {
        let query = sqlx::query_scalar::<_, Option<String>>(
            "select outcome from command where source = $1 and idx = $2",
        );
        let found = query
            .bind(id.source.to_string())
            .bind(i64::from(id.index))
            .fetch_optional(&self.pool)
            .await?;
        Ok(found.flatten())
    }
}

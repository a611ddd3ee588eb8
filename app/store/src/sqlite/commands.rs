//! Commands in SQLite.

use async_trait::async_trait;
use jiff::Timestamp;
use landfall_core::name::{PullNumber, RepositoryId};
use sqlx::sqlite::SqliteConnection;

use super::{Sqlite, Write, audit};
use crate::rows;
use crate::{AuditEntry, Command, CommandId, Commands, Fence, Heard, Meant, NewCommand, Result};

/// Keeps a command, once.
pub(super) async fn insert(write: &mut Write, new: &NewCommand) -> Result<()> {
    let now = write.now;
    sqlx::query(
        "insert into command
             (source, idx, repository, pull, author, login, text, said, commented_at, received_at)
         values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) on conflict do nothing",
    )
    .bind(new.id.source.to_string())
    .bind(new.id.index)
    .bind(new.repository.0.cast_signed())
    .bind(new.pull.0.cast_signed())
    .bind(new.author.0.cast_signed())
    .bind(&new.login)
    .bind(&new.text)
    .bind(new.said.map(|said| said.to_string()))
    .bind(new.commented_at.as_millisecond())
    .bind(now)
    .execute(write.conn())
    .await?;
    Ok(())
}

/// Notes what a command means.
pub(super) async fn means(conn: &mut SqliteConnection, id: CommandId, meant: &Meant) -> Result<()> {
    sqlx::query("update command set meant = ? where source = ? and idx = ?")
        .bind(meant.to_string())
        .bind(id.source.to_string())
        .bind(id.index)
        .execute(conn)
        .await?;
    Ok(())
}

#[async_trait]
impl Commands for Sqlite {
    async fn pending_commands(
        &self,
        repository: RepositoryId,
        pull: PullNumber,
    ) -> Result<Vec<Command>> {
        let rows = sqlx::query(
            "select * from command where repository = ? and pull = ? and outcome is null
             order by commented_at, length(source), source, idx",
        )
        .bind(repository.0.cast_signed())
        .bind(pull.0.cast_signed())
        .fetch_all(&self.readers)
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
            "select * from command where repository = ? and pull = ? and received_at >= ?
             order by received_at, commented_at, length(source), source, idx",
        )
        .bind(repository.0.cast_signed())
        .bind(pull.0.cast_signed())
        .bind(since.as_millisecond())
        .fetch_all(&self.readers)
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
            "update command set outcome = ? where source = ? and idx = ? and outcome is null",
        )
        .bind(outcome)
        .bind(id.source.to_string())
        .bind(id.index)
        .execute(write.conn())
        .await?;
        if let Some(entry) = audit.filter(|_| finished.rows_affected() > 0) {
            audit::append(&mut write, entry).await?;
        }
        write.commit().await
    }

    async fn command_outcome(&self, id: CommandId) -> Result<Option<String>> {
        let query = sqlx::query_scalar::<_, Option<String>>(
            "select outcome from command where source = ? and idx = ?",
        );
        let found =
            query.bind(id.source.to_string()).bind(id.index).fetch_optional(&self.readers).await?;
        Ok(found.flatten())
    }
}

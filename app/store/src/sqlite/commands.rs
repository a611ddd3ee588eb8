//! Commands in SQLite.

use async_trait::async_trait;
use landfall_core::name::{PullNumber, RepositoryId};
use sqlx::sqlite::SqliteConnection;

use super::Sqlite;
use crate::rows;
use crate::{Command, CommandId, Commands, Fence, NewCommand, Result};

/// Keeps a command, once.
pub(super) async fn insert(conn: &mut SqliteConnection, new: &NewCommand) -> Result<()> {
    sqlx::query(
        "insert into command (source, idx, repository, pull, author, login, text, said, commented_at)
         values (?, ?, ?, ?, ?, ?, ?, ?, ?) on conflict do nothing",
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

    async fn take_command(&self, fence: &Fence, id: CommandId) -> Result<()> {
        let mut write = self.write_as(fence).await?;
        sqlx::query("update command set taken = 1 where source = ? and idx = ?")
            .bind(id.source.to_string())
            .bind(id.index)
            .execute(write.conn())
            .await?;
        write.commit().await
    }

    async fn finish_command(&self, fence: &Fence, id: CommandId, outcome: &str) -> Result<()> {
        let mut write = self.write_as(fence).await?;
        sqlx::query(
            "update command set outcome = ? where source = ? and idx = ? and outcome is null",
        )
        .bind(outcome)
        .bind(id.source.to_string())
        .bind(id.index)
        .execute(write.conn())
        .await?;
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

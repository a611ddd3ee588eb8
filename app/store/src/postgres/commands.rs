//! Commands in PostgreSQL.

use async_trait::async_trait;
use landfall_core::name::{PullNumber, RepositoryId};
use sqlx::postgres::PgConnection;

use super::Postgres;
use super::columns::without_nul;
use crate::rows;
use crate::{Command, CommandId, Commands, Fence, NewCommand, Result};

/// Keeps a command, once.
pub(super) async fn insert(conn: &mut PgConnection, new: &NewCommand) -> Result<()> {
    sqlx::query(
        "insert into command (source, idx, repository, pull, author, login, text, said, commented_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9) on conflict do nothing",
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

    async fn take_command(&self, fence: &Fence, id: CommandId) -> Result<()> {
        let mut write = self.write_as(fence).await?;
        sqlx::query("update command set taken = true where source = $1 and idx = $2")
            .bind(id.source.to_string())
            .bind(i64::from(id.index))
            .execute(write.conn())
            .await?;
        write.commit().await
    }

    async fn finish_command(&self, fence: &Fence, id: CommandId, outcome: &str) -> Result<()> {
        let mut write = self.write_as(fence).await?;
        sqlx::query(
            "update command set outcome = $1 where source = $2 and idx = $3 and outcome is null",
        )
        .bind(without_nul(outcome))
        .bind(id.source.to_string())
        .bind(i64::from(id.index))
        .execute(write.conn())
        .await?;
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

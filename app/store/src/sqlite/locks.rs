//! Locks on environments in SQLite. There is one writer, so a lock and the beginning of a run come one
//! after the other.

use async_trait::async_trait;
use landfall_core::name::{EnvironmentName, RepositoryId};
use sqlx::sqlite::SqliteConnection;

use super::{Sqlite, commands};
use crate::rows;
use crate::{Created, Fence, Lock, Locks, Meant, Result};

/// The lock on an environment.
pub(super) async fn get(
    conn: &mut SqliteConnection,
    repository: RepositoryId,
    environment: &EnvironmentName,
) -> Result<Option<Lock>> {
    let query =
        sqlx::query("select * from environment_lock where repository = ? and environment = ?");
    let query = query.bind(repository.0.cast_signed()).bind(environment.as_str());
    query.fetch_optional(conn).await?.as_ref().map(rows::lock).transpose()
}

#[async_trait]
impl Locks for Sqlite {
    async fn lock_environment(&self, fence: &Fence, lock: &Lock) -> Result<Created<Lock>> {
        let mut write = self.write_as(fence).await?;
        if let Some(there) = get(write.conn(), lock.repository, &lock.environment).await? {
            return Ok(Created::Existing(there));
        }
        sqlx::query(
            "insert into environment_lock (repository, environment, source, idx, pull, by, login, reason, at)
             values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(lock.repository.0.cast_signed())
        .bind(lock.environment.as_str())
        .bind(lock.command.source.to_string())
        .bind(lock.command.index)
        .bind(lock.pull.0.cast_signed())
        .bind(lock.by.0.cast_signed())
        .bind(&lock.login)
        .bind(&lock.reason)
        .bind(lock.at.as_millisecond())
        .execute(write.conn())
        .await?;
        let meant = Meant::Lock(lock.environment.clone());
        commands::means(write.conn(), lock.command, &meant).await?;
        write.commit().await?;
        Ok(Created::New(lock.clone()))
    }

    async fn unlock_environment(
        &self,
        fence: &Fence,
        repository: RepositoryId,
        environment: &EnvironmentName,
    ) -> Result<Option<Lock>> {
        let mut write = self.write_as(fence).await?;
        let there = get(write.conn(), repository, environment).await?;
        sqlx::query("delete from environment_lock where repository = ? and environment = ?")
            .bind(repository.0.cast_signed())
            .bind(environment.as_str())
            .execute(write.conn())
            .await?;
        write.commit().await?;
        Ok(there)
    }

    async fn lock_on(
        &self,
        repository: RepositoryId,
        environment: &EnvironmentName,
    ) -> Result<Option<Lock>> {
        let mut conn = self.readers.acquire().await?;
        get(&mut conn, repository, environment).await
    }

    async fn locks(&self, repository: RepositoryId) -> Result<Vec<Lock>> {
        let query =
            sqlx::query("select * from environment_lock where repository = ? order by environment");
        let rows = query.bind(repository.0.cast_signed()).fetch_all(&self.readers).await?;
        rows.iter().map(rows::lock).collect()
    }
}

//! Locks on environments in PostgreSQL.
//!
//! Of a lock and a run that begins, one comes first: whoever locks waits for the rows of the runs that
//! have not begun, and whoever has one begin holds its row while it looks for a lock
//! (`runs::advance_run`).

use async_trait::async_trait;
use landfall_core::name::{EnvironmentName, RepositoryId};
use sqlx::postgres::PgConnection;

use super::columns::without_nul;
use super::{Postgres, commands, retried};
use crate::rows;
use crate::{Created, Fence, Lock, Locks, Meant, Result};

/// The lock on an environment.
pub(super) async fn get(
    conn: &mut PgConnection,
    repository: RepositoryId,
    environment: &EnvironmentName,
) -> Result<Option<Lock>> {
    let query =
        sqlx::query("select * from environment_lock where repository = $1 and environment = $2");
    let query = query.bind(repository.0.cast_signed()).bind(environment.as_str());
    query.fetch_optional(conn).await?.as_ref().map(rows::lock).transpose()
}

impl Postgres {
    async fn lock_once(&self, fence: &Fence, lock: &Lock) -> Result<Created<Lock>> {
        let mut write = self.write_as(fence).await?;
        sqlx::query(
            "select id from run where repository = $1 and environment = $2 and state in ('queued', 'held')
             order by seq for no key update",
        )
        .bind(lock.repository.0.cast_signed())
        .bind(lock.environment.as_str())
        .execute(write.conn())
        .await?;
        let inserted = sqlx::query(
            "insert into environment_lock (repository, environment, source, idx, pull, by, login, reason, at)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9) on conflict do nothing",
        )
        .bind(lock.repository.0.cast_signed())
        .bind(lock.environment.as_str())
        .bind(lock.command.source.to_string())
        .bind(i64::from(lock.command.index))
        .bind(lock.pull.0.cast_signed())
        .bind(lock.by.0.cast_signed())
        .bind(without_nul(&lock.login))
        .bind(without_nul(&lock.reason))
        .bind(lock.at.as_millisecond())
        .execute(write.conn())
        .await?;
        let is_new = inserted.rows_affected() == 1;
        if is_new {
            let meant = Meant::Lock(lock.environment.clone());
            commands::means(write.conn(), lock.command, &meant).await?;
        }
        let there = get(write.conn(), lock.repository, &lock.environment).await?;
        write.commit().await?;
        Ok(match there.filter(|_| !is_new) {
            Some(there) => Created::Existing(there),
            None => Created::New(lock.clone()),
        })
    }
}

#[async_trait]
impl Locks for Postgres {
    async fn lock_environment(&self, fence: &Fence, lock: &Lock) -> Result<Created<Lock>> {
        retried(|| self.lock_once(fence, lock)).await
    }

    async fn unlock_environment(
        &self,
        fence: &Fence,
        repository: RepositoryId,
        environment: &EnvironmentName,
    ) -> Result<Option<Lock>> {
        let mut write = self.write_as(fence).await?;
        let row = sqlx::query(
            "delete from environment_lock where repository = $1 and environment = $2 returning *",
        )
        .bind(repository.0.cast_signed())
        .bind(environment.as_str())
        .fetch_optional(write.conn())
        .await?;
        write.commit().await?;
        row.as_ref().map(rows::lock).transpose()
    }

    async fn lock_on(
        &self,
        repository: RepositoryId,
        environment: &EnvironmentName,
    ) -> Result<Option<Lock>> {
        let mut conn = self.pool.acquire().await?;
        get(&mut conn, repository, environment).await
    }

    async fn locks(&self, repository: RepositoryId) -> Result<Vec<Lock>> {
        let query = sqlx::query(
            "select * from environment_lock where repository = $1 order by environment",
        );
        let rows = query.bind(repository.0.cast_signed()).fetch_all(&self.pool).await?;
        rows.iter().map(rows::lock).collect()
    }
}

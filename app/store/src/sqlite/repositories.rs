//! Repositories and environments in SQLite.

use async_trait::async_trait;
use landfall_core::name::{
    BlobSha, BranchName, CommitSha, EnvironmentName, InstallationId, RepositoryId,
};
use sqlx::sqlite::SqliteConnection;

use super::{Sqlite, Write};
use crate::columns::Columns;
use crate::rows;
use crate::{Environment, Fence, KnownHeads, NewRun, PushedHead, Repositories, Repository, Result};

pub(super) async fn upsert(conn: &mut SqliteConnection, repository: &Repository) -> Result<()> {
    sqlx::query(
        "insert into repository (id, name, installation, default_branch, active) values (?, ?, ?, ?, ?)
         on conflict (id) do update set name = excluded.name, installation = excluded.installation,
             default_branch = excluded.default_branch, active = excluded.active",
    )
    .bind(repository.id.0.cast_signed())
    .bind(repository.name.as_str())
    .bind(repository.installation.0.cast_signed())
    .bind(repository.default_branch.as_str())
    .bind(repository.active)
    .execute(conn)
    .await?;
    Ok(())
}

/// Notes that a run succeeded. What ran once needs no bootstrap any more.
pub(super) async fn succeeded(write: &mut Write, run: &NewRun) -> Result<()> {
    let now = write.now;
    sqlx::query(
        "insert into environment (repository, name, bootstrapped_at, last_run, last_commit, last_config, last_rules, last_at)
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?3)
         on conflict (repository, name) do update set
             bootstrapped_at = coalesce(bootstrapped_at, excluded.bootstrapped_at), last_run = excluded.last_run,
             last_commit = excluded.last_commit, last_config = excluded.last_config, last_rules = excluded.last_rules,
             last_at = excluded.last_at, restored_at = null",
    )
    .bind(run.repository.0.cast_signed())
    .bind(run.environment.as_str())
    .bind(now)
    .bind(run.id.to_string())
    .bind(run.commit.as_str())
    .bind(run.config_digest.to_string())
    .bind(run.rules.as_ref().map(BlobSha::as_str))
    .execute(write.conn())
    .await?;
    Ok(())
}

pub(super) async fn note_head(conn: &mut SqliteConnection, pushed: &PushedHead) -> Result<()> {
    let query = match &pushed.head {
        None => sqlx::query("delete from pushed where repository = ? and branch = ?"),
        Some(_) => sqlx::query(
            "insert into pushed (repository, branch, head) values (?, ?, ?)
             on conflict (repository, branch) do update set head = excluded.head",
        ),
    };
    let mut query = query.bind(pushed.repository.0.cast_signed()).bind(pushed.branch.as_str());
    if let Some(head) = &pushed.head {
        query = query.bind(head.as_str());
    }
    query.execute(conn).await?;
    Ok(())
}

#[async_trait]
impl Repositories for Sqlite {
    async fn upsert_repository(&self, repository: &Repository) -> Result<()> {
        let mut write = self.write().await?;
        upsert(write.conn(), repository).await?;
        write.commit().await
    }

    async fn repository(&self, id: RepositoryId) -> Result<Option<Repository>> {
        let query = sqlx::query("select * from repository where id = ?").bind(id.0.cast_signed());
        query.fetch_optional(&self.readers).await?.as_ref().map(rows::repository).transpose()
    }

    async fn repositories_of(&self, installation: InstallationId) -> Result<Vec<Repository>> {
        let query = sqlx::query("select * from repository where installation = ? order by id");
        let rows = query.bind(installation.0.cast_signed()).fetch_all(&self.readers).await?;
        rows.iter().map(rows::repository).collect()
    }

    async fn active_repositories(&self) -> Result<Vec<Repository>> {
        let query = sqlx::query("select * from repository where active order by id");
        query.fetch_all(&self.readers).await?.iter().map(rows::repository).collect()
    }

    async fn pushed_head(
        &self,
        repository: RepositoryId,
        branch: &BranchName,
    ) -> Result<Option<CommitSha>> {
        let query = sqlx::query("select head from pushed where repository = ? and branch = ?");
        let query = query.bind(repository.0.cast_signed()).bind(branch.as_str());
        let row = query.fetch_optional(&self.readers).await?;
        row.map(|row| row.text("head")).transpose()
    }

    async fn known_heads(&self, repository: RepositoryId) -> Result<KnownHeads> {
        let id = repository.0.cast_signed();
        let query =
            sqlx::query_scalar("select compared_at is not null from repository where id = ?");
        let compared: Option<bool> = query.bind(id).fetch_optional(&self.readers).await?;
        let rows = sqlx::query("select * from pushed where repository = ?");
        let heads = rows::heads(&rows.bind(id).fetch_all(&self.readers).await?)?;
        Ok(KnownHeads { compared: compared.unwrap_or_default(), heads })
    }

    async fn note_heads(
        &self,
        fence: &Fence,
        repository: RepositoryId,
        moved: &[PushedHead],
    ) -> Result<()> {
        let mut write = self.write_as(fence).await?;
        for pushed in moved {
            note_head(write.conn(), pushed).await?;
        }
        let now = write.now;
        sqlx::query("update repository set compared_at = ? where id = ?")
            .bind(now)
            .bind(repository.0.cast_signed())
            .execute(write.conn())
            .await?;
        write.commit().await
    }

    async fn environment(
        &self,
        repository: RepositoryId,
        name: &EnvironmentName,
    ) -> Result<Option<Environment>> {
        let query = sqlx::query("select * from environment where repository = ? and name = ?");
        let query = query.bind(repository.0.cast_signed()).bind(name.as_str());
        query.fetch_optional(&self.readers).await?.as_ref().map(rows::environment).transpose()
    }

    async fn environments(&self, repository: RepositoryId) -> Result<Vec<Environment>> {
        let query = sqlx::query("select * from environment where repository = ? order by name");
        let rows = query.bind(repository.0.cast_signed()).fetch_all(&self.readers).await?;
        rows.iter().map(rows::environment).collect()
    }

    async fn offer_branch(
        &self,
        fence: &Fence,
        repository: RepositoryId,
        name: &EnvironmentName,
        branch: &BranchName,
    ) -> Result<()> {
        let mut write = self.write_as(fence).await?;
        sqlx::query(
            "insert into environment (repository, name, offered) values (?1, ?2, ?3)
             on conflict (repository, name) do update set offered = nullif(excluded.offered, branch)",
        )
        .bind(repository.0.cast_signed())
        .bind(name.as_str())
        .bind(branch.as_str())
        .execute(write.conn())
        .await?;
        write.commit().await
    }

    async fn follow_branch(
        &self,
        fence: &Fence,
        repository: RepositoryId,
        name: &EnvironmentName,
        branch: &BranchName,
    ) -> Result<()> {
        let mut write = self.write_as(fence).await?;
        sqlx::query(
            "insert into environment (repository, name, branch) values (?, ?, ?)
             on conflict (repository, name) do update set branch = excluded.branch, offered = null",
        )
        .bind(repository.0.cast_signed())
        .bind(name.as_str())
        .bind(branch.as_str())
        .execute(write.conn())
        .await?;
        write.commit().await
    }

    async fn bootstrap(
        &self,
        fence: &Fence,
        repository: RepositoryId,
        name: &EnvironmentName,
    ) -> Result<()> {
        let mut write = self.write_as(fence).await?;
        let now = write.now;
        sqlx::query(
            "insert into environment (repository, name, bootstrapped_at) values (?, ?, ?)
             on conflict (repository, name) do update set
                 bootstrapped_at = coalesce(bootstrapped_at, excluded.bootstrapped_at)",
        )
        .bind(repository.0.cast_signed())
        .bind(name.as_str())
        .bind(now)
        .execute(write.conn())
        .await?;
        write.commit().await
    }
}

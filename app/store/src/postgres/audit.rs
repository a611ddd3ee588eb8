//! The audit log in PostgreSQL. Triggers keep anybody from changing it.

use async_trait::async_trait;
use landfall_core::name::RepositoryId;

use super::columns::without_nul;
use super::{Postgres, Write};
use crate::rows;
use crate::{Audit, AuditEntry, AuditRow, Result};

/// Adds an entry to what is being written.
pub(super) async fn append(write: &mut Write, entry: &AuditEntry) -> Result<()> {
    let now = write.now;
    sqlx::query(
        "insert into audit (at, who, what, repository, environment, digest, why) values ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(now)
    .bind(without_nul(&entry.who))
    .bind(without_nul(&entry.what))
    .bind(entry.repository.0.cast_signed())
    .bind(entry.environment.as_ref().map(ToString::to_string))
    .bind(entry.digest.map(|digest| digest.to_string()))
    .bind(without_nul(&entry.why))
    .execute(write.conn())
    .await?;
    Ok(())
}

#[async_trait]
impl Audit for Postgres {
    async fn append_audit(&self, entry: &AuditEntry) -> Result<()> {
        let mut write = self.write().await?;
        append(&mut write, entry).await?;
        write.commit().await
    }

    async fn audit(&self, repository: RepositoryId, limit: u32) -> Result<Vec<AuditRow>> {
        let query =
            sqlx::query("select * from audit where repository = $1 order by seq desc limit $2");
        let rows = query
            .bind(repository.0.cast_signed())
            .bind(i64::from(limit))
            .fetch_all(&self.pool)
            .await?;
        rows.iter().map(rows::audit).collect()
    }
}

//! The audit log in SQLite. Triggers keep anybody from changing it.

use async_trait::async_trait;
use landfall_core::name::RepositoryId;

use super::{Sqlite, Write};
use crate::rows;
use crate::{Audit, AuditEntry, AuditRow, Result};

/// Adds an entry to what is being written.
pub(super) async fn append(write: &mut Write, entry: &AuditEntry) -> Result<()> {
    let now = write.now;
    sqlx::query(
        "insert into audit (at, who, what, repository, environment, digest, why) values (?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(now)
    .bind(&entry.who)
    .bind(&entry.what)
    .bind(entry.repository.0.cast_signed())
    .bind(entry.environment.as_ref().map(ToString::to_string))
    .bind(entry.digest.map(|digest| digest.to_string()))
    .bind(&entry.why)
    .execute(write.conn())
    .await?;
    Ok(())
}

#[async_trait]
impl Audit for Sqlite {
    async fn append_audit(&self, entry: &AuditEntry) -> Result<()> {
        let mut write = self.write().await?;
        append(&mut write, entry).await?;
        write.commit().await
    }

    async fn audit(&self, repository: RepositoryId, limit: u32) -> Result<Vec<AuditRow>> {
        let query =
            sqlx::query("select * from audit where repository = ? order by seq desc limit ?");
        let rows =
            query.bind(repository.0.cast_signed()).bind(limit).fetch_all(&self.readers).await?;
        rows.iter().map(rows::audit).collect()
    }
}

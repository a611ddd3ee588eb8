//! Restores in PostgreSQL.

use async_trait::async_trait;

use super::Postgres;
use crate::rows;
use crate::{Restored, Restores, Result};

#[async_trait]
impl Restores for Postgres {
    async fn last_restore(&self) -> Result<Option<Restored>> {
        let query = sqlx::query("select * from restore order by seq desc limit 1");
        let row = query.fetch_optional(&self.pool).await?;
        row.as_ref().map(rows::restored).transpose()
    }

    async fn note_followed_up(&self) -> Result<()> {
        let mut write = self.write().await?;
        sqlx::query("update restore set followed_up = true").execute(write.conn()).await?;
        write.commit().await
    }
}

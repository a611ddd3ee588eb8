//! Missed deliveries in PostgreSQL.

use async_trait::async_trait;
use sqlx::postgres::PgConnection;

use super::columns::without_nul;
use super::{Postgres, retried};
use crate::rows;
use crate::{Fence, LogRead, LoggedDelivery, Missed, MissedDelivery, Result};

async fn note(conn: &mut PgConnection, logged: &LoggedDelivery, now: i64) -> Result<bool> {
    let noted = sqlx::query(
        "insert into delivery (id, event, action, installation, repository, state, logged, redelivery, ready_at, received_at)
         values ($1, $2, $3, $4, $5, 'missed', $6, $7, $8, $8)
         on conflict (id) do update set
             state = 'missed', logged = excluded.logged, redelivery = true, attempt = 0, ready_at = excluded.ready_at
         where delivery.state = 'failed' and excluded.redelivery and excluded.logged > coalesce(delivery.logged, 0)",
    )
    .bind(logged.id.to_string())
    .bind(without_nul(&logged.event))
    .bind(logged.action.as_deref().map(without_nul))
    .bind(logged.installation.map(|id| id.0.cast_signed()))
    .bind(logged.repository.map(|id| id.0.cast_signed()))
    .bind(logged.attempt.cast_signed())
    .bind(logged.redelivery)
    .bind(now)
    .execute(conn)
    .await?;
    Ok(noted.rows_affected() == 1)
}

impl Postgres {
    async fn note_missed_once(
        &self,
        fence: &Fence,
        found: &[LoggedDelivery],
        read: LogRead,
    ) -> Result<u64> {
        let mut write = self.write_as(fence).await?;
        let now = write.now;
        let mut new = 0;
        for logged in found {
            new += u64::from(note(write.conn(), logged, now).await?);
        }
        sqlx::query(
            "insert into delivery_log (id, read_after, read_to) values (1, $1, $2)
             on conflict (id) do update set read_to = excluded.read_to
             where excluded.read_to > delivery_log.read_to",
        )
        .bind(read.after.cast_signed())
        .bind(read.to.as_millisecond())
        .execute(write.conn())
        .await?;
        write.commit().await?;
        Ok(new)
    }
}

#[async_trait]
impl Missed for Postgres {
    async fn log_read(&self) -> Result<Option<LogRead>> {
        let row = sqlx::query("select * from delivery_log").fetch_optional(&self.pool).await?;
        row.as_ref().map(rows::log_read).transpose()
    }

    async fn note_missed(
        &self,
        fence: &Fence,
        found: &[LoggedDelivery],
        read: LogRead,
    ) -> Result<u64> {
        retried(|| self.note_missed_once(fence, found, read)).await
    }

    async fn missed_deliveries(&self, limit: u32) -> Result<Vec<MissedDelivery>> {
        let query = sqlx::query(
            "select * from delivery where state = 'missed' order by ready_at, seq limit $1",
        );
        let rows = query.bind(i64::from(limit)).fetch_all(&self.pool).await?;
        rows.iter().map(rows::missed).collect()
    }
}

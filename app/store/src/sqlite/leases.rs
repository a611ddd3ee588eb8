//! Target leases in SQLite. The only place that makes a proof.

use std::time::Duration;

use async_trait::async_trait;
use landfall_core::lease::LeaseProof;
use landfall_core::plan::Target;
use sqlx::sqlite::SqliteConnection;

use super::{Sqlite, Write, after};
use crate::columns::Columns;
use crate::{Acquired, Fence, LeaseRequest, Leases, Result, StoreError};

/// An error unless the lease is held still. Holds to the end of the transaction.
pub(super) async fn check(conn: &mut SqliteConnection, lease: &LeaseProof, now: i64) -> Result<()> {
    let held: Option<i64> = sqlx::query_scalar(
        "select epoch from target_lease where target = ? and epoch = ? and holder is not null and until > ?",
    )
    .bind(lease.target().to_string())
    .bind(lease.epoch())
    .bind(now)
    .fetch_optional(conn)
    .await?;
    held.map(|_| ()).ok_or_else(|| StoreError::LeaseLost(lease.target().clone()))
}

/// Who holds the lease of `target` now.
async fn holder(write: &mut Write, target: &Target) -> Result<Option<Acquired>> {
    let now = write.now;
    let query = sqlx::query(
        "select * from target_lease where target = ? and holder is not null and until > ?",
    );
    let row = query.bind(target.to_string()).bind(now).fetch_optional(write.conn()).await?;
    let Some(row) = row else { return Ok(None) };
    let busy = Acquired::Busy {
        target: target.clone(),
        holder: row.text("holder")?,
        until: row.at("until")?,
    };
    Ok(Some(busy))
}

/// Takes a free lease. Epochs begin above every one that was given out before a restore.
async fn take(write: &mut Write, target: &Target, request: &LeaseRequest) -> Result<LeaseProof> {
    let until = after(write.now, request.duration);
    let epoch = sqlx::query_scalar(
        "insert into target_lease (target, epoch, holder, until)
         values (?, 1 + coalesce((select max(at) from restore), 0), ?, ?)
         on conflict (target) do update set epoch = epoch + 1, holder = excluded.holder, until = excluded.until
         returning epoch",
    )
    .bind(target.to_string())
    .bind(request.holder.to_string())
    .bind(until)
    .fetch_one(write.conn())
    .await?;
    Ok(LeaseProof::new(target.clone(), epoch))
}

#[async_trait]
impl Leases for Sqlite {
    async fn acquire_leases(&self, fence: &Fence, request: &LeaseRequest) -> Result<Acquired> {
        let mut write = self.write_as(fence).await?;
        let mut proofs = Vec::with_capacity(request.targets.len());
        for target in &request.targets {
            if let Some(busy) = holder(&mut write, target).await? {
                return Ok(busy);
            }
            proofs.push(take(&mut write, target, request).await?);
        }
        write.commit().await?;
        Ok(Acquired::Held(proofs))
    }

    async fn renew_leases(&self, leases: &[LeaseProof], duration: Duration) -> Result<()> {
        let mut write = self.write().await?;
        let (now, until) = (write.now, after(write.now, duration));
        for lease in leases {
            check(write.conn(), lease, now).await?;
            sqlx::query("update target_lease set until = ? where target = ?")
                .bind(until)
                .bind(lease.target().to_string())
                .execute(write.conn())
                .await?;
        }
        write.commit().await
    }

    async fn check_lease(&self, lease: &LeaseProof) -> Result<()> {
        let now = self.millis();
        check(&mut *self.readers.acquire().await?, lease, now).await
    }

    async fn release_leases(&self, leases: &[LeaseProof]) -> Result<()> {
        let mut write = self.write().await?;
        for lease in leases {
            sqlx::query("update target_lease set holder = null where target = ? and epoch = ?")
                .bind(lease.target().to_string())
                .bind(lease.epoch())
                .execute(write.conn())
                .await?;
        }
        write.commit().await
    }
}

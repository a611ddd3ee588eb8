//! Target leases in PostgreSQL. The only place that makes a proof.

use std::time::Duration;

use async_trait::async_trait;
use landfall_core::lease::LeaseProof;
use landfall_core::plan::Target;
use sqlx::postgres::PgConnection;

use super::{Postgres, Write, after, retried};
use crate::columns::Columns;
use crate::{Acquired, Fence, LeaseRequest, Leases, Result, StoreError};

/// An error unless the lease is held still. It is to the end of the transaction.
pub(super) async fn hold(conn: &mut PgConnection, lease: &LeaseProof, now: i64) -> Result<()> {
    let held = sqlx::query_scalar(
        "select epoch from target_lease where target = $1 and epoch = $2 and holder is not null and until > $3
         for update",
    );
    let held = held.bind(lease.target().to_string()).bind(lease.epoch()).bind(now);
    let held: Option<i64> = held.fetch_optional(conn).await?;
    held.map(|_| ()).ok_or_else(|| lost(lease))
}

fn lost(lease: &LeaseProof) -> StoreError {
    StoreError::LeaseLost(lease.target().clone())
}

/// Leases in the order in which everybody locks them.
fn in_order(leases: &[LeaseProof]) -> Vec<&LeaseProof> {
    let mut leases: Vec<&LeaseProof> = leases.iter().collect();
    leases.sort_by_key(|lease| lease.target());
    leases
}

/// Takes the lease if nobody holds it. The row is locked either way.
async fn take(
    write: &mut Write,
    target: &Target,
    request: &LeaseRequest,
) -> Result<Option<LeaseProof>> {
    let now = write.now;
    let epoch: Option<i64> = sqlx::query_scalar(
        "insert into target_lease (target, epoch, holder, until)
         values ($1, 1 + coalesce((select max(at) from restore), 0), $2, $3)
         on conflict (target) do update set
             epoch = target_lease.epoch + 1, holder = excluded.holder, until = excluded.until
         where target_lease.holder is null or target_lease.until <= $4
         returning epoch",
    )
    .bind(target.to_string())
    .bind(request.holder.to_string())
    .bind(after(now, request.duration))
    .bind(now)
    .fetch_optional(write.conn())
    .await?;
    Ok(epoch.map(|epoch| LeaseProof::new(target.clone(), epoch)))
}

/// Who holds a lease that could not be taken.
async fn busy(write: &mut Write, target: &Target) -> Result<Acquired> {
    let query = sqlx::query("select * from target_lease where target = $1");
    let row = query.bind(target.to_string()).fetch_one(write.conn()).await?;
    Ok(Acquired::Busy {
        target: target.clone(),
        holder: row.text("holder")?,
        until: row.at("until")?,
    })
}

impl Postgres {
    async fn acquire_once(&self, fence: &Fence, request: &LeaseRequest) -> Result<Acquired> {
        let mut write = self.write_as(fence).await?;
        let mut proofs = Vec::with_capacity(request.targets.len());
        for target in &request.targets {
            match take(&mut write, target, request).await? {
                Some(proof) => proofs.push(proof),
                None => return busy(&mut write, target).await,
            }
        }
        write.commit().await?;
        Ok(Acquired::Held(proofs))
    }
}

#[async_trait]
impl Leases for Postgres {
    async fn acquire_leases(&self, fence: &Fence, request: &LeaseRequest) -> Result<Acquired> {
        retried(|| self.acquire_once(fence, request)).await
    }

    async fn renew_leases(&self, leases: &[LeaseProof], duration: Duration) -> Result<()> {
        let mut write = self.write().await?;
        let (now, until) = (write.now, after(write.now, duration));
        for lease in in_order(leases) {
            let renewed = sqlx::query(
                "update target_lease set until = $1
                 where target = $2 and epoch = $3 and holder is not null and until > $4",
            )
            .bind(until)
            .bind(lease.target().to_string())
            .bind(lease.epoch())
            .bind(now)
            .execute(write.conn())
            .await?;
            if renewed.rows_affected() == 0 {
                return Err(lost(lease));
            }
        }
        write.commit().await
    }

    async fn check_lease(&self, lease: &LeaseProof) -> Result<()> {
        let mut conn = self.pool.acquire().await?;
        let now = self.millis(&mut conn).await?;
        let held: Option<i64> = sqlx::query_scalar(
            "select epoch from target_lease where target = $1 and epoch = $2 and holder is not null and until > $3",
        )
        .bind(lease.target().to_string())
        .bind(lease.epoch())
        .bind(now)
        .fetch_optional(&mut *conn)
        .await?;
        held.map(|_| ()).ok_or_else(|| lost(lease))
    }

    async fn release_leases(&self, leases: &[LeaseProof]) -> Result<()> {
        let mut write = self.write().await?;
        for lease in in_order(leases) {
            sqlx::query("update target_lease set holder = null where target = $1 and epoch = $2")
                .bind(lease.target().to_string())
                .bind(lease.epoch())
                .execute(write.conn())
                .await?;
        }
        write.commit().await
    }
}

//! Write lanes in SQLite: what was used up of each pace, and until when GitHub wants silence.

use crate::columns::{Columns, json};
use crate::pace::WriteLane;
use crate::{ItemClaim, Result, StoreError};

use super::Write;

/// The lane that a claim is in, and whose it is. The claim must hold still.
pub(super) async fn of(write: &mut Write, claim: &ItemClaim) -> Result<(i64, WriteLane)> {
    let query = sqlx::query(
        "select outbox.installation, opens_at, whole_at
         from outbox left join write_lane using (installation)
         where id = ? and epoch = ? and claimed_until > ?",
    );
    let query = query.bind(claim.id).bind(claim.epoch).bind(write.now);
    let row = query.fetch_optional(write.conn()).await?.ok_or(StoreError::StaleEpoch)?;
    let lane = WriteLane {
        opens_at: row.maybe_whole("opens_at")?.unwrap_or_default(),
        whole_at: row.maybe_json("whole_at")?.unwrap_or_default(),
    };
    Ok((row.whole("installation")?, lane))
}

pub(super) async fn keep(write: &mut Write, installation: i64, lane: &WriteLane) -> Result<()> {
    let query = sqlx::query(
        "insert into write_lane (installation, opens_at, whole_at) values (?, ?, ?)
         on conflict (installation) do update
         set opens_at = excluded.opens_at, whole_at = excluded.whole_at",
    );
    let query = query.bind(installation).bind(lane.opens_at).bind(json(&lane.whole_at));
    query.execute(write.conn()).await?;
    Ok(())
}

/// Puts an item back whose turn has not come. It did not fail.
pub(super) async fn put_back(write: &mut Write, claim: &ItemClaim) -> Result<()> {
    let query = sqlx::query(
        "update outbox set claimed_until = null, attempt = max(attempt - 1, 0) where id = ?",
    );
    query.bind(claim.id).execute(write.conn()).await?;
    Ok(())
}

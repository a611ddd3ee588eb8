//! Backing up by itself: a chore, so that of several servers one does it.
//!
//! Nothing waits for it and nothing depends on it. One that fails is logged as an error, each time,
//! and tried again sooner than the next is due.

use std::time::Duration;

use landfall_store::Chore;
use tokio_util::sync::CancellationToken;

use super::rest;
use crate::backup::{Backups, Schedule, Taken};
use crate::house::House;

/// How often it is looked whether one is due.
const GLANCE: Duration = Duration::from_secs(60);
/// How long one may take before another server thinks that whoever began it is gone.
const LONGEST: Duration = Duration::from_hours(1);
/// How long after a failure it is tried again, at most.
const RETRY: Duration = Duration::from_mins(15);

/// Backs up at once if that is due, and then again and again until stopped.
pub(super) async fn rounds(house: &House, stop: &CancellationToken) {
    let Some((backups, schedule)) = &house.backups else {
        stop.cancelled().await;
        return;
    };
    while !stop.is_cancelled() {
        if let Err(error) = round(house, backups, schedule, stop).await {
            let error = format!("{error:#}");
            tracing::error!(error = %house.redactor.redact(&error), "the backup failed");
        }
        rest(stop, GLANCE).await;
    }
}

async fn round(
    house: &House,
    backups: &Backups,
    schedule: &Schedule,
    stop: &CancellationToken,
) -> anyhow::Result<()> {
    if !house.store.begin_chore(Chore::Backup, LONGEST).await? {
        return Ok(());
    }
    let begun = house.store.now().await?;
    let taken = tokio::select! {
        taken = backups.take(&schedule.place) => taken,
        // What is not there is begun anew by the next server.
        () = stop.cancelled() => Err(anyhow::anyhow!("the server stopped before it was complete")),
    };
    let pause = if taken.is_ok() { schedule.every } else { schedule.every.min(RETRY) };
    house.store.put_off_chore(Chore::Backup, begun + pause).await?;
    let Taken { contents, place, bytes, .. } = taken?;
    tracing::info!(place = %place, rows = contents.rows, bytes, "backed up");
    for old in backups.thin(&schedule.place, schedule.keep).await? {
        tracing::info!(place = %old, "an old backup is gone");
    }
    Ok(())
}

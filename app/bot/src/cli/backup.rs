//! `landfall backup`: everything in the store to a file or to S3, while servers go on.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use clap::Args;
use landfall_os::redact::Redactor;
use landfall_store::SystemClock;
use serde_json::json;

use super::Ended;
use super::terminal::{Format, Progress, json, print};
use crate::backup::{Backups, Place, Taken};
use crate::settings::{StoreSettings, passwords_in, told};

/// Back up the store to a file or to S3, while servers go on.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  landfall backup landfall.backup
  landfall backup backups/                     a name with the time in it, in a folder
  landfall backup s3://acme-backups/landfall/  the same, in a bucket
  landfall backup                              to LANDFALL_BACKUP, where the server backs up to

Environment:
  LANDFALL_DATABASE_URL, LANDFALL_DATA_DIR     the store, as for `landfall serve`
  AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY     for S3, with AWS_REGION; for Tigris, R2, MinIO and the
                                               like AWS_ENDPOINT_URL too

A backup says who said what, and has no secret of a connection in it. Exit code: 0 there is a backup;
1 there is none.")]
pub(super) struct Backup {
    /// A file, `FOLDER/`, `s3://BUCKET/KEY` or `s3://BUCKET/PREFIX/`.
    #[arg(value_name = "PLACE")]
    place: Option<Place>,
    /// What to print.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// The store that the settings name, and what must not be shown.
pub(super) fn backups(settings: &StoreSettings) -> (Backups, Redactor) {
    let redactor = Redactor::new();
    passwords_in(&settings.database_url).iter().for_each(|password| redactor.learn(password));
    settings.backup.credentials.secrets().for_each(|secret| redactor.learn(secret));
    let (url, credentials) = (settings.database_url.clone(), settings.backup.credentials.clone());
    (Backups::new(url, Arc::new(SystemClock), credentials), redactor)
}

/// Reads the settings of the process.
pub(super) fn settings() -> anyhow::Result<StoreSettings> {
    StoreSettings::read(&|name| std::env::var(name).ok()).map_err(|faults| told(&faults))
}

/// An error without what must not be shown.
pub(super) fn shown(error: &anyhow::Error, redactor: &Redactor) -> anyhow::Error {
    anyhow::anyhow!("{}", redactor.redact(&format!("{error:#}")))
}

impl Backup {
    pub(super) async fn run(self) -> anyhow::Result<Ended> {
        let settings = settings()?;
        let place = self.place.or_else(|| Some(settings.backup.schedule.clone()?.place));
        let place = place.context(
            "say where to, as in `landfall backup landfall.backup`, or set LANDFALL_BACKUP",
        )?;
        let (backups, redactor) = backups(&settings);
        let progress = Progress::begin();
        progress.say(&format!("backing up to {place}"));
        let taken = backups.take(&place).await.map_err(|error| shown(&error, &redactor))?;
        progress.clear();
        let text = match self.format {
            Format::Text | Format::Markdown => format!("{}\n", summary(&taken)),
            Format::Json => json(&document(&taken)),
        };
        print(&redactor, &text)?;
        Ok(Ended::Done)
    }
}

fn summary(taken: &Taken) -> String {
    let Taken { contents, place, bytes, took } = taken;
    format!(
        "Backed up {} of {} to {place}: {} in {}.",
        rows(contents.rows),
        contents.header.engine,
        size(*bytes),
        seconds(*took),
    )
}

fn document(taken: &Taken) -> serde_json::Value {
    let Taken { contents, place, bytes, took } = taken;
    json!({
        "place": place.to_string(),
        "rows": contents.rows,
        "bytes": bytes,
        "seconds": took.as_secs_f64(),
        "engine": contents.header.engine,
        "landfall": contents.header.landfall,
        "taken_at": contents.header.taken_at,
    })
}

pub(super) fn rows(rows: u64) -> String {
    if rows == 1 { "1 row".to_owned() } else { format!("{rows} rows") }
}

/// Bytes as people read them.
fn size(bytes: u64) -> String {
    let kibi = bytes.div_ceil(1 << 10);
    if kibi < 10 << 10 { format!("{kibi} KiB") } else { format!("{} MiB", kibi >> 10) }
}

fn seconds(took: Duration) -> String {
    format!("{:.1} s", took.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_at_a_glance() {
        let told = [0, 1, 1024, 1025, 10 << 20, 3 << 30].map(size);
        assert_eq!(told, ["0 KiB", "1 KiB", "1 KiB", "2 KiB", "10 MiB", "3072 MiB"]);
    }
}

//! `landfall restore`: the store as it was in a backup, and what that means.

use clap::Args;
use landfall_store::{Occupied, Refilled, StoreError};
use serde_json::json;

use super::Ended;
use super::backup::{backups, rows, settings, shown};
use super::terminal::{Format, Progress, json, print};
use crate::backup::Place;

/// Put the store back to what it was in a backup, with no server at work on it.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  landfall restore landfall.backup
  landfall restore --latest s3://acme-backups/landfall/
  LANDFALL_DATABASE_URL=postgres://landfall@db/landfall landfall restore landfall.backup
                                     from SQLite to PostgreSQL, or back
  landfall restore --replace landfall.backup
                                     over what is there; a file is kept aside

A backup is older than the world. So nothing that was reviewed or said before counts any more: when
the server starts, every environment is compared with what lives, and whatever is to do waits for
`/apply`. What lives and was not owned then is taken over by that, never made twice.

Environment: as for `landfall backup`. Exit code: 0 it is restored; 1 nothing was changed.")]
pub(super) struct Restore {
    /// A file or `s3://BUCKET/KEY`; with `--latest` also `FOLDER/` or `s3://BUCKET/PREFIX/`.
    #[arg(value_name = "PLACE")]
    place: Place,
    /// Restore the newest backup of a folder or a prefix.
    #[arg(long)]
    latest: bool,
    /// Let the backup take the place of what is in the store.
    #[arg(long)]
    replace: bool,
    /// What to print.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

impl Restore {
    pub(super) async fn run(self) -> anyhow::Result<Ended> {
        let (backups, redactor) = backups(&settings()?);
        let progress = Progress::begin();
        let occupied = if self.replace { Occupied::Replace } else { Occupied::Refuse };
        let restored = async {
            let place = match self.latest {
                true => backups.latest(&self.place).await?,
                false => self.place.clone(),
            };
            progress.say(&format!("restoring {place}"));
            let refilled = backups.restore(&place, occupied).await.map_err(advised)?;
            anyhow::Ok((place, refilled))
        };
        let (place, refilled) = restored.await.map_err(|error| shown(&error, &redactor))?;
        progress.clear();
        let text = match self.format {
            Format::Text | Format::Markdown => summary(&place, &refilled),
            Format::Json => json(&document(&place, &refilled)),
        };
        print(&redactor, &text)?;
        Ok(Ended::Done)
    }
}

/// What to do about an error, where there is one thing to do.
fn advised(error: anyhow::Error) -> anyhow::Error {
    let advice = match error.downcast_ref::<StoreError>() {
        Some(StoreError::NotEmpty) => "say `--replace` to have the backup take its place",
        Some(StoreError::InUse) => "stop every server that works on it, then restore",
        _ => return error,
    };
    anyhow::anyhow!("{error:#}: {advice}")
}

fn summary(place: &Place, refilled: &Refilled) -> String {
    let header = &refilled.contents.header;
    let restored = format!(
        "Restored {} from {place}, taken {} from {} by Landfall {}.\n",
        rows(refilled.contents.rows),
        header.taken_at.strftime("%Y-%m-%d %H:%M:%S UTC"),
        header.engine,
        header.landfall,
    );
    let aside = refilled.aside.as_ref();
    let aside = aside.map(|path| format!("What was there is kept as {}.\n", path.display()));
    format!(
        "{restored}{}\nNext: start the server. It compares every environment with what lives and plans open pull\nrequests again. What was reviewed or said before the restore does not count: a run that has\nsomething to do waits for `/apply`, on its pull requests and on the commit's check.\n",
        aside.unwrap_or_default(),
    )
}

fn document(place: &Place, refilled: &Refilled) -> serde_json::Value {
    let header = &refilled.contents.header;
    json!({
        "place": place.to_string(),
        "rows": refilled.contents.rows,
        "engine": header.engine,
        "landfall": header.landfall,
        "taken_at": header.taken_at,
        "aside": refilled.aside.as_ref().map(|path| path.display().to_string()),
    })
}

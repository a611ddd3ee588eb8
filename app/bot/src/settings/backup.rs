//! The settings of backups: where to, how often, how many, and with whose credentials.

use std::num::NonZeroUsize;
use std::path::Path;
use std::time::Duration;

use jiff::SignedDuration;
use secrecy::SecretString;

use super::{Fault, Reader, Variables};
use crate::backup::{Credentials, Place, Schedule};

const EVERY: &str = "6h";
/// A week of them, at four a day.
const KEEP: &str = "28";
/// More often than this would be nothing but backups.
const SHORTEST: Duration = Duration::from_secs(60);

/// What `landfall backup` and `landfall restore` run with.
#[derive(Debug, Clone)]
pub struct StoreSettings {
    /// `LANDFALL_DATABASE_URL`, as for a server.
    pub database_url: SecretString,
    /// The rest.
    pub backup: BackupSettings,
}

/// Where backups go.
#[derive(Debug, Clone, Default)]
pub struct BackupSettings {
    /// `LANDFALL_BACKUP` and what goes with it; none where it is not set.
    pub schedule: Option<Schedule>,
    /// The `AWS_…` variables.
    pub credentials: Credentials,
}

impl StoreSettings {
    /// Reads the settings.
    ///
    /// # Errors
    /// Every variable that is wrong.
    pub fn read(variables: &Variables<'_>) -> Result<Self, Vec<Fault>> {
        let mut reader = Reader { variables, faults: Vec::new() };
        let settings = Self { database_url: reader.database_url(), backup: reader.backup() };
        if reader.faults.is_empty() { Ok(settings) } else { Err(reader.faults) }
    }
}

impl Reader<'_> {
    pub(super) fn database_url(&self) -> SecretString {
        let folder = self.or("LANDFALL_DATA_DIR", "data");
        let file = format!("sqlite:{}", Path::new(&folder).join("landfall.db").display());
        self.or("LANDFALL_DATABASE_URL", &file).into()
    }

    pub(super) fn backup(&mut self) -> BackupSettings {
        BackupSettings {
            schedule: self.schedule(),
            credentials: Credentials::read(|name| self.get(name)),
        }
    }

    fn schedule(&mut self) -> Option<Schedule> {
        let place = self.get("LANDFALL_BACKUP")?;
        let place = place.parse::<Place>().map_err(|error| error.to_string());
        let place = place.and_then(|place| match place.is_for_several() {
            true => Ok(place),
            false => {
                Err(format!("`{place}` is for one backup; a folder or a prefix ends with a slash"))
            }
        });
        let what = "a time of a minute or more, as in `6h` or `30m`";
        let every: SignedDuration = self.parsed("LANDFALL_BACKUP_EVERY", EVERY, what);
        let every = Duration::try_from(every).unwrap_or_default();
        if every < SHORTEST {
            self.fault("LANDFALL_BACKUP_EVERY", format!("is not {what}"));
        }
        let keep: NonZeroUsize =
            self.parsed("LANDFALL_BACKUP_KEEP", KEEP, "how many are kept, at least 1");
        match place {
            Ok(place) => Some(Schedule { place, every, keep }),
            Err(problem) => {
                self.fault("LANDFALL_BACKUP", problem);
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Result<StoreSettings, Vec<Fault>> {
        StoreSettings::read(&|name| {
            pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn without_a_place_nothing_is_backed_up_by_itself() {
        assert_eq!(read(&[("LANDFALL_BACKUP_EVERY", "1h")]).unwrap().backup.schedule, None);
        let schedule = read(&[("LANDFALL_BACKUP", "s3://acme/landfall/")]).unwrap().backup.schedule;
        let schedule = schedule.expect("a place is set");
        assert_eq!(schedule.every, Duration::from_secs(6 * 3600));
        assert_eq!(schedule.keep.get(), 28);
    }

    #[test]
    fn what_is_wrong_is_told_by_its_variable() {
        let faults = read(&[
            ("LANDFALL_BACKUP", "s3://acme/one.backup"),
            ("LANDFALL_BACKUP_EVERY", "10s"),
            ("LANDFALL_BACKUP_KEEP", "0"),
        ]);
        let told: Vec<&str> = faults.unwrap_err().iter().map(|fault| fault.variable).collect();
        assert_eq!(told, ["LANDFALL_BACKUP_EVERY", "LANDFALL_BACKUP_KEEP", "LANDFALL_BACKUP"]);
    }

    #[test]
    fn no_secret_is_in_what_is_printed_of_them() {
        let settings = read(&[
            ("LANDFALL_DATABASE_URL", "postgres://landfall:hunter2@db/landfall"),
            ("AWS_ACCESS_KEY_ID", "AKIA"),
            ("AWS_SECRET_ACCESS_KEY", "hunter2"),
        ])
        .unwrap();
        assert!(!format!("{settings:?}").contains("hunter2"));
        assert_eq!(settings.backup.credentials.secrets().count(), 1);
    }
}

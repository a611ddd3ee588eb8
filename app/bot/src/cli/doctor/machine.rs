//! What is looked at on this machine: git, the key's file, the folders, the templates, the operator
//! file, and where backups go.

use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use landfall_os::disk;
use landfall_repo::{Git, GitSettings};
use landfall_secrets::Resolver;
use landfall_store::SystemClock;

use super::Patient;
use super::report::Finding;
use crate::backup::place::taken_at;
use crate::backup::{Backups, Place, Schedule};
use crate::operator::Operator;
use crate::publish::notification;
use crate::render::Templates;

/// With less room than this a server soon takes no deliveries any more.
const LEAST_ROOM: u64 = 256 << 20;
/// With less room than this somebody should look.
const LITTLE_ROOM: u64 = 2 << 30;

pub(super) async fn findings(patient: &Patient) -> Vec<Finding> {
    let mut found = vec![git().await];
    found.extend(key_file(std::env::var("GITHUB_PRIVATE_KEY_PATH").ok().as_deref()));
    found.extend(data_dir(&patient.settings.data_dir));
    found.push(templates(patient.settings.templates.as_deref()));
    found.push(operator(patient).await);
    found.push(backup(patient).await);
    found
}

async fn git() -> Finding {
    match Git::find(GitSettings::default()).await {
        Ok(git) => Finding::fine("git", git.version()),
        Err(error) => {
            Finding::fault("git", error, "install git 2.43 or later where PATH leads to it")
        }
    }
}

/// Whether others on this machine can read the App's key. That it is there the settings say.
fn key_file(path: Option<&str>) -> Option<Finding> {
    let path = path.filter(|path| !path.is_empty())?;
    let mode = std::fs::metadata(path).ok()?.permissions().mode();
    Some(match mode & 0o077 {
        0 => Finding::fine("key", format!("{path} is for its owner alone")),
        _ => {
            let said = format!("others on this machine may read {path}");
            Finding::warning("key", said, format!("chmod 600 {path}"))
        }
    })
}

/// Whether mirrors and the database have a place to grow. A folder that is not there yet is made by
/// the server, so the nearest one above it counts.
fn data_dir(folder: &Path) -> Vec<Finding> {
    let mut above = folder.ancestors().map(|path| match path.as_os_str().is_empty() {
        true => Path::new("."),
        false => path,
    });
    let Some(there) = above.find(|path| path.exists()) else { return Vec::new() };
    let shown = folder.display();
    let said = match there == folder {
        true => format!("{shown} can be written to"),
        false => format!("{shown} is not there yet; the server makes it"),
    };
    let written = match tempfile::tempfile_in(there) {
        Ok(_) => Finding::fine("data", said),
        Err(error) => {
            let mend = "give it to the user that the server runs as, or set LANDFALL_DATA_DIR";
            Finding::fault(
                "data",
                format!("{} cannot be written to: {error}", there.display()),
                mend,
            )
        }
    };
    vec![written, room(disk::free(there))]
}

fn room(free: io::Result<u64>) -> Finding {
    let mend = "make room: a disk that is full makes GitHub's deliveries fail";
    match free {
        Ok(free) if free < LEAST_ROOM => Finding::fault("disk", left(free), mend),
        Ok(free) if free < LITTLE_ROOM => Finding::warning("disk", left(free), mend),
        Ok(free) => Finding::fine("disk", left(free)),
        Err(error) => Finding::unknown("disk", format!("its room cannot be told: {error}")),
    }
}

fn left(free: u64) -> String {
    match free >> 20 {
        mebi if mebi < 10 << 10 => format!("{mebi} MiB are free"),
        mebi => format!("{} GiB are free", mebi >> 10),
    }
}

fn templates(folder: Option<&Path>) -> Finding {
    let Some(folder) = folder else { return Finding::fine("templates", "the built-in ones") };
    let tried = Templates::load(Some(folder)).and_then(|templates| templates.try_out());
    match tried {
        Ok(()) => Finding::fine("templates", format!("those in {} print", folder.display())),
        Err(error) => {
            let mend = "compare it with the built-in one of that name in templates/comment";
            Finding::fault("templates", format!("{error:#}"), mend)
        }
    }
}

async fn operator(patient: &Patient) -> Finding {
    let Some(path) = &patient.settings.operator_file else {
        return Finding::fine("operator file", "none: the defaults hold, and nobody is notified");
    };
    let resolver = Resolver::of_process(patient.redactor.clone());
    let read = match Operator::read(path) {
        Ok(operator) => notification::check(&operator, &resolver).await.map(|()| operator),
        Err(error) => Err(error),
    };
    match read {
        Ok(operator) => {
            let targets = match operator.targets().len() {
                1 => "1 is notified".to_owned(),
                many => format!("{many} are notified"),
            };
            Finding::fine("operator file", format!("{}: {targets}", path.display()))
        }
        Err(error) => {
            let mend = "mend it there: the server does not start with it";
            Finding::fault("operator file", format!("{error:#}"), mend)
        }
    }
}

async fn backup(patient: &Patient) -> Finding {
    const BACKUP: [&str; 3] = ["LANDFALL_BACKUP", "LANDFALL_BACKUP_EVERY", "LANDFALL_BACKUP_KEEP"];
    if patient.lacks(&BACKUP) {
        return Finding::unknown("backup", "its place is looked at once its settings can be used");
    }
    let backup = &patient.settings.backup;
    let Some(schedule) = &backup.schedule else {
        let mend = "set LANDFALL_BACKUP to a folder on another disk or to s3://BUCKET/PREFIX/";
        return Finding::warning("backup", "the server does not back up by itself", mend);
    };
    let url = patient.settings.database_url.clone();
    let backups = Backups::new(url, Arc::new(SystemClock), backup.credentials.clone());
    match backups.newest(&schedule.place).await {
        Ok(newest) => last_backup(schedule, newest.as_ref(), Timestamp::now()),
        Err(error) => {
            let mend = "the server's log says why it fails; LANDFALL_BACKUP says where it goes";
            Finding::warning("backup", format!("{error:#}"), mend)
        }
    }
}

/// A backup that is twice as old as it should be was tried and failed, or nobody was there.
fn last_backup(schedule: &Schedule, newest: Option<&Place>, now: Timestamp) -> Finding {
    let place = &schedule.place;
    let name = newest.map(ToString::to_string).unwrap_or_default();
    let Some(at) = taken_at(name.rsplit('/').next().unwrap_or_default()) else {
        let said = format!("there is none at {place} yet");
        return Finding::warning("backup", said, "the server makes one at its start");
    };
    let said = format!("the last one is of {at}, at {place}");
    let due = SignedDuration::try_from(schedule.every * 2).unwrap_or(SignedDuration::MAX);
    match now.duration_since(at) > due {
        true => Finding::warning("backup", said, "the server's log says why there is none since"),
        false => Finding::fine("backup", said),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn room_is_told_as_people_read_it_and_judged() {
        assert_eq!(room(Ok(300 << 30)), Finding::fine("disk", "300 GiB are free"));
        for (free, said) in [(1 << 30, "1024 MiB are free"), (1 << 20, "1 MiB are free")] {
            assert_ne!(room(Ok(free)), Finding::fine("disk", said));
        }
    }

    #[test]
    fn a_backup_is_late_after_twice_its_time() {
        let place = Place::Folder("backups".into());
        let keep = 28.try_into().unwrap();
        let schedule = Schedule { place, every: Duration::from_hours(6), keep };
        let newest = Place::File("backups/landfall-20261121T000000Z.backup".into());
        let after = |hour: &str| {
            let now = format!("2026-11-21T{hour}:00:00Z").parse().unwrap();
            last_backup(&schedule, Some(&newest), now)
        };
        let fine = "the last one is of 2026-11-21T00:00:00Z, at backups";
        assert_eq!(after("12"), Finding::fine("backup", fine));
        assert_ne!(after("13"), Finding::fine("backup", fine));
    }
}

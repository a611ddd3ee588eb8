//! `ref+file:///folder/name`: a file in a folder that the operator names.
//!
//! The path is checked twice: as written, so that nothing is learned about files elsewhere, and
//! with all links followed, so that a link in a folder cannot lead out of it.

use std::io;
use std::path::{Component, Path, PathBuf};

use landfall_core::config::secret::SecretRef;
use secrecy::SecretString;
use tokio::fs::{self, File};
use tokio::io::AsyncReadExt as _;

use crate::{Policy, Why};

/// The largest file that is taken for a secret, in bytes.
const LARGEST: u64 = 1 << 20;

/// The file's text without one line break at its end, which editors put there.
pub(crate) async fn read(reference: &SecretRef, policy: &Policy) -> Result<SecretString, Why> {
    if let Some((name, _)) = reference.query().first() {
        return Err(Why::Parameter(name.clone()));
    }
    let path = inside(Path::new(reference.path()), policy).await?;
    let file = File::open(&path).await.map_err(|error| unreadable(&error))?;
    if !file.metadata().await.is_ok_and(|about| about.is_file()) {
        return Err(Why::Unreadable("it is not a file"));
    }
    let mut text = String::new();
    let length = file.take(LARGEST + 1).read_to_string(&mut text).await;
    match length {
        Ok(length) if length as u64 > LARGEST => {
            return Err(Why::Unreadable("it is longer than 1 MiB"));
        }
        Ok(_) => {}
        Err(error) => return Err(unreadable(&error)),
    }
    let text = text.strip_suffix('\n').unwrap_or(&text);
    Ok(SecretString::from(text.strip_suffix('\r').unwrap_or(text)))
}

/// The real path, if it is in one of the folders both as written and with links followed.
async fn inside(path: &Path, policy: &Policy) -> Result<PathBuf, Why> {
    let refused = || Why::NotAllowed("it lists the folders whose files may be read".to_owned());
    let plain =
        path.components().all(|part| matches!(part, Component::RootDir | Component::Normal(_)));
    let within: Vec<&PathBuf> =
        policy.folders.iter().filter(|folder| path.starts_with(folder)).collect();
    if !path.is_absolute() || !plain || within.is_empty() {
        return Err(refused());
    }
    let real = fs::canonicalize(path).await.map_err(|error| unreadable(&error))?;
    for folder in within {
        if fs::canonicalize(folder).await.is_ok_and(|folder| real.starts_with(folder)) {
            return Ok(real);
        }
    }
    Err(refused())
}

fn unreadable(error: &io::Error) -> Why {
    match error.kind() {
        io::ErrorKind::NotFound => Why::Missing("the server has no such file"),
        io::ErrorKind::PermissionDenied => Why::Unreadable("the server may not read it"),
        io::ErrorKind::InvalidData => Why::Unreadable("it is not text"),
        _ => Why::Unreadable("the file system fails"),
    }
}

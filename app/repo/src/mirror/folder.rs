//! The folder of a mirror: made, and put in order after a crash.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::{Git, RepoError};

/// Makes the folder a bare repository if it is none (`git init` may be repeated), and removes what
/// a killed git left behind.
pub(super) async fn prepare(git: &Git, folder: &Path) -> Result<(), RepoError> {
    let (path, what) = (folder.to_owned(), "the mirror's folder cannot be made");
    let tidied = tokio::task::spawn_blocking(move || tidy(&path)).await;
    tidied
        .unwrap_or_else(|_| Err(io::ErrorKind::Interrupted.into()))
        .map_err(|e| RepoError::files(what, &e))?;
    let init = ["init", "--quiet", "--bare", "--template=", "--initial-branch=main", "--"];
    let command =
        git.command(init.map(Into::into).into_iter().chain([folder.as_os_str().to_owned()]));
    git.succeed("init", command).await.map(drop)
}

/// Removes lock files and half-written packs. Nobody else works in the folder.
fn tidy(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    let mut folders = vec![folder.join("refs")];
    remove_left_overs(folder)?;
    remove_left_overs(&folder.join("objects/pack"))?;
    while let Some(next) = folders.pop() {
        remove_left_overs(&next)?;
        folders.extend(children(&next)?.into_iter().filter(|child| child.is_dir()));
    }
    Ok(())
}

fn remove_left_overs(folder: &Path) -> io::Result<()> {
    let left_over = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        (name.ends_with(".lock") || name.starts_with("tmp_")) && path.is_file()
    };
    children(folder)?.iter().filter(|path| left_over(path)).try_for_each(fs::remove_file)
}

fn children(folder: &Path) -> io::Result<Vec<PathBuf>> {
    match fs::read_dir(folder) {
        Ok(entries) => entries.map(|entry| Ok(entry?.path())).collect(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

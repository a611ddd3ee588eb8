//! Backups in files: written beside, made last, and only then given their name.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use tokio::fs::{self, File, OpenOptions};
use tokio::io::{AsyncWriteExt as _, BufWriter};

/// A file that is being written. It is for its owner alone, since a backup has in it who said what.
pub(super) struct FileDraft {
    pub(super) writer: BufWriter<File>,
    path: PathBuf,
    target: PathBuf,
}

impl FileDraft {
    /// Begins a file beside `target`, making the folder if there is none.
    pub(super) async fn create(target: &Path) -> anyhow::Result<Self> {
        let folder = folder_of(target);
        fs::create_dir_all(folder)
            .await
            .with_context(|| format!("{} cannot be made", folder.display()))?;
        let mut path = target.as_os_str().to_owned();
        path.push(".part");
        let path = PathBuf::from(path);
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true).mode(0o600);
        let file = options.open(&path).await;
        let file = file.with_context(|| format!("{} cannot be written", path.display()))?;
        Ok(Self { writer: BufWriter::new(file), path, target: target.to_owned() })
    }

    /// Makes it last: on disk, under its name.
    pub(super) async fn keep(mut self) -> anyhow::Result<()> {
        self.writer.flush().await?;
        self.writer.get_ref().sync_all().await?;
        fs::rename(&self.path, &self.target).await?;
        File::open(folder_of(&self.target)).await?.sync_all().await?;
        Ok(())
    }

    pub(super) async fn discard(self) {
        // What stays is begun anew by the next attempt.
        drop(fs::remove_file(&self.path).await);
    }
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// The names of the files in a folder; none while there is no folder.
pub(super) async fn names(folder: &Path) -> anyhow::Result<Vec<String>> {
    let mut entries = match fs::read_dir(folder).await {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.with_context(|| format!("{} cannot be read", folder.display()))?,
    };
    let mut names = Vec::new();
    while let Some(entry) = entries.next_entry().await? {
        if let Ok(name) = entry.file_name().into_string() {
            names.push(name);
        }
    }
    Ok(names)
}

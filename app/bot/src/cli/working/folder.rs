//! Files as they lie in a folder.

use std::collections::{BTreeSet, HashMap};
use std::io::{ErrorKind, Read as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use async_trait::async_trait;
use landfall_core::check;
use landfall_core::name::{BlobSha, ConfigPath};
use landfall_repo::{Blob, Listing, RepoError, WorkingCopy};

use crate::gather::Source;
use crate::gather::source::{File, Form, MAX_FILE, files as listed, stand_in};

/// Files of a folder. Their contents are read when they are asked for, so a file's name stands for
/// its content: nothing outlives the command that would take one for the other.
#[derive(Debug)]
pub(super) struct Folder {
    root: PathBuf,
    files: Vec<File>,
    paths: HashMap<BlobSha, ConfigPath>,
}

impl Folder {
    /// What `copy` would track, and what it does.
    pub(super) async fn of_checkout(copy: &WorkingCopy) -> anyhow::Result<Self> {
        let tracked = match copy.staged().await {
            Ok(listing) => listing,
            // A merge is under way: whose files are tracked is not settled.
            Err(RepoError::Conflict(_)) => Listing { entries: Vec::new(), odd: Vec::new() },
            Err(error) => return Err(error.into()),
        };
        let in_index: BTreeSet<&ConfigPath> =
            tracked.entries.iter().map(|entry| &entry.path).collect();
        let files = copy.files().await?.into_iter();
        let files = files.filter(|path| in_index.contains(path) || !is_env_file(path)).collect();
        let others = listed(tracked).into_iter().filter(|file| !file.is_plain());
        Ok(Self::new(copy.root(), files, others.collect()))
    }

    /// Everything below `root` that is not git's own or Landfall's.
    pub(super) async fn walk(root: &Path) -> anyhow::Result<Self> {
        let at = root.to_owned();
        let (files, links) = tokio::task::spawn_blocking(move || walk(&at)).await??;
        // Nothing is tracked here.
        let files = files.into_iter().filter(|path| !is_env_file(path)).collect();
        Ok(Self::new(root, files, links.into_iter().map(file(Form::Link)).collect()))
    }

    /// `others` are those without a content of their own.
    fn new(root: &Path, files: Vec<ConfigPath>, others: Vec<File>) -> Self {
        let mut files: Vec<File> = files.into_iter().map(file(Form::Plain)).chain(others).collect();
        files.sort_by(|a, b| a.path.cmp(&b.path));
        let paths = files.iter().map(|file| (file.blob.clone(), file.path.clone())).collect();
        Self { root: root.to_owned(), files, paths }
    }
}

#[async_trait]
impl Source for Folder {
    async fn files(&self) -> anyhow::Result<Vec<File>> {
        Ok(self.files.clone())
    }

    async fn contents(&self, blobs: &[BlobSha]) -> anyhow::Result<HashMap<BlobSha, Blob>> {
        let wanted = blobs.iter().filter_map(|blob| Some((blob.clone(), self.paths.get(blob)?)));
        let wanted: Vec<(BlobSha, ConfigPath)> =
            wanted.map(|(blob, path)| (blob, path.clone())).collect();
        let root = self.root.clone();
        let read = move || {
            let read = |(blob, path): (BlobSha, ConfigPath)| {
                let content = read(&root.join(path.as_str()))
                    .with_context(|| format!("{path} cannot be read"))?;
                Ok((blob, content))
            };
            wanted.into_iter().map(read).collect()
        };
        tokio::task::spawn_blocking(read).await?
    }
}

fn file(form: Form) -> impl Fn(ConfigPath) -> File {
    move |path| File { blob: stand_in(&path), path, form }
}

/// A file that is only measured if it is too large.
fn read(path: &Path) -> std::io::Result<Blob> {
    let file = std::fs::File::open(path)?;
    let size = file.metadata()?.len();
    if size > MAX_FILE {
        return Ok(Blob::TooLarge { size });
    }
    let mut content = Vec::new();
    // It may grow meanwhile: then whoever parses it finds it too large.
    file.take(MAX_FILE + 1).read_to_end(&mut content)?;
    Ok(Blob::Content(content))
}

fn is_env_file(path: &ConfigPath) -> bool {
    !check::tracked(std::iter::once(path)).is_empty()
}

/// The files and the links below `root`. Links are not followed, so there is no way round.
fn walk(root: &Path) -> anyhow::Result<(Vec<ConfigPath>, Vec<ConfigPath>)> {
    let (mut files, mut links) = (Vec::new(), Vec::new());
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        let listing = match std::fs::read_dir(&folder) {
            Ok(listing) => listing,
            // A folder that its owner keeps to himself holds no services of ours.
            Err(error) if error.kind() == ErrorKind::PermissionDenied && folder != root => continue,
            Err(error) => return Err(error).with_context(|| folder.display().to_string()),
        };
        for entry in listing {
            let entry = entry.with_context(|| folder.display().to_string())?;
            let (kind, path) = (entry.file_type()?, entry.path());
            if kind.is_dir() {
                if !OWN.iter().any(|own| entry.file_name() == *own) {
                    folders.push(path);
                }
                continue;
            }
            let inside = path.strip_prefix(root).ok().and_then(Path::to_str);
            let Some(Ok(name)) = inside.map(ConfigPath::new) else { continue };
            if kind.is_symlink() {
                links.push(name);
            } else if kind.is_file() {
                files.push(name);
            }
        }
    }
    Ok((files, links))
}

/// Folders that hold no services.
const OWN: [&str; 2] = [".git", ".landfall"];

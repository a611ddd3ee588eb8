//! Where files come from: a tree of a mirror, or a working copy.

use std::collections::HashMap;

use async_trait::async_trait;
use landfall_core::name::{BlobSha, ConfigPath, TreeSha};
use landfall_repo::{Blob, Entry, EntryKind, Mirror};

/// No configuration file may be larger; what is, is an error and not a service that vanished.
pub const MAX_FILE: u64 = landfall_core::yaml::MAX_BYTES as u64;

/// A file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Where it is.
    pub path: ConfigPath,
    /// The name of its content.
    pub blob: BlobSha,
    /// Whether it is a file of its own, and not a link to another one.
    pub plain: bool,
}

/// Files by content, the same for a server's mirror and for a working copy.
#[async_trait]
pub trait Source: Send + Sync {
    /// Every file.
    async fn files(&self) -> anyhow::Result<Vec<File>>;

    /// The file at `path`, if there is one.
    async fn file(&self, path: &ConfigPath) -> anyhow::Result<Option<File>> {
        Ok(self.files().await?.into_iter().find(|file| file.path == *path))
    }

    /// The contents of these, all at once. One that is larger than [`MAX_FILE`] is an error.
    async fn contents(&self, blobs: &[BlobSha]) -> anyhow::Result<HashMap<BlobSha, Vec<u8>>>;
}

/// A tree of a mirror.
#[derive(Debug)]
pub struct TreeFiles<'a> {
    /// The mirror.
    pub mirror: &'a Mirror,
    /// The tree.
    pub tree: &'a TreeSha,
}

#[async_trait]
impl Source for TreeFiles<'_> {
    async fn files(&self) -> anyhow::Result<Vec<File>> {
        // Paths that cannot be shown are left out: no service was ever read from one.
        let listing = self.mirror.list(self.tree, None).await?;
        Ok(files(listing.entries))
    }

    async fn file(&self, path: &ConfigPath) -> anyhow::Result<Option<File>> {
        let entry = self.mirror.file(self.tree, path).await?;
        Ok(files(entry.into_iter().collect()).pop())
    }

    async fn contents(&self, blobs: &[BlobSha]) -> anyhow::Result<HashMap<BlobSha, Vec<u8>>> {
        contents(self.mirror.blobs(blobs, MAX_FILE).await?)
    }
}

/// The entries of a listing that can hold or stand for a file.
pub(crate) fn files(entries: Vec<Entry>) -> Vec<File> {
    let file = |entry: Entry| match entry.kind {
        EntryKind::File | EntryKind::Executable => {
            Some(File { path: entry.path, blob: entry.blob, plain: true })
        }
        EntryKind::Link => Some(File { path: entry.path, blob: entry.blob, plain: false }),
        _ => None,
    };
    entries.into_iter().filter_map(file).collect()
}

/// The contents of blobs that were all small enough.
pub(crate) fn contents(blobs: HashMap<BlobSha, Blob>) -> anyhow::Result<HashMap<BlobSha, Vec<u8>>> {
    let content = |(name, blob)| match blob {
        Blob::Content(content) => Ok((name, content)),
        Blob::TooLarge { size } => {
            anyhow::bail!("a configuration file has {size} bytes; {MAX_FILE} are allowed")
        }
    };
    blobs.into_iter().map(content).collect()
}

//! Files as they would be committed.

use std::collections::HashMap;

use async_trait::async_trait;
use landfall_core::name::BlobSha;
use landfall_repo::{Blob, RepoError, WorkingCopy};

use crate::gather::Source;
use crate::gather::source::{File, MAX_FILE, files};

/// The index of a checkout.
#[derive(Debug)]
pub(super) struct Staged {
    copy: WorkingCopy,
    files: Vec<File>,
}

impl Staged {
    /// Lists it once: a commit that is made meanwhile changes nothing here.
    pub(super) async fn list(copy: WorkingCopy) -> anyhow::Result<Self> {
        let listing = copy.staged().await.map_err(|error| match error {
            RepoError::Conflict(paths) => anyhow::anyhow!(
                "a merge is under way with conflicts in {}\nhelp: resolve them and `git add` the files",
                paths.join(", ")
            ),
            other => other.into(),
        })?;
        Ok(Self { copy, files: files(listing) })
    }
}

#[async_trait]
impl Source for Staged {
    async fn files(&self) -> anyhow::Result<Vec<File>> {
        Ok(self.files.clone())
    }

    async fn contents(&self, blobs: &[BlobSha]) -> anyhow::Result<HashMap<BlobSha, Blob>> {
        Ok(self.copy.blobs(blobs, MAX_FILE).await?)
    }
}

//! Whatever a place is, in one form: begun, made last or discarded, read, listed, removed.

use std::pin::Pin;

use anyhow::{Context as _, bail};
use object_store::ObjectStoreExt as _;
use tokio::fs;
use tokio::io::{AsyncRead, AsyncWrite};

use super::bucket::{Buckets, Credentials, Upload};
use super::file::{FileDraft, names};
use super::place::Place;

/// Files, and buckets with the operator's credentials.
#[derive(Debug)]
pub(super) struct Storage {
    buckets: Buckets,
}

/// A backup that is being written.
pub(super) enum Draft {
    File(FileDraft),
    Upload(Upload),
}

impl Draft {
    pub(super) fn writer(&mut self) -> &mut (dyn AsyncWrite + Send + Unpin) {
        match self {
            Self::File(draft) => &mut draft.writer,
            Self::Upload(upload) => &mut upload.writer,
        }
    }

    /// Makes it last.
    pub(super) async fn keep(self) -> anyhow::Result<()> {
        match self {
            Self::File(draft) => draft.keep().await,
            Self::Upload(upload) => upload.keep().await,
        }
    }

    /// Leaves nothing of it.
    pub(super) async fn discard(self) {
        match self {
            Self::File(draft) => draft.discard().await,
            Self::Upload(upload) => upload.discard().await,
        }
    }
}

impl Storage {
    pub(super) fn new(credentials: Credentials) -> Self {
        Self { buckets: Buckets::new(credentials) }
    }

    /// Begins what is to be at `place`.
    pub(super) async fn create(&self, place: &Place) -> anyhow::Result<Draft> {
        Ok(match place {
            Place::File(path) => Draft::File(FileDraft::create(path).await?),
            Place::Object { bucket, key } => Draft::Upload(self.buckets.upload(bucket, key)?),
            Place::Folder(_) | Place::Prefix { .. } => bail!("{place} is for several"),
        })
    }

    /// Reads what is at `place`.
    pub(super) async fn read(
        &self,
        place: &Place,
    ) -> anyhow::Result<Pin<Box<dyn AsyncRead + Send>>> {
        let unreadable = || format!("{place} cannot be read");
        Ok(match place {
            Place::File(path) => Box::pin(fs::File::open(path).await.with_context(unreadable)?),
            Place::Object { bucket, key } => {
                Box::pin(self.buckets.download(bucket, key).await.with_context(unreadable)?)
            }
            Place::Folder(_) | Place::Prefix { .. } => {
                bail!("{place} is for several: name one of them, or say `--latest`")
            }
        })
    }

    /// How large it is. That it can be told is a sign that it is there.
    pub(super) async fn size(&self, place: &Place) -> anyhow::Result<u64> {
        let gone = || format!("{place} was written and is not there");
        Ok(match place {
            Place::File(path) | Place::Folder(path) => {
                fs::metadata(path).await.with_context(gone)?.len()
            }
            Place::Object { bucket, key } | Place::Prefix { bucket, prefix: key } => {
                let (store, path) = self.buckets.object(bucket, key)?;
                store.head(&path).await.with_context(gone)?.size
            }
        })
    }

    /// The names of all that is directly at a place for several.
    pub(super) async fn names(&self, place: &Place) -> anyhow::Result<Vec<String>> {
        match place {
            Place::Folder(folder) => names(folder).await,
            Place::Prefix { bucket, prefix } => {
                let names = self.buckets.names(bucket, prefix).await;
                names.with_context(|| format!("{place} cannot be listed"))
            }
            Place::File(_) | Place::Object { .. } => {
                bail!("{place} is one backup; a folder or a prefix ends with a slash")
            }
        }
    }

    pub(super) async fn remove(&self, place: &Place) -> anyhow::Result<()> {
        let stays = || format!("{place} cannot be removed");
        match place {
            Place::File(path) => fs::remove_file(path).await.with_context(stays),
            Place::Object { bucket, key } => {
                let (store, path) = self.buckets.object(bucket, key)?;
                store.delete(&path).await.with_context(stays)
            }
            Place::Folder(_) | Place::Prefix { .. } => bail!("{place} is for several"),
        }
    }
}

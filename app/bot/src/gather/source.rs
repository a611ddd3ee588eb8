//! Where files come from: a tree of a mirror, or a working copy.

use std::collections::HashMap;

use async_trait::async_trait;
use bytes::Bytes;
use landfall_core::name::{BlobSha, ConfigPath};

/// Files by content, the same for a server's mirror and for a working copy.
#[async_trait]
pub trait Source: Send + Sync {
    /// Every regular file, with the name of its content.
    async fn files(&self) -> anyhow::Result<Vec<(ConfigPath, BlobSha)>>;

    /// The contents of these, all at once.
    async fn contents(&self, blobs: &[BlobSha]) -> anyhow::Result<HashMap<BlobSha, Bytes>>;
}

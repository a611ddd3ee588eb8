//! Backups in buckets of S3 and of what speaks like it (Tigris, R2, MinIO).
//!
//! Whose credentials and which endpoint is read from the variables that every S3 client reads. The
//! machine's own role is not asked for them: where there is none, that takes minutes to say so.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use anyhow::Context as _;
use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};
use object_store::buffered::{BufReader, BufWriter};
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt as _, RetryConfig};
use secrecy::{ExposeSecret as _, SecretString};
use tokio::io::{AsyncWrite, AsyncWriteExt as _};

use super::wire::Wire;

/// The variables that are read, beside the key itself: see `AmazonS3ConfigKey`.
const VARIABLES: [&str; 14] = [
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_DEFAULT_REGION",
    "AWS_REGION",
    "AWS_ENDPOINT_URL",
    "AWS_ENDPOINT_URL_S3",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_ROLE_ARN",
    "AWS_ROLE_SESSION_NAME",
    "AWS_ENDPOINT_URL_STS",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
];

/// Those without any of which nobody could sign a request.
const SOURCES: [&str; 4] = [
    "AWS_ACCESS_KEY_ID",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
];

/// How much is held in memory of what is sent or read at once. S3 wants 5 MiB at least in each part
/// but the last, and takes 10,000 of them.
const PART: usize = 8 << 20;
/// How many parts are on their way at once.
const PARTS_AT_ONCE: usize = 2;

/// What the variables say.
#[derive(Clone, Default)]
pub struct Credentials {
    set: Vec<(&'static str, SecretString)>,
}

impl Credentials {
    /// Reads them.
    #[must_use]
    pub fn read(variable: impl Fn(&str) -> Option<String>) -> Self {
        let set = VARIABLES.into_iter().filter_map(|name| Some((name, variable(name)?.into())));
        Self { set: set.collect() }
    }

    /// What must not be shown.
    pub fn secrets(&self) -> impl Iterator<Item = &SecretString> {
        let secret = |name: &str| matches!(name, "AWS_SECRET_ACCESS_KEY" | "AWS_SESSION_TOKEN");
        self.set.iter().filter(move |(name, _)| secret(name)).map(|(_, value)| value)
    }
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.set.iter().map(|(name, _)| name)).finish()
    }
}

/// Opens buckets.
#[derive(Debug)]
pub(super) struct Buckets {
    credentials: Credentials,
}

/// An object that is being written. It is there when all of it is, and not before.
pub(super) struct Upload {
    pub(super) writer: LeftOpen,
}

/// A writer that whoever ends what he writes to it does not end: an upload that was ended can be
/// discarded no more.
pub(super) struct LeftOpen(BufWriter);

impl AsyncWrite for LeftOpen {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_flush(context)
    }
}

impl Upload {
    /// Makes an object of what was written.
    pub(super) async fn keep(mut self) -> anyhow::Result<()> {
        Ok(self.writer.0.shutdown().await?)
    }

    pub(super) async fn discard(mut self) {
        // Parts that stay are nobody's object; a bucket's own rules remove them.
        if let Err(error) = self.writer.0.abort().await {
            tracing::warn!(error = %error, "the parts of a backup that failed could not be removed");
        }
    }
}

impl Buckets {
    pub(super) fn new(credentials: Credentials) -> Self {
        Self { credentials }
    }

    fn open(&self, bucket: &str) -> anyhow::Result<Arc<dyn ObjectStore>> {
        let set = &self.credentials.set;
        if !set.iter().any(|(name, _)| SOURCES.contains(name)) {
            anyhow::bail!("AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not set");
        }
        // Few tries: the next backup is a try too, and people wait for what the command line says.
        let retry = RetryConfig {
            max_retries: 4,
            retry_timeout: Duration::from_secs(60),
            ..RetryConfig::default()
        };
        let mut builder = AmazonS3Builder::new()
            .with_bucket_name(bucket)
            .with_http_connector(Wire::default())
            .with_retry(retry)
            // Not everybody who speaks like S3 has the call that deletes several at once.
            .with_disable_bulk_delete(true);
        for (name, value) in set {
            let key: AmazonS3ConfigKey = name.to_ascii_lowercase().parse()?;
            builder = builder.with_config(key, value.expose_secret());
        }
        Ok(Arc::new(builder.build()?))
    }

    pub(super) fn object(
        &self,
        bucket: &str,
        key: &str,
    ) -> anyhow::Result<(Arc<dyn ObjectStore>, Path)> {
        let path = Path::parse(key).with_context(|| format!("`{key}` is no key of an object"))?;
        Ok((self.open(bucket)?, path))
    }

    pub(super) fn upload(&self, bucket: &str, key: &str) -> anyhow::Result<Upload> {
        let (store, path) = self.object(bucket, key)?;
        let writer = BufWriter::with_capacity(store, path, PART);
        Ok(Upload { writer: LeftOpen(writer.with_max_concurrency(PARTS_AT_ONCE)) })
    }

    /// Reads an object piece by piece, each asked for when it is needed.
    pub(super) async fn download(&self, bucket: &str, key: &str) -> anyhow::Result<BufReader> {
        let (store, path) = self.object(bucket, key)?;
        let meta = store.head(&path).await?;
        Ok(BufReader::with_capacity(store, &meta, PART))
    }

    pub(super) async fn names(&self, bucket: &str, prefix: &str) -> anyhow::Result<Vec<String>> {
        let path = Path::parse(prefix.trim_end_matches('/'))?;
        let found = self.open(bucket)?.list_with_delimiter(Some(&path)).await?;
        let names = found.objects.iter().filter_map(|object| object.location.filename());
        Ok(names.map(str::to_owned).collect())
    }
}

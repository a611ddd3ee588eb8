//! Writing an archive.

use async_compression::Level;
use async_compression::tokio::write::ZstdEncoder;
use async_compression::zstd::CParameter;
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use tokio::io::{AsyncWrite, AsyncWriteExt as _};

use super::{ArchiveError, Cell, End, FORMAT, Header, MAGIC, Mark, Table};
use crate::Result;

/// An archive that is being written.
pub(crate) struct Writer<'w> {
    zstd: ZstdEncoder<&'w mut (dyn AsyncWrite + Send + Unpin)>,
    digest: Sha256,
    rows: u64,
    line: Vec<u8>,
}

impl<'w> Writer<'w> {
    pub(crate) async fn begin(
        out: &'w mut (dyn AsyncWrite + Send + Unpin),
        header: &Header,
    ) -> Result<Self> {
        out.write_all(format!("{MAGIC} {FORMAT}\n").as_bytes()).await.map_err(ArchiveError::Io)?;
        let checked = [CParameter::checksum_flag(true)];
        let zstd = ZstdEncoder::with_quality_and_params(out, Level::Default, &checked);
        let mut writer = Self { zstd, digest: Sha256::new(), rows: 0, line: Vec::new() };
        writer.line(&Mark::Backup(header.clone())).await?;
        Ok(writer)
    }

    pub(crate) async fn table(&mut self, table: &Table) -> Result<()> {
        self.line(&Mark::Table(table.clone())).await
    }

    pub(crate) async fn row(&mut self, row: &[Cell]) -> Result<()> {
        self.rows += 1;
        self.line(row).await
    }

    /// Writes the end, without which all of it is worth nothing, and says how many rows there are.
    pub(crate) async fn finish(mut self) -> Result<u64> {
        let rows = self.rows;
        let sha256 = hex(&self.digest.clone().finalize());
        self.line(&Mark::End(End { rows, sha256 })).await?;
        self.zstd.shutdown().await.map_err(ArchiveError::Io)?;
        Ok(rows)
    }

    async fn line(&mut self, value: &(impl Serialize + ?Sized)) -> Result<()> {
        self.line.clear();
        serde_json::to_writer(&mut self.line, value)
            .map_err(|error| ArchiveError::Io(error.into()))?;
        self.line.push(b'\n');
        self.digest.update(&self.line);
        Ok(self.zstd.write_all(&self.line).await.map_err(ArchiveError::Io)?)
    }
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

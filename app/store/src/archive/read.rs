//! Reading an archive. What is read is believed once [`Piece::End`] came, not before.

use std::fmt::Display;
use std::io::{self, ErrorKind};

use async_compression::tokio::bufread::ZstdDecoder;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use tokio::io::{AsyncBufRead, AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, BufReader};

use super::write::hex;
use super::{ArchiveError, Cell, Column, End, FORMAT, Header, MAGIC, Mark, SCHEMA, Table};
use crate::{Result, StoreError};

/// The longest line. A row is at most a delivery's body, 25 MiB, in base64.
const LONGEST: u64 = 64 << 20;

/// Rows are handed on when they take this much memory, or are this many.
const BATCH_BYTES: usize = 1 << 20;
const BATCH_ROWS: usize = 500;

type Lines<'r> = BufReader<ZstdDecoder<BufReader<&'r mut (dyn AsyncRead + Send + Unpin)>>>;

/// An archive that is being read.
pub(crate) struct Reader<'r> {
    lines: Lines<'r>,
    pub(crate) header: Header,
    digest: Sha256,
    rows: u64,
    /// Whose rows they are.
    table: Option<Table>,
    /// A line that was read and is not a row.
    ahead: Option<Mark>,
}

/// What comes next.
pub(crate) enum Piece {
    /// The head of a table.
    Table(Table),
    /// Some of its rows.
    Rows(Vec<Vec<Cell>>),
    /// Nothing more: it is whole, and has this many rows.
    End(u64),
}

impl<'r> Reader<'r> {
    /// Reads the header, and refuses what this version cannot read.
    pub(crate) async fn begin(archive: &'r mut (dyn AsyncRead + Send + Unpin)) -> Result<Self> {
        let mut source = BufReader::new(archive);
        check_form(&mut source).await?;
        let mut lines = BufReader::new(ZstdDecoder::new(source));
        let first = line(&mut lines).await?;
        let Mark::Backup(header) = mark(&first)? else { return Err(damaged("it has no header")) };
        if header.schema > SCHEMA {
            return Err(ArchiveError::Newer(format!(" ({})", header.landfall)).into());
        }
        let digest = Sha256::new().chain_update(&first);
        Ok(Self { lines, header, digest, rows: 0, table: None, ahead: None })
    }

    pub(crate) async fn next(&mut self) -> Result<Piece> {
        match self.ahead.take() {
            Some(Mark::Table(table)) => {
                self.table = Some(table.clone());
                return Ok(Piece::Table(table));
            }
            Some(Mark::End(end)) => return self.end(&end).await.map(Piece::End),
            Some(Mark::Backup(_)) => return Err(damaged("it has two headers")),
            None => {}
        }
        let (mut rows, mut bytes) = (Vec::new(), 0);
        while rows.len() < BATCH_ROWS && bytes < BATCH_BYTES {
            let line = line(&mut self.lines).await?;
            if line.first() == Some(&b'[') {
                let row = row(&line, self.table.as_ref())?;
                bytes += row.iter().map(Cell::size).sum::<usize>();
                rows.push(row);
            } else {
                self.ahead = Some(mark(&line)?);
            }
            if !matches!(self.ahead, Some(Mark::End(_))) {
                self.digest.update(&line);
            }
            if self.ahead.is_some() {
                break;
            }
        }
        self.rows += u64::try_from(rows.len()).unwrap_or(u64::MAX);
        Ok(Piece::Rows(rows))
    }

    /// Whether all of it was there, as it was written.
    async fn end(&mut self, end: &End) -> Result<u64> {
        if end.rows != self.rows || end.sha256 != hex(&self.digest.clone().finalize()) {
            return Err(damaged("it is not what was written"));
        }
        // The first asks for the checksum of the frame, the second for what may be behind it.
        let inside = self.lines.read(&mut [0]).await.map_err(failed)?;
        let behind = self.lines.get_mut().get_mut().read(&mut [0]).await.map_err(failed)?;
        match inside + behind {
            0 => Ok(self.rows),
            _ => Err(damaged("there is something behind its end")),
        }
    }
}

/// Reads the first line, which says what it is and in which form.
async fn check_form(source: &mut (impl AsyncBufRead + Unpin)) -> Result<()> {
    let mut first = Vec::new();
    let longest = u64::try_from(MAGIC.len()).unwrap_or_default() + 12;
    source.take(longest).read_until(b'\n', &mut first).await.map_err(failed)?;
    let first = String::from_utf8(first).unwrap_or_default();
    let form = first.strip_prefix(MAGIC).and_then(|rest| rest.strip_suffix('\n'));
    match form.and_then(|form| form.trim_start().parse::<u32>().ok()) {
        Some(FORMAT) => Ok(()),
        Some(form) if form > FORMAT => Err(ArchiveError::Newer(String::new()).into()),
        _ => Err(ArchiveError::NotOne.into()),
    }
}

/// The next line, with its end.
async fn line(lines: &mut Lines<'_>) -> Result<Vec<u8>> {
    let mut line = Vec::new();
    lines.take(LONGEST).read_until(b'\n', &mut line).await.map_err(failed)?;
    match line.last() {
        Some(b'\n') => Ok(line),
        Some(_) if line.len() as u64 == LONGEST => Err(damaged("it has a line that is too long")),
        _ => Err(ArchiveError::Cut.into()),
    }
}

fn mark(line: &[u8]) -> Result<Mark> {
    serde_json::from_slice(line).map_err(damaged)
}

fn row(line: &[u8], table: Option<&Table>) -> Result<Vec<Cell>> {
    let table = table.ok_or_else(|| damaged("there are rows of no table"))?;
    let values: Vec<Value> = serde_json::from_slice(line).map_err(damaged)?;
    if values.len() != table.columns.len() {
        return Err(damaged(format_args!("a row of `{}` has other columns", table.name)));
    }
    let cells = values.into_iter().zip(&table.columns);
    let read = |(value, column): (Value, &Column)| Ok(Cell::read(value, column.form)?);
    cells.map(read).collect()
}

fn damaged(reason: impl Display) -> StoreError {
    ArchiveError::Damaged(reason.to_string()).into()
}

/// The decoder reports what it cannot decode as it does what could not be read.
fn failed(error: io::Error) -> StoreError {
    match error.kind() {
        ErrorKind::UnexpectedEof => ArchiveError::Cut.into(),
        ErrorKind::InvalidData | ErrorKind::Other => damaged(error),
        _ => ArchiveError::Io(error).into(),
    }
}

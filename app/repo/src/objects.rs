//! What git's plumbing prints about trees and blobs, read.

use std::collections::{BTreeSet, HashMap};
use std::io;

use landfall_core::name::{BlobSha, ConfigPath};
use landfall_os::process::Command;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{ChildStdin, ChildStdout};

use crate::{Git, RepoError};

/// How much one answer of blobs holds, in bytes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// What is longer is only measured.
    pub(crate) each: u64,
    /// More than this is refused.
    pub(crate) together: u64,
}

/// A file of a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Where it is.
    pub path: ConfigPath,
    /// What it is.
    pub kind: EntryKind,
    /// Its content; for a submodule the id of a commit elsewhere, which is no blob here.
    pub blob: BlobSha,
}

/// What a file of a tree is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EntryKind {
    /// A plain file (mode 100644).
    File,
    /// A file that may be run (mode 100755).
    Executable,
    /// A symbolic link; its blob is the path it points at (mode 120000). Never followed.
    Link,
    /// A commit of another repository (mode 160000). Never looked into.
    Submodule,
}

/// The files of a tree, by path in git's order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listing {
    /// The files.
    pub entries: Vec<Entry>,
    /// Paths that are no [`ConfigPath`] (not UTF-8, a line break inside), as far as they can be
    /// shown. Whoever looks for files has to refuse a tree in which one of these could be meant.
    pub odd: Vec<String>,
}

/// The content of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Blob {
    /// All of it.
    Content(Vec<u8>),
    /// It is longer than what was asked for.
    TooLarge {
        /// Its length, in bytes.
        size: u64,
    },
}

impl Limits {
    /// With 256 MiB together.
    pub(crate) fn each(each: u64) -> Self {
        Self { each, together: 256 << 20 }
    }
}

/// Why reading ended before its end.
enum Stopped {
    /// The program does not listen or speak any more.
    Pipe(io::Error),
    /// What it says is not taken.
    Refused(RepoError),
}

impl From<io::Error> for Stopped {
    fn from(error: io::Error) -> Self {
        Self::Pipe(error)
    }
}

impl EntryKind {
    fn of_mode(mode: &str) -> Option<Self> {
        match mode {
            // 100664 was written by very old versions of git.
            "100644" | "100664" => Some(Self::File),
            "100755" => Some(Self::Executable),
            "120000" => Some(Self::Link),
            "160000" => Some(Self::Submodule),
            _ => None,
        }
    }
}

impl Listing {
    /// Reads `ls-tree -r -z`: `mode SP type SP id TAB path NUL`.
    pub(crate) fn of_tree(output: &[u8]) -> Option<Self> {
        Self::read(output, |about| {
            let mut fields = about.split(' ');
            let (mode, _kind, id) = (fields.next()?, fields.next()?, fields.next()?);
            Some((mode, id))
        })
    }

    /// Reads lines of `about TAB path NUL`, where `fields` finds mode and id in the first part.
    pub(crate) fn read(
        output: &[u8],
        fields: impl Fn(&str) -> Option<(&str, &str)>,
    ) -> Option<Self> {
        let mut listing = Self::default();
        for line in output.split(|byte| *byte == 0).filter(|line| !line.is_empty()) {
            let tab = line.iter().position(|byte| *byte == b'\t')?;
            let (mode, id) = fields(std::str::from_utf8(&line[..tab]).ok()?)?;
            let path = String::from_utf8_lossy(&line[tab + 1..]);
            let known = std::str::from_utf8(&line[tab + 1..])
                .ok()
                .and_then(|path| ConfigPath::new(path).ok());
            match known {
                Some(path) => {
                    let (kind, blob) = (EntryKind::of_mode(mode)?, BlobSha::new(id).ok()?);
                    listing.entries.push(Entry { path, kind, blob });
                }
                None => listing.odd.push(path.into_owned()),
            }
        }
        Some(listing)
    }
}

/// The blobs, through one `cat-file --batch`. `command` is the hardened call without arguments.
pub(crate) async fn read_blobs(
    git: &Git,
    command: Command,
    blobs: &[BlobSha],
    limits: Limits,
) -> Result<HashMap<BlobSha, Blob>, RepoError> {
    const WHAT: &str = "cat-file";
    let wanted: BTreeSet<&BlobSha> = blobs.iter().collect();
    if wanted.is_empty() {
        return Ok(HashMap::new());
    }
    let asked: String = wanted.iter().map(|blob| format!("{blob}\n")).collect();
    let talk = |stdin, stdout| async move {
        match tokio::try_join!(ask(stdin, asked), answers(stdout, limits)) {
            Ok(((), found)) => Ok(Ok(found)),
            Err(Stopped::Refused(why)) => Ok(Err(why)),
            Err(Stopped::Pipe(error)) => Err(error),
        }
    };
    let (read, output) = command.args(["--batch", "--buffer"]).converse(talk).await?;
    // Git fails, too, when it is not listened to any more: what made us stop says more.
    let found = read?;
    if !output.is_success() {
        return Err(git.failed(WHAT, &output));
    }
    if found.len() == wanted.len() { Ok(found) } else { Err(RepoError::Unreadable { what: WHAT }) }
}

async fn ask(mut stdin: ChildStdin, asked: String) -> Result<(), Stopped> {
    Ok(stdin.write_all(asked.as_bytes()).await?)
}

/// Reads `id SP type SP size LF content LF` until the end. What is too long is skipped.
async fn answers(stdout: ChildStdout, limits: Limits) -> Result<HashMap<BlobSha, Blob>, Stopped> {
    let mut pipe = BufReader::with_capacity(64 << 10, stdout);
    let (mut found, mut together, mut head) = (HashMap::new(), 0, String::new());
    while pipe.read_line(&mut head).await? > 0 {
        let Some((id, size)) = header(&head) else {
            return Err(Stopped::Refused(RepoError::Unreadable { what: "cat-file" }));
        };
        let mut content = Vec::new();
        let blob = if size > limits.each {
            tokio::io::copy(&mut (&mut pipe).take(size), &mut tokio::io::sink()).await?;
            Blob::TooLarge { size }
        } else {
            together += size;
            if together > limits.together {
                return Err(Stopped::Refused(RepoError::TooLarge { limit: limits.together }));
            }
            (&mut pipe).take(size).read_to_end(&mut content).await?;
            Blob::Content(content)
        };
        pipe.read_u8().await?;
        found.insert(id, blob);
        head.clear();
    }
    Ok(found)
}

/// The id and size of a blob; none for `id missing` and for other types.
fn header(line: &str) -> Option<(BlobSha, u64)> {
    let mut fields = line.trim_end().split(' ');
    match (fields.next(), fields.next(), fields.next(), fields.next()) {
        (Some(id), Some("blob"), Some(size), None) => {
            Some((BlobSha::new(id).ok()?, size.parse().ok()?))
        }
        _ => None,
    }
}

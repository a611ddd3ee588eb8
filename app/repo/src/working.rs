//! A person's own checkout, for the command line: what is staged, what lies in the folder, and
//! where it came from. Nothing is written, not even the index.

use std::collections::{BTreeSet, HashMap};
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use landfall_core::name::{BlobSha, BranchName, CommitSha, ConfigPath};
use landfall_os::process::{Command, Exit};
use tokio::fs;
use tokio::io::AsyncReadExt as _;
use url::Url;

use crate::objects::{Blob, Limits, Listing, read_blobs};
use crate::{Git, RepoError};

/// A checkout.
#[derive(Debug, Clone)]
pub struct WorkingCopy {
    git: Git,
    root: PathBuf,
    git_folder: PathBuf,
    index: Option<PathBuf>,
}

impl WorkingCopy {
    /// The checkout that `path` is in. `index` is the value of `GIT_INDEX_FILE`: in a pre-commit
    /// hook git names the index that is about to be committed by it.
    ///
    /// # Errors
    /// `path` is in no checkout.
    pub async fn discover(
        git: &Git,
        path: &Path,
        index: Option<PathBuf>,
    ) -> Result<Self, RepoError> {
        const WHAT: &str = "rev-parse";
        let ask = [WHAT, "--path-format=absolute", "--show-toplevel", "--git-dir"];
        let output = git.succeed(WHAT, git.command(ask).current_dir(path)).await?;
        let text = String::from_utf8(output).map_err(|_| RepoError::Unreadable { what: WHAT })?;
        let mut lines = text.lines().map(PathBuf::from);
        match (lines.next(), lines.next()) {
            (Some(root), Some(git_folder)) => {
                Ok(Self { git: git.clone(), root, git_folder, index })
            }
            _ => Err(RepoError::Unreadable { what: WHAT }),
        }
    }

    /// Its topmost folder.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// What the next commit would hold.
    ///
    /// # Errors
    /// [`RepoError::Conflict`] while a merge is under way.
    pub async fn staged(&self) -> Result<Listing, RepoError> {
        const WHAT: &str = "ls-files";
        let output = self.succeed(WHAT, [WHAT, "--stage", "-z"]).await?;
        let unmerged = unmerged(&output);
        if !unmerged.is_empty() {
            return Err(RepoError::Conflict(unmerged.into_iter().collect()));
        }
        let listing = Listing::read(&output, |about| about.strip_suffix(" 0")?.split_once(' '));
        listing.ok_or(RepoError::Unreadable { what: WHAT })
    }

    /// The contents of staged blobs; those above `max_each` bytes are only measured.
    ///
    /// # Errors
    /// One of them is not there.
    pub async fn blobs(
        &self,
        blobs: &[BlobSha],
        max_each: u64,
    ) -> Result<HashMap<BlobSha, Blob>, RepoError> {
        read_blobs(&self.git, self.command(["cat-file"]), blobs, Limits::each(max_each)).await
    }

    /// The files in the folder, tracked or not, without those that are ignored or deleted. Links
    /// and submodules are left out.
    ///
    /// # Errors
    /// Git failed.
    pub async fn files(&self) -> Result<Vec<ConfigPath>, RepoError> {
        const WHAT: &str = "ls-files";
        let args = [WHAT, "-z", "--cached", "--others", "--exclude-standard", "--deduplicate"];
        let output = self.succeed(WHAT, args).await?;
        let names =
            output.split(|byte| *byte == 0).filter_map(|name| std::str::from_utf8(name).ok());
        let paths = names.filter_map(|name| ConfigPath::new(name).ok());
        let is_file = |path: &ConfigPath| {
            self.root.join(path.as_str()).symlink_metadata().is_ok_and(|about| about.is_file())
        };
        Ok(paths.filter(is_file).collect())
    }

    /// The content of a file in the folder. A link is not followed.
    ///
    /// # Errors
    /// It is not there, or not a file.
    pub async fn read(&self, path: &ConfigPath, max: u64) -> Result<Blob, RepoError> {
        let failed = |error| RepoError::files("a file of the working copy cannot be read", &error);
        let file = self.root.join(path.as_str());
        let about = fs::symlink_metadata(&file).await.map_err(failed)?;
        if !about.is_file() {
            return Err(failed(std::io::ErrorKind::InvalidInput.into()));
        }
        if about.len() > max {
            return Ok(Blob::TooLarge { size: about.len() });
        }
        let mut content = Vec::new();
        let file = fs::File::open(&file).await.map_err(failed)?;
        file.take(max).read_to_end(&mut content).await.map_err(failed)?;
        Ok(Blob::Content(content))
    }

    /// The branch that is checked out; none for a detached head.
    ///
    /// # Errors
    /// Git failed.
    pub async fn branch(&self) -> Result<Option<BranchName>, RepoError> {
        let name = self.answer("symbolic-ref", &["--quiet", "--short", "HEAD"]).await?;
        Ok(name.and_then(|name| BranchName::new(name).ok()))
    }

    /// The commit that is checked out; none before the first one.
    ///
    /// # Errors
    /// Git failed.
    pub async fn head(&self) -> Result<Option<CommitSha>, RepoError> {
        let id = self.answer("rev-parse", &["--verify", "--quiet", "HEAD^{commit}"]).await?;
        Ok(id.and_then(|id| CommitSha::new(id).ok()))
    }

    /// Whether folder, index and head agree, and no file is untracked. A person's own ignore file
    /// is not believed, only those of the repository.
    ///
    /// # Errors
    /// Git failed.
    pub async fn is_clean(&self) -> Result<bool, RepoError> {
        let args =
            ["status", "--porcelain", "-z", "--untracked-files=normal", "--ignore-submodules=all"];
        Ok(self.succeed("status", args).await?.is_empty())
    }

    /// The address of the remote `origin`, without user and password.
    ///
    /// # Errors
    /// Git failed.
    pub async fn origin(&self) -> Result<Option<String>, RepoError> {
        let address = self.answer("config", &["--get", "remote.origin.url"]).await?;
        Ok(address.map(|address| match Url::parse(&address) {
            Ok(mut url) if url.has_host() => {
                let _ = url.set_password(None).and_then(|()| url.set_username(""));
                url.to_string()
            }
            _ => address,
        }))
    }

    /// The one line that a question gets; none when git says no (code 1).
    async fn answer(&self, what: &'static str, args: &[&str]) -> Result<Option<String>, RepoError> {
        let output = self.command([what].iter().chain(args).copied()).run().await?;
        match output.exit {
            Exit::Code(0) => Ok(Some(String::from_utf8_lossy(&output.stdout).trim().to_owned())),
            Exit::Code(1) => Ok(None),
            _ => Err(self.git.failed(what, &output)),
        }
    }

    async fn succeed<A: Into<OsString>>(
        &self,
        what: &'static str,
        args: impl IntoIterator<Item = A>,
    ) -> Result<Vec<u8>, RepoError> {
        self.git.succeed(what, self.command(args)).await
    }

    fn command<A: Into<OsString>>(&self, args: impl IntoIterator<Item = A>) -> Command {
        let command = self
            .git
            .on(&self.git_folder, args)
            .env("GIT_WORK_TREE", &self.root)
            .current_dir(&self.root);
        match &self.index {
            Some(index) => command.env("GIT_INDEX_FILE", index),
            None => command,
        }
    }
}

/// The paths of `mode SP id SP stage TAB path NUL` whose stage is not 0: one side of a conflict each.
fn unmerged(stages: &[u8]) -> BTreeSet<String> {
    let lines = stages.split(|byte| *byte == 0).map(String::from_utf8_lossy);
    let sides = lines.filter_map(|line| {
        let (about, path) = line.split_once('\t')?;
        (!about.ends_with(" 0")).then(|| path.to_owned())
    });
    sides.collect()
}

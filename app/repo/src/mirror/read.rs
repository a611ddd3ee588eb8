//! Reading a mirror: refs, ancestry, merges, trees and blobs. No work tree, no lock.

use std::collections::HashMap;
use std::ffi::OsString;

use landfall_core::name::{BlobSha, BranchName, CommitSha, ConfigPath, PullNumber, TreeSha};
use landfall_os::process::{Exit, Output};

use super::{Mirror, Wanted};
use crate::RepoError;
use crate::objects::{Blob, Entry, Limits, Listing, read_blobs};

/// What a merge would give.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Merged {
    /// This tree.
    Tree(TreeSha),
    /// No tree: these paths cannot be merged.
    Conflict(Vec<String>),
}

/// A commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    /// Its id.
    pub sha: CommitSha,
    /// Its tree.
    pub tree: TreeSha,
    /// What it follows; more than one for a merge.
    pub parents: Vec<CommitSha>,
}

/// The most commits that are listed between two.
const MAX_COMMITS: usize = 10_000;

impl Mirror {
    /// Where a branch was at the last fetch.
    ///
    /// # Errors
    /// [`RepoError::Gone`] if the mirror has no such branch.
    pub async fn tip(&self, branch: &BranchName) -> Result<CommitSha, RepoError> {
        self.resolve(&Wanted::Branch(branch.clone())).await
    }

    /// Where a pull request's head was at the last fetch.
    ///
    /// # Errors
    /// [`RepoError::Gone`] if it was never fetched.
    pub async fn pull_head(&self, pull: PullNumber) -> Result<CommitSha, RepoError> {
        self.resolve(&Wanted::Pull(pull)).await
    }

    /// Whether a commit is in the mirror.
    ///
    /// # Errors
    /// Git failed.
    pub async fn has(&self, commit: &CommitSha) -> Result<bool, RepoError> {
        self.has_object(&format!("{commit}^{{commit}}")).await
    }

    /// Whether a blob is in the mirror.
    ///
    /// # Errors
    /// Git failed.
    pub async fn has_blob(&self, blob: &BlobSha) -> Result<bool, RepoError> {
        self.has_object(&format!("{blob}^{{blob}}")).await
    }

    async fn has_object(&self, object: &str) -> Result<bool, RepoError> {
        let output = self.run(["cat-file", "-e", object]).await?;
        match output.exit {
            Exit::Code(0) => Ok(true),
            // 128: "Not a valid object name", which is how a missing object is told with `^{}`.
            Exit::Code(1 | 128) if self.folder.exists() => Ok(false),
            _ => Err(self.git.failed("cat-file", &output)),
        }
    }

    /// Whether `older` is `newer` or one of its ancestors.
    ///
    /// # Errors
    /// One of them is not in the mirror.
    pub async fn is_ancestor(
        &self,
        older: &CommitSha,
        newer: &CommitSha,
    ) -> Result<bool, RepoError> {
        let output =
            self.run(["merge-base", "--is-ancestor", older.as_str(), newer.as_str()]).await?;
        match output.exit {
            Exit::Code(0) => Ok(true),
            Exit::Code(1) => Ok(false),
            _ => Err(self.git.failed("merge-base", &output)),
        }
    }

    /// What merging `head` into `base` gives, as GitHub would merge it. Attributes come from
    /// `base`: a pull request does not choose how its own files are merged.
    ///
    /// # Errors
    /// One of them is not in the mirror, or they have no history in common.
    pub async fn merge_tree(
        &self,
        base: &CommitSha,
        head: &CommitSha,
    ) -> Result<Merged, RepoError> {
        const WHAT: &str = "merge-tree";
        let source = format!("--attr-source={base}");
        let flags = ["--write-tree", "-z", "--name-only", "--no-messages"];
        let args = [&source, WHAT].into_iter().chain(flags).chain([base.as_str(), head.as_str()]);
        let output = self.run(args).await?;
        let mut parts = output.stdout.split(|byte| *byte == 0).map(String::from_utf8_lossy);
        let tree = parts.next().and_then(|id| TreeSha::new(id).ok());
        match (output.exit, tree) {
            (Exit::Code(0), Some(tree)) => Ok(Merged::Tree(tree)),
            (Exit::Code(1), Some(_)) => Ok(Merged::Conflict(
                parts.filter(|path| !path.is_empty()).map(Into::into).collect(),
            )),
            _ => Err(self.git.failed(WHAT, &output)),
        }
    }

    /// The tree of a commit.
    ///
    /// # Errors
    /// The commit is not in the mirror.
    pub async fn tree(&self, commit: &CommitSha) -> Result<TreeSha, RepoError> {
        const WHAT: &str = "rev-parse";
        let id = self.succeed(WHAT, [WHAT, "--verify", &format!("{commit}^{{tree}}")]).await?;
        TreeSha::new(id.trim()).map_err(|_| RepoError::Unreadable { what: WHAT })
    }

    /// The files of a tree: all, or those below a folder.
    ///
    /// # Errors
    /// The tree is not in the mirror.
    pub async fn list(
        &self,
        tree: &TreeSha,
        folder: Option<&ConfigPath>,
    ) -> Result<Listing, RepoError> {
        let folder = folder.map(|folder| format!("{folder}/"));
        self.list_at(tree, folder.as_deref()).await
    }

    /// The file at a path of a tree, if there is one. Much less than listing all of a large tree.
    ///
    /// # Errors
    /// The tree is not in the mirror.
    pub async fn file(
        &self,
        tree: &TreeSha,
        path: &ConfigPath,
    ) -> Result<Option<Entry>, RepoError> {
        let listing = self.list_at(tree, Some(path.as_str())).await?;
        // Where a folder has this path, its files are listed.
        Ok(listing.entries.into_iter().find(|entry| entry.path == *path))
    }

    async fn list_at(&self, tree: &TreeSha, path: Option<&str>) -> Result<Listing, RepoError> {
        const WHAT: &str = "ls-tree";
        let args = [WHAT, "-r", "-z", "--full-tree", tree.as_str(), "--"];
        let command = self.git.on(&self.folder, args.into_iter().chain(path));
        let output = self.git.succeed(WHAT, command).await?;
        Listing::of_tree(&output).ok_or(RepoError::Unreadable { what: WHAT })
    }

    /// The contents of blobs, through one process. Those above `max_each` bytes are only measured.
    ///
    /// # Errors
    /// One of them is not in the mirror, or all together are more than 256 MiB.
    pub async fn blobs(
        &self,
        blobs: &[BlobSha],
        max_each: u64,
    ) -> Result<HashMap<BlobSha, Blob>, RepoError> {
        self.blobs_within(blobs, Limits::each(max_each)).await
    }

    pub(crate) async fn blobs_within(
        &self,
        blobs: &[BlobSha],
        limits: Limits,
    ) -> Result<HashMap<BlobSha, Blob>, RepoError> {
        read_blobs(&self.git, self.git.on(&self.folder, ["cat-file"]), blobs, limits).await
    }

    /// The commits that `newer` has and `older` has not, newest first, at most 10,000.
    ///
    /// # Errors
    /// One of them is not in the mirror.
    pub async fn commits_between(
        &self,
        older: &CommitSha,
        newer: &CommitSha,
    ) -> Result<Vec<Commit>, RepoError> {
        const WHAT: &str = "rev-list";
        let (most, range) = (format!("--max-count={MAX_COMMITS}"), format!("{older}..{newer}"));
        let format = ["--topo-order", "--no-commit-header", "--format=%H %T %P"];
        let args = [WHAT, &most].into_iter().chain(format).chain([range.as_str(), "--"]);
        let output = self.succeed(WHAT, args).await?;
        let commits = output.lines().map(Commit::read).collect::<Option<_>>();
        commits.ok_or(RepoError::Unreadable { what: WHAT })
    }

    /// The paths that differ between two trees; a rename is two paths.
    ///
    /// # Errors
    /// One of them is not in the mirror.
    pub async fn diff_paths(&self, a: &TreeSha, b: &TreeSha) -> Result<Vec<String>, RepoError> {
        let args =
            ["diff-tree", "-r", "-z", "--no-renames", "--name-only", a.as_str(), b.as_str(), "--"];
        let output = self.succeed("diff-tree", args).await?;
        Ok(output.split('\0').filter(|path| !path.is_empty()).map(str::to_owned).collect())
    }

    async fn resolve(&self, wanted: &Wanted) -> Result<CommitSha, RepoError> {
        const WHAT: &str = "rev-parse";
        let name = format!("{}^{{commit}}", wanted.ref_name());
        let output = self.run([WHAT, "--verify", "--quiet", "--end-of-options", &name]).await?;
        let id = String::from_utf8_lossy(&output.stdout);
        match output.exit {
            Exit::Code(0) => {
                CommitSha::new(id.trim()).map_err(|_| RepoError::Unreadable { what: WHAT })
            }
            Exit::Code(1) => Err(RepoError::Gone(wanted.to_string())),
            _ => Err(self.git.failed(WHAT, &output)),
        }
    }

    async fn run<A: Into<OsString>>(
        &self,
        args: impl IntoIterator<Item = A>,
    ) -> Result<Output, RepoError> {
        Ok(self.git.on(&self.folder, args).run().await?)
    }

    async fn succeed<A: Into<OsString>>(
        &self,
        what: &'static str,
        args: impl IntoIterator<Item = A>,
    ) -> Result<String, RepoError> {
        let output = self.git.succeed(what, self.git.on(&self.folder, args)).await?;
        Ok(String::from_utf8_lossy(&output).into_owned())
    }
}

impl Commit {
    /// Reads `id SP tree SP parent SP parent`.
    fn read(line: &str) -> Option<Self> {
        let mut fields = line.split_whitespace();
        Some(Self {
            sha: CommitSha::new(fields.next()?).ok()?,
            tree: TreeSha::new(fields.next()?).ok()?,
            parents: fields.map(|id| CommitSha::new(id).ok()).collect::<Option<_>>()?,
        })
    }
}

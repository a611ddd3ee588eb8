//! The git side of a simulated repository: a bare repository on disk, changed by plumbing only.
//!
//! Nothing here knows of pull requests or webhooks. Commits are the same in every run, because
//! names, times and messages are arguments.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use jiff::Timestamp;

use super::model::Size;
use command::{git, git_text};

pub(crate) mod command;
mod history;
mod write;

pub(crate) use history::{CommitFacts, FileChange, Paths, Person};
pub(crate) use write::NewCommit;
pub use write::{Edit, edit, remove};

/// What git writes for "no commit".
pub(crate) const NO_COMMIT: &str = "0000000000000000000000000000000000000000";

/// A bare repository.
#[derive(Debug, Clone)]
pub(crate) struct Bare {
    folder: PathBuf,
}

impl Bare {
    /// Makes an empty repository in `folder`, whose HEAD is `branch`.
    pub(crate) async fn init(folder: PathBuf, branch: &str) -> anyhow::Result<Bare> {
        std::fs::create_dir_all(&folder)
            .with_context(|| format!("cannot make {}", folder.display()))?;
        let head = format!("--initial-branch={branch}");
        git_text(&folder, &["init", "--quiet", "--bare", &head, "."], &[], b"").await?;
        let bare = Bare { folder };
        // GitHub serves partial clones and any commit that a ref reaches, and takes pushes.
        for (key, value) in [
            ("http.receivepack", "true"),
            ("uploadpack.allowFilter", "true"),
            ("uploadpack.allowAnySHA1InWant", "true"),
            ("gc.auto", "0"),
            ("core.logAllRefUpdates", "false"),
        ] {
            bare.run(&["config", key, value]).await?;
        }
        Ok(bare)
    }

    /// A copy that shares this one's objects, as a fork does.
    pub(crate) async fn fork(&self, folder: PathBuf, branch: &str) -> anyhow::Result<Bare> {
        let fork = Bare::init(folder, branch).await?;
        let objects = format!("{}\n", self.folder.join("objects").display());
        std::fs::write(fork.folder.join("objects/info/alternates"), objects)
            .context("cannot link a fork's objects")?;
        fork.fetch(self, "+refs/heads/*:refs/heads/*").await?;
        Ok(fork)
    }

    pub(crate) async fn fetch(&self, from: &Bare, refspec: &str) -> anyhow::Result<()> {
        let from = from.folder.display().to_string();
        self.run(&["fetch", "--quiet", "--no-tags", &from, refspec]).await?;
        Ok(())
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The full sha that `revision` means; `None` if it means no commit.
    pub(crate) async fn commit(&self, revision: &str) -> anyhow::Result<Option<String>> {
        let revision = format!("{revision}^{{commit}}");
        let ended = git(
            &self.folder,
            &["rev-parse", "--verify", "--quiet", "--end-of-options", &revision],
            &[],
            b"",
        )
        .await?;
        match ended.code {
            Some(0) => Ok(Some(String::from_utf8_lossy(&ended.stdout).trim().to_owned())),
            _ => Ok(None),
        }
    }

    /// The tip of a branch.
    pub(crate) async fn tip(&self, branch: &str) -> anyhow::Result<Option<String>> {
        self.commit(&format!("refs/heads/{branch}")).await
    }

    /// All branches with their tips, by name.
    pub(crate) async fn branches(&self) -> anyhow::Result<Vec<(String, String)>> {
        let text = self
            .run(&["for-each-ref", "--format=%(objectname) %(refname:lstrip=2)", "refs/heads/"])
            .await?;
        Ok(text
            .lines()
            .filter_map(|line| line.split_once(' '))
            .map(|(sha, name)| (name.into(), sha.into()))
            .collect())
    }

    pub(crate) async fn set_ref(&self, name: &str, sha: &str) -> anyhow::Result<()> {
        self.run(&["update-ref", name, sha]).await.map(drop)
    }

    pub(crate) async fn delete_ref(&self, name: &str) -> anyhow::Result<()> {
        self.run(&["update-ref", "-d", name]).await.map(drop)
    }

    pub(crate) async fn is_ancestor(&self, older: &str, newer: &str) -> anyhow::Result<bool> {
        let ended =
            git(&self.folder, &["merge-base", "--is-ancestor", older, newer], &[], b"").await?;
        match ended.code {
            Some(0) => Ok(true),
            Some(1) => Ok(false),
            _ => bail!("git merge-base failed: {}", ended.stderr.trim()),
        }
    }

    /// The best common ancestor; `None` for unrelated histories.
    pub(crate) async fn merge_base(
        &self,
        one: &str,
        other: &str,
    ) -> anyhow::Result<Option<String>> {
        let ended = git(&self.folder, &["merge-base", one, other], &[], b"").await?;
        Ok((ended.code == Some(0))
            .then(|| String::from_utf8_lossy(&ended.stdout).trim().to_owned()))
    }

    /// A file's content; `None` if `commit` has no file there.
    pub(crate) async fn file(&self, commit: &str, path: &str) -> anyhow::Result<Option<Vec<u8>>> {
        let name = format!("{commit}:{path}");
        let ended = git(&self.folder, &["cat-file", "blob", &name], &[], b"").await?;
        Ok((ended.code == Some(0)).then_some(ended.stdout))
    }

    /// The id of a file's blob; `None` if `commit` has nothing there.
    pub(crate) async fn blob_of(&self, commit: &str, path: &str) -> anyhow::Result<Option<String>> {
        let name = format!("{commit}:{path}");
        let ended =
            git(&self.folder, &["rev-parse", "--verify", "--quiet", &name], &[], b"").await?;
        let sha = String::from_utf8_lossy(&ended.stdout).trim().to_owned();
        Ok((ended.code == Some(0)).then_some(sha))
    }

    async fn run(&self, args: &[&str]) -> anyhow::Result<String> {
        git_text(&self.folder, args, &[], b"").await
    }
}

/// A time as git takes it: seconds and an offset.
fn git_time(at: Timestamp) -> String {
    format!("{} +0000", at.as_second())
}

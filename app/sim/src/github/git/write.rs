//! Making commits: edits of a branch, and merges in GitHub's three ways.

use anyhow::{Context, bail};
use jiff::Timestamp;

use super::history::Person;
use super::{Bare, git, git_text, git_time};
use crate::github::model::MergeMethod;

/// One file of a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    pub path: String,
    /// `None` removes the file.
    pub content: Option<Vec<u8>>,
}

/// Writes a file.
pub fn edit(path: impl Into<String>, content: impl Into<Vec<u8>>) -> Edit {
    Edit { path: path.into(), content: Some(content.into()) }
}

/// Removes a file.
pub fn remove(path: impl Into<String>) -> Edit {
    Edit { path: path.into(), content: None }
}

impl<P: Into<String>, C: Into<Vec<u8>>> From<(P, C)> for Edit {
    fn from((path, content): (P, C)) -> Edit {
        edit(path, content)
    }
}

/// Who commits what, when.
#[derive(Debug, Clone)]
pub(crate) struct NewCommit<'a> {
    author: &'a Person,
    authored: Timestamp,
    committer: Person,
    committed: Timestamp,
    message: &'a str,
}

impl<'a> NewCommit<'a> {
    /// A commit that its author makes.
    pub(crate) fn by(author: &'a Person, at: Timestamp, message: &'a str) -> NewCommit<'a> {
        let committer = author.clone();
        NewCommit { author, authored: at, committer, committed: at, message }
    }

    /// The same, made by GitHub for its author.
    pub(crate) fn on_the_web(self, at: Timestamp) -> NewCommit<'a> {
        NewCommit { committer: Person::web(), committed: at, ..self }
    }
}

impl Bare {
    /// Commits `edits` on `parent` and points `branch` at the result, whatever it pointed at
    /// before. One process however many files there are.
    pub(crate) async fn commit_edits(
        &self,
        branch: &str,
        parent: Option<&str>,
        commit: &NewCommit<'_>,
        edits: &[Edit],
    ) -> anyhow::Result<String> {
        let stream = fast_import(branch, parent, commit, edits);
        let said =
            git_text(self.folder(), &["fast-import", "--quiet", "--done", "--force"], &[], &stream)
                .await?;
        said.lines().last().map(str::to_owned).context("git fast-import named no commit")
    }

    /// The tree of both sides merged; `None` if they conflict. `ancestor` replaces the merge base.
    pub(crate) async fn merged_tree(
        &self,
        ours: &str,
        theirs: &str,
        ancestor: Option<&str>,
    ) -> anyhow::Result<Option<String>> {
        let ancestor = ancestor.map(|ancestor| format!("--merge-base={ancestor}"));
        let mut args = vec!["merge-tree", "--write-tree", "--no-messages"];
        args.extend(ancestor.as_deref());
        args.extend([ours, theirs]);
        let ended = git(self.folder(), &args, &[], b"").await?;
        match ended.code {
            Some(0) => Ok(Some(String::from_utf8_lossy(&ended.stdout).trim().to_owned())),
            Some(1) => Ok(None),
            _ => bail!("git merge-tree failed: {}", ended.stderr.trim()),
        }
    }

    /// Writes a commit of `tree` that no ref names yet.
    pub(crate) async fn commit_tree(
        &self,
        tree: &str,
        parents: &[&str],
        commit: &NewCommit<'_>,
    ) -> anyhow::Result<String> {
        let mut args = vec!["commit-tree", tree];
        for parent in parents {
            args.extend(["-p", parent]);
        }
        let (authored, committed) = (git_time(commit.authored), git_time(commit.committed));
        let env = [
            ("GIT_AUTHOR_NAME", commit.author.name.as_str()),
            ("GIT_AUTHOR_EMAIL", &commit.author.email),
            ("GIT_AUTHOR_DATE", &authored),
            ("GIT_COMMITTER_NAME", &commit.committer.name),
            ("GIT_COMMITTER_EMAIL", &commit.committer.email),
            ("GIT_COMMITTER_DATE", &committed),
        ];
        git_text(self.folder(), &args, &env, commit.message.as_bytes()).await
    }

    /// What merging `head` into `base` by `method` makes: the new commits, oldest first, of which
    /// the last is the new tip. No ref moves. `None` if they conflict.
    pub(crate) async fn merge(
        &self,
        base: &str,
        head: &str,
        method: MergeMethod,
        commit: &NewCommit<'_>,
    ) -> anyhow::Result<Option<Vec<String>>> {
        match method {
            MergeMethod::Merge | MergeMethod::Squash => {
                let Some(tree) = self.merged_tree(base, head, None).await? else { return Ok(None) };
                let parents: &[&str] =
                    if method == MergeMethod::Merge { &[base, head] } else { &[base] };
                let made = self.commit_tree(&tree, parents, commit).await?;
                if method == MergeMethod::Squash {
                    return Ok(Some(vec![made]));
                }
                let mut landed = self.between(base, head).await?;
                landed.push(made);
                Ok(Some(landed))
            }
            MergeMethod::Rebase => self.rebased(base, head, commit.committed).await,
        }
    }

    /// GitHub's rebase always makes new commits: the committer is the web, also where the base did
    /// not move.
    async fn rebased(
        &self,
        base: &str,
        head: &str,
        at: Timestamp,
    ) -> anyhow::Result<Option<Vec<String>>> {
        let mut onto = base.to_owned();
        let mut landed = Vec::new();
        for sha in self.between(base, head).await? {
            let facts = self.facts(&sha).await?;
            let [parent] = facts.parents.as_slice() else { continue };
            let Some(tree) = self.merged_tree(&onto, &sha, Some(parent)).await? else {
                return Ok(None);
            };
            let copy = NewCommit::by(&facts.author, facts.authored_at, &facts.message);
            onto = self.commit_tree(&tree, &[&onto], &copy.on_the_web(at)).await?;
            landed.push(onto.clone());
        }
        Ok(Some(landed))
    }
}

fn fast_import(
    branch: &str,
    parent: Option<&str>,
    commit: &NewCommit<'_>,
    edits: &[Edit],
) -> Vec<u8> {
    let Person { name, email } = commit.author;
    let at = git_time(commit.authored);
    let mut stream = Vec::new();
    let mut line = |text: &str| {
        stream.extend_from_slice(text.as_bytes());
        stream.push(b'\n');
    };
    line(&format!("commit refs/heads/{branch}"));
    line("mark :1");
    line(&format!("author {name} <{email}> {at}"));
    line(&format!("committer {name} <{email}> {at}"));
    line(&format!("data {}", commit.message.len()));
    line(commit.message);
    if let Some(parent) = parent {
        line(&format!("from {parent}"));
    }
    for edit in edits {
        match &edit.content {
            None => stream.extend_from_slice(format!("D {}\n", edit.path).as_bytes()),
            Some(content) => {
                stream.extend_from_slice(
                    format!("M 100644 inline {}\ndata {}\n", edit.path, content.len()).as_bytes(),
                );
                stream.extend_from_slice(content);
                stream.push(b'\n');
            }
        }
    }
    stream.extend_from_slice(b"\nget-mark :1\ndone\n");
    stream
}

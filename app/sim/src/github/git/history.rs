//! Reading commits: who, when, what changed between two of them.

use std::collections::HashMap;

use anyhow::{Context, bail};
use jiff::Timestamp;

use super::{Bare, Size, git_text};

/// A merge is shown as what it brought to the branch that it was merged into.
const FIRST: &str = "--diff-merges=first-parent";

/// A name and an address as a commit has them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Person {
    pub(crate) name: String,
    pub(crate) email: String,
}

impl Person {
    /// As GitHub writes a user who hides the address.
    pub(crate) fn of(login: &str) -> Person {
        Person { name: login.to_owned(), email: format!("{login}@users.noreply.github.com") }
    }

    /// The committer of what GitHub itself commits.
    pub(crate) fn web() -> Person {
        Person { name: "GitHub".to_owned(), email: "noreply@github.com".to_owned() }
    }

    /// The login that this is the hidden address of.
    pub(crate) fn login(&self) -> Option<&str> {
        self.email.strip_suffix("@users.noreply.github.com")
    }
}

/// What a commit says of itself.
#[derive(Debug, Clone)]
pub(crate) struct CommitFacts {
    pub(crate) sha: String,
    pub(crate) tree: String,
    pub(crate) parents: Vec<String>,
    pub(crate) author: Person,
    pub(crate) authored_at: Timestamp,
    pub(crate) committer: Person,
    pub(crate) committed_at: Timestamp,
    pub(crate) message: String,
}

/// One file that differs between two commits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FileChange {
    pub(crate) path: String,
    /// As the API says it.
    pub(crate) status: &'static str,
    /// The blob after the change, or before it for a removed file.
    pub(crate) blob: String,
    pub(crate) additions: u64,
    pub(crate) deletions: u64,
}

/// The paths that one commit touched.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Paths {
    pub(crate) added: Vec<String>,
    pub(crate) removed: Vec<String>,
    pub(crate) modified: Vec<String>,
}

impl Bare {
    /// The commits that `newer` has and `older` lacks, oldest first.
    pub(crate) async fn between(&self, older: &str, newer: &str) -> anyhow::Result<Vec<String>> {
        let range = format!("{older}..{newer}");
        let text = self.run(&["rev-list", "--reverse", "--topo-order", &range]).await?;
        Ok(text.lines().map(str::to_owned).collect())
    }

    /// The commits that `tip` has and no other branch than `branch` has, oldest first: what a new
    /// branch brings.
    pub(crate) async fn only_on(&self, branch: &str, tip: &str) -> anyhow::Result<Vec<String>> {
        let exclude = format!("--exclude=refs/heads/{branch}");
        let args = [
            "rev-list",
            "--reverse",
            "--topo-order",
            tip,
            "--not",
            &exclude,
            "--glob=refs/heads/*",
        ];
        let text = self.run(&args).await?;
        Ok(text.lines().map(str::to_owned).collect())
    }

    pub(crate) async fn facts(&self, sha: &str) -> anyhow::Result<CommitFacts> {
        let mut facts = self.facts_of(std::slice::from_ref(&sha.to_owned())).await?;
        facts.pop().context("git log printed no commit")
    }

    /// The facts of many commits, in the order asked for, by one process.
    pub(crate) async fn facts_of(&self, shas: &[String]) -> anyhow::Result<Vec<CommitFacts>> {
        if shas.is_empty() {
            return Ok(Vec::new());
        }
        let format =
            ["%H", "%T", "%P", "%an", "%ae", "%at", "%cn", "%ce", "%ct", "%B"].join("%x01");
        let format = format!("--format={format}");
        let args = ["log", "-z", "--no-walk=unsorted", "--no-show-signature", &format, "--stdin"];
        let text = git_text(self.folder(), &args, &[], shas.join("\n").as_bytes()).await?;
        text.split('\0').filter(|record| !record.is_empty()).map(read_facts).collect()
    }

    /// The paths that each commit touched, seen from its first parent.
    pub(crate) async fn paths_of(&self, shas: &[String]) -> anyhow::Result<Vec<Paths>> {
        let args =
            ["diff-tree", "--stdin", "-r", "-z", "--root", "--no-renames", "--name-status", FIRST];
        let text = git_text(self.folder(), &args, &[], (shas.join("\n") + "\n").as_bytes()).await?;
        let mut by_commit: HashMap<&str, Paths> = HashMap::new();
        let mut current = "";
        let mut fields = text.split('\0').filter(|field| !field.is_empty());
        while let Some(field) = fields.next() {
            let paths = by_commit.entry(current).or_default();
            let list = match field {
                "A" => &mut paths.added,
                "D" => &mut paths.removed,
                "M" | "T" => &mut paths.modified,
                sha => {
                    current = sha;
                    continue;
                }
            };
            list.extend(fields.next().map(str::to_owned));
        }
        Ok(shas.iter().map(|sha| by_commit.remove(sha.as_str()).unwrap_or_default()).collect())
    }

    /// The files that differ from `older` to `newer`, by path. Renames are shown as removed and
    /// added.
    pub(crate) async fn changed_files(
        &self,
        older: &str,
        newer: &str,
    ) -> anyhow::Result<Vec<FileChange>> {
        let raw = self
            .run(&["diff-tree", "-r", "-z", "--no-renames", "--raw", "--numstat", older, newer])
            .await?;
        let mut files = Vec::new();
        let mut fields = raw.split('\0').peekable();
        // Raw entries come first, `:modes old new status` and a path each; then one `added deleted
        // path` per file.
        while let Some(entry) = fields.next_if(|field| field.starts_with(':')) {
            let words: Vec<&str> = entry.split(' ').collect();
            let path = fields.next().context("git diff-tree named no path")?;
            let (Some(before), Some(after), Some(letter)) =
                (words.get(2), words.get(3), words.get(4))
            else {
                bail!("git diff-tree printed another format than it was asked for");
            };
            let (status, blob) = match *letter {
                "A" => ("added", after),
                "D" => ("removed", before),
                _ => ("modified", after),
            };
            files.push(FileChange {
                path: path.to_owned(),
                status,
                blob: (*blob).to_owned(),
                additions: 0,
                deletions: 0,
            });
        }
        for (file, counts) in files.iter_mut().zip(fields) {
            let mut counts = counts.split('\t').map(|count| count.parse().unwrap_or(0));
            file.additions = counts.next().unwrap_or(0);
            file.deletions = counts.next().unwrap_or(0);
        }
        Ok(files)
    }

    pub(crate) async fn size(&self, older: &str, newer: &str) -> anyhow::Result<Size> {
        let files = self.changed_files(older, newer).await?;
        Ok(Size {
            additions: files.iter().map(|file| file.additions).sum(),
            deletions: files.iter().map(|file| file.deletions).sum(),
            changed_files: files.len() as u64,
        })
    }
}

fn read_facts(record: &str) -> anyhow::Result<CommitFacts> {
    let fields: Vec<&str> = record.splitn(10, '\x01').collect();
    let [sha, tree, parents, name, email, authored, by, by_email, committed, message] =
        fields.as_slice()
    else {
        bail!("git log printed another format than it was asked for");
    };
    Ok(CommitFacts {
        sha: (*sha).to_owned(),
        tree: (*tree).to_owned(),
        parents: parents.split_whitespace().map(str::to_owned).collect(),
        author: Person { name: (*name).to_owned(), email: (*email).to_owned() },
        authored_at: seconds(authored)?,
        committer: Person { name: (*by).to_owned(), email: (*by_email).to_owned() },
        committed_at: seconds(committed)?,
        message: message.trim_end_matches('\n').to_owned(),
    })
}

fn seconds(text: &str) -> anyhow::Result<Timestamp> {
    Ok(Timestamp::from_second(text.parse().context("git printed a time that is no number")?)?)
}

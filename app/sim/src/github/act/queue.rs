//! The merge queue: pull requests in a row, merged together once the checks of what they give are good.
//!
//! Whether checks are good nobody asks here: a story says when a group is merged or taken apart.

use anyhow::Context;
use serde_json::json;

use super::Repo;
use crate::github::git::{NewCommit, Person};
use crate::github::model::{MergeMethod, Merged};

/// A group of the queue, on a branch of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// `gh-readonly-queue/main/pr-7-<base sha>`
    pub branch: String,
    pub base: String,
    pub base_sha: String,
    pub head_sha: String,
    /// The pull requests, in the order of the queue, each with the commits that it adds.
    pub pulls: Vec<(u64, Vec<String>)>,
}

impl Repo {
    /// Queues pull requests into `base` as one group, merged in this order by merge commits, and asks
    /// for its checks.
    ///
    /// # Errors
    /// One of them conflicts, or git cannot be run.
    pub async fn queue(&self, base: &str, pulls: &[u64], user: &str) -> anyhow::Result<Group> {
        let _moving = self.shared.ref_locks.lock(self.id).await;
        let at = self.acts(user);
        let git = self.git()?;
        let base_sha = git.tip(base).await?.with_context(|| format!("no branch `{base}`"))?;
        let (mut head_sha, mut added) = (base_sha.clone(), Vec::new());
        for number in pulls {
            let pull = self.known_pull(*number)?;
            let author = Person::of(user);
            let message = format!("Merge pull request #{number}\n\n{}", pull.title);
            let commit = NewCommit::by(&author, at, &message).on_the_web(at);
            let landed = git.merge(&head_sha, &pull.head_sha, MergeMethod::Merge, &commit).await?;
            let landed = landed.with_context(|| format!("pull request {number} conflicts"))?;
            head_sha = landed.last().context("a merge makes a commit")?.clone();
            added.push((*number, landed));
        }
        let last = pulls.last().context("a group has a pull request")?;
        let branch = format!("gh-readonly-queue/{base}/pr-{last}-{base_sha}");
        git.set_ref(&format!("refs/heads/{branch}"), &head_sha).await?;
        let base = base.to_owned();
        let group = Group { branch, base, base_sha, head_sha, pulls: added };
        self.moved(&group.branch, None, Some(group.head_sha.clone()), user).await?;
        for number in pulls {
            self.tell_pull(*number, "enqueued", user, json!({}));
        }
        self.tell_merge_group(&group, "checks_requested", user, json!({})).await?;
        Ok(group)
    }

    /// Merges a group: one push, and each of its pull requests is closed.
    ///
    /// # Errors
    /// The base moved, or git cannot be run.
    pub async fn land(&self, group: &Group, user: &str) -> anyhow::Result<()> {
        let _moving = self.shared.ref_locks.lock(self.id).await;
        let git = self.git()?;
        let before = git.tip(&group.base).await?;
        anyhow::ensure!(before.as_ref() == Some(&group.base_sha), "{} has moved", group.base);
        for (number, landed) in &group.pulls {
            let at = self.acts(user);
            let commit = landed.last().context("a merge makes a commit")?.clone();
            let merged = Merged { at, by: user.to_owned(), commit, landed: landed.clone() };
            self.note_merged(*number, merged)?;
        }
        git.set_ref(&format!("refs/heads/{}", group.base), &group.head_sha).await?;
        self.moved(&group.base, before, Some(group.head_sha.clone()), user).await?;
        self.dequeued(group, "MERGE", user);
        for (number, _) in &group.pulls {
            self.tell_pull(*number, "closed", user, json!({}));
        }
        self.destroyed(group, "merged", user).await
    }

    /// Takes a group apart, because somebody took one of its pull requests out of the queue.
    ///
    /// # Errors
    /// git cannot be run.
    pub async fn unqueue(&self, group: &Group, user: &str) -> anyhow::Result<()> {
        self.leaves(group, "MANUAL", user).await
    }

    /// Takes a group apart, because one of its checks failed.
    ///
    /// # Errors
    /// git cannot be run.
    pub async fn fail(&self, group: &Group, user: &str) -> anyhow::Result<()> {
        self.leaves(group, "CI_FAILURE", user).await
    }

    async fn leaves(&self, group: &Group, why: &str, user: &str) -> anyhow::Result<()> {
        let _moving = self.shared.ref_locks.lock(self.id).await;
        self.dequeued(group, why, user);
        self.destroyed(group, "dequeued", user).await
    }

    fn dequeued(&self, group: &Group, why: &str, user: &str) {
        for (number, _) in &group.pulls {
            self.tell_pull(*number, "dequeued", user, json!({ "reason": why }));
        }
    }

    async fn destroyed(&self, group: &Group, why: &str, user: &str) -> anyhow::Result<()> {
        self.tell_merge_group(group, "destroyed", user, json!({ "reason": why })).await?;
        self.git()?.delete_ref(&format!("refs/heads/{}", group.branch)).await?;
        self.moved(&group.branch, Some(group.head_sha.clone()), None, user).await
    }
}

//! Pushes, however they come: what they do to branches, and to the pull requests on both sides.

use anyhow::Context;
use serde_json::json;

use super::Repo;
use super::events::{MOST_PUSHED_COMMITS, Pushed};
use crate::github::git::{Edit, NewCommit, Person};
use crate::github::model::{Merged, PullState, UserKind};

impl Repo {
    /// Commits `edits` on a branch and pushes it. A branch that does not exist begins at the
    /// default branch's tip.
    ///
    /// # Errors
    /// git refuses an edit.
    pub async fn push<E: Into<Edit>>(
        &self,
        branch: &str,
        user: &str,
        message: &str,
        edits: impl IntoIterator<Item = E>,
    ) -> anyhow::Result<String> {
        let _moving = self.shared.ref_locks.lock(self.id).await;
        let git = self.git()?;
        let before = git.tip(branch).await?;
        let parent = match &before {
            Some(tip) => Some(tip.clone()),
            None => git.tip(&self.read(|repository| repository.default_branch.clone())?).await?,
        };
        let commit = self.commit(branch, parent.as_deref(), (user, message), edits).await?;
        self.moved(branch, before, Some(commit.clone()), user).await?;
        Ok(commit)
    }

    /// Commits `edits` on `parent` and makes that the branch's tip, whatever it held before.
    ///
    /// # Errors
    /// The branch is protected, `parent` is no commit, or git refuses an edit.
    pub async fn force_push<E: Into<Edit>>(
        &self,
        branch: &str,
        user: &str,
        parent: &str,
        edits: impl IntoIterator<Item = E>,
    ) -> anyhow::Result<String> {
        anyhow::ensure!(
            !self.read(|repository| repository.protected.contains(branch))?,
            "protected branch hook declined"
        );
        let _moving = self.shared.ref_locks.lock(self.id).await;
        let before = self.git()?.tip(branch).await?;
        let commit = self.commit(branch, Some(parent), (user, "Rewrite"), edits).await?;
        self.moved(branch, before, Some(commit.clone()), user).await?;
        Ok(commit)
    }

    /// Makes a branch, or moves one, to a commit that is already there.
    ///
    /// # Errors
    /// There is no such commit.
    pub async fn point_branch(&self, branch: &str, to: &str, user: &str) -> anyhow::Result<String> {
        let _moving = self.shared.ref_locks.lock(self.id).await;
        let git = self.git()?;
        let before = git.tip(branch).await?;
        let commit = git.commit(to).await?.with_context(|| format!("`{to}` is no commit"))?;
        git.set_ref(&format!("refs/heads/{branch}"), &commit).await?;
        self.moved(branch, before, Some(commit.clone()), user).await?;
        Ok(commit)
    }

    /// Deletes a branch. Pull requests that bring it are closed.
    ///
    /// # Errors
    /// There is no such branch.
    pub async fn delete_branch(&self, branch: &str, user: &str) -> anyhow::Result<()> {
        let _moving = self.shared.ref_locks.lock(self.id).await;
        let git = self.git()?;
        let before = git.tip(branch).await?.with_context(|| format!("no branch `{branch}`"))?;
        git.delete_ref(&format!("refs/heads/{branch}")).await?;
        self.moved(branch, Some(before), None, user).await
    }

    async fn commit<E: Into<Edit>>(
        &self,
        branch: &str,
        parent: Option<&str>,
        (user, message): (&str, &str),
        edits: impl IntoIterator<Item = E>,
    ) -> anyhow::Result<String> {
        let at = self.shared.world().tick();
        let author = Person::of(user);
        let edits: Vec<Edit> = edits.into_iter().map(Into::into).collect();
        let commit = NewCommit::by(&author, at, message);
        self.git()?.commit_edits(branch, parent, &commit, &edits).await
    }

    /// Follows up on a branch that just moved: webhooks, and the pull requests on both sides. The
    /// caller holds the lock of this repository's refs.
    pub(crate) async fn moved(
        &self,
        branch: &str,
        before: Option<String>,
        after: Option<String>,
        user: &str,
    ) -> anyhow::Result<()> {
        if before == after {
            return Ok(());
        }
        {
            let mut world = self.shared.world();
            world.ensure_user(user, UserKind::Person);
            let at = world.tick();
            world.repository_mut(self.id)?.pushed_at = at;
        }
        let brought = self.brought(branch, before.as_deref(), after.as_deref()).await?;
        self.push_told(branch, before.as_deref(), after.as_deref(), (&brought, user)).await?;
        if let Some(after) = &after {
            self.mark_landed(branch, after, (&brought, user))?;
        }
        self.heads_moved(branch, after.as_deref(), user).await
    }

    /// The commits that a push brought, oldest first.
    async fn brought(
        &self,
        branch: &str,
        before: Option<&str>,
        after: Option<&str>,
    ) -> anyhow::Result<Vec<String>> {
        match (before, after) {
            (_, None) => Ok(Vec::new()),
            (Some(before), Some(after)) => self.git()?.between(before, after).await,
            (None, Some(after)) => self.git()?.only_on(branch, after).await,
        }
    }

    async fn push_told(
        &self,
        branch: &str,
        before: Option<&str>,
        after: Option<&str>,
        (brought, user): (&[String], &str),
    ) -> anyhow::Result<()> {
        let git = self.git()?;
        let forced = match (before, after) {
            (Some(before), Some(after)) => !git.is_ancestor(before, after).await?,
            _ => false,
        };
        let listed = &brought[..brought.len().min(MOST_PUSHED_COMMITS)];
        let commits: Vec<_> =
            git.facts_of(listed).await?.into_iter().zip(git.paths_of(listed).await?).collect();
        let tip: Vec<String> = after.map(str::to_owned).into_iter().collect();
        let head: Vec<_> =
            git.facts_of(&tip).await?.into_iter().zip(git.paths_of(&tip).await?).collect();
        let head = head.first();
        self.tell_push(&Pushed { branch, before, after, forced, commits: &commits, head }, user);
        Ok(())
    }

    /// A push that brings a pull request's head into its base merges it, without a button.
    fn mark_landed(
        &self,
        branch: &str,
        after: &str,
        (brought, user): (&[String], &str),
    ) -> anyhow::Result<()> {
        let landed: Vec<u64> = self.read(|repository| {
            let on_base = repository.pulls.values().filter(|p| p.is_open() && p.base == branch);
            on_base.filter(|p| brought.contains(&p.head_sha)).map(|p| p.number).collect()
        })?;
        for number in landed {
            let at = self.shared.world().tick();
            self.change_pull(number, |pull| {
                pull.updated_at = at;
                pull.state = PullState::Merged(Merged {
                    at,
                    by: user.to_owned(),
                    commit: after.to_owned(),
                    landed: pull.commits.clone(),
                });
            })?;
            self.tell_pull(number, "closed", user, json!({}));
        }
        Ok(())
    }

    /// Moves the pull requests, here and where this is a fork of, whose head this branch is.
    async fn heads_moved(
        &self,
        branch: &str,
        after: Option<&str>,
        user: &str,
    ) -> anyhow::Result<()> {
        let bring: Vec<(u64, u64)> = {
            let world = self.shared.world();
            let pulls = world
                .repositories
                .values()
                .flat_map(|base| base.pulls.values().map(|pull| (base.id, pull)));
            pulls
                .filter(|(_, p)| p.is_open() && p.head_repository == self.id && p.head == branch)
                .map(|(base, pull)| (base, pull.number))
                .collect()
        };
        for (base, number) in bring {
            let base = Repo::new(self.shared.clone(), base);
            match after {
                Some(after) => base.synchronize(number, after, user).await?,
                None => base.close(number, user)?,
            }
        }
        Ok(())
    }
}

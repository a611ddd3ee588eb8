//! Merging a pull request, by a merge commit, a squashed commit or a rebase, and trying whether it
//! can be.

use serde_json::json;

use super::Repo;
use crate::github::git::{NewCommit, Person};
use crate::github::model::{MergeMethod, Merged, Pull, PullState, Trial};

/// Why a pull request is not merged.
#[derive(Debug)]
pub(crate) enum MergeRefused {
    /// It is closed, merged, a draft, or conflicts.
    NotMergeable,
    /// The head is not the one that the caller means.
    HeadMoved,
    Failed(anyhow::Error),
}

impl From<anyhow::Error> for MergeRefused {
    fn from(error: anyhow::Error) -> MergeRefused {
        MergeRefused::Failed(error)
    }
}

impl Repo {
    /// Merges a pull request and returns the base's new tip.
    ///
    /// # Errors
    /// It cannot be merged.
    pub async fn merge(
        &self,
        number: u64,
        method: MergeMethod,
        user: &str,
    ) -> anyhow::Result<String> {
        self.merge_head(number, method, user, None).await.map_err(|refused| match refused {
            MergeRefused::Failed(error) => error,
            refused => anyhow::anyhow!("pull request {number} cannot be merged: {refused:?}"),
        })
    }

    /// As [`Repo::merge`], if the head is still `expected`.
    pub(crate) async fn merge_head(
        &self,
        number: u64,
        method: MergeMethod,
        user: &str,
        expected: Option<&str>,
    ) -> Result<String, MergeRefused> {
        let moving = self.shared.ref_locks.lock(self.id).await;
        let at = self.acts(user);
        let pull = self.known_pull(number)?;
        if !pull.is_open() || pull.draft {
            return Err(MergeRefused::NotMergeable);
        }
        if expected.is_some_and(|expected| expected != pull.head_sha) {
            return Err(MergeRefused::HeadMoved);
        }
        let git = self.git()?;
        let before = git.tip(&pull.base).await?.ok_or(MergeRefused::NotMergeable)?;
        let author = Person::of(user);
        let message = message(&pull, method, &self.head_owner(&pull));
        let commit = NewCommit::by(&author, at, &message).on_the_web(at);
        let landed = git.merge(&before, &pull.head_sha, method, &commit).await?;
        let landed = landed.ok_or(MergeRefused::NotMergeable)?;
        let after = landed.last().ok_or(MergeRefused::NotMergeable)?.clone();
        git.set_ref(&format!("refs/heads/{}", pull.base), &after).await?;
        let merged = Merged { at, by: user.to_owned(), commit: after.clone(), landed };
        self.note_merged(number, merged)?;
        self.moved(&pull.base, Some(before), Some(after.clone()), user).await?;
        drop(moving);
        self.tell_pull(number, "closed", user, json!({}));
        Ok(after)
    }

    /// Tries the merge of an open pull request, unless the last try still holds, and keeps
    /// `refs/pull/N/merge` in step. Says whether it can be merged; `None` for one that is not open.
    pub(crate) async fn try_merge(&self, number: u64) -> anyhow::Result<Option<bool>> {
        let pull = self.known_pull(number)?;
        let git = self.git()?;
        let (true, Some(base_sha)) = (pull.is_open(), git.tip(&pull.base).await?) else {
            return Ok(None);
        };
        if let Some(trial) = &pull.trial
            && trial.base_sha == base_sha
            && trial.head_sha == pull.head_sha
        {
            return Ok(Some(trial.commit.is_some()));
        }
        let author = Person::of(&pull.author);
        let message = format!("Merge {} into {base_sha}", pull.head_sha);
        let commit = match git.merged_tree(&base_sha, &pull.head_sha, None).await? {
            Some(tree) => {
                let new =
                    NewCommit::by(&author, pull.updated_at, &message).on_the_web(pull.updated_at);
                let parents = [base_sha.as_str(), &pull.head_sha];
                Some(git.commit_tree(&tree, &parents, &new).await?)
            }
            None => None,
        };
        if let Some(commit) = &commit {
            git.set_ref(&format!("refs/pull/{number}/merge"), commit).await?;
        }
        let can = commit.is_some();
        self.change_pull(number, |known| {
            known.trial = Some(Trial { base_sha, head_sha: pull.head_sha, commit });
        })?;
        Ok(Some(can))
    }

    pub(super) fn note_merged(&self, number: u64, merged: Merged) -> anyhow::Result<()> {
        let mut world = self.shared.world();
        let stale = world.lags.index;
        let behind = merged.landed.iter().map(|sha| (sha.clone(), stale));
        world.lags.index_left.extend(behind);
        drop(world);
        self.change_pull(number, |pull| {
            pull.updated_at = merged.at;
            pull.state = PullState::Merged(merged);
        })
    }

    fn head_owner(&self, pull: &Pull) -> String {
        let world = self.shared.world();
        world
            .repository(pull.head_repository)
            .map_or_else(|_| pull.author.clone(), |r| r.owner.clone())
    }
}

/// The message that GitHub writes unless it is told another.
fn message(pull: &Pull, method: MergeMethod, head_owner: &str) -> String {
    let Pull { number, title, head, .. } = pull;
    match method {
        MergeMethod::Merge | MergeMethod::Rebase => {
            format!("Merge pull request #{number} from {head_owner}/{head}\n\n{title}")
        }
        MergeMethod::Squash => format!("{title} (#{number})"),
    }
}

//! Opening pull requests and changing them.

use std::collections::BTreeSet;

use anyhow::Context;
use serde_json::{Value, json};

use super::Repo;
use crate::github::git::{NewCommit, Person};
use crate::github::model::{Pull, PullState, Size, Trial, UserKind};

/// A pull request to open. `NewPull::from("feature")` is the least; the rest has defaults.
#[derive(Debug, Clone)]
pub struct NewPull {
    /// The branch that it brings.
    pub head: String,
    /// Where that branch is, if not in the same repository.
    pub fork: Option<Repo>,
    /// The branch it is for; the default branch unless said.
    pub base: Option<String>,
    pub author: String,
    pub title: String,
    pub body: Option<String>,
    pub draft: bool,
}

impl NewPull {
    pub fn from(head: &str) -> NewPull {
        NewPull {
            head: head.to_owned(),
            fork: None,
            base: None,
            author: "alice".to_owned(),
            title: format!("Merge {head}"),
            body: None,
            draft: false,
        }
    }

    pub fn into(self, base: &str) -> NewPull {
        NewPull { base: Some(base.to_owned()), ..self }
    }

    pub fn by(self, author: &str) -> NewPull {
        NewPull { author: author.to_owned(), ..self }
    }

    pub fn titled(self, title: &str) -> NewPull {
        NewPull { title: title.to_owned(), ..self }
    }

    pub fn of_fork(self, fork: &Repo) -> NewPull {
        NewPull { fork: Some(fork.clone()), ..self }
    }

    pub fn as_draft(self) -> NewPull {
        NewPull { draft: true, ..self }
    }
}

/// Why a pull request cannot be opened, as the API's validation tells it.
#[derive(Debug)]
pub(crate) enum PullRefused {
    NoHead,
    NoBase,
    NothingBetween { base: String, head: String },
    Exists(String),
    Failed(anyhow::Error),
}

impl From<anyhow::Error> for PullRefused {
    fn from(error: anyhow::Error) -> PullRefused {
        PullRefused::Failed(error)
    }
}

impl Repo {
    /// Opens a pull request and returns its number.
    ///
    /// # Errors
    /// A branch does not exist, there is nothing between them, or there is one already.
    pub async fn open(&self, pull: NewPull) -> anyhow::Result<u64> {
        self.try_open(pull).await.map_err(|refused| match refused {
            PullRefused::Failed(error) => error,
            refused => anyhow::anyhow!("the pull request cannot be opened: {refused:?}"),
        })
    }

    pub(crate) async fn try_open(&self, new: NewPull) -> Result<u64, PullRefused> {
        let source = new.fork.clone().unwrap_or_else(|| self.clone());
        let base = match new.base.clone() {
            Some(base) => base,
            None => self.read(|repository| repository.default_branch.clone())?,
        };
        let head_sha = source.git()?.tip(&new.head).await?.ok_or(PullRefused::NoHead)?;
        let base_sha = self.git()?.tip(&base).await?.ok_or(PullRefused::NoBase)?;
        if let Some(taken) = self.open_pull_between(&source, &new.head, &base)? {
            return Err(PullRefused::Exists(taken));
        }
        let (id, number, at) = {
            let mut world = self.shared.world();
            world.ensure_user(&new.author, UserKind::Person);
            let number = world.repository(self.id)?.pulls.keys().last().map_or(1, |last| last + 1);
            // The issue behind a pull request has an id of its own, the next one.
            let id = world.next_id();
            world.next_id();
            (id, number, world.tick())
        };
        let mut pull = Pull {
            id,
            number,
            title: new.title,
            body: new.body,
            author: new.author.clone(),
            draft: new.draft,
            labels: BTreeSet::new(),
            state: PullState::Open,
            base,
            base_sha,
            head_repository: source.id,
            head: new.head,
            head_sha,
            created_at: at,
            updated_at: at,
            commits: Vec::new(),
            size: Size::default(),
            trial: None,
        };
        self.measure(&mut pull, &source).await?;
        if pull.commits.is_empty() {
            return Err(PullRefused::NothingBetween { base: pull.base, head: pull.head });
        }
        self.change(|repository| repository.pulls.insert(number, pull))?;
        self.tell_pull(number, "opened", &new.author, json!({}));
        Ok(number)
    }

    fn open_pull_between(
        &self,
        source: &Repo,
        head: &str,
        base: &str,
    ) -> anyhow::Result<Option<String>> {
        let taken = self.read(|repository| {
            repository.pulls.values().any(|pull| {
                pull.is_open()
                    && pull.head_repository == source.id
                    && pull.head == head
                    && pull.base == base
            })
        })?;
        Ok(taken.then(|| {
            let owner = source.read(|source| source.owner.clone()).unwrap_or_default();
            format!("{owner}:{head}")
        }))
    }

    /// Brings the head into this repository as `refs/pull/N/head` and measures what it changes.
    async fn measure(&self, pull: &mut Pull, source: &Repo) -> anyhow::Result<()> {
        let git = self.git()?;
        let head_ref = format!("refs/pull/{}/head", pull.number);
        if source.id != self.id {
            let refspec = format!("+refs/heads/{}:{head_ref}", pull.head);
            git.fetch(&source.git()?, &refspec).await?;
        }
        git.set_ref(&head_ref, &pull.head_sha).await?;
        pull.commits = git.between(&pull.base_sha, &pull.head_sha).await?;
        let common = git.merge_base(&pull.base_sha, &pull.head_sha).await?;
        let since = common.as_deref().unwrap_or(&pull.base_sha);
        pull.size = git.size(since, &pull.head_sha).await?;
        Ok(())
    }

    /// The head was pushed.
    pub(super) async fn synchronize(
        &self,
        number: u64,
        head: &str,
        user: &str,
    ) -> anyhow::Result<()> {
        let mut pull = self.known_pull(number)?;
        let before = std::mem::replace(&mut pull.head_sha, head.to_owned());
        self.remeasure(pull).await?;
        let more = json!({ "before": before, "after": head });
        self.tell_pull(number, "synchronize", user, more);
        Ok(())
    }

    /// Measures a pull request anew after one of its sides changed.
    async fn remeasure(&self, mut pull: Pull) -> anyhow::Result<()> {
        if let Some(tip) = self.git()?.tip(&pull.base).await? {
            pull.base_sha = tip;
        }
        let source = Repo::new(self.shared.clone(), pull.head_repository);
        self.measure(&mut pull, &source).await?;
        {
            let mut world = self.shared.world();
            pull.updated_at = world.tick();
            world.lags.head_moved(pull.id);
        }
        self.change(|repository| repository.pulls.insert(pull.number, pull))?;
        Ok(())
    }

    /// Closes a pull request without merging it.
    ///
    /// # Errors
    /// There is no such pull request.
    pub fn close(&self, number: u64, user: &str) -> anyhow::Result<()> {
        let at = self.acts(user);
        self.change_pull(number, |pull| {
            pull.state = PullState::Closed { at };
            pull.updated_at = at;
        })?;
        self.tell_pull(number, "closed", user, json!({}));
        Ok(())
    }

    /// Opens a closed pull request again.
    ///
    /// # Errors
    /// It is not closed, or it was merged.
    pub fn reopen(&self, number: u64, user: &str) -> anyhow::Result<()> {
        let at = self.acts(user);
        let closed = matches!(self.known_pull(number)?.state, PullState::Closed { .. });
        anyhow::ensure!(closed, "pull request {number} is not closed");
        self.change_pull(number, |pull| {
            pull.state = PullState::Open;
            pull.updated_at = at;
        })?;
        self.tell_pull(number, "reopened", user, json!({}));
        Ok(())
    }

    /// Points a pull request at another base.
    ///
    /// # Errors
    /// There is no such pull request, or no such branch.
    pub async fn retarget(&self, number: u64, base: &str, user: &str) -> anyhow::Result<()> {
        self.acts(user);
        let mut pull = self.known_pull(number)?;
        self.git()?.tip(base).await?.with_context(|| format!("no branch `{base}`"))?;
        let changes = json!({
            "changes": { "base": { "ref": { "from": pull.base }, "sha": { "from": pull.base_sha } } },
        });
        base.clone_into(&mut pull.base);
        self.remeasure(pull).await?;
        self.tell_pull(number, "edited", user, changes);
        Ok(())
    }

    /// Gives a pull request another title.
    ///
    /// # Errors
    /// There is no such pull request.
    pub fn retitle(&self, number: u64, title: &str, user: &str) -> anyhow::Result<()> {
        let at = self.acts(user);
        let from = self.change_pull(number, |pull| {
            pull.updated_at = at;
            std::mem::replace(&mut pull.title, title.to_owned())
        })?;
        self.tell_pull(number, "edited", user, json!({ "changes": { "title": { "from": from } } }));
        Ok(())
    }

    /// Marks a draft as ready.
    ///
    /// # Errors
    /// There is no such pull request.
    pub fn mark_ready(&self, number: u64, user: &str) -> anyhow::Result<()> {
        self.update(number, user, ("ready_for_review", json!({})), |pull| pull.draft = false)
    }

    /// Turns a pull request back into a draft.
    ///
    /// # Errors
    /// There is no such pull request.
    pub fn mark_draft(&self, number: u64, user: &str) -> anyhow::Result<()> {
        self.update(number, user, ("converted_to_draft", json!({})), |pull| pull.draft = true)
    }

    /// Adds a label.
    ///
    /// # Errors
    /// There is no such pull request.
    pub fn label(&self, number: u64, name: &str, user: &str) -> anyhow::Result<()> {
        let more = json!({ "label": self.shown_label(name)? });
        self.update(number, user, ("labeled", more), |pull| {
            pull.labels.insert(name.to_owned());
        })
    }

    /// Takes a label away.
    ///
    /// # Errors
    /// There is no such pull request.
    pub fn unlabel(&self, number: u64, name: &str, user: &str) -> anyhow::Result<()> {
        let more = json!({ "label": self.shown_label(name)? });
        self.update(number, user, ("unlabeled", more), |pull| {
            pull.labels.remove(name);
        })
    }

    fn shown_label(&self, name: &str) -> anyhow::Result<Value> {
        let world = self.shared.world();
        Ok(self.shared.view(&world).label(world.repository(self.id)?, name))
    }

    fn update(
        &self,
        number: u64,
        user: &str,
        (action, more): (&str, Value),
        change: impl FnOnce(&mut Pull),
    ) -> anyhow::Result<()> {
        let at = self.acts(user);
        self.change_pull(number, |pull| {
            change(pull);
            pull.updated_at = at;
        })?;
        self.tell_pull(number, action, user, more);
        Ok(())
    }

    /// Somebody acts: they exist from now on, and time has gone on.
    pub(super) fn acts(&self, user: &str) -> jiff::Timestamp {
        let mut world = self.shared.world();
        world.ensure_user(user, UserKind::Person);
        world.tick()
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
}

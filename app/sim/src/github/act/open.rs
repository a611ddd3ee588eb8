//! Opening a pull request, and measuring it whenever one of its sides moves.

use std::collections::BTreeSet;

use serde_json::json;

use super::Repo;
use crate::github::model::{Pull, PullState, Size, UserKind};

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
            let number = world.repository(self.id)?.next_number();
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
            locked: false,
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
            let refspec = format!("refs/heads/{}", pull.head);
            git.fetch(&source.git()?, &refspec).await?;
        }
        if !self.shared.world().lags.delays(self.id, &head_ref, &pull.head_sha) {
            git.set_ref(&head_ref, &pull.head_sha).await?;
        }
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
    pub(super) async fn remeasure(&self, mut pull: Pull) -> anyhow::Result<()> {
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
}

//! Issues that are no pull requests: opened by an App or a person, closed by people.
//!
//! No App here is subscribed to `issues`, so nobody is told.

use super::Repo;
use crate::github::model::{Issue, IssueState};

impl Repo {
    /// Opens an issue and returns its number. Pull requests have numbers of the same row.
    ///
    /// # Errors
    /// The repository is gone.
    pub fn open_issue(&self, author: &str, title: &str, body: &str) -> anyhow::Result<u64> {
        let mut world = self.shared.world();
        let (id, at) = (world.next_id(), world.tick());
        let repository = world.repository_mut(self.id)?;
        let number = repository.next_number();
        let issue = Issue {
            id,
            number,
            title: title.to_owned(),
            body: body.to_owned(),
            author: author.to_owned(),
            state: IssueState::Open,
            created_at: at,
        };
        repository.issues.insert(number, issue);
        Ok(number)
    }

    /// Closes an issue.
    ///
    /// # Errors
    /// There is no such issue.
    pub fn close_issue(&self, number: u64) -> anyhow::Result<()> {
        let at = self.shared.world().tick();
        let closed = self.change(|repository| {
            let issue = repository.issues.get_mut(&number)?;
            issue.state = IssueState::Closed { at };
            Some(())
        })?;
        closed.ok_or_else(|| anyhow::anyhow!("there is no issue {number}"))
    }

    /// All issues that are no pull requests, oldest first.
    ///
    /// # Errors
    /// The repository is gone.
    pub fn issues(&self) -> anyhow::Result<Vec<Issue>> {
        self.read(|repository| repository.issues.values().cloned().collect())
    }
}

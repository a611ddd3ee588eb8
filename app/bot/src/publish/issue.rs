//! The one issue in a repository that has no rules yet.

use landfall_github::comment::Marker;

use super::{Desk, Ended, IssueBody};

/// What it is called.
const TITLE: &str = "Configure Landfall";

impl Desk<'_> {
    pub(super) async fn issue(&self) -> anyhow::Result<Ended> {
        let text = match self.body::<IssueBody>() {
            Ok(IssueBody { text: Some(text) }) => text,
            // It was decided to say nothing.
            Ok(IssueBody { text: None }) => return Ok(Ended::Done(Vec::new())),
            Err(unreadable) => return Ok(unreadable),
        };
        if !self.item.external.is_empty() {
            return Ok(Ended::Done(self.item.external.clone()));
        }
        // Always, and not only after a lost answer: a store that is new knows of no issue, and one
        // that somebody closed says that nobody is to be asked again.
        let marker = Marker::new("proposal").with("repository", self.item.item.key.repository);
        match self.reader.find_issue(&marker).await {
            Ok(Some(number)) => return Ok(Ended::Done(vec![number])),
            Ok(None) => {}
            Err(error) => return Ok(error.into()),
        }
        if !self.has_room(1).await? {
            return Ok(Ended::Waits);
        }
        let body = format!("{marker}\n{}", self.clean(&text));
        let proposer = self.house.github.proposer(self.reader.on().clone()).until(self.until);
        match proposer.create_issue(TITLE, &body).await {
            Ok(number) => Ok(Ended::Done(vec![number])),
            Err(error) => Ok(error.into()),
        }
    }
}

//! Issues that are no pull requests.

use serde_json::{Value, json};

use super::{View, node_id};
use crate::github::model::{Issue, IssueState, Repository};

impl View<'_> {
    pub(crate) fn plain_issue(self, repository: &Repository, issue: &Issue) -> Value {
        let repository_api = self.repository_api(repository);
        let api = format!("{repository_api}/issues/{}", issue.number);
        let closed_at = match issue.state {
            IssueState::Open => None,
            IssueState::Closed { at } => Some(at),
        };
        let app = (issue.author == self.world.app.bot()).then(|| self.app());
        json!({
            "id": issue.id,
            "node_id": node_id("I", issue.id),
            "url": api,
            "repository_url": repository_api,
            "labels_url": format!("{api}/labels{{/name}}"),
            "comments_url": format!("{api}/comments"),
            "events_url": format!("{api}/events"),
            "html_url": format!("{}/issues/{}", self.repository_web(repository), issue.number),
            "number": issue.number,
            "state": if closed_at.is_none() { "open" } else { "closed" },
            "title": issue.title,
            "body": issue.body,
            "user": self.user(&issue.author),
            "labels": [],
            "assignee": null,
            "assignees": [],
            "milestone": null,
            "locked": false,
            "active_lock_reason": null,
            "comments": 0,
            "created_at": issue.created_at,
            "updated_at": closed_at.unwrap_or(issue.created_at),
            "closed_at": closed_at,
            "author_association": self.association(repository, &issue.author),
            "performed_via_github_app": app,
            "reactions": super::comment::reactions(&format!("{api}/reactions"), &[]),
        })
    }
}

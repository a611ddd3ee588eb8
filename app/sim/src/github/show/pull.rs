//! Pull requests, and the issues behind them.

use serde_json::{Value, json};

use super::{View, joined, link, node_id};
use crate::github::git::FileChange;
use crate::github::model::{Pull, PullState, Repository};

impl View<'_> {
    /// A pull request as lists have it.
    pub(crate) fn listed_pull(self, repository: &Repository, pull: &Pull) -> Value {
        let (closed_at, merged_at) = ends(pull);
        let told = json!({
            "id": pull.id,
            "node_id": node_id("PR", pull.id),
            "number": pull.number,
            "state": if pull.is_open() { "open" } else { "closed" },
            "locked": pull.locked,
            "title": pull.title,
            "user": self.user(&pull.author),
            "body": pull.body,
            "labels": pull.labels.iter().map(|name| self.label(repository, name)).collect::<Vec<_>>(),
            "milestone": null,
            "active_lock_reason": null,
            "created_at": pull.created_at,
            "updated_at": pull.updated_at,
            "closed_at": closed_at,
            "merged_at": merged_at,
            "merge_commit_sha": merge_commit(pull),
            "assignee": null,
            "assignees": [],
            "requested_reviewers": [],
            "requested_teams": [],
            "draft": pull.draft,
            "head": self.head(pull),
            "base": self.side(repository, &pull.base, &pull.base_sha),
            "author_association": self.association(repository, &pull.author),
            "auto_merge": null,
        });
        joined([told, self.pull_links(repository, pull)])
    }

    fn pull_links(self, repository: &Repository, pull: &Pull) -> Value {
        let repository_api = self.repository_api(repository);
        let api = format!("{repository_api}/pulls/{}", pull.number);
        let issue = format!("{repository_api}/issues/{}", pull.number);
        let web = format!("{}/pull/{}", self.repository_web(repository), pull.number);
        let statuses = format!("{repository_api}/statuses/{}", pull.head_sha);
        let review_comment = format!("{repository_api}/pulls/comments{{/number}}");
        json!({
            "url": api,
            "html_url": web,
            "diff_url": format!("{web}.diff"),
            "patch_url": format!("{web}.patch"),
            "issue_url": issue,
            "commits_url": format!("{api}/commits"),
            "review_comments_url": format!("{api}/comments"),
            "review_comment_url": review_comment,
            "comments_url": format!("{issue}/comments"),
            "statuses_url": statuses,
            "_links": {
                "self": link(&api),
                "html": link(&web),
                "issue": link(&issue),
                "comments": link(&format!("{issue}/comments")),
                "review_comments": link(&format!("{api}/comments")),
                "review_comment": link(&review_comment),
                "commits": link(&format!("{api}/commits")),
                "statuses": link(&statuses),
            },
        })
    }

    /// A pull request by itself. `mergeable` is null while GitHub computes it.
    pub(crate) fn pull(
        self,
        repository: &Repository,
        pull: &Pull,
        mergeable: Option<bool>,
    ) -> Value {
        let mergeable = mergeable.filter(|_| pull.is_open());
        let comments = repository.comments.values().filter(|c| c.pull == pull.number).count();
        let told = json!({
            "merged": pull.merged().is_some(),
            "merged_by": pull.merged().map(|merged| self.user(&merged.by)),
            "mergeable": mergeable,
            "rebaseable": mergeable,
            "mergeable_state": match (mergeable, pull.draft) {
                (None, _) => "unknown",
                (Some(false), _) => "dirty",
                (Some(true), true) => "draft",
                (Some(true), false) => "clean",
            },
            "comments": comments,
            "review_comments": 0,
            "maintainer_can_modify": false,
            "commits": pull.commits.len(),
            "additions": pull.size.additions,
            "deletions": pull.size.deletions,
            "changed_files": pull.size.changed_files,
        });
        joined([self.listed_pull(repository, pull), told])
    }

    /// The issue that every pull request is too.
    pub(crate) fn issue(self, repository: &Repository, pull: &Pull) -> Value {
        let comments = repository.comments.values().filter(|c| c.pull == pull.number).count();
        let told = json!({
            "id": pull.id + 1,
            "node_id": node_id("I", pull.id + 1),
            "number": pull.number,
            "state": if pull.is_open() { "open" } else { "closed" },
            "title": pull.title,
            "body": pull.body,
            "user": self.user(&pull.author),
            "labels": pull.labels.iter().map(|name| self.label(repository, name)).collect::<Vec<_>>(),
            "assignee": null,
            "assignees": [],
            "milestone": null,
            "locked": pull.locked,
            "active_lock_reason": null,
            "comments": comments,
            "created_at": pull.created_at,
            "updated_at": pull.updated_at,
            "closed_at": ends(pull).0,
            "author_association": self.association(repository, &pull.author),
            "draft": pull.draft,
            "performed_via_github_app": null,
        });
        joined([told, self.issue_links(repository, pull)])
    }

    fn issue_links(self, repository: &Repository, pull: &Pull) -> Value {
        let repository_api = self.repository_api(repository);
        let api = format!("{repository_api}/issues/{}", pull.number);
        let web = format!("{}/pull/{}", self.repository_web(repository), pull.number);
        json!({
            "url": api,
            "repository_url": repository_api,
            "labels_url": format!("{api}/labels{{/name}}"),
            "comments_url": format!("{api}/comments"),
            "events_url": format!("{api}/events"),
            "timeline_url": format!("{api}/timeline"),
            "html_url": web,
            // What tells a pull request from an issue.
            "pull_request": {
                "url": format!("{repository_api}/pulls/{}", pull.number),
                "html_url": web,
                "diff_url": format!("{web}.diff"),
                "patch_url": format!("{web}.patch"),
                "merged_at": ends(pull).1,
            },
            "reactions": super::comment::reactions(&format!("{api}/reactions"), &[]),
        })
    }

    /// A file that differs; `sha` is the newer side.
    pub(crate) fn file(self, repository: &Repository, sha: &str, file: &FileChange) -> Value {
        let FileChange { path, status, blob, additions, deletions } = file;
        let web = self.repository_web(repository);
        json!({
            "sha": blob,
            "filename": path,
            "status": status,
            "additions": additions,
            "deletions": deletions,
            "changes": additions + deletions,
            "blob_url": format!("{web}/blob/{sha}/{path}"),
            "raw_url": format!("{web}/raw/{sha}/{path}"),
            "contents_url": format!("{}/contents/{path}?ref={sha}", self.repository_api(repository)),
        })
    }

    pub(crate) fn label(self, repository: &Repository, name: &str) -> Value {
        // A label has no state of its own here, so its name makes its id.
        let id = name.bytes().fold(5000_u64, |id, byte| id * 31 % 1_000_003 + u64::from(byte));
        json!({
            "id": id,
            "node_id": node_id("LA", id),
            "url": format!("{}/labels/{name}", self.repository_api(repository)),
            "name": name,
            "description": null,
            "color": "ededed",
            "default": false,
        })
    }

    fn head(self, pull: &Pull) -> Value {
        match self.world.repository(pull.head_repository) {
            Ok(repository) => self.side(repository, &pull.head, &pull.head_sha),
            // The fork was deleted.
            Err(_) => json!({
                "label": format!("{}:{}", pull.author, pull.head),
                "ref": pull.head,
                "sha": pull.head_sha,
                "user": self.user(&pull.author),
                "repo": null,
            }),
        }
    }

    fn side(self, repository: &Repository, branch: &str, sha: &str) -> Value {
        json!({
            "label": format!("{}:{branch}", repository.owner),
            "ref": branch,
            "sha": sha,
            "user": self.user(&repository.owner),
            "repo": self.pull_repository(repository),
        })
    }
}

/// `closed_at` and `merged_at`.
fn ends(pull: &Pull) -> (Option<jiff::Timestamp>, Option<jiff::Timestamp>) {
    match &pull.state {
        PullState::Open => (None, None),
        PullState::Closed { at } => (Some(*at), None),
        PullState::Merged(merged) => (Some(merged.at), Some(merged.at)),
    }
}

/// The merge once it is merged; before that the test merge, which is on no branch.
fn merge_commit(pull: &Pull) -> Option<&str> {
    match pull.merged() {
        Some(merged) => Some(&merged.commit),
        None => pull.trial.as_ref()?.commit.as_deref(),
    }
}

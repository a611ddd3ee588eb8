//! Check runs.

use serde_json::{Value, json};

use super::{View, node_id};
use crate::github::model::{CheckRun, Pull, Repository};

impl View<'_> {
    pub(crate) fn check_run(self, repository: &Repository, run: &CheckRun) -> Value {
        let api = format!("{}/check-runs/{}", self.repository_api(repository), run.id);
        let web = format!("{}/runs/{}", self.repository_web(repository), run.id);
        json!({
            "id": run.id,
            "head_sha": run.head_sha,
            "node_id": node_id("CR", run.id),
            "external_id": run.external_id.as_deref().unwrap_or_default(),
            "url": api,
            "html_url": web,
            "details_url": run.details_url.clone().unwrap_or(web),
            "status": run.status,
            "conclusion": run.conclusion,
            "started_at": run.started_at,
            "completed_at": run.completed_at,
            "output": {
                "title": run.title,
                "summary": run.summary,
                "text": run.text,
                "annotations_count": run.annotations.len(),
                "annotations_url": format!("{api}/annotations"),
            },
            "name": run.name,
            "check_suite": { "id": run.suite },
            "app": self.app(),
            "pull_requests": self.check_pulls(repository, &run.head_sha),
        })
    }

    /// As an event carries it, with its suite in full.
    pub(crate) fn check_run_event(self, repository: &Repository, run: &CheckRun) -> Value {
        let mut shown = self.check_run(repository, run);
        shown["check_suite"] = self.check_suite(repository, run);
        shown
    }

    /// A suite as its own events carry it.
    pub(crate) fn check_suite_event(
        self,
        repository: &Repository,
        run: &CheckRun,
        count: usize,
    ) -> Value {
        let mut shown = self.check_suite(repository, run);
        let suite = format!("{}/check-suites/{}", self.repository_api(repository), run.suite);
        shown["latest_check_runs_count"] = json!(count);
        shown["check_runs_url"] = json!(format!("{suite}/check-runs"));
        let somebody = json!({ "name": "GitHub", "email": "noreply@github.com" });
        shown["head_commit"] = json!({
            "id": run.head_sha,
            "tree_id": run.head_sha,
            "message": "A commit",
            "timestamp": run.started_at,
            "author": somebody,
            "committer": somebody,
        });
        shown
    }

    fn check_suite(self, repository: &Repository, run: &CheckRun) -> Value {
        let of_run = |pull: &&Pull| pull.head_sha == run.head_sha;
        let branch = repository.pulls.values().find(of_run).map(|pull| &pull.head);
        json!({
            "id": run.suite,
            "node_id": node_id("CS", run.suite),
            "head_branch": branch,
            "head_sha": run.head_sha,
            "status": run.status,
            "conclusion": run.conclusion,
            "url": format!("{}/check-suites/{}", self.repository_api(repository), run.suite),
            "before": null,
            "after": null,
            "pull_requests": self.check_pulls(repository, &run.head_sha),
            "app": self.app(),
            "created_at": run.started_at,
            "updated_at": run.completed_at.unwrap_or(run.started_at),
        })
    }

    /// Open pull requests of this very repository with that head: those from forks are never
    /// listed.
    fn check_pulls(self, repository: &Repository, sha: &str) -> Vec<Value> {
        let api = self.repository_api(repository);
        let short = json!({ "id": repository.id, "url": api, "name": repository.name });
        repository
            .pulls
            .values()
            .filter(|pull| {
                pull.is_open() && pull.head_sha == sha && pull.head_repository == repository.id
            })
            .map(|pull| {
                json!({
                    "id": pull.id,
                    "number": pull.number,
                    "url": format!("{api}/pulls/{}", pull.number),
                    "head": { "ref": pull.head, "sha": pull.head_sha, "repo": short },
                    "base": { "ref": pull.base, "sha": pull.base_sha, "repo": short },
                })
            })
            .collect()
    }
}

/// An annotation as it is listed; `written` is what the App sent.
pub(crate) fn annotation(written: &Value, blob_href: &str) -> Value {
    let field = |name: &str| written.get(name).cloned().unwrap_or(Value::Null);
    json!({
        "path": field("path"),
        "start_line": field("start_line"),
        "end_line": field("end_line"),
        "start_column": field("start_column"),
        "end_column": field("end_column"),
        "annotation_level": field("annotation_level"),
        "title": field("title"),
        "message": field("message"),
        "raw_details": field("raw_details"),
        "blob_href": blob_href,
    })
}

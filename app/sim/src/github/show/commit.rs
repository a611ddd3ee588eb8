//! Commits, branches and comparisons.

use serde_json::{Value, json};

use super::View;
use crate::github::git::{CommitFacts, Paths, Person};
use crate::github::model::Repository;

impl View<'_> {
    /// A commit as `repos/get-commit` and lists have it: with the accounts behind the names.
    pub(crate) fn commit(self, repository: &Repository, commit: &CommitFacts) -> Value {
        let (api, web) = (self.repository_api(repository), self.repository_web(repository));
        let sha = &commit.sha;
        json!({
            "url": format!("{api}/commits/{sha}"),
            "sha": sha,
            "node_id": format!("C_{sha}"),
            "html_url": format!("{web}/commit/{sha}"),
            "comments_url": format!("{api}/commits/{sha}/comments"),
            "commit": {
                "url": format!("{api}/git/commits/{sha}"),
                "author": signature(&commit.author, commit.authored_at),
                "committer": signature(&commit.committer, commit.committed_at),
                "message": commit.message,
                "comment_count": 0,
                "tree": { "sha": commit.tree, "url": format!("{api}/git/trees/{}", commit.tree) },
                "verification": unsigned(),
            },
            "author": self.account(&commit.author),
            "committer": self.account(&commit.committer),
            "parents": parents(commit, &format!("{api}/commits"), &format!("{web}/commit")),
        })
    }

    /// A commit as the git database has it.
    pub(crate) fn git_commit(self, repository: &Repository, commit: &CommitFacts) -> Value {
        let (api, web) = (self.repository_api(repository), self.repository_web(repository));
        let sha = &commit.sha;
        json!({
            "sha": sha,
            "node_id": format!("C_{sha}"),
            "url": format!("{api}/git/commits/{sha}"),
            "html_url": format!("{web}/commit/{sha}"),
            "author": signature(&commit.author, commit.authored_at),
            "committer": signature(&commit.committer, commit.committed_at),
            "message": commit.message,
            "tree": { "sha": commit.tree, "url": format!("{api}/git/trees/{}", commit.tree) },
            "parents": parents(commit, &format!("{api}/git/commits"), &format!("{web}/commit")),
            "verification": unsigned(),
        })
    }

    /// A commit as `push` lists it.
    pub(crate) fn pushed_commit(
        self,
        repository: &Repository,
        commit: &CommitFacts,
        paths: &Paths,
    ) -> Value {
        json!({
            "id": commit.sha,
            "tree_id": commit.tree,
            "distinct": true,
            "message": commit.message,
            "timestamp": commit.committed_at,
            "url": format!("{}/commit/{}", self.repository_web(repository), commit.sha),
            "author": pushed_person(&commit.author),
            "committer": pushed_person(&commit.committer),
            "added": paths.added,
            "removed": paths.removed,
            "modified": paths.modified,
        })
    }

    pub(crate) fn branch(self, repository: &Repository, name: &str, tip: &CommitFacts) -> Value {
        let api = format!("{}/branches/{name}", self.repository_api(repository));
        let protected = repository.protected.contains(name);
        json!({
            "name": name,
            "commit": self.commit(repository, tip),
            "_links": { "self": api, "html": format!("{}/tree/{name}", self.repository_web(repository)) },
            "protected": protected,
            "protection": {
                "enabled": protected,
                "required_status_checks": {
                    "enforcement_level": if protected { "non_admins" } else { "off" },
                    "contexts": [],
                    "checks": [],
                },
            },
            "protection_url": format!("{api}/protection"),
        })
    }

    fn account(self, person: &Person) -> Value {
        match person.login() {
            Some(login) if self.world.users.contains_key(login) => self.user(login),
            _ => Value::Null,
        }
    }
}

fn signature(person: &Person, at: jiff::Timestamp) -> Value {
    json!({ "name": person.name, "email": person.email, "date": at })
}

fn pushed_person(person: &Person) -> Value {
    let mut shown = json!({ "name": person.name, "email": person.email });
    if let Some(login) = person.login() {
        shown["username"] = login.into();
    }
    shown
}

fn unsigned() -> Value {
    json!({ "verified": false, "reason": "unsigned", "signature": null, "payload": null, "verified_at": null })
}

fn parents(commit: &CommitFacts, api: &str, web: &str) -> Vec<Value> {
    commit
        .parents
        .iter()
        .map(|sha| json!({ "sha": sha, "url": format!("{api}/{sha}"), "html_url": format!("{web}/{sha}") }))
        .collect()
}

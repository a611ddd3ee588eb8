//! Repositories, whole and in the short forms that webhooks use.

use serde_json::{Value, json};

use super::{View, joined, node_id};
use crate::github::model::{PullState, Repository};

/// The links of a repository below its own address at the API.
const LINKS: [(&str, &str); 36] = [
    ("archive_url", "/{archive_format}{/ref}"),
    ("assignees_url", "/assignees{/user}"),
    ("blobs_url", "/git/blobs{/sha}"),
    ("branches_url", "/branches{/branch}"),
    ("collaborators_url", "/collaborators{/collaborator}"),
    ("comments_url", "/comments{/number}"),
    ("commits_url", "/commits{/sha}"),
    ("compare_url", "/compare/{base}...{head}"),
    ("contents_url", "/contents/{+path}"),
    ("contributors_url", "/contributors"),
    ("deployments_url", "/deployments"),
    ("downloads_url", "/downloads"),
    ("events_url", "/events"),
    ("forks_url", "/forks"),
    ("git_commits_url", "/git/commits{/sha}"),
    ("git_refs_url", "/git/refs{/sha}"),
    ("git_tags_url", "/git/tags{/sha}"),
    ("hooks_url", "/hooks"),
    ("issue_comment_url", "/issues/comments{/number}"),
    ("issue_events_url", "/issues/events{/number}"),
    ("issues_url", "/issues{/number}"),
    ("keys_url", "/keys{/key_id}"),
    ("labels_url", "/labels{/name}"),
    ("languages_url", "/languages"),
    ("merges_url", "/merges"),
    ("milestones_url", "/milestones{/number}"),
    ("notifications_url", "/notifications{?since,all,participating}"),
    ("pulls_url", "/pulls{/number}"),
    ("releases_url", "/releases{/id}"),
    ("stargazers_url", "/stargazers"),
    ("statuses_url", "/statuses/{sha}"),
    ("subscribers_url", "/subscribers"),
    ("subscription_url", "/subscription"),
    ("tags_url", "/tags"),
    ("teams_url", "/teams"),
    ("trees_url", "/git/trees{/sha}"),
];

impl View<'_> {
    pub(crate) fn repository(self, repository: &Repository) -> Value {
        let api = self.repository_api(repository);
        let links = LINKS.map(|(name, suffix)| (name.to_owned(), format!("{api}{suffix}").into()));
        joined([
            self.identity(repository),
            Value::Object(links.into_iter().collect()),
            addresses(&self.repository_web(repository), &api),
            counts(repository),
            json!({ "organization": self.user(&repository.owner) }),
        ])
    }

    fn identity(self, repository: &Repository) -> Value {
        json!({
            "id": repository.id,
            "node_id": node_id("R", repository.id),
            "name": repository.name,
            "full_name": repository.full_name(),
            "owner": self.user(&repository.owner),
            "private": repository.private,
            "visibility": if repository.private { "private" } else { "public" },
            "description": null,
            "homepage": null,
            "language": null,
            "license": null,
            "mirror_url": null,
            "topics": [],
            "fork": repository.parent.is_some(),
            "default_branch": repository.default_branch,
            "archived": repository.archived,
            "disabled": false,
            "is_template": false,
            "created_at": repository.created_at,
            "updated_at": repository.pushed_at,
            "pushed_at": repository.pushed_at,
        })
    }

    /// As pull requests carry it: without the account's `organization`, which only the whole form
    /// has.
    pub(crate) fn pull_repository(self, repository: &Repository) -> Value {
        let mut shown = self.repository(repository);
        if let Some(fields) = shown.as_object_mut() {
            fields.remove("organization");
        }
        shown
    }

    /// As `push` carries it: two of the times are seconds, and the organisation is a login.
    pub(crate) fn pushed_repository(self, repository: &Repository) -> Value {
        let mut shown = self.repository(repository);
        shown["created_at"] = repository.created_at.as_second().into();
        shown["pushed_at"] = repository.pushed_at.as_second().into();
        shown["organization"] = repository.owner.clone().into();
        shown
    }

    /// As events about an installation carry it.
    pub(crate) fn listed_repository(self, repository: &Repository) -> Value {
        json!({
            "id": repository.id,
            "node_id": node_id("R", repository.id),
            "name": repository.name,
            "full_name": repository.full_name(),
            "private": repository.private,
        })
    }
}

fn addresses(web: &str, api: &str) -> Value {
    let bare = web.trim_start_matches("http://");
    json!({
        "url": api,
        "html_url": web,
        "clone_url": format!("{web}.git"),
        "git_url": format!("git://{bare}.git"),
        "ssh_url": format!("git@{bare}.git"),
        "svn_url": web,
    })
}

fn counts(repository: &Repository) -> Value {
    let open = repository.pulls.values().filter(|pull| pull.state == PullState::Open).count();
    json!({
        "size": 1,
        "forks": 0,
        "forks_count": 0,
        "stargazers_count": 0,
        "watchers": 0,
        "watchers_count": 0,
        "subscribers_count": 0,
        "network_count": 0,
        "open_issues": open,
        "open_issues_count": open,
        "has_issues": true,
        "has_projects": false,
        "has_wiki": false,
        "has_pages": false,
        "has_downloads": false,
        "has_discussions": false,
        "allow_forking": true,
        "web_commit_signoff_required": false,
    })
}

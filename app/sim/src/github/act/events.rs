//! Telling what happened: the payloads of webhooks. They show the world as it is when the event
//! happens, not when it is delivered.

use serde_json::{Map, Value, json};

use super::{Group, Repo};
use crate::github::Shared;
use crate::github::git::{CommitFacts, NO_COMMIT, Paths, Person};
use crate::github::model::{CheckRun, Comment, Deployment, Repository, UserKind};
use crate::github::show::View;
use crate::github::world::{Event, World};

/// A push lists no more commits than this, however many it brings.
pub(super) const MOST_PUSHED_COMMITS: usize = 2048;

/// A push to a branch.
pub(super) struct Pushed<'a> {
    pub(super) branch: &'a str,
    pub(super) before: Option<&'a str>,
    pub(super) after: Option<&'a str>,
    pub(super) forced: bool,
    pub(super) commits: &'a [(CommitFacts, Paths)],
    pub(super) head: Option<&'a (CommitFacts, Paths)>,
}

impl Repo {
    /// Tells what happened to a pull request; `more` are the fields that its action brings along.
    pub(super) fn tell_pull(&self, number: u64, action: &str, user: &str, more: Value) {
        self.tell("pull_request", Some(action), user, |view, repository| {
            let pull = repository.pulls.get(&number)?;
            let mut payload = json!({
                "action": action,
                "number": number,
                // GitHub has not yet tried the merge when it tells of a push.
                "pull_request": view.pull(repository, pull, None),
                "repository": view.repository(repository),
            });
            extend(&mut payload, more);
            Some(payload)
        });
    }

    pub(super) fn tell_comment(&self, comment: &Comment, action: &str, user: &str, more: Value) {
        self.tell("issue_comment", Some(action), user, |view, repository| {
            let pull = repository.pulls.get(&comment.pull);
            let issue = || repository.issues.get(&comment.pull);
            let mut payload = json!({
                "action": action,
                "issue": match pull {
                    Some(pull) => view.issue(repository, pull),
                    None => view.plain_issue(repository, issue()?),
                },
                "comment": view.comment(repository, comment),
                "repository": view.repository(repository),
            });
            extend(&mut payload, more);
            Some(payload)
        });
    }

    pub(super) fn tell_check_run(&self, run: &CheckRun, action: &str, user: &str, more: Value) {
        self.tell("check_run", Some(action), user, |view, repository| {
            let mut payload = json!({
                "action": action,
                "check_run": view.check_run_event(repository, run),
                "repository": view.repository(repository),
            });
            extend(&mut payload, more);
            Some(payload)
        });
    }

    /// Tells of the suite that a check run is in, which has `count` of them.
    pub(super) fn tell_check_suite(&self, run: &CheckRun, action: &str, user: &str, count: usize) {
        self.tell("check_suite", Some(action), user, |view, repository| {
            Some(json!({
                "action": action,
                "check_suite": view.check_suite_event(repository, run, count),
                "repository": view.repository(repository),
            }))
        });
    }

    /// Tells that a run of a workflow wants to deploy.
    pub(super) fn tell_gated(&self, workflow_run: u64, deployment: &Deployment, user: &str) {
        self.tell("deployment_protection_rule", Some("requested"), user, |view, repository| {
            let api = view.repository_api(repository);
            Some(json!({
                "action": "requested",
                "environment": deployment.environment,
                "event": "push",
                "deployment_callback_url":
                    format!("{api}/actions/runs/{workflow_run}/deployment_protection_rule"),
                "deployment": view.deployment(repository, deployment),
                "pull_requests": [],
                "repository": view.repository(repository),
            }))
        });
    }

    /// Tells what became of a group of the merge queue.
    pub(super) async fn tell_merge_group(
        &self,
        group: &Group,
        action: &str,
        user: &str,
        more: Value,
    ) -> anyhow::Result<()> {
        let head = self.git()?.facts(&group.head_sha).await?;
        self.tell("merge_group", Some(action), user, |view, repository| {
            let mut payload = json!({
                "action": action,
                "merge_group": {
                    "head_sha": group.head_sha,
                    "head_ref": format!("refs/heads/{}", group.branch),
                    "base_sha": group.base_sha,
                    "base_ref": format!("refs/heads/{}", group.base),
                    "head_commit": simple_commit(&head),
                },
                "repository": view.repository(repository),
            });
            extend(&mut payload, more);
            Some(payload)
        });
        Ok(())
    }

    /// Tells what happened to the repository itself.
    pub(super) fn tell_repository(&self, action: &str, user: &str, more: Value) {
        self.tell("repository", Some(action), user, |view, repository| {
            let mut payload =
                json!({ "action": action, "repository": view.repository(repository) });
            extend(&mut payload, more);
            Some(payload)
        });
    }

    pub(super) fn tell_push(&self, pushed: &Pushed<'_>, user: &str) {
        self.tell("push", None, user, |view, repository| {
            let show = |(facts, paths): &(CommitFacts, Paths)| {
                view.pushed_commit(repository, facts, paths)
            };
            let (before, after) =
                (pushed.before.unwrap_or(NO_COMMIT), pushed.after.unwrap_or(NO_COMMIT));
            Some(json!({
                "ref": format!("refs/heads/{}", pushed.branch),
                "before": before,
                "after": after,
                "base_ref": null,
                "created": pushed.before.is_none(),
                "deleted": pushed.after.is_none(),
                "forced": pushed.forced,
                "compare": format!("{}/compare/{before}...{after}", view.repository_web(repository)),
                "commits": pushed.commits.iter().take(MOST_PUSHED_COMMITS).map(show).collect::<Vec<_>>(),
                "head_commit": pushed.head.map(show),
                "pusher": { "name": user, "email": format!("{user}@users.noreply.github.com") },
                "repository": view.pushed_repository(repository),
            }))
        });
    }

    /// Adds what all events about a repository carry, and sends it to the App if it is installed.
    fn tell(
        &self,
        name: &str,
        action: Option<&str>,
        user: &str,
        payload: impl FnOnce(View<'_>, &Repository) -> Option<Value>,
    ) {
        let world = self.shared.world();
        let view = self.shared.view(&world);
        let Some(installed) = world.installation_of(self.id).filter(|i| i.suspended_at.is_none())
        else {
            return;
        };
        let Ok(repository) = world.repository(self.id) else { return };
        let Some(mut payload) = payload(view, repository) else { return };
        payload["sender"] = view.user(user);
        if world.user(&repository.owner).kind == UserKind::Organization {
            payload["organization"] = view.organization(&repository.owner);
        }
        payload["installation"] = view.installation_of(repository).unwrap_or_default();
        let event = Event {
            name: name.to_owned(),
            action: action.map(str::to_owned),
            installation: Some(installed.id),
            repository: Some(self.id),
            payload,
        };
        drop(world);
        self.shared.hooks.emit(event);
    }
}

impl Shared {
    pub(crate) fn view<'a>(&'a self, world: &'a World) -> View<'a> {
        View { world, urls: self.urls() }
    }

    /// Tells that an installation came, went, was suspended or resumed.
    pub(super) fn tell_installation(&self, installation: u64, action: &str, user: &str) {
        self.tell_about(installation, ("installation", action), user, |view, world| {
            let known = world.installations.get(&installation)?;
            let repositories: Vec<Value> = known
                .repositories
                .iter()
                .filter_map(|id| world.repositories.get(id))
                .map(|repository| view.listed_repository(repository))
                .collect();
            let mut payload = json!({ "repositories": repositories });
            if action == "created" {
                payload["requester"] = Value::Null;
            }
            Some(payload)
        });
    }

    /// Tells that a repository joined or left an installation.
    pub(super) fn tell_installed_on(&self, installation: u64, repository: u64, added: bool) {
        let Some(user) =
            self.world().installations.get(&installation).map(|known| known.account.clone())
        else {
            return;
        };
        let action = if added { "added" } else { "removed" };
        self.tell_about(
            installation,
            ("installation_repositories", action),
            &user,
            |view, world| {
                let listed = view.listed_repository(world.repositories.get(&repository)?);
                let (joined, left) =
                    if added { (vec![listed], vec![]) } else { (vec![], vec![listed]) };
                Some(json!({
                    "repository_selection": "selected",
                    "repositories_added": joined,
                    "repositories_removed": left,
                    "requester": null,
                }))
            },
        );
    }

    fn tell_about(
        &self,
        installation: u64,
        (name, action): (&str, &str),
        user: &str,
        payload: impl FnOnce(View<'_>, &World) -> Option<Value>,
    ) {
        let world = self.world();
        let view = self.view(&world);
        let Some(known) = world.installations.get(&installation) else { return };
        let Some(mut payload) = payload(view, &world) else { return };
        payload["action"] = action.into();
        payload["installation"] = view.installation(known);
        payload["sender"] = view.user(user);
        let event = Event {
            name: name.to_owned(),
            action: Some(action.to_owned()),
            installation: Some(installation),
            repository: None,
            payload,
        };
        drop(world);
        self.hooks.emit(event);
    }
}

/// A commit as GitHub tells of it beside something else.
fn simple_commit(commit: &CommitFacts) -> Value {
    let person = |person: &Person| json!({ "name": person.name, "email": person.email });
    json!({
        "id": commit.sha,
        "tree_id": commit.tree,
        "message": commit.message,
        "timestamp": commit.committed_at,
        "author": person(&commit.author),
        "committer": person(&commit.committer),
    })
}

fn extend(payload: &mut Value, more: Value) {
    if let (Value::Object(payload), Value::Object(more)) = (payload, more) {
        let more: Map<String, Value> = more;
        payload.extend(more);
    }
}

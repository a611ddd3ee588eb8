//! From the bytes of a payload to an [`Event`]: our own structs with only the fields that matter,
//! so that what GitHub adds or changes elsewhere cannot break reading.
//!
//! The action is read first. What is not for us is not read further.

use landfall_core::label::Label;
use landfall_core::name::{BranchName, CommitSha, InstallationId, PullNumber};
use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};

use super::checks;
use super::event::{
    Account, CommentAction, CommentedOn, Event, Granted, InstallationAction, InstallationChange,
    IssueComment, Ping, PullAction, PullRequest, Push, PushedRef, RefChange, RepositoriesChange,
    RepositoryAction, RepositoryChange,
};
use crate::actor::{AppId, User};
use crate::comment::Comment;
use crate::pull::Pull;
use crate::repository::{InstalledRepository, Repository};

/// A payload that cannot be read. It is never shown: the log gets only this.
#[derive(Debug, thiserror::Error)]
#[error("a payload of `{event}` that cannot be read: {source}")]
pub struct PayloadError {
    /// The event.
    pub event: String,
    /// What is wrong with it.
    pub source: serde_json::Error,
}

/// What all payloads may have.
#[derive(Deserialize)]
struct Envelope {
    #[serde(default)]
    action: Option<String>,
    #[serde(default)]
    installation: Option<Numbered>,
}

#[derive(Deserialize)]
struct Numbered {
    id: InstallationId,
}

pub(super) fn parse(event: &str, body: &[u8]) -> Result<Event, PayloadError> {
    let read = || -> Result<Event, serde_json::Error> {
        let Envelope { action, installation } = json(body)?;
        let known = match (event, installation) {
            ("ping", _) => Some(ping(body)?),
            ("push", Some(at)) => Some(push(body, at.id)?),
            ("pull_request", Some(at)) => pull_request(action.as_deref(), body, at.id)?,
            ("issue_comment", Some(at)) => issue_comment(action.as_deref(), body, at.id)?,
            ("check_run", Some(at)) => checks::check_run(action.as_deref(), body, at.id)?,
            ("check_suite", Some(at)) => checks::check_suite(action.as_deref(), body, at.id)?,
            ("merge_group", Some(at)) => checks::merge_group(action.as_deref(), body, at.id)?,
            ("deployment_protection_rule", Some(at)) => {
                checks::protection(action.as_deref(), body, at.id)?
            }
            ("installation", Some(_)) => installation_change(action.as_deref(), body)?,
            ("installation_repositories", Some(_)) => Some(repositories_change(body)?),
            ("repository", Some(at)) => repository_change(action.as_deref(), body, at.id)?,
            _ => None,
        };
        Ok(known.unwrap_or_else(|| Event::Other { event: event.to_owned(), action }))
    };
    read().map_err(|source| PayloadError { event: event.to_owned(), source })
}

pub(super) fn json<T: DeserializeOwned>(body: &[u8]) -> Result<T, serde_json::Error> {
    serde_json::from_slice(body)
}

pub(super) fn on(installation: InstallationId, repository: &Repository) -> InstalledRepository {
    InstalledRepository { installation, id: repository.id, name: repository.name.clone() }
}

fn ping(body: &[u8]) -> Result<Event, serde_json::Error> {
    #[derive(Deserialize)]
    struct Payload {
        hook: Hook,
    }
    #[derive(Deserialize)]
    struct Hook {
        #[serde(default)]
        app_id: Option<AppId>,
    }
    let Payload { hook } = json(body)?;
    Ok(Event::Ping(Ping { app: hook.app_id }))
}

fn push(body: &[u8], installation: InstallationId) -> Result<Event, serde_json::Error> {
    #[derive(Deserialize)]
    struct Payload {
        #[serde(rename = "ref")]
        reference: String,
        before: CommitSha,
        after: CommitSha,
        created: bool,
        deleted: bool,
        forced: bool,
        #[serde(default)]
        commits: Vec<Commit>,
        repository: Repository,
        sender: User,
    }
    #[derive(Deserialize)]
    struct Commit {
        id: CommitSha,
    }
    let payload: Payload = json(body)?;
    let Payload { before, after, forced, .. } = payload;
    let change = match (payload.created, payload.deleted) {
        (_, true) => RefChange::Deleted { before },
        (true, false) => RefChange::Created { after },
        (false, false) => RefChange::Moved { before, after, forced },
    };
    let reference = match BranchName::of_ref(&payload.reference) {
        Some(branch) => PushedRef::Branch(branch),
        None => PushedRef::Other(payload.reference),
    };
    Ok(Event::Push(Push {
        on: on(installation, &payload.repository),
        repository: payload.repository,
        reference,
        change,
        commits: payload.commits.into_iter().map(|commit| commit.id).collect(),
        sender: payload.sender,
    }))
}

fn pull_request(
    action: Option<&str>,
    body: &[u8],
    installation: InstallationId,
) -> Result<Option<Event>, serde_json::Error> {
    #[derive(Deserialize)]
    struct Payload {
        pull_request: Pull,
        repository: Repository,
        sender: User,
        #[serde(default)]
        changes: Changes,
        /// What was put on or taken off.
        #[serde(default)]
        label: Option<Named>,
    }
    #[derive(Deserialize)]
    struct Named {
        name: String,
    }
    /// What an edit changed: `{"base": {"ref": {"from": "develop"}, …}}`.
    #[derive(Deserialize, Default)]
    struct Changes {
        #[serde(default)]
        base: Option<ChangedBase>,
    }
    #[derive(Deserialize)]
    struct ChangedBase {
        #[serde(rename = "ref")]
        branch: From,
    }
    #[derive(Deserialize)]
    struct From {
        from: BranchName,
    }
    let Some(action) = action.and_then(PullAction::named) else { return Ok(None) };
    let payload: Payload = json(body)?;
    let base_was = payload.changes.base.map(|base| base.branch.from);
    let label = payload.label.and_then(|label| Label::named(&label.name));
    let action = match action {
        PullAction::Edited { .. } => PullAction::Edited { base_was },
        PullAction::Labeled { .. } => PullAction::Labeled { label },
        PullAction::Unlabeled { .. } => PullAction::Unlabeled { label },
        other => other,
    };
    Ok(Some(Event::PullRequest(PullRequest {
        action,
        on: on(installation, &payload.repository),
        repository: payload.repository,
        pull: payload.pull_request,
        sender: payload.sender,
    })))
}

fn issue_comment(
    action: Option<&str>,
    body: &[u8],
    installation: InstallationId,
) -> Result<Option<Event>, serde_json::Error> {
    #[derive(Deserialize)]
    struct Payload {
        issue: Issue,
        comment: Comment,
        repository: Repository,
        sender: User,
    }
    #[derive(Deserialize)]
    struct Issue {
        number: PullNumber,
        state: String,
        /// Present on pull requests alone.
        #[serde(default)]
        pull_request: Option<IgnoredAny>,
    }
    let Some(action) = action.and_then(CommentAction::named) else { return Ok(None) };
    let Payload { issue, comment, repository, sender } = json(body)?;
    let open = issue.state == "open";
    let commented_on = match issue.pull_request {
        Some(_) => CommentedOn::Pull { number: issue.number, open },
        None => CommentedOn::Issue,
    };
    let on = on(installation, &repository);
    Ok(Some(Event::IssueComment(IssueComment {
        action,
        on,
        repository,
        commented_on,
        comment,
        sender,
    })))
}

fn installation_change(
    action: Option<&str>,
    body: &[u8],
) -> Result<Option<Event>, serde_json::Error> {
    #[derive(Deserialize)]
    struct Payload {
        installation: Installation,
        #[serde(default)]
        repositories: Vec<Granted>,
    }
    #[derive(Deserialize)]
    struct Installation {
        id: InstallationId,
        #[serde(default)]
        account: Option<Account>,
    }
    let Some(action) = action.and_then(InstallationAction::named) else { return Ok(None) };
    let Payload { installation, repositories } = json(body)?;
    Ok(Some(Event::Installation(InstallationChange {
        action,
        installation: installation.id,
        account: installation.account,
        repositories,
    })))
}

fn repository_change(
    action: Option<&str>,
    body: &[u8],
    installation: InstallationId,
) -> Result<Option<Event>, serde_json::Error> {
    #[derive(Deserialize)]
    struct Payload {
        repository: Repository,
    }
    let Some(action) = action.and_then(RepositoryAction::named) else { return Ok(None) };
    let Payload { repository } = json(body)?;
    let on = on(installation, &repository);
    Ok(Some(Event::Repository(RepositoryChange { action, on, repository })))
}

fn repositories_change(body: &[u8]) -> Result<Event, serde_json::Error> {
    #[derive(Deserialize)]
    struct Payload {
        installation: Numbered,
        repositories_added: Vec<Granted>,
        repositories_removed: Vec<Granted>,
    }
    let payload: Payload = json(body)?;
    Ok(Event::InstallationRepositories(RepositoriesChange {
        installation: payload.installation.id,
        added: payload.repositories_added,
        removed: payload.repositories_removed,
    }))
}

//! From the payloads of clicks on checks to events.

use jiff::Timestamp;
use landfall_core::name::{CommitSha, InstallationId};
use serde::Deserialize;

use super::event::{CheckAction, CheckRunEvent, CheckSuiteEvent, Event};
use super::payload::{json, on};
use crate::actor::{AppId, User};
use crate::repository::Repository;

#[derive(Deserialize)]
struct Author {
    id: AppId,
}

pub(super) fn check_run(
    action: Option<&str>,
    body: &[u8],
    installation: InstallationId,
) -> Result<Option<Event>, serde_json::Error> {
    #[derive(Deserialize)]
    struct Payload {
        check_run: Run,
        #[serde(default)]
        requested_action: Option<Requested>,
        repository: Repository,
        sender: User,
    }
    #[derive(Deserialize)]
    struct Run {
        head_sha: CommitSha,
        #[serde(default)]
        external_id: Option<String>,
        started_at: Timestamp,
        completed_at: Option<Timestamp>,
        app: Option<Author>,
    }
    #[derive(Deserialize)]
    struct Requested {
        identifier: String,
    }
    let Some(action) = action.and_then(CheckAction::named) else { return Ok(None) };
    let Payload { check_run: run, requested_action, repository, sender } = json(body)?;
    let action = match (action, requested_action) {
        (CheckAction::Requested { .. }, Some(Requested { identifier })) => {
            CheckAction::Requested { identifier }
        }
        (action, _) => action,
    };
    Ok(Some(Event::CheckRun(CheckRunEvent {
        action,
        on: on(installation, &repository),
        repository,
        app: run.app.map(|author| author.id),
        external_id: run.external_id.unwrap_or_default(),
        head: run.head_sha,
        shown_at: run.completed_at.unwrap_or(run.started_at),
        sender,
    })))
}

pub(super) fn check_suite(
    action: Option<&str>,
    body: &[u8],
    installation: InstallationId,
) -> Result<Option<Event>, serde_json::Error> {
    #[derive(Deserialize)]
    struct Payload {
        check_suite: Suite,
        repository: Repository,
        sender: User,
    }
    #[derive(Deserialize)]
    struct Suite {
        head_sha: CommitSha,
        updated_at: Timestamp,
        app: Option<Author>,
    }
    if action != Some("rerequested") {
        return Ok(None);
    }
    let Payload { check_suite: suite, repository, sender } = json(body)?;
    Ok(Some(Event::CheckSuite(CheckSuiteEvent {
        on: on(installation, &repository),
        repository,
        app: suite.app.map(|author| author.id),
        head: suite.head_sha,
        shown_at: suite.updated_at,
        sender,
    })))
}

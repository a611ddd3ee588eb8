//! From the payloads of events about checks to those events: see [`payload`](super::payload).

use jiff::Timestamp;
use landfall_core::name::{ActionsEnvironment, BranchName, CommitSha, InstallationId};
use serde::Deserialize;

use super::event::{
    CheckAction, CheckRunEvent, CheckSuiteEvent, Event, MergeGroup, ProtectionRequest,
};
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

pub(super) fn merge_group(
    action: Option<&str>,
    body: &[u8],
    installation: InstallationId,
) -> Result<Option<Event>, serde_json::Error> {
    #[derive(Deserialize)]
    struct Payload {
        merge_group: Group,
        repository: Repository,
    }
    #[derive(Deserialize)]
    struct Group {
        head_sha: CommitSha,
        head_ref: String,
    }
    let there = match action {
        Some("checks_requested") => true,
        Some("destroyed") => false,
        _ => return Ok(None),
    };
    let Payload { merge_group: group, repository } = json(body)?;
    let Some(branch) = BranchName::of_ref(&group.head_ref) else { return Ok(None) };
    Ok(Some(Event::MergeGroup(MergeGroup {
        on: on(installation, &repository),
        repository,
        branch,
        head: there.then_some(group.head_sha),
    })))
}

/// GitHub tells of the run of the workflow by the address that it wants to be answered at. That is never
/// followed: only the number in it is taken.
pub(super) fn protection(
    action: Option<&str>,
    body: &[u8],
    installation: InstallationId,
) -> Result<Option<Event>, serde_json::Error> {
    #[derive(Deserialize)]
    struct Payload {
        environment: ActionsEnvironment,
        deployment_callback_url: String,
        deployment: Deployment,
        repository: Repository,
    }
    #[derive(Deserialize)]
    struct Deployment {
        id: u64,
        sha: CommitSha,
    }
    if action != Some("requested") {
        return Ok(None);
    }
    let payload: Payload = json(body)?;
    let run = payload.deployment_callback_url.rsplit('/').nth(1);
    let Some(workflow_run) = run.and_then(|run| run.parse().ok()) else { return Ok(None) };
    Ok(Some(Event::Protection(ProtectionRequest {
        on: on(installation, &payload.repository),
        repository: payload.repository,
        environment: payload.environment,
        commit: payload.deployment.sha,
        workflow_run,
        deployment: payload.deployment.id,
    })))
}

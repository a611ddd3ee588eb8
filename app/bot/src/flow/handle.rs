//! Handling: from a delivery to rows and jobs. Nothing is asked of anybody, so it takes no time.

use landfall_core::command;
use landfall_core::name::{InstallationId, RepositoryId, UserId};
use landfall_github::webhook::{
    CommentAction, CommentedOn, Event, Granted, InstallationAction, InstallationChange,
    IssueComment, MergeGroup, ProtectionRequest, PullAction, PullRequest, Push, PushedRef,
    RepositoriesChange, RepositoryAction, RepositoryChange,
};
use landfall_github::{InstalledRepository, Pull, PullState, Repository, UserKind};
use landfall_store::{
    BACKGROUND, CommandId, CommandSource, Consequences, DeliveryId, DeployRequest, JobKey,
    NewCommand, NewJob, PushedHead,
};

use super::announce::heard;
use super::command::said;
use super::installations::look_at;
use crate::house::House;

mod clicks;

/// The user a pull request is said to come from when its account is gone: GitHub's own ghost.
const GHOST: UserId = UserId(10137);

/// Everything that follows from an event that came with `delivery`.
///
/// # Errors
/// The store could not be asked.
pub async fn consequences(
    house: &House,
    delivery: DeliveryId,
    event: &Event,
) -> anyhow::Result<Consequences> {
    if let Some(on) = event.repository()
        && is_of_another(house, on).await?
    {
        tracing::warn!(delivery = %delivery, installation = %on.installation, repository = %on.id, "it is not known to be on this repository");
        return Ok(Consequences {
            jobs: vec![look_at(on.installation)],
            ..Consequences::default()
        });
    }
    Ok(match event {
        Event::PullRequest(event) => pull_request(event),
        Event::Push(event) => push(event),
        Event::MergeGroup(event) => merge_group(event),
        Event::Protection(event) => protection(event),
        Event::IssueComment(event) => issue_comment(event, house.github.id())?,
        Event::CheckRun(event) => clicks::check_run(house, delivery, event).await?,
        Event::CheckSuite(event) => clicks::check_suite(house, delivery, event).await?,
        Event::Installation(event) => installation_change(house, event).await?,
        Event::InstallationRepositories(event) => repositories_change(house, event).await?,
        Event::Repository(event) => repository_change(event),
        Event::Ping(_) | Event::Other { .. } => Consequences::default(),
    })
}

fn push(event: &Push) -> Consequences {
    let mut found = described(event.on.installation, &event.repository);
    let PushedRef::Branch(branch) = &event.reference else { return found };
    let (repository, branch) = (event.repository.id, branch.clone());
    let head = event.change.after().cloned();
    found.heads.push(PushedHead { repository, branch: branch.clone(), head });
    // What GitHub merges to try it out is nobody's environment.
    if branch.queued_into().is_none() {
        let key = JobKey::Branch { repository, branch };
        found.jobs.push(NewJob { key, installation: event.on.installation, run_at: None });
    }
    found
}

fn protection(event: &ProtectionRequest) -> Consequences {
    let mut found = described(event.on.installation, &event.repository);
    let key = JobKey::Protection {
        repository: event.repository.id,
        request: DeployRequest {
            environment: event.environment.clone(),
            commit: event.commit.clone(),
            workflow_run: event.workflow_run,
            deployment: event.deployment,
        },
    };
    found.jobs.push(NewJob { key, installation: event.on.installation, run_at: None });
    found
}

async fn installation_change(
    house: &House,
    event: &InstallationChange,
) -> anyhow::Result<Consequences> {
    let meant = match event.repositories.as_slice() {
        [] => Meant::All,
        some => Meant::These(some),
    };
    match event.action {
        InstallationAction::Created
        | InstallationAction::Unsuspend
        | InstallationAction::NewPermissionsAccepted => {
            let mut found = known(house, event.installation, meant, Access::Granted).await?;
            found.jobs.push(look_at(event.installation));
            Ok(found)
        }
        InstallationAction::Deleted | InstallationAction::Suspend => {
            known(house, event.installation, Meant::All, Access::Withdrawn).await
        }
    }
}

async fn repositories_change(
    house: &House,
    event: &RepositoriesChange,
) -> anyhow::Result<Consequences> {
    let (added, removed) = (Meant::These(&event.added), Meant::These(&event.removed));
    let mut found = known(house, event.installation, added, Access::Granted).await?;
    let gone = known(house, event.installation, removed, Access::Withdrawn).await?;
    found.repositories.extend(gone.repositories);
    found.jobs.push(look_at(event.installation));
    Ok(found)
}

fn repository_change(event: &RepositoryChange) -> Consequences {
    let mut found = described(event.on.installation, &event.repository);
    let repository = event.repository.id;
    let (key, installation) = match event.action {
        // Another default branch may have other rules.
        RepositoryAction::Edited => {
            let branch = event.repository.default_branch.clone();
            (JobKey::Branch { repository, branch }, event.on.installation)
        }
        // What happened meanwhile was not told, and what was to be said may be said now.
        RepositoryAction::Unarchived | RepositoryAction::Transferred => {
            (JobKey::Reconcile { repository }, BACKGROUND)
        }
        RepositoryAction::Renamed | RepositoryAction::Archived => return found,
        RepositoryAction::Deleted => {
            found.repositories.iter_mut().for_each(|row| row.active = false);
            return found;
        }
    };
    found.jobs.push(NewJob { key, installation, run_at: None });
    found
}

/// Whether a repository is known to be another installation's: whoever is let in by one tenant does
/// nothing at another. A repository that was transferred is so too, until GitHub was asked where the new
/// installation is; what happened meanwhile is found by comparing.
async fn is_of_another(house: &House, on: &InstalledRepository) -> anyhow::Result<bool> {
    let known = house.store.repository(on.id).await?;
    Ok(known.is_some_and(|known| known.active && known.installation != on.installation))
}

/// Which repositories of an installation an event is about.
#[derive(Clone, Copy)]
enum Meant<'a> {
    All,
    These(&'a [Granted]),
}

/// Whether the App may be there.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Access {
    Granted,
    Withdrawn,
}

/// The repositories of an installation that were heard of before, marked as ours or not ours any
/// more. One that was never heard of has nothing to keep; looking at the installation describes it.
async fn known(
    house: &House,
    installation: InstallationId,
    meant: Meant<'_>,
    access: Access,
) -> anyhow::Result<Consequences> {
    let is_meant = |repository: &landfall_store::Repository| match meant {
        Meant::All => true,
        Meant::These(these) => these.iter().any(|granted| granted.id == repository.id),
    };
    let all = house.store.repositories_of(installation).await?;
    let active = access == Access::Granted;
    let marked = |repository| landfall_store::Repository { active, ..repository };
    let repositories = all.into_iter().filter(is_meant).map(marked).collect();
    Ok(Consequences { repositories, ..Consequences::default() })
}

fn pull_request(event: &PullRequest) -> Consequences {
    let mut found = described(event.on.installation, &event.repository);
    found.pulls.push(pull_row(event.repository.id, &event.pull));
    let due = due(event);
    if due == Due::Plan {
        found.asked.push((event.repository.id, event.pull.number));
    }
    if due != Due::Nothing {
        found.jobs.push(plan_job(event.on.installation, event.repository.id, event.pull.number));
    }
    found
}

/// What happened to a pull request asks for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Due {
    /// A plan.
    Plan,
    /// A look at what its end leaves to be done.
    Look,
    Nothing,
}

fn due(event: &PullRequest) -> Due {
    match &event.action {
        PullAction::Opened
        | PullAction::Synchronize
        | PullAction::Reopened
        | PullAction::ReadyForReview
        | PullAction::ConvertedToDraft
        | PullAction::Edited { base_was: Some(_) }
        | PullAction::Labeled { label: Some(_) }
        | PullAction::Unlabeled { label: Some(_) } => Due::Plan,
        PullAction::Closed if event.pull.state == PullState::Closed => Due::Look,
        // A push to the base brings the run. In the queue it is its group that is planned, and why a group
        // failed stands on the check of the group's commit, to which GitHub leads from the pull request.
        PullAction::Closed
        | PullAction::Enqueued
        | PullAction::Dequeued
        | PullAction::Edited { base_was: None }
        | PullAction::Labeled { label: None }
        | PullAction::Unlabeled { label: None } => Due::Nothing,
    }
}

fn merge_group(event: &MergeGroup) -> Consequences {
    let mut found = described(event.on.installation, &event.repository);
    let (repository, branch) = (event.repository.id, event.branch.clone());
    let head = event.head.clone();
    if head.is_some() {
        let key = JobKey::Group { repository, branch: branch.clone() };
        found.jobs.push(NewJob { key, installation: event.on.installation, run_at: None });
    }
    found.heads.push(PushedHead { repository, branch, head });
    found
}

/// Only what a person says when they say it: an edit would fire with today's rights on an old,
/// trusted-looking comment. What our own App says is no command.
fn issue_comment(event: &IssueComment, us: landfall_github::AppId) -> anyhow::Result<Consequences> {
    let mut found = described(event.on.installation, &event.repository);
    let CommentedOn::Pull { number, .. } = event.commented_on else { return Ok(found) };
    let Some(author) = &event.comment.user else { return Ok(found) };
    let spoken = event.action == CommentAction::Created
        && author.kind == UserKind::User
        && event.comment.app.is_none_or(|app| app.id != us);
    if !spoken {
        return Ok(found);
    }
    let lines = command::lines(&event.comment.body);
    let commands = lines.into_iter().zip(0..).map(|(text, index)| NewCommand {
        id: CommandId { source: CommandSource::Comment(event.comment.id.0), index },
        repository: event.repository.id,
        pull: number,
        author: author.id,
        login: author.login.clone(),
        text,
        said: Some(said(&event.comment.body)),
        commented_at: event.comment.created_at,
    });
    found.commands = commands.collect();
    if !found.commands.is_empty() {
        found.items.push(heard(&event.on, event.comment.id.0)?);
        found.jobs.push(plan_job(event.on.installation, event.repository.id, number));
    }
    Ok(found)
}

fn plan_job(
    installation: InstallationId,
    repository: RepositoryId,
    pull: landfall_core::name::PullNumber,
) -> NewJob {
    NewJob { key: JobKey::Plan { repository, pull }, installation, run_at: None }
}

fn described(installation: InstallationId, repository: &Repository) -> Consequences {
    let repositories = vec![repository_row(installation, repository)];
    Consequences { repositories, ..Consequences::default() }
}

/// A repository as the store keeps it.
pub(super) fn repository_row(
    installation: InstallationId,
    repository: &Repository,
) -> landfall_store::Repository {
    landfall_store::Repository {
        id: repository.id,
        name: repository.name.clone(),
        installation,
        default_branch: repository.default_branch.clone(),
        active: !repository.archived,
    }
}

/// A pull request as the store keeps it.
fn pull_row(repository: RepositoryId, pull: &Pull) -> landfall_store::Pull {
    let state = match &pull.state {
        PullState::Open => landfall_store::PullState::Open,
        PullState::Merged { at, commit: Some(commit), by } => landfall_store::PullState::Merged {
            at: *at,
            commit: commit.clone(),
            by: by.as_ref().map(|user| user.id),
        },
        // Merged without a commit that it became: nothing to find it by.
        PullState::Closed | PullState::Merged { commit: None, .. } => {
            landfall_store::PullState::Closed
        }
    };
    landfall_store::Pull {
        repository,
        number: pull.number,
        head: pull.head.sha.clone(),
        head_repository: pull.head.repository,
        base: pull.base.branch.clone(),
        author: pull.author.as_ref().map_or(GHOST, |user| user.id),
        state,
        updated_at: pull.updated_at,
    }
}

/// Notes what GitHub says about a pull request.
///
/// # Errors
/// The store could not be written to.
pub async fn note_pull(house: &House, repository: RepositoryId, pull: &Pull) -> anyhow::Result<()> {
    Ok(house.store.upsert_pull(&pull_row(repository, pull)).await?)
}

//! Clicks on our checks: what somebody says with a button, as the row that a comment would bring.
//!
//! A check is known by the key that it was given. Nothing is believed of it: whether the clicker may
//! is asked when the command is carried out, and which plan is meant stands on the button.

use jiff::Timestamp;
use landfall_core::button::Button;
use landfall_core::name::{BranchName, CommitSha, PullNumber, RepositoryId};
use landfall_github::webhook::{CheckAction, CheckRunEvent, CheckSuiteEvent};
use landfall_github::{AppId, User, UserKind};
use landfall_store::{
    CommandId, CommandSource, Consequences, DeliveryId, ItemKind, JobKey, NewCommand, NewJob, Run,
    RunId,
};

use super::super::announce;
use super::{described, plan_job};
use crate::house::House;
use crate::publish::CheckBody;

/// A click: who, where, and since when what they clicked on was shown.
struct Click<'a> {
    house: &'a House,
    delivery: DeliveryId,
    repository: RepositoryId,
    sender: &'a User,
    /// When the click itself happened GitHub does not say.
    shown_at: Timestamp,
}

/// What a check is about, by the key that it was given.
enum Subject {
    Pull(PullNumber),
    Run(Box<Run>),
    Group(BranchName),
}

/// Everything that follows from a click on a check, or on its "Re-run".
///
/// # Errors
/// The store could not be asked.
pub(super) async fn check_run(
    house: &House,
    delivery: DeliveryId,
    event: &CheckRunEvent,
) -> anyhow::Result<Consequences> {
    let found = described(event.on.installation, &event.repository);
    if !is_ours(house, event.app, &event.sender) {
        return Ok(found);
    }
    let seen = (event.repository.id, event.shown_at);
    let click = Click::new(house, delivery, &event.sender, seen);
    let button = match &event.action {
        CheckAction::Rerequested => None,
        CheckAction::Requested { identifier } => match Button::parse(identifier) {
            Some(button) => Some(button),
            None => return Ok(found),
        },
    };
    let mut all = Vec::new();
    for subject in click.subjects_of_check(event).await? {
        all.push(click.said(subject, button.as_ref()).await?);
    }
    Ok(click.follows(found, event.on.installation, all))
}

/// The same for "Re-run all checks": each pull request of that head is planned again, and runs of that
/// commit which ended badly are tried again.
///
/// # Errors
/// The store could not be asked.
pub(super) async fn check_suite(
    house: &House,
    delivery: DeliveryId,
    event: &CheckSuiteEvent,
) -> anyhow::Result<Consequences> {
    let found = described(event.on.installation, &event.repository);
    if !is_ours(house, event.app, &event.sender) {
        return Ok(found);
    }
    let seen = (event.repository.id, event.shown_at);
    let click = Click::new(house, delivery, &event.sender, seen);
    let mut all = Vec::new();
    for subject in click.subjects_of(&event.head).await? {
        all.push(click.said(subject, None).await?);
    }
    Ok(click.follows(found, event.on.installation, all))
}

fn is_ours(house: &House, app: Option<AppId>, sender: &User) -> bool {
    app == Some(house.github.id()) && sender.kind == UserKind::User
}

/// What a click comes to.
enum Said {
    /// A command on a pull request.
    Command(PullNumber, String),
    /// Work for which nobody's word is needed: a run that looks again, say.
    Work(JobKey),
    Nothing,
}

impl<'a> Click<'a> {
    /// A click of `sender` on what was `seen` in a repository, and since when.
    fn new(
        house: &'a House,
        delivery: DeliveryId,
        sender: &'a User,
        seen: (RepositoryId, Timestamp),
    ) -> Self {
        let (repository, shown_at) = seen;
        Self { house, delivery, repository, sender, shown_at }
    }

    /// All that have the check, for it says the worst of what they came to.
    async fn subjects_of_check(&self, event: &CheckRunEvent) -> anyhow::Result<Vec<Subject>> {
        let mut parts = self.parts_on(&event.head).await?;
        let is_it = |part: &CheckBody| part.external_id == event.external_id;
        let name = parts.iter().find(|part| is_it(part)).map(|part| part.name.clone());
        match name {
            Some(name) => parts.retain(|part| part.name == name),
            None => return Ok(self.subject(&event.external_id).await?.into_iter().collect()),
        }
        self.subjects(parts).await
    }

    /// Each subject once that has a check on a commit.
    async fn subjects_of(&self, head: &CommitSha) -> anyhow::Result<Vec<Subject>> {
        let parts = self.parts_on(head).await?;
        self.subjects(parts).await
    }

    /// The checks on a commit, of each subject for itself.
    async fn parts_on(&self, head: &CommitSha) -> anyhow::Result<Vec<CheckBody>> {
        let (store, prefix) = (&self.house.store, format!("check/{head}/"));
        let bodies = store.items_under(self.repository, ItemKind::Check, &prefix).await?;
        let checks: Result<Vec<CheckBody>, _> =
            bodies.into_iter().map(serde_json::from_value).collect();
        Ok(checks?.into_iter().flat_map(CheckBody::apart).collect())
    }

    async fn subjects(&self, checks: Vec<CheckBody>) -> anyhow::Result<Vec<Subject>> {
        let (mut subjects, mut pulls) = (Vec::new(), Vec::new());
        for check in checks {
            let Some(subject) = self.subject(&check.external_id).await? else { continue };
            match &subject {
                // All environments of a pull request are planned together.
                Subject::Pull(number) if pulls.contains(number) => continue,
                Subject::Pull(number) => pulls.push(*number),
                Subject::Run(_) | Subject::Group(_) => {}
            }
            subjects.push(subject);
        }
        Ok(subjects)
    }

    async fn subject(&self, external_id: &str) -> anyhow::Result<Option<Subject>> {
        if let Ok(id) = external_id.parse::<RunId>() {
            let run = self.house.store.run(id).await?;
            let here = run.filter(|run| run.run.repository == self.repository);
            return Ok(here.map(Box::new).map(Subject::Run));
        }
        Ok(announce::Subject::of_key(self.repository, external_id).map(|subject| match subject {
            announce::Subject::Pull(number) => Subject::Pull(number),
            announce::Subject::Group(branch) => Subject::Group(branch),
        }))
    }

    /// What is said with a `button`, or without one by "Re-run".
    async fn said(&self, subject: Subject, button: Option<&Button>) -> anyhow::Result<Said> {
        let (run, button) = match (subject, button) {
            // All its environments are planned together.
            (Subject::Pull(number), None | Some(Button::Plan)) => {
                return Ok(Said::Command(number, "/plan".to_owned()));
            }
            (Subject::Group(branch), None) => {
                let repository = self.repository;
                return Ok(Said::Work(JobKey::Group { repository, branch }));
            }
            (Subject::Pull(..) | Subject::Group(_), Some(_))
            | (Subject::Run(_), Some(Button::Plan)) => return Ok(Said::Nothing),
            (Subject::Run(run), button) => (run, button),
        };
        let environment = run.run.environment.clone();
        let line = match button {
            Some(button) => button.command(&environment),
            None if run.state.may_be_retried() => format!("/apply {environment}"),
            None if run.state.is_ended() => return Ok(Said::Nothing),
            None => {
                let repository = self.repository;
                return Ok(Said::Work(JobKey::Run { repository, environment }));
            }
        };
        let told = self.told_on(&run).await?;
        Ok(told.map_or(Said::Nothing, |number| Said::Command(number, line)))
    }

    /// The newest of the pull requests that a run brings, as its check knows them.
    async fn told_on(&self, run: &Run) -> anyhow::Result<Option<PullNumber>> {
        let (store, prefix) = (&self.house.store, format!("check/{}/", run.run.commit));
        for body in store.items_under(self.repository, ItemKind::Check, &prefix).await? {
            let check: CheckBody = serde_json::from_value(body)?;
            if check.external_id == run.run.id.to_string() {
                return Ok(check.pull);
            }
        }
        Ok(None)
    }

    fn follows(
        &self,
        mut found: Consequences,
        installation: landfall_core::name::InstallationId,
        all: Vec<Said>,
    ) -> Consequences {
        let repository = self.repository;
        for (said, index) in all.into_iter().zip(0..) {
            match said {
                Said::Nothing => {}
                Said::Work(key) => {
                    found.jobs.push(NewJob { key, installation, run_at: None });
                }
                Said::Command(pull, text) => {
                    found.commands.push(NewCommand {
                        id: CommandId { source: CommandSource::Click(self.delivery), index },
                        repository,
                        pull,
                        author: self.sender.id,
                        login: self.sender.login.clone(),
                        text,
                        said: None,
                        commented_at: self.shown_at,
                    });
                    found.jobs.push(plan_job(installation, repository, pull));
                }
            }
        }
        found
    }
}

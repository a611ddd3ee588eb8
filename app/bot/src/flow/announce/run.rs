//! What everybody concerned is told of a run: the pull requests it brings, its commit's check, the
//! environment's deployments, and those whom the operator wants to be notified.

use landfall_core::button::Button;
use landfall_core::name::{BranchName, EnvironmentName, PullNumber};
use landfall_core::plan::{Origin, Plan};
use landfall_core::report::{Legend, RunReport, RunStage};
use landfall_core::view;
use landfall_store::{ItemKind, PlanId, Run, RunId};

use super::{Board, FIRST, NEXT, plan_subject};
use crate::operator::Event;
use crate::publish::body::{CheckState, DeploymentWord, FoldWord, Standing, run_check_name};
use crate::publish::{CheckBody, CommentBody, DeploymentBody, NotificationBody};
use crate::render::Document;

/// What is told of a run that has come to `stage` on `branch`, when it did nothing that is told with it.
#[must_use]
pub fn report_of(run: &Run, branch: BranchName, stage: RunStage) -> RunReport {
    RunReport {
        environment: run.run.environment.clone(),
        commit: run.run.commit.clone(),
        branch,
        digest: run.plan.as_ref().map(Plan::digest),
        plan: run.plan.clone(),
        legend: Legend::default(),
        stage,
        steps: Vec::new(),
        unreviewed: Vec::new(),
        left_out: Vec::new(),
    }
}

impl Board<'_> {
    /// A run, on each of the pull requests it brings, on its commit, and as a deployment.
    ///
    /// # Errors
    /// A template that overrides ours does not print, or the store could not be written to.
    pub async fn run(
        &self,
        run: RunId,
        report: &RunReport,
        pulls: &[PullNumber],
        plans: &[PlanId],
    ) -> anyhow::Result<()> {
        let document = match pulls {
            [] => self.house.templates.run_alone(report)?,
            _ => self.house.templates.run(report)?,
        };
        for pull in pulls {
            let mut body = CommentBody::new(*pull, "run", &run.to_string(), document.clone());
            body.plans = plans.to_vec();
            self.run_comment(run, &report.stage, body).await?;
            let part = match pulls {
                [_] => None,
                _ => self.part(report, *pull).await?,
            };
            self.run_line(report, *pull, part.as_deref()).await?;
        }
        self.run_check(run, report, (&document, pulls.iter().max().copied())).await?;
        self.deployment(run, report).await?;
        self.notify(run, report, pulls).await
    }

    /// A message to each of the operator's targets that wants to hear of it.
    async fn notify(
        &self,
        run: RunId,
        report: &RunReport,
        pulls: &[PullNumber],
    ) -> anyhow::Result<()> {
        let Some(event) = Event::of(&report.stage) else { return Ok(()) };
        let Some(row) = self.house.store.repository(self.repository).await? else { return Ok(()) };
        let environment = &report.environment;
        for target in self.house.operator.targets() {
            if !target.hears_of(&row.name, environment, event) {
                continue;
            }
            let body = NotificationBody {
                target: target.name.clone(),
                event,
                run: run.to_string(),
                environment: environment.clone(),
                branch: report.branch.clone(),
                commit: report.commit.clone(),
                title: view::run(report).title,
                pulls: pulls.to_vec(),
            };
            let subject = format!("run/{run}/{}/{}", event.as_str(), target.name);
            self.put(ItemKind::Notification, subject, NEXT, &body).await?;
        }
        Ok(())
    }

    /// A comment of its own for a run that needs a person; it goes on telling of that run, and is
    /// folded away when nobody has to do anything any more.
    async fn run_comment(
        &self,
        run: RunId,
        stage: &RunStage,
        mut body: CommentBody,
    ) -> anyhow::Result<()> {
        let subject = format!("run/{run}/{}", body.pull);
        let needs_somebody = matches!(
            stage,
            RunStage::Held(_)
                | RunStage::Failed(_)
                | RunStage::Orphaned(_)
                | RunStage::Invalid(_)
                | RunStage::NeedsAttention(_)
        );
        if !needs_somebody
            && self.house.store.item_body(&self.comment_key(&subject)).await?.is_none()
        {
            return Ok(());
        }
        body.fold = match stage {
            RunStage::Succeeded | RunStage::Superseded(_) => FoldWord::Outdated,
            _ => self.read_again(&subject).await?,
        };
        self.put(ItemKind::Comment, subject, FIRST, &body).await
    }

    /// One line about the run in the one comment on the pull request, if there is one.
    async fn run_line(
        &self,
        report: &RunReport,
        pull: PullNumber,
        part: Option<&str>,
    ) -> anyhow::Result<()> {
        let line = self.house.templates.run_line(report, part)?;
        let key = self.comment_key(&plan_subject(pull));
        let amend = |body: &mut serde_json::Value| {
            body["runs"][report.environment.as_str()] = line.trim_end().into();
        };
        Ok(self.house.store.amend(self.fence, &key, &amend).await?)
    }

    /// What of a run's changes are those of one pull request, in words, where it brings others too; none
    /// where all of them are, or where nothing is known of it.
    async fn part(&self, report: &RunReport, pull: PullNumber) -> anyhow::Result<Option<String>> {
        let Some(whole) = &report.plan else { return Ok(None) };
        let (store, repository) = (&self.house.store, self.repository);
        let Some(row) = store.pull(repository, pull).await? else { return Ok(None) };
        let mut plans = store.plans_for_head(repository, pull, &row.head).await?;
        plans.retain(|stored| stored.plan.plan.environment == report.environment);
        let Some(reviewed) = plans.pop() else { return Ok(None) };
        let mut own = whole.clone();
        own.units.retain(|unit, _| {
            let reviewed = reviewed.plan.plan.units.get(unit);
            reviewed.is_some_and(|unit| unit.origin == Origin::Changed)
        });
        if own.changes().count() == whole.changes().count() {
            return Ok(None);
        }
        let part = view::run(&RunReport { plan: Some(own), ..report.clone() }).changes;
        Ok(Some(if part.is_empty() { "nothing".to_owned() } else { part }))
    }

    async fn run_check(
        &self,
        run: RunId,
        report: &RunReport,
        (document, pull): (&Document, Option<PullNumber>),
    ) -> anyhow::Result<()> {
        let now = self.house.store.now().await?;
        let state = match report.stage {
            RunStage::Running => CheckState::Running(now),
            RunStage::Held(_) => CheckState::ActionRequired(now),
            RunStage::Succeeded => CheckState::Success(now),
            RunStage::Failed(_)
            | RunStage::Orphaned(_)
            | RunStage::Invalid(_)
            | RunStage::NeedsAttention(_) => CheckState::Failure(now),
            RunStage::Superseded(_) | RunStage::Cancelled(_) => CheckState::Cancelled(now),
        };
        let check = CheckBody {
            name: run_check_name(&report.environment),
            head: report.commit.clone(),
            state,
            title: view::run(report).title,
            summary: document.whole(),
            findings: Vec::new(),
            buttons: pull.map(|_| buttons(report)).unwrap_or_default(),
            pull,
            external_id: run.to_string(),
            standing: Standing::Ruled,
            parts: Vec::new(),
        };
        self.put_check(check).await
    }

    async fn deployment(&self, run: RunId, report: &RunReport) -> anyhow::Result<()> {
        let state = match report.stage {
            RunStage::Running => DeploymentWord::InProgress,
            RunStage::Held(_) => DeploymentWord::Pending,
            RunStage::Succeeded => DeploymentWord::Success,
            RunStage::Failed(_)
            | RunStage::Orphaned(_)
            | RunStage::Invalid(_)
            | RunStage::NeedsAttention(_) => DeploymentWord::Failure,
            RunStage::Superseded(_) | RunStage::Cancelled(_) => DeploymentWord::Inactive,
        };
        let body = DeploymentBody {
            commit: report.commit.clone(),
            environment: report.environment.clone(),
            run: run.to_string(),
            state,
            description: view::run(report).title,
        };
        if body.state == DeploymentWord::Success {
            self.replace_deployments(&body).await?;
        }
        let subject = deployment_subject(&body.environment, &body.run);
        self.put(ItemKind::Deployment, subject, NEXT, &body).await
    }

    /// The environment's page shows what is live: what was live before is not any more.
    async fn replace_deployments(&self, live: &DeploymentBody) -> anyhow::Result<()> {
        let prefix = deployment_subject(&live.environment, "");
        let (store, repository) = (&self.house.store, self.repository);
        for body in store.items_under(repository, ItemKind::Deployment, &prefix).await? {
            let earlier: DeploymentBody = serde_json::from_value(body)?;
            if earlier.run == live.run || earlier.state != DeploymentWord::Success {
                continue;
            }
            let subject = deployment_subject(&earlier.environment, &earlier.run);
            let description = format!("{} took its place", live.commit.short());
            let over = DeploymentBody { state: DeploymentWord::Inactive, description, ..earlier };
            self.put(ItemKind::Deployment, subject, NEXT, &over).await?;
        }
        Ok(())
    }
}

/// What a click can do about a run. It is carried out as a command on a pull request that the run
/// brings, so there has to be one.
fn buttons(report: &RunReport) -> Vec<Button> {
    let apply = match &report.stage {
        RunStage::Held(waiting) if waiting.ends_by_a_word() => {
            report.digest.as_ref().map(Button::apply)
        }
        RunStage::Held(_) | RunStage::Running | RunStage::NeedsAttention(_) => None,
        _ => return Vec::new(),
    };
    apply.into_iter().chain([Button::Cancel]).collect()
}

fn deployment_subject(environment: &EnvironmentName, run: &str) -> String {
    format!("{environment}/{run}")
}

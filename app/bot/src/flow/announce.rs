//! Announcing: reports into the outbox. Nothing is sent from here.

use jiff::Timestamp;
use landfall_core::diagnostic::{Diagnostic, Severity};
use landfall_core::name::{EnvironmentName, InstallationId, PullNumber, RepositoryId};
use landfall_core::report::{
    EnvironmentReport, NextStep, PullOutcome, PullReport, RunReport, RunStage,
};
use landfall_core::view;
use landfall_store::{Fence, Item, ItemKey, ItemKind, PlanId, RunId};
use serde::Serialize;

use super::ground::check_name;
use crate::house::House;
use crate::publish::body::{CheckState, DeploymentWord, Finding, ReactionBody, ReactionWord};
use crate::publish::{CheckBody, CommentBody, DeploymentBody};
use crate::render::Document;

/// Comments go first: people read them, and a plan counts as reviewed from then on.
const FIRST: u8 = 0;
/// Everything else.
const NEXT: u8 = 1;

/// Where something is announced.
#[derive(Debug, Clone, Copy)]
pub struct Board<'a> {
    /// The house.
    pub house: &'a House,
    /// The job's right to write.
    pub fence: &'a Fence,
    /// Whose writes they count among.
    pub installation: InstallationId,
    /// The repository.
    pub repository: RepositoryId,
}

impl Board<'_> {
    async fn put(
        &self,
        kind: ItemKind,
        subject: String,
        priority: u8,
        body: &impl Serialize,
    ) -> anyhow::Result<()> {
        let key =
            ItemKey { installation: self.installation, repository: self.repository, kind, subject };
        let item = Item { key, body: serde_json::to_value(body)?, priority };
        Ok(self.house.store.put(self.fence, &item).await?)
    }

    /// Whether a comment with our plan is on the pull request already, or on its way there.
    ///
    /// # Errors
    /// The store could not be asked.
    pub async fn has_commented(&self, pull: PullNumber) -> anyhow::Result<bool> {
        let key = self.comment_key(&plan_subject(pull));
        Ok(self.house.store.item_body(&key).await?.is_some())
    }

    /// The one comment on a pull request, and a check for each environment.
    ///
    /// # Errors
    /// A template that overrides ours does not print, or the store could not be written to.
    pub async fn pull(&self, report: &PullReport, plans: &[PlanId]) -> anyhow::Result<()> {
        let document = self.house.templates.pull(report)?;
        let mut body = CommentBody::new(report.pull, "plan", "", document.clone());
        body.plans = plans.to_vec();
        self.put(ItemKind::Comment, plan_subject(report.pull), FIRST, &body).await?;
        self.checks(report, &document).await
    }

    /// The checks alone: for a pull request that nothing has to be said about.
    ///
    /// # Errors
    /// The store could not be written to.
    pub async fn quietly(
        &self,
        report: &PullReport,
        environments: &[EnvironmentName],
    ) -> anyhow::Result<()> {
        let now = self.house.store.now().await?;
        for environment in environments {
            let title = "No service changes".to_owned();
            let check = self.check(report, environment, CheckState::Success(now), title);
            self.put_check(check).await?;
        }
        Ok(())
    }

    async fn checks(&self, report: &PullReport, document: &Document) -> anyhow::Result<()> {
        let now = self.house.store.now().await?;
        let PullOutcome::Planned { warnings, environments } = &report.outcome else {
            return Ok(());
        };
        for environment in environments {
            let (state, title) = judge(environment, now);
            let mut check = self.check(report, &environment.environment, state, title);
            check.summary = document.whole();
            check.findings = warnings.iter().map(Finding::from).collect();
            self.put_check(check).await?;
        }
        Ok(())
    }

    /// Checks that say why no plan was made, with the findings at their lines.
    ///
    /// # Errors
    /// The store could not be written to.
    pub async fn invalid(
        &self,
        report: &PullReport,
        environments: &[EnvironmentName],
        findings: &[Diagnostic],
    ) -> anyhow::Result<()> {
        let now = self.house.store.now().await?;
        let errors = findings.iter().filter(|finding| finding.severity == Severity::Error).count();
        let title = match (&report.outcome, errors) {
            (PullOutcome::Conflicted(_), _) => format!("Conflicts with {}", report.base),
            (_, 1) => "1 error in the configuration".to_owned(),
            (_, errors) => format!("{errors} errors in the configuration"),
        };
        let summary = self.house.templates.pull(report)?.whole();
        for environment in environments {
            let mut check =
                self.check(report, environment, CheckState::Failure(now), title.clone());
            check.summary.clone_from(&summary);
            check.findings = findings.iter().map(Finding::from).collect();
            self.put_check(check).await?;
        }
        Ok(())
    }

    fn check(
        &self,
        report: &PullReport,
        environment: &EnvironmentName,
        state: CheckState,
        title: String,
    ) -> CheckBody {
        let base = report.base.as_str();
        CheckBody {
            name: check_name(environment, base),
            head: report.head.clone(),
            state,
            summary: title.clone(),
            title,
            findings: Vec::new(),
            external_id: format!("{}/{}/{environment}", self.repository, report.pull),
        }
    }

    async fn put_check(&self, check: CheckBody) -> anyhow::Result<()> {
        let subject = format!("check/{}/{}", check.head, check.name);
        self.put(ItemKind::Check, subject, NEXT, &check).await
    }

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
        let document = self.house.templates.run(report)?;
        for pull in pulls {
            let mut body = CommentBody::new(*pull, "run", &run.to_string(), document.clone());
            body.plans = plans.to_vec();
            self.run_comment(run, &report.stage, &body).await?;
            self.run_line(report, *pull).await?;
        }
        self.run_check(run, report, &document).await?;
        self.deployment(run, report).await
    }

    /// A comment of its own for a run that needs a person; it goes on telling of that run.
    async fn run_comment(
        &self,
        run: RunId,
        stage: &RunStage,
        body: &CommentBody,
    ) -> anyhow::Result<()> {
        let subject = format!("run/{run}/{}", body.pull);
        let needs_somebody =
            matches!(stage, RunStage::Held(_) | RunStage::Failed(_) | RunStage::NeedsAttention(_));
        if !needs_somebody
            && self.house.store.item_body(&self.comment_key(&subject)).await?.is_none()
        {
            return Ok(());
        }
        self.put(ItemKind::Comment, subject, FIRST, body).await
    }

    /// One line about the run in the one comment on the pull request, if there is one.
    async fn run_line(&self, report: &RunReport, pull: PullNumber) -> anyhow::Result<()> {
        let line = self.house.templates.run_line(report)?;
        let key = self.comment_key(&plan_subject(pull));
        let amend = |body: &mut serde_json::Value| {
            body["runs"][report.environment.as_str()] = line.trim_end().into();
        };
        Ok(self.house.store.amend(self.fence, &key, &amend).await?)
    }

    fn comment_key(&self, subject: &str) -> ItemKey {
        ItemKey {
            installation: self.installation,
            repository: self.repository,
            kind: ItemKind::Comment,
            subject: subject.to_owned(),
        }
    }

    async fn run_check(
        &self,
        run: RunId,
        report: &RunReport,
        document: &Document,
    ) -> anyhow::Result<()> {
        let now = self.house.store.now().await?;
        let state = match report.stage {
            RunStage::Running => CheckState::Running(now),
            RunStage::Held(_) => CheckState::ActionRequired(now),
            RunStage::Succeeded => CheckState::Success(now),
            RunStage::Failed(_) | RunStage::NeedsAttention(_) => CheckState::Failure(now),
            RunStage::Superseded(_) | RunStage::Cancelled(_) => CheckState::Cancelled(now),
        };
        let check = CheckBody {
            name: format!("landfall / {}", report.environment),
            head: report.commit.clone(),
            state,
            title: view::run(report).title,
            summary: document.whole(),
            findings: Vec::new(),
            external_id: run.to_string(),
        };
        self.put_check(check).await
    }

    async fn deployment(&self, run: RunId, report: &RunReport) -> anyhow::Result<()> {
        let state = match report.stage {
            RunStage::Running => DeploymentWord::InProgress,
            RunStage::Held(_) => DeploymentWord::Pending,
            RunStage::Succeeded => DeploymentWord::Success,
            RunStage::Failed(_) | RunStage::NeedsAttention(_) => DeploymentWord::Failure,
            RunStage::Superseded(_) | RunStage::Cancelled(_) => DeploymentWord::Inactive,
        };
        let body = DeploymentBody {
            commit: report.commit.clone(),
            environment: report.environment.clone(),
            run: run.to_string(),
            state,
            description: view::run(report).title,
        };
        self.put(ItemKind::Deployment, format!("run/{run}"), NEXT, &body).await
    }

    /// An answer of its own: a refusal, a list of commands.
    ///
    /// # Errors
    /// The store could not be written to.
    pub async fn answer(
        &self,
        pull: PullNumber,
        kind: &str,
        about: &str,
        text: String,
    ) -> anyhow::Result<()> {
        let document = Document { head: text, sections: Vec::new(), tail: String::new() };
        let body = CommentBody::new(pull, kind, about, document);
        self.put(ItemKind::Comment, format!("answer/{kind}/{about}"), FIRST, &body).await
    }

    /// The quietest answer.
    ///
    /// # Errors
    /// The store could not be written to.
    pub async fn react(&self, comment: u64, reaction: ReactionWord) -> anyhow::Result<()> {
        let subject = format!("comment/{comment}/{reaction:?}");
        self.put(ItemKind::Reaction, subject, FIRST, &ReactionBody { comment, reaction }).await
    }
}

fn plan_subject(pull: PullNumber) -> String {
    format!("pull/{pull}")
}

/// Whether an environment's plan may be merged, and one line about it.
fn judge(report: &EnvironmentReport, now: Timestamp) -> (CheckState, String) {
    let counts = match &report.plan {
        Err(failure) if report.next == NextStep::NotPlanned => {
            return (CheckState::Neutral(now), shortened(failure));
        }
        Err(failure) => return (CheckState::Failure(now), shortened(failure)),
        Ok(plan) => view::counts(plan.changes()),
    };
    let counts = if counts.is_empty() { "Nothing to do".to_owned() } else { counts };
    match report.next {
        NextStep::Mend => (CheckState::Failure(now), "Something is in the way".to_owned()),
        NextStep::MergeThenApply(ref waiting) if !waiting.ends_by_a_word() => {
            (CheckState::ActionRequired(now), format!("{counts}; {waiting}"))
        }
        NextStep::Provisional | NextStep::NotPlanned => {
            (CheckState::Neutral(now), format!("{counts}; planned again when a run ends"))
        }
        NextStep::MergeThenApply(_) => {
            (CheckState::Success(now), format!("{counts}; waits for /apply after the merge"))
        }
        NextStep::Nothing | NextStep::Merge | NextStep::MergeLater | NextStep::CommandLine => {
            (CheckState::Success(now), counts)
        }
    }
}

fn shortened(text: &str) -> String {
    text.chars().take(120).collect()
}

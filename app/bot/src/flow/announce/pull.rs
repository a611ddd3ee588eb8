//! What a pull request is told: its one comment, and a check for each environment.

use jiff::Timestamp;
use landfall_core::diagnostic::{Diagnostic, Severity};
use landfall_core::name::{EnvironmentName, PullNumber};
use landfall_core::report::{EnvironmentReport, NextStep, PullOutcome, PullReport};
use landfall_core::view;
use landfall_store::{ItemKind, PlanId};

use super::super::ground::check_name;
use super::{Board, FIRST, plan_subject};
use crate::publish::body::{CheckState, Finding};
use crate::publish::{CheckBody, CommentBody};
use crate::render::Document;

impl Board<'_> {
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
        self.fold(&given_up_subject(report.pull)).await?;
        self.checks(report, &document).await
    }

    /// That nothing more is tried on a pull request by itself: what went wrong after how many attempts.
    ///
    /// # Errors
    /// As [`Self::pull`].
    pub async fn given_up(&self, pull: PullNumber, attempts: u32, why: &str) -> anyhow::Result<()> {
        let text = self.house.templates.given_up(attempts, why)?;
        let document = Document { head: text, sections: Vec::new(), tail: String::new() };
        let mut body = CommentBody::new(pull, "given_up", &pull.to_string(), document);
        let subject = given_up_subject(pull);
        body.fold = self.read_again(&subject).await?;
        self.put(ItemKind::Comment, subject, FIRST, &body).await
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
        self.fold(&given_up_subject(report.pull)).await?;
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
}

fn given_up_subject(pull: PullNumber) -> String {
    format!("answer/given_up/{pull}")
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

//! The checks of a pull request: one for each environment that may follow its base, on its head.
//!
//! A branch's rules may require them, so none may stay as it was when it says nothing true any more,
//! and where there is nothing to plan they succeed at once.

use std::collections::BTreeSet;

use jiff::Timestamp;
use landfall_core::button::Button;
use landfall_core::diagnostic::{Diagnostic, Severity};
use landfall_core::name::{BranchName, CommitSha, EnvironmentName, PullNumber};
use landfall_core::report::{EnvironmentReport, NextStep, PullOutcome, PullReport};
use landfall_core::view;
use landfall_store::{ItemKind, Pull};

use super::super::ground::check_name;
use super::Board;
use super::pull::given_up_subject;
use crate::publish::CheckBody;
use crate::publish::body::{CheckState, Finding};
use crate::render::Document;

/// What a pull request's checks are about.
#[derive(Clone, Copy)]
struct About<'a> {
    pull: PullNumber,
    head: &'a CommitSha,
    base: &'a BranchName,
}

/// A check that was put before and is not due any more.
#[derive(Debug)]
pub struct LeftOver {
    environment: EnvironmentName,
    check: CheckBody,
}

impl<'a> From<&'a PullReport> for About<'a> {
    fn from(report: &'a PullReport) -> Self {
        Self { pull: report.pull, head: &report.head, base: &report.base }
    }
}

impl Board<'_> {
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
            let mut check =
                self.check(&report.into(), environment, CheckState::Success(now), title);
            check.summary =
                format!("Nothing that `{environment}` has is changed, so merging applies nothing.");
            self.put_check(check).await?;
        }
        Ok(())
    }

    /// Checks that let a pull request pass that nobody wants to be planned.
    ///
    /// # Errors
    /// A template that overrides ours does not print, or the store could not be written to.
    pub async fn skipped(
        &self,
        report: &PullReport,
        environments: &[EnvironmentName],
    ) -> anyhow::Result<()> {
        let now = self.house.store.now().await?;
        let summary = self.house.templates.pull(report)?.whole();
        for environment in environments {
            let title = "Not planned: it has the label landfall:skip".to_owned();
            let mut check =
                self.check(&report.into(), environment, CheckState::Success(now), title);
            check.summary.clone_from(&summary);
            self.put_check(check).await?;
        }
        Ok(())
    }

    pub(super) async fn planned(
        &self,
        report: &PullReport,
        document: &Document,
    ) -> anyhow::Result<()> {
        let now = self.house.store.now().await?;
        let PullOutcome::Planned { warnings, environments } = &report.outcome else {
            return Ok(());
        };
        for environment in environments {
            let (state, title) = judge(environment, now);
            let mut check = self.check(&report.into(), &environment.environment, state, title);
            check.summary = document.whole();
            check.findings = warnings.iter().map(Finding::from).collect();
            self.put_check(check).await?;
        }
        Ok(())
    }

    /// Checks that say why no plan was made, with the findings at their lines.
    ///
    /// # Errors
    /// A template that overrides ours does not print, or the store could not be written to.
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
            let state = CheckState::Failure(now);
            let mut check = self.check(&report.into(), environment, state, title.clone());
            check.summary.clone_from(&summary);
            check.findings = findings.iter().map(Finding::from).collect();
            self.put_check(check).await?;
        }
        Ok(())
    }

    /// Checks that fail because work on the pull request was given up, and say `why`. Which there
    /// should be is only known from what was told before and from what follows its base.
    pub(super) async fn unplanned(&self, pull: PullNumber, why: &str) -> anyhow::Result<()> {
        let store = &self.house.store;
        let Some(row) = store.pull(self.repository, pull).await? else { return Ok(()) };
        let about = About { pull, head: &row.head, base: &row.base };
        let now = store.now().await?;
        for environment in self.expected(&row).await? {
            let title = "No plan could be made".to_owned();
            let mut check = self.check(&about, &environment, CheckState::Failure(now), title);
            why.clone_into(&mut check.summary);
            self.put_check(check).await?;
        }
        Ok(())
    }

    async fn expected(&self, pull: &Pull) -> anyhow::Result<BTreeSet<EnvironmentName>> {
        let environments = self.house.store.environments(self.repository).await?;
        let follows = environments.into_iter().filter(|environment| {
            [&environment.branch, &environment.offered].contains(&&Some(pull.base.clone()))
        });
        let mut expected: BTreeSet<_> = follows.map(|environment| environment.name).collect();
        let told = self.told(pull.number, &pull.head).await?;
        let here = told.into_iter().filter(|(environment, check)| {
            check.name == check_name(environment, pull.base.as_str())
        });
        expected.extend(here.map(|(environment, _)| environment));
        Ok(expected)
    }

    /// The checks of a pull request on its head that are not among those of `environments`: it went
    /// into another branch before, or the rules named another environment.
    ///
    /// # Errors
    /// The store could not be asked.
    pub async fn left_over(
        &self,
        report: &PullReport,
        environments: &[EnvironmentName],
    ) -> anyhow::Result<Vec<LeftOver>> {
        let base = report.base.as_str();
        let now: BTreeSet<String> =
            environments.iter().map(|environment| check_name(environment, base)).collect();
        let mut left = self.told(report.pull, &report.head).await?;
        left.retain(|(_, check)| !now.contains(&check.name) && !check.retired);
        Ok(left.into_iter().map(|(environment, check)| LeftOver { environment, check }).collect())
    }

    /// Has checks say that they are about nothing any more. They stop nobody, and another pull request
    /// that has them keeps them.
    ///
    /// # Errors
    /// The store could not be asked or written to.
    pub async fn retire(&self, report: &PullReport, left: Vec<LeftOver>) -> anyhow::Result<()> {
        if left.is_empty() {
            return Ok(());
        }
        let mut others = self.house.store.open_pulls(self.repository).await?;
        others.retain(|other| other.number != report.pull && other.head == report.head);
        let at = self.house.store.now().await?;
        for LeftOver { environment, check } in left {
            let has = |other: &Pull| check_name(&environment, other.base.as_str()) == check.name;
            if others.iter().any(has) {
                continue;
            }
            let title = format!("Not planned: this goes into {} now", report.base);
            let check = CheckBody {
                state: CheckState::Neutral(at),
                summary: title.clone(),
                title,
                findings: Vec::new(),
                buttons: Vec::new(),
                retired: true,
                ..check
            };
            self.put_check(check).await?;
        }
        Ok(())
    }

    /// The checks that a pull request was given on a head, as they were put last, by environment.
    async fn told(
        &self,
        pull: PullNumber,
        head: &CommitSha,
    ) -> anyhow::Result<Vec<(EnvironmentName, CheckBody)>> {
        let (store, prefix) = (&self.house.store, format!("check/{head}/"));
        let bodies = store.items_under(self.repository, ItemKind::Check, &prefix).await?;
        let ours = format!("{}/{pull}/", self.repository);
        let mut told = Vec::new();
        for body in bodies {
            let check: CheckBody = serde_json::from_value(body)?;
            let environment = check.external_id.strip_prefix(&ours).map(str::parse);
            if let Some(Ok(environment)) = environment {
                told.push((environment, check));
            }
        }
        Ok(told)
    }

    fn check(
        &self,
        about: &About<'_>,
        environment: &EnvironmentName,
        state: CheckState,
        title: String,
    ) -> CheckBody {
        CheckBody {
            name: check_name(environment, about.base.as_str()),
            head: about.head.clone(),
            state,
            summary: title.clone(),
            title,
            findings: Vec::new(),
            buttons: vec![Button::Plan],
            external_id: format!("{}/{}/{environment}", self.repository, about.pull),
            retired: false,
        }
    }
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

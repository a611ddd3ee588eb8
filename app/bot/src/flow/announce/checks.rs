//! The checks of a pull request, or of a group of the merge queue: one for each environment that may
//! follow its base, on its head.
//!
//! A branch's rules may require them, so none may stay as it was when it says nothing true any more,
//! and where there is nothing to plan they succeed at once.

use jiff::Timestamp;
use landfall_core::button::Button;
use landfall_core::diagnostic::{Diagnostic, Severity};
use landfall_core::label::Label;
use landfall_core::name::{BranchName, CommitSha, PullNumber};
use landfall_core::report::{EnvironmentReport, NextStep, PullOutcome, PullReport, Waiting};
use landfall_core::view;

use super::Board;
use super::pull::given_up_subject;
use crate::publish::CheckBody;
use crate::publish::body::{CheckState, Finding, Standing};
use crate::render::Document;

mod expected;
mod group;
mod left_over;
mod shared;
mod subject;

pub use expected::Expected;
use expected::Scope;
pub use group::Group;
pub use subject::Subject;

/// What checks are about.
struct About<'a> {
    subject: Subject,
    head: &'a CommitSha,
    base: &'a BranchName,
}

impl<'a> From<&'a PullReport> for About<'a> {
    fn from(report: &'a PullReport) -> Self {
        let subject = Subject::Pull(report.pull);
        Self { subject, head: &report.head, base: &report.base }
    }
}

/// What all checks of one subject say.
struct Word<'a> {
    state: fn(Timestamp) -> CheckState,
    title: String,
    summary: &'a str,
    findings: &'a [Diagnostic],
}

impl Board<'_> {
    /// The checks alone: for a pull request that nothing has to be said about.
    ///
    /// # Errors
    /// The store could not be written to.
    pub async fn quietly(&self, report: &PullReport, expected: &Expected) -> anyhow::Result<()> {
        self.fold(&given_up_subject(report.pull)).await?;
        match expected.standing {
            Standing::Unruled => {
                let summary = report.config_note.as_deref().unwrap_or(WITHOUT_RULES);
                self.all(&report.into(), expected, without_rules(summary)).await
            }
            Standing::Ruled | Standing::Retired => self.unconcerned(&report.into(), expected).await,
        }
    }

    async fn unconcerned(&self, about: &About<'_>, expected: &Expected) -> anyhow::Result<()> {
        let title = "No service changes".to_owned();
        let summary = "Nothing that is looked after there changes, so merging applies nothing.";
        let word = Word { state: CheckState::Success, title, summary, findings: &[] };
        self.all(about, expected, word).await
    }

    /// Checks that let a pull request pass that nobody wants to be planned.
    ///
    /// # Errors
    /// A template that overrides ours does not print, or the store could not be written to.
    pub async fn skipped(&self, report: &PullReport, expected: &Expected) -> anyhow::Result<()> {
        let summary = self.house.templates.pull(report)?.whole();
        let title = format!("Not planned: it has the label {}", Label::Skip.as_str());
        let word = Word { state: CheckState::Success, title, summary: &summary, findings: &[] };
        self.all(&report.into(), expected, word).await
    }

    pub(super) async fn planned(
        &self,
        report: &PullReport,
        document: &Document,
    ) -> anyhow::Result<()> {
        self.planned_of(&report.into(), &report.outcome, document).await
    }

    async fn planned_of(
        &self,
        about: &About<'_>,
        outcome: &PullOutcome,
        document: &Document,
    ) -> anyhow::Result<()> {
        let now = self.house.store.now().await?;
        let PullOutcome::Planned { warnings, environments } = outcome else { return Ok(()) };
        for environment in environments {
            let (state, title) = judge(environment, now);
            let scope = Scope::Environment(environment.environment.clone());
            let mut check = self.check(about, &scope, state, title);
            check.summary = document.whole();
            check.findings = warnings.iter().map(Finding::from).collect();
            self.put_part(check).await?;
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
        expected: &Expected,
        findings: &[Diagnostic],
    ) -> anyhow::Result<()> {
        let title = match &report.outcome {
            PullOutcome::Conflicted(_) => format!("Conflicts with {}", report.base),
            _ => errors(findings),
        };
        let summary = self.house.templates.pull(report)?.whole();
        let word = Word { state: CheckState::Failure, title, summary: &summary, findings };
        self.all(&report.into(), expected, word).await
    }

    /// One word for all environments.
    async fn all(
        &self,
        about: &About<'_>,
        expected: &Expected,
        word: Word<'_>,
    ) -> anyhow::Result<()> {
        let state = (word.state)(self.house.store.now().await?);
        for scope in expected.scopes(matches!(state, CheckState::Failure(_))) {
            let mut check = self.check(about, &scope, state, word.title.clone());
            check.standing = expected.standing;
            word.summary.clone_into(&mut check.summary);
            check.findings = word.findings.iter().map(Finding::from).collect();
            self.put_part(check).await?;
        }
        Ok(())
    }

    /// Checks that fail because work on the pull request was given up, and say `why`. `ruled` are those
    /// that the rules expect, if those could be read.
    pub(super) async fn unplanned(
        &self,
        pull: PullNumber,
        ruled: Option<Expected>,
        why: &str,
    ) -> anyhow::Result<()> {
        let Some(row) = self.house.store.pull(self.repository, pull).await? else { return Ok(()) };
        let (head, base) = (&row.head, &row.base);
        let about = About { subject: Subject::Pull(pull), head, base };
        let expected = match ruled {
            Some(ruled) => ruled,
            None => Expected::without_rules(self.heard_of(pull, head, base).await?),
        };
        self.all(&about, &expected, given_up(why)).await
    }

    fn check(
        &self,
        about: &About<'_>,
        scope: &Scope,
        state: CheckState,
        title: String,
    ) -> CheckBody {
        let buttons = match about.subject {
            Subject::Pull(_) => vec![Button::Plan],
            // "Re-run" does it.
            Subject::Group(_) => Vec::new(),
        };
        CheckBody {
            name: scope.check_name(about.base),
            head: about.head.clone(),
            state,
            summary: title.clone(),
            title,
            findings: Vec::new(),
            buttons,
            pull: None,
            external_id: about.subject.key(self.repository, scope),
            standing: Standing::Ruled,
            parts: Vec::new(),
        }
    }
}

const WITHOUT_RULES: &str = "Not planned: the rules on the default branch cannot be read";

/// Nothing can be planned before there are rules, and whoever brings them has to get past this.
fn without_rules(summary: &str) -> Word<'_> {
    let title = WITHOUT_RULES.to_owned();
    Word { state: CheckState::Neutral, title, summary, findings: &[] }
}

fn given_up(why: &str) -> Word<'_> {
    let title = "No plan could be made".to_owned();
    Word { state: CheckState::Failure, title, summary: why, findings: &[] }
}

fn errors(found: &[Diagnostic]) -> String {
    match found.iter().filter(|finding| finding.severity == Severity::Error).count() {
        1 => "1 error in the configuration".to_owned(),
        errors => format!("{errors} errors in the configuration"),
    }
}

/// Whether an environment's plan may be merged, and one line about it.
fn judge(report: &EnvironmentReport, now: Timestamp) -> (CheckState, String) {
    let counts = match &report.plan {
        Err(failure) if report.next == NextStep::NotPlanned => {
            return (CheckState::Neutral(now), shortened(&format!("Not planned: {failure}")));
        }
        Err(failure) => return (CheckState::Failure(now), shortened(failure)),
        Ok(plan) => view::counts(plan.changes()),
    };
    let counts = if counts.is_empty() { "Nothing to do".to_owned() } else { counts };
    match report.next {
        NextStep::Mend => (CheckState::Failure(now), "Something is in the way".to_owned()),
        // It may be merged: the run waits, and goes on by itself.
        NextStep::MergeThenApply(ref waiting @ Waiting::Locked { .. }) => {
            (CheckState::Success(now), shortened(&format!("{counts}; {waiting}")))
        }
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

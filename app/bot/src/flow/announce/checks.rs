//! The checks of a pull request, or of a group of the merge queue: one for each environment that may
//! follow its base, on its head.
//!
//! A branch's rules may require them, so none may stay as it was when it says nothing true any more,
//! and where there is nothing to plan they succeed at once.

use std::collections::BTreeSet;

use jiff::Timestamp;
use landfall_core::button::Button;
use landfall_core::diagnostic::{Diagnostic, Severity};
use landfall_core::label::Label;
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

/// A group of the merge queue.
#[derive(Debug, Clone, Copy)]
pub struct Group<'a> {
    /// The branch that was made for it.
    pub branch: &'a BranchName,
    /// Its commit.
    pub head: &'a CommitSha,
    /// The branch that it is to be merged into.
    pub into: &'a BranchName,
}

/// What checks are about.
#[derive(Clone, Copy)]
struct About<'a> {
    subject: Subject<'a>,
    head: &'a CommitSha,
    base: &'a BranchName,
}

/// Whose checks they are.
#[derive(Clone, Copy)]
enum Subject<'a> {
    Pull(PullNumber),
    Group(&'a BranchName),
}

/// A check that was put before and is not due any more.
#[derive(Debug)]
pub struct LeftOver {
    environment: EnvironmentName,
    check: CheckBody,
}

impl<'a> From<&'a PullReport> for About<'a> {
    fn from(report: &'a PullReport) -> Self {
        let subject = Subject::Pull(report.pull);
        Self { subject, head: &report.head, base: &report.base }
    }
}

impl<'a> From<&Group<'a>> for About<'a> {
    fn from(group: &Group<'a>) -> Self {
        let subject = Subject::Group(group.branch);
        Self { subject, head: group.head, base: group.into }
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
    /// The checks of a group of the merge queue.
    ///
    /// # Errors
    /// A template that overrides ours does not print, or the store could not be written to.
    pub async fn group(
        &self,
        group: &Group<'_>,
        outcome: &PullOutcome,
        environments: &[EnvironmentName],
    ) -> anyhow::Result<()> {
        let document =
            self.house.templates.document(&view::outcome(group.head.short(), outcome))?;
        let about = group.into();
        match outcome {
            PullOutcome::Planned { .. } => self.planned_of(&about, outcome, &document).await,
            PullOutcome::Invalid(found) => {
                let (title, summary) = (errors(found), document.whole());
                let word =
                    Word { state: CheckState::Failure, title, summary: &summary, findings: found };
                self.all(&about, environments, word).await
            }
            PullOutcome::Unconcerned | PullOutcome::Skipped | PullOutcome::Conflicted(_) => {
                self.unconcerned(&about, environments).await
            }
        }
    }

    /// The checks of a group when there are no rules to plan it by. The pull requests say so too; the
    /// one that mends the rules may be in the group.
    ///
    /// # Errors
    /// As [`Self::group`].
    pub async fn group_without_rules(&self, group: &Group<'_>) -> anyhow::Result<()> {
        let environments = self.following(group.into).await?;
        let title = "Not planned: the rules on the default branch cannot be read".to_owned();
        let summary = title.clone();
        let word = Word { state: CheckState::Neutral, title, summary: &summary, findings: &[] };
        self.all(&group.into(), &environments, word).await
    }

    /// The checks of a group that are due no more after so many attempts, with the reason.
    ///
    /// # Errors
    /// As [`Self::group`].
    pub async fn group_given_up(
        &self,
        branch: &BranchName,
        attempts: u32,
        why: &str,
    ) -> anyhow::Result<()> {
        let head = self.house.store.pushed_head(self.repository, branch).await?;
        let (Some(into), Some(head)) = (branch.queued_into(), head) else { return Ok(()) };
        let group = Group { branch, head: &head, into: &into };
        let environments = self.following(&into).await?;
        let summary = self.house.templates.given_up(attempts, why)?;
        self.all(&(&group).into(), &environments, given_up(&summary)).await
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
        self.fold(&given_up_subject(report.pull)).await?;
        self.unconcerned(&report.into(), environments).await
    }

    async fn unconcerned(
        &self,
        about: &About<'_>,
        environments: &[EnvironmentName],
    ) -> anyhow::Result<()> {
        let title = "No service changes".to_owned();
        let summary = "Nothing that is looked after there changes, so merging applies nothing.";
        let word = Word { state: CheckState::Success, title, summary, findings: &[] };
        self.all(about, environments, word).await
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
        let summary = self.house.templates.pull(report)?.whole();
        let title = format!("Not planned: it has the label {}", Label::Skip.as_str());
        let word = Word { state: CheckState::Success, title, summary: &summary, findings: &[] };
        self.all(&report.into(), environments, word).await
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
            let mut check = self.check(about, &environment.environment, state, title);
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
        let title = match &report.outcome {
            PullOutcome::Conflicted(_) => format!("Conflicts with {}", report.base),
            _ => errors(findings),
        };
        let summary = self.house.templates.pull(report)?.whole();
        let word = Word { state: CheckState::Failure, title, summary: &summary, findings };
        self.all(&report.into(), environments, word).await
    }

    /// One word for all environments.
    async fn all(
        &self,
        about: &About<'_>,
        environments: impl IntoIterator<Item = &EnvironmentName>,
        word: Word<'_>,
    ) -> anyhow::Result<()> {
        let now = self.house.store.now().await?;
        for environment in environments {
            let mut check = self.check(about, environment, (word.state)(now), word.title.clone());
            word.summary.clone_into(&mut check.summary);
            check.findings = word.findings.iter().map(Finding::from).collect();
            self.put_check(check).await?;
        }
        Ok(())
    }

    /// Checks that fail because work on the pull request was given up, and say `why`. Which there
    /// should be is only known from what was told before and from what follows its base.
    pub(super) async fn unplanned(&self, pull: PullNumber, why: &str) -> anyhow::Result<()> {
        let store = &self.house.store;
        let Some(row) = store.pull(self.repository, pull).await? else { return Ok(()) };
        let about = About { subject: Subject::Pull(pull), head: &row.head, base: &row.base };
        let mut expected = self.following(&row.base).await?;
        let told = self.told(pull, &row.head).await?.into_iter();
        let here = told.filter(|(name, check)| check.name == check_name(name, row.base.as_str()));
        expected.extend(here.map(|(environment, _)| environment));
        self.all(&about, &expected, given_up(why)).await
    }

    /// The environments that are known to follow a branch, or to have been offered it.
    async fn following(&self, base: &BranchName) -> anyhow::Result<BTreeSet<EnvironmentName>> {
        let environments = self.house.store.environments(self.repository).await?;
        let follows = environments.into_iter().filter(|environment| {
            [&environment.branch, &environment.offered].into_iter().flatten().any(|it| it == base)
        });
        Ok(follows.map(|environment| environment.name).collect())
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
        let repository = self.repository;
        let (external_id, buttons) = match about.subject {
            Subject::Pull(pull) => {
                (format!("{repository}/{pull}/{environment}"), vec![Button::Plan])
            }
            // "Re-run" does it.
            Subject::Group(branch) => (format!("{repository}@{branch}#{environment}"), Vec::new()),
        };
        CheckBody {
            name: check_name(environment, about.base.as_str()),
            head: about.head.clone(),
            state,
            summary: title.clone(),
            title,
            findings: Vec::new(),
            buttons,
            external_id,
            retired: false,
        }
    }
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

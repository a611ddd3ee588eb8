//! The comment on a pull request.

use serde::Serialize;

use super::section::{ServiceSection, declared, sections};
use super::{Finding, counts, findings, plural};
use crate::diagnostic::Severity;
use crate::name::UnitName;
use crate::plan::Plan;
use crate::report::{EnvironmentReport, NextStep, PullOutcome, PullReport, Waiting};
use crate::weakness::Weakness;

/// The whole comment; the sections may be spread over several comments, head and tail are not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PullView {
    /// The head's commit, seven digits.
    pub head: String,
    /// The base branch.
    pub base: String,
    /// `invalid`, `conflicted`, `unconcerned`, `skipped`, `planned`.
    pub outcome: &'static str,
    /// Whether it is a draft.
    pub draft: bool,
    /// For `invalid`.
    pub errors: Vec<Finding>,
    /// For `conflicted`: the files.
    pub conflicted: Vec<String>,
    /// What the checks warn of.
    pub warnings: Vec<Finding>,
    /// What is weak about how the base is guarded.
    pub weaknesses: Vec<WeaknessLine>,
    /// The table.
    pub environments: Vec<EnvironmentRow>,
    /// What becomes public: name and environment.
    pub opens: Vec<(String, String)>,
    /// What stops being public.
    pub closes: Vec<(String, String)>,
    /// What this pull request's repository config would change later.
    pub config_note: Option<String>,
    /// The folded sections.
    pub sections: Vec<ServiceSection>,
    /// The digits by which somebody who has read it has the head planned; none where nobody needs to.
    pub unread: Option<String>,
    /// What happens next, one sentence for each environment.
    pub next: Vec<NextLine>,
}

/// What happens next in an environment: a sentence in which its name stands out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NextLine {
    /// What comes before the name, with a space at the end if there is anything.
    pub before: &'static str,
    /// The environment.
    pub environment: String,
    /// What comes behind it.
    pub after: String,
}

/// One environment's line of the table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EnvironmentRow {
    /// Its name.
    pub name: String,
    /// The branch it follows.
    pub branch: Option<String>,
    /// `2 to create, 1 to delete`, `nothing to do`, `cannot be planned`.
    pub changes: String,
    /// Eight digits; none when nothing changes.
    pub digest: Option<String>,
    /// Why there is no plan.
    pub failure: Option<String>,
    /// Whether that is because nobody who may has read what it changes.
    pub unread: bool,
    /// Units that wait for somebody to mend something.
    pub conflicts: Vec<ConflictLine>,
    /// Limits that the plan passes.
    pub violations: Vec<String>,
    /// Tunnels and the like that are created because they are needed.
    pub containers: Vec<String>,
    /// Whether it was never applied, so that everything in it is planned.
    pub first: bool,
}

/// What is weak about how a branch is guarded, and what would mend it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WeaknessLine {
    /// A sentence with code spans.
    pub said: String,
    /// What would mend it.
    pub mend: &'static str,
}

/// Something in a unit's way, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ConflictLine {
    /// `jellyfin/unifi_dns`
    pub unit: String,
    /// What stands in the way.
    pub message: String,
    /// What would mend it.
    pub help: Option<&'static str>,
}

/// Shapes a report.
#[must_use]
pub fn pull(report: &PullReport) -> PullView {
    let mut view = outcome(report.head.short(), &report.outcome);
    view.base = report.base.to_string();
    view.draft = report.draft;
    view.unread = report.outcome.is_unread().then(|| report.head.digits().to_owned());
    view.config_note.clone_from(&report.config_note);
    let weaknesses = report.weaknesses.iter();
    let line =
        |weakness: &Weakness| WeaknessLine { said: weakness.to_string(), mend: weakness.mend() };
    view.weaknesses = weaknesses.map(line).collect();
    if let Some(opened) = &report.opened {
        for section in &mut view.sections {
            section.opened = Some(section.is_in(opened));
        }
    }
    view
}

/// Shapes what planning came to, for something that may be no pull request: `head` says in a few
/// words what was planned.
#[must_use]
pub fn outcome(head: &str, outcome: &PullOutcome) -> PullView {
    let mut view = PullView {
        head: head.to_owned(),
        base: String::new(),
        outcome: "unconcerned",
        draft: false,
        errors: Vec::new(),
        conflicted: Vec::new(),
        warnings: Vec::new(),
        weaknesses: Vec::new(),
        environments: Vec::new(),
        opens: Vec::new(),
        closes: Vec::new(),
        config_note: None,
        sections: Vec::new(),
        unread: None,
        next: Vec::new(),
    };
    match outcome {
        PullOutcome::Unconcerned => {}
        PullOutcome::Skipped => view.outcome = "skipped",
        PullOutcome::Invalid(diagnostics) => {
            view.outcome = "invalid";
            view.errors = findings(diagnostics, Severity::Error);
            view.warnings = findings(diagnostics, Severity::Warning);
        }
        PullOutcome::Conflicted(paths) => {
            view.outcome = "conflicted";
            view.conflicted = paths.iter().map(ToString::to_string).collect();
        }
        PullOutcome::Planned { warnings, environments } => {
            view.outcome = "planned";
            view.warnings = findings(warnings, Severity::Warning);
            environments.iter().for_each(|environment| view.add(environment));
        }
    }
    view
}

impl PullView {
    fn add(&mut self, report: &EnvironmentReport) {
        let name = report.environment.to_string();
        self.environments.push(row(report));
        let named = |names: &[String]| {
            names.iter().map(|public| (public.clone(), name.clone())).collect::<Vec<_>>()
        };
        self.opens.extend(named(&report.exposure.opens));
        self.closes.extend(named(&report.exposure.closes));
        if let Ok(plan) = &report.plan {
            self.sections.extend(sections(report, plan));
        }
        self.sections.extend(declared(report));
        self.next.extend(next(report));
    }
}

fn row(report: &EnvironmentReport) -> EnvironmentRow {
    let mut row = EnvironmentRow {
        name: report.environment.to_string(),
        branch: report.branch.as_ref().map(ToString::to_string),
        changes: String::new(),
        digest: None,
        failure: None,
        unread: report.is_unread(),
        conflicts: Vec::new(),
        violations: report.violations.iter().map(ToString::to_string).collect(),
        containers: Vec::new(),
        first: report.is_first(),
    };
    match &report.plan {
        Err(failure) => {
            let changes = if row.unread { "not planned" } else { "cannot be planned" };
            row.changes = changes.to_owned();
            row.failure = Some(failure.clone());
        }
        Ok(plan) => {
            row.changes = summary(plan);
            row.digest = plan.changes().next().map(|_| plan.digest().short());
            row.conflicts = conflicts(plan);
            row.containers = plan.containers.values().flatten().cloned().collect();
        }
    }
    row
}

/// `2 to create, 1 to delete; 1 unit blocked`.
fn summary(plan: &Plan) -> String {
    let blocked = plan.units.values().filter(|unit| !unit.conflicts.is_empty()).count();
    let blocked = (blocked > 0).then(|| format!("{} blocked", plural(blocked, "unit", "units")));
    let counts = Some(counts(plan.changes())).filter(|counts| !counts.is_empty());
    let told: Vec<String> = counts.into_iter().chain(blocked).collect();
    if told.is_empty() { "nothing to do".to_owned() } else { told.join("; ") }
}

/// What stands in the way of a plan's units.
pub(super) fn conflicts(plan: &Plan) -> Vec<ConflictLine> {
    let line = |(unit, conflict): (&UnitName, &crate::plan::Conflict)| ConflictLine {
        unit: format!("{}/{}", unit.service, unit.kind),
        message: conflict.to_string(),
        help: conflict.help(),
    };
    plan.conflicts().map(line).collect()
}

fn next(report: &EnvironmentReport) -> Option<NextLine> {
    let name = &report.environment;
    let branch = report.branch.as_ref().map(|branch| format!("`{branch}`")).unwrap_or_default();
    let digest = || report.plan.as_ref().map(|plan| plan.digest().short()).unwrap_or_default();
    let (before, after) = match &report.next {
        NextStep::Nothing => return None,
        NextStep::Merge => ("Merge to apply to ", ".".to_owned()),
        NextStep::MergeLater => {
            ("", format!(" follows {branch}: it is applied there when this reaches {branch}."))
        }
        // No digest passes a guardrail.
        NextStep::MergeThenApply(Waiting::Guardrail(_)) => (
            "Merging applies nothing to ",
            " until `guardrails` in `landfall.yaml` allow it.".to_owned(),
        ),
        NextStep::MergeThenApply(waiting @ Waiting::Locked { .. }) => {
            ("Merge. ", format!(" is {waiting}, so the run waits until `/unlock {name}`."))
        }
        NextStep::MergeThenApply(waiting) => (
            "Merge. The run on ",
            format!(
                " then waits for you, because {waiting}. Release it with `/apply {name} {}`.",
                digest()
            ),
        ),
        NextStep::Mend => {
            ("", " cannot be applied until what is listed above is mended.".to_owned())
        }
        NextStep::NotPlanned => (
            "Without that, the plan for ",
            " is shown here after the merge, and waits for `/apply`.".to_owned(),
        ),
        NextStep::Provisional => {
            ("A run is changing ", " right now; this plan is made again when it ends.".to_owned())
        }
        NextStep::CommandLine => ("", " has no branch; apply it from the command line.".to_owned()),
    };
    Some(NextLine { before, environment: name.to_string(), after })
}

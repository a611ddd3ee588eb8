//! The comment on a pull request.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Finding, HopView, counts, diff_lines, findings, plural, way};
use crate::diagnostic::Severity;
use crate::name::{ServiceName, UnitName};
use crate::plan::{Change, Origin, Plan, UnitPlan};
use crate::report::{EnvironmentReport, NextStep, PullOutcome, PullReport, Waiting};

/// The whole comment; the sections may be spread over several comments, head and tail are not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PullView {
    /// The head's commit, seven digits.
    pub head: String,
    /// The base branch.
    pub base: String,
    /// `invalid`, `conflicted`, `unconcerned`, `planned`.
    pub outcome: &'static str,
    /// For `invalid`.
    pub errors: Vec<Finding>,
    /// For `conflicted`: the files.
    pub conflicted: Vec<String>,
    /// What the checks warn of.
    pub warnings: Vec<Finding>,
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
    /// What happens next, one sentence for each kind of step.
    pub next: Vec<String>,
    /// Commands that will be needed, with what they do.
    pub commands: Vec<SuggestedCommand>,
}

/// A command that a reader may want to copy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SuggestedCommand {
    /// `/apply staging 0123abcd`
    pub command: String,
    /// What it does.
    pub does: String,
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
    /// Units that wait for somebody to mend something.
    pub conflicts: Vec<ConflictLine>,
    /// Limits that the plan passes.
    pub violations: Vec<String>,
    /// Tunnels and the like that are created because they are needed.
    pub containers: Vec<String>,
    /// Units whose changes are not from this pull request: how many.
    pub pending: usize,
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

/// A folded section: one service in one environment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ServiceSection {
    /// The service.
    pub service: String,
    /// The environment.
    pub environment: String,
    /// `2 to create`.
    pub changes: String,
    /// Whether it is here without this pull request having changed it.
    pub pending: bool,
    /// For each component its kind and the lines of its diff.
    pub components: Vec<(String, Vec<String>)>,
    /// The ways of its public names.
    pub ways: Vec<Vec<HopView>>,
}

/// Shapes a report.
#[must_use]
pub fn pull(report: &PullReport) -> PullView {
    let mut view = outcome(report.head.short(), &report.outcome);
    view.base = report.base.to_string();
    view.config_note.clone_from(&report.config_note);
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
        errors: Vec::new(),
        conflicted: Vec::new(),
        warnings: Vec::new(),
        environments: Vec::new(),
        opens: Vec::new(),
        closes: Vec::new(),
        config_note: None,
        sections: Vec::new(),
        next: Vec::new(),
        commands: Vec::new(),
    };
    match outcome {
        PullOutcome::Unconcerned => {}
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
            if let NextStep::MergeThenApply(waiting) = &report.next
                && !matches!(waiting, Waiting::Guardrail(_))
            {
                self.commands.push(SuggestedCommand {
                    command: format!("/apply {name} {}", plan.digest().short()),
                    does: format!("after the merge: lets the run on {name} go"),
                });
            }
        }
        if let Some(sentence) = next(report) {
            self.next.push(sentence);
        }
    }
}

fn row(report: &EnvironmentReport) -> EnvironmentRow {
    let mut row = EnvironmentRow {
        name: report.environment.to_string(),
        branch: report.branch.as_ref().map(ToString::to_string),
        changes: String::new(),
        digest: None,
        failure: None,
        conflicts: Vec::new(),
        violations: report.violations.iter().map(ToString::to_string).collect(),
        containers: Vec::new(),
        pending: 0,
    };
    match &report.plan {
        Err(failure) => {
            row.changes = "cannot be planned".to_owned();
            row.failure = Some(failure.clone());
        }
        Ok(plan) => {
            row.changes = summary(plan);
            row.digest = plan.changes().next().map(|_| plan.digest().short());
            row.conflicts = conflicts(plan);
            row.containers = plan.containers.values().flatten().cloned().collect();
            row.pending = plan.units.values().filter(|unit| is_pending(unit)).count();
        }
    }
    row
}

fn is_pending(unit: &UnitPlan) -> bool {
    unit.origin == Origin::Pending && !unit.changes.is_empty()
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

fn sections(report: &EnvironmentReport, plan: &Plan) -> Vec<ServiceSection> {
    let mut by_service: BTreeMap<&ServiceName, Vec<(&UnitName, &UnitPlan)>> = BTreeMap::new();
    for (name, unit) in plan.units.iter().filter(|(_, unit)| !unit.changes.is_empty()) {
        by_service.entry(&name.service).or_default().push((name, unit));
    }
    let mut ways = report.ways.iter().map(|found| (found, way(found))).collect::<Vec<_>>();
    let mut sections: Vec<ServiceSection> = Vec::new();
    for (service, units) in by_service {
        let changes = || units.iter().flat_map(|(_, unit)| &unit.changes);
        let names: Vec<&str> = changes().map(|change| change.key.name.as_str()).collect();
        let (own, rest) = ways.into_iter().partition(|(found, _)| {
            found.hops.iter().any(|hop| names.contains(&hop.label.as_str()))
        });
        ways = rest;
        let own: Vec<_> = own;
        sections.push(ServiceSection {
            service: service.to_string(),
            environment: report.environment.to_string(),
            changes: counts(changes()),
            pending: units.iter().all(|(_, unit)| is_pending(unit)),
            components: units
                .iter()
                .map(|(name, unit)| (name.kind.to_string(), lines(&unit.changes)))
                .collect(),
            ways: own.into_iter().map(|(_, hops)| hops).collect(),
        });
    }
    sections
}

fn lines(changes: &[Change]) -> Vec<String> {
    changes.iter().flat_map(diff_lines).collect()
}

fn next(report: &EnvironmentReport) -> Option<String> {
    let name = &report.environment;
    let branch = report.branch.as_ref().map(|branch| format!("`{branch}`")).unwrap_or_default();
    Some(match &report.next {
        NextStep::Nothing => return None,
        NextStep::Merge => format!("Merge to apply to **{name}**."),
        NextStep::MergeLater => {
            format!("**{name}** follows {branch}: it is applied there when this reaches {branch}.")
        }
        // No digest passes a guardrail.
        NextStep::MergeThenApply(Waiting::Guardrail(_)) => format!(
            "Merging applies nothing to **{name}** until `guardrails` in `landfall.yaml` allow it."
        ),
        NextStep::MergeThenApply(waiting) => {
            format!("Merge, then confirm **{name}** by name: {waiting}.")
        }
        NextStep::Mend => {
            format!("**{name}** cannot be applied until what is listed above is mended.")
        }
        NextStep::NotPlanned => format!(
            "After the merge the plan for **{name}** is shown, and waits for somebody to name it."
        ),
        NextStep::Provisional => {
            format!("A run is changing **{name}** right now; this plan is made again when it ends.")
        }
        NextStep::CommandLine => {
            format!("**{name}** has no branch; apply it from the command line.")
        }
    })
}

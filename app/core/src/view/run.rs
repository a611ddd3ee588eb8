//! What people read about a run: on the pull request, on the commit's check, in the deployment.

use std::collections::BTreeSet;

use serde::Serialize;

use super::pull::conflicts;
use super::shown::Shown;
use super::{ConflictLine, Finding, counts, counts_done, findings, one_line, plural};
use crate::diagnostic::Severity;
use crate::name::UnitName;
use crate::plan::Plan;
use crate::report::{RunReport, RunStage, StepReport, StepResult, Waiting};

/// A run in words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RunView {
    /// The environment.
    pub environment: String,
    /// The branch.
    pub branch: String,
    /// The commit, seven digits.
    pub commit: String,
    /// `running`, `held`, `succeeded`, `failed`, `needs_attention`, `superseded`, `cancelled`.
    pub stage: &'static str,
    /// One line: `Applied to production`, `Held: this is its first run`.
    pub title: String,
    /// What went wrong or what is waited for, if there is more to say.
    pub reason: String,
    /// Eight digits of the plan's digest.
    pub digest: Option<String>,
    /// `2 to create`, what is planned; `2 created` once it is done.
    pub changes: String,
    /// What is wrong with the configuration at the commit.
    pub errors: Vec<Finding>,
    /// What stands in the way of units, for a run that waits for it to be mended.
    pub conflicts: Vec<ConflictLine>,
    /// The diff lines of the whole plan, for a held run.
    pub plan: Vec<String>,
    /// Would happen and was not reviewed.
    pub extra: Vec<String>,
    /// Was reviewed and would not happen so.
    pub missing: Vec<String>,
    /// What was done, step by step; empty before anything was.
    pub steps: Vec<StepRow>,
    /// For a run that did not end well: the units that have something left to be done.
    pub undone: Vec<String>,
    /// Applied although nobody reviewed it, because the environment says so.
    pub unreviewed: Vec<String>,
    /// Units that were left out: unit and reason.
    pub left_out: Vec<(String, String)>,
    /// What a reader may want to do.
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

/// One step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StepRow {
    /// `done`, `failed`, `moved`, `unknown`, `skipped`.
    pub result: &'static str,
    /// What it changed.
    pub changes: Vec<String>,
    /// What the provider said.
    pub message: String,
}

/// Shapes a report.
#[must_use]
pub fn run(report: &RunReport) -> RunView {
    let digest = report.digest.as_ref().map(|digest| digest.short());
    let diffs = match (&report.stage, &report.plan) {
        (RunStage::Held(waiting), Some(plan)) => diffs(report, waiting, plan),
        _ => Diffs::default(),
    };
    RunView {
        environment: report.environment.to_string(),
        branch: report.branch.to_string(),
        commit: report.commit.short().to_owned(),
        stage: stage(&report.stage),
        title: title(report),
        reason: reason(report),
        changes: changes(report),
        errors: match &report.stage {
            RunStage::Invalid(found) => findings(found, Severity::Error),
            _ => Vec::new(),
        },
        conflicts: match &report.stage {
            RunStage::Held(Waiting::Conflicts) => report.plan.iter().flat_map(conflicts).collect(),
            _ => Vec::new(),
        },
        plan: diffs.plan,
        extra: diffs.extra,
        missing: diffs.missing,
        steps: report.steps.iter().map(step).collect(),
        undone: undone(report),
        unreviewed: report.unreviewed.iter().map(one_line).collect(),
        left_out: report.left_out.clone(),
        commands: commands(report, digest.as_deref()),
        digest,
    }
}

fn changes(report: &RunReport) -> String {
    let changes = report.plan.iter().flat_map(|plan| plan.changes());
    match report.stage {
        RunStage::Succeeded => counts_done(changes),
        _ => counts(changes),
    }
}

/// What a held run shows of its plan.
#[derive(Default)]
struct Diffs {
    plan: Vec<String>,
    extra: Vec<String>,
    missing: Vec<String>,
}

fn diffs(report: &RunReport, waiting: &Waiting, plan: &Plan) -> Diffs {
    let shown = Shown::new(plan, &report.legend);
    let (extra, missing) = match waiting {
        Waiting::Differs { extra, missing } => (shown.diff(extra), shown.diff(missing)),
        _ => (Vec::new(), Vec::new()),
    };
    Diffs { plan: shown.diff(plan.changes()), extra, missing }
}

/// `app/cloudflare_dns`: whoever brought one of several things to a run wants to know which failed.
fn undone(report: &RunReport) -> Vec<String> {
    let left = report.steps.iter().filter(|step| step.result != StepResult::Done);
    let units: BTreeSet<&UnitName> =
        left.flat_map(|step| &step.changes).map(|change| &change.unit).collect();
    units.into_iter().map(|unit| format!("{}/{}", unit.service, unit.kind)).collect()
}

fn stage(stage: &RunStage) -> &'static str {
    match stage {
        RunStage::Running => "running",
        RunStage::Held(_) => "held",
        RunStage::Succeeded => "succeeded",
        RunStage::Failed(_) | RunStage::Orphaned(_) | RunStage::Invalid(_) => "failed",
        RunStage::NeedsAttention(_) => "needs_attention",
        RunStage::Superseded(_) => "superseded",
        RunStage::Cancelled(_) => "cancelled",
    }
}

fn title(report: &RunReport) -> String {
    let name = &report.environment;
    let done = report.steps.iter().filter(|step| step.result == StepResult::Done).count();
    match &report.stage {
        RunStage::Running => format!("Applying to {name}"),
        RunStage::Held(waiting @ Waiting::Locked { .. }) => format!("{name} is {waiting}"),
        RunStage::Held(waiting) => format!("{name} waits: {waiting}"),
        RunStage::Succeeded => format!("Applied to {name}"),
        RunStage::Invalid(_) => format!("Nothing could be applied to {name}"),
        RunStage::Failed(_) | RunStage::Orphaned(_) if report.steps.is_empty() => {
            format!("Nothing could be applied to {name}")
        }
        RunStage::Failed(_) | RunStage::Orphaned(_) => {
            format!(
                "Not all of it could be applied to {name}: {} of {} done",
                done,
                plural(report.steps.len(), "step", "steps")
            )
        }
        RunStage::NeedsAttention(_) => {
            format!("{name} needs a look: what became of a step is not known")
        }
        RunStage::Superseded(by) => format!("{name} goes on with {}", by.short()),
        RunStage::Cancelled(_) if report.steps.is_empty() => {
            format!("The run on {name} was cancelled")
        }
        RunStage::Cancelled(_) => {
            let all = plural(report.steps.len(), "step", "steps");
            format!("The run on {name} was cancelled: {done} of {all} done")
        }
    }
}

/// What the steps do not say themselves.
fn reason(report: &RunReport) -> String {
    let said = |why: &String| report.steps.iter().any(|one| step(one).message == *why);
    match &report.stage {
        RunStage::Failed(why) | RunStage::NeedsAttention(why) if said(why) => String::new(),
        RunStage::Failed(why)
        | RunStage::Orphaned(why)
        | RunStage::NeedsAttention(why)
        | RunStage::Cancelled(why) => why.clone(),
        RunStage::Held(waiting) => {
            waiting.violations().iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
        }
        _ => String::new(),
    }
}

fn step(step: &StepReport) -> StepRow {
    let (result, message) = match &step.result {
        StepResult::Done => ("done", ""),
        StepResult::Failed(message) => ("failed", message.as_str()),
        StepResult::Moved(message) => ("moved", message.as_str()),
        StepResult::Unknown(message) => ("unknown", message.as_str()),
        StepResult::Skipped => ("skipped", ""),
    };
    StepRow {
        result,
        changes: step.changes.iter().map(one_line).collect(),
        message: message.to_owned(),
    }
}

fn commands(report: &RunReport, digest: Option<&str>) -> Vec<SuggestedCommand> {
    let name = &report.environment;
    let command = |command: String, does: &str| SuggestedCommand { command, does: does.to_owned() };
    let drop = || command(format!("/cancel {name}"), "drops this run");
    match &report.stage {
        RunStage::Held(Waiting::Locked { .. }) => vec![
            command(format!("/unlock {name}"), "takes the lock off, and the run goes on"),
            drop(),
        ],
        RunStage::Held(waiting) if !waiting.ends_by_a_word() => vec![drop()],
        RunStage::Held(_) => vec![
            command(
                format!("/apply {name} {}", digest.unwrap_or_default()),
                "applies exactly what is shown here",
            ),
            drop(),
        ],
        RunStage::Failed(_) if report.steps.is_empty() => {
            vec![command(format!("/apply {name}"), "tries again")]
        }
        RunStage::Failed(_) => vec![command(format!("/apply {name}"), "tries what is left again")],
        RunStage::Cancelled(_) if !report.steps.is_empty() => {
            vec![command(format!("/apply {name}"), "does what is left")]
        }
        RunStage::NeedsAttention(_) => vec![
            command(format!("/apply {name}"), "looks again, and goes on where that settles it"),
            command(
                format!("/cancel {name}"),
                "drops this run: what is not known stays as it is, so look yourself first",
            ),
        ],
        _ => Vec::new(),
    }
}

//! Plans of a working copy as a document: coloured text, the Markdown of the comment, or JSON.
//!
//! Text and Markdown are made of the view that the comment on a pull request is made of.

use landfall_core::diagnostic::Diagnostic;
use landfall_core::plan::{Digest, Plan};
use landfall_core::report::{EnvironmentReport, NextStep, PullOutcome};
use landfall_core::view::{self, PullView};
use serde_json::json;

use super::Ended;
use super::local::Ownership;
use super::terminal::json;
use crate::render::Templates;

mod text;

/// One environment.
#[derive(Debug)]
pub(super) struct Chapter {
    /// What is shown of it.
    pub(super) report: EnvironmentReport,
    pub(super) ownership: Ownership,
    /// The whole plan, where only a part of it is shown.
    pub(super) whole: Option<Whole>,
}

/// The plan that a part was taken of.
#[derive(Debug)]
pub(super) struct Whole {
    pub(super) digest: Digest,
    pub(super) changes: usize,
}

/// All environments that were asked for.
#[derive(Debug)]
pub(super) struct Document<'a> {
    pub(super) chapters: Vec<Chapter>,
    pub(super) warnings: &'a [Diagnostic],
}

impl Whole {
    pub(super) fn of(plan: &Plan) -> Self {
        Self { digest: plan.digest(), changes: plan.changes().count() }
    }
}

impl Chapter {
    /// What a reader has to know before the plan, a sentence or two each.
    fn notes(&self) -> Vec<String> {
        let EnvironmentReport { environment: name, plan: Ok(plan), .. } = &self.report else {
            return Vec::new();
        };
        let mut notes = Vec::new();
        if let Ownership::Unknown(why) = &self.ownership {
            notes.push(format!(
                "What Landfall owns in {name} is not known here ({why}), so this is planned as if it owned nothing: what exists shows as in the way, nothing as deleted. The comment on a pull request has the real plan."
            ));
        }
        if let Some(whole) = &self.whole {
            let (shown, all) = (plan.changes().count(), whole.changes);
            notes.push(format!(
                "Only a part of the plan for {name} is shown: {shown} of {all} changes of plan {}.",
                whole.digest.short()
            ));
        }
        notes
    }
}

impl Document<'_> {
    /// How a command ends that only showed it.
    pub(super) fn ended(&self) -> Ended {
        let plans = || self.chapters.iter().map(|chapter| &chapter.report.plan);
        match () {
            () if plans().any(Result::is_err) => Ended::Errors,
            () if plans().flatten().any(|plan| !plan.is_empty()) => Ended::Changes,
            () => Ended::Done,
        }
    }

    fn view(&self) -> PullView {
        let environments = self.chapters.iter().map(|chapter| chapter.report.clone()).collect();
        let planned = PullOutcome::Planned { warnings: self.warnings.to_vec(), environments };
        let mut view = view::outcome("working copy", &planned);
        for (row, chapter) in view.environments.iter_mut().zip(&self.chapters) {
            // The digest of a part names nothing that could be applied.
            if chapter.whole.is_some() {
                row.digest = None;
            }
        }
        view
    }

    /// As the comment on a pull request shows it.
    ///
    /// # Errors
    /// One of the operator's templates does not print.
    pub(super) fn markdown(&self, templates: &Templates) -> anyhow::Result<String> {
        let mut view = self.view();
        let notes: Vec<String> = self.chapters.iter().flat_map(Chapter::notes).collect();
        view.config_note = Some(notes.join(" ")).filter(|notes| !notes.is_empty());
        Ok(templates.document(&view)?.whole())
    }

    /// Everything, for programs.
    pub(super) fn json(&self) -> serde_json::Value {
        let environments: Vec<_> = self.chapters.iter().map(Chapter::json).collect();
        json!({ "warnings": self.warnings, "environments": environments })
    }

    /// [`Self::json`] as it is printed.
    pub(super) fn json_text(&self) -> String {
        json(&self.json())
    }
}

impl Chapter {
    fn json(&self) -> serde_json::Value {
        let EnvironmentReport {
            environment,
            branch,
            plan,
            legend: _,
            next: _,
            ways,
            exposure,
            violations,
            // It asks providers, so there is a plan or a failure.
            declares: _,
        } = &self.report;
        let whole = self.whole.as_ref().map(|whole| whole.digest);
        let digest = whole.or_else(|| plan.as_ref().ok().map(Plan::digest));
        json!({
            "environment": environment,
            "branch": branch,
            "ownership": match &self.ownership {
                Ownership::Known => "known",
                Ownership::Unknown(_) => "unknown",
            },
            "part": self.whole.is_some(),
            "digest": digest,
            "plan": plan.as_ref().ok(),
            "failure": plan.as_ref().err(),
            "ways": ways,
            "opens": exposure.opens,
            "closes": exposure.closes,
            "violations": violations.iter().map(ToString::to_string).collect::<Vec<_>>(),
        })
    }

    /// What to do next, as text. Why a provider could not be asked says that by itself.
    fn next(&self) -> Option<String> {
        let EnvironmentReport { environment: name, branch, plan, next, .. } = &self.report;
        let digest = plan.as_ref().ok()?.digest().short();
        Some(match (next, &self.whole) {
            (NextStep::Nothing, _) => return None,
            (NextStep::CommandLine, None) => {
                format!("next: landfall apply --env {name} --digest {digest}")
            }
            (NextStep::CommandLine, Some(_)) => {
                format!("next: landfall apply --env {name} applies the whole plan")
            }
            (NextStep::Mend, _) => {
                format!("{name} cannot be applied until what is listed above is mended")
            }
            _ => {
                let branch = branch.as_ref().map(ToString::to_string).unwrap_or_default();
                format!("{name} follows {branch}: it is applied once this is merged there")
            }
        })
    }
}

//! From a working copy to a run that ended: settle what was left, plan, confirm, carry out.

use landfall_core::config::Environment;
use landfall_core::coverage::Past;
use landfall_core::plan::Plan;
use landfall_core::report::{EnvironmentReport, NextStep};
use landfall_core::view::one_line;
use landfall_store::ClaimedJob;

use super::ask::{Answer, ask};
use super::carry::Carrying;
use super::told::{Telling, Told};
use super::{Confirmation, Ended, Local};
use crate::cli::choose::Part;
use crate::cli::document::{Chapter, Document};
use crate::cli::local::{Ownership, WORKING_COPY};
use crate::cli::survey::{View, unsettled};
use crate::cli::terminal::{Format, Progress};
use crate::flow::resolve::resolve;
use crate::gather::Declared;
use crate::gather::facts::Place;
use crate::house::Tools;

/// One `landfall apply` on its way.
pub(super) struct Course<'a> {
    pub(super) local: &'a Local,
    pub(super) tools: Tools<'a>,
    pub(super) declared: &'a Declared,
    pub(super) environment: &'a Environment,
    pub(super) job: &'a ClaimedJob,
    pub(super) confirmation: Confirmation,
    pub(super) format: Format,
    /// What is applied, in words.
    pub(super) from: String,
    pub(super) progress: Progress,
}

impl Course<'_> {
    pub(super) async fn go(&self) -> anyhow::Result<Ended> {
        let sessions = self.local.sessions(self.environment, WORKING_COPY);
        let environment = self.environment;
        let place = Place {
            tools: self.tools,
            repository: WORKING_COPY,
            environment,
            earlier: None,
            past: Past::Known,
        };
        let view = View { place, sessions: &sessions, tree: &self.declared.tree };
        self.settle(&view).await?;
        self.progress.say(&format!("asking what lives in {}", environment.name));
        let (located, pending) = view.locate().await?.map_err(|why| self.unreachable(&why))?;
        let survey = view.survey(&located, &pending).await?;
        let survey = survey.map_err(|why| self.unreachable(&why))?;
        let mut report = view.report(&survey, &Part::default()).await?;
        // What comes next is told at the end.
        report.next = NextStep::Nothing;
        self.progress.clear();
        let violated = !report.violations.is_empty();
        let telling = Telling { course: self, document: self.document(report) };
        telling.plan()?;
        if pending.is_empty() {
            return telling.end(&Told::Nothing);
        }
        if survey.plan.conflicts().next().is_some() || violated {
            return telling.end(&Told::Refused);
        }
        if let Answer::No(why) = self.confirmed(&survey.plan).await? {
            return telling.end(&Told::Unconfirmed(why));
        }
        let carrying = Carrying { course: self, view: &view, located: &located, pending: &pending };
        let (steps, stage) = carrying.carry_out(&survey.plan).await?;
        self.progress.clear();
        telling.end(&Told::Ended { steps, stage })
    }

    fn document(&self, report: EnvironmentReport) -> Document<'_> {
        let chapter = Chapter { report, ownership: Ownership::Known, whole: None };
        Document { chapters: vec![chapter], warnings: &self.declared.tree.warnings }
    }

    /// Finds out what became of steps of an earlier command that was cut off.
    async fn settle(&self, view: &View<'_>) -> anyhow::Result<()> {
        loop {
            self.progress.say("looking for steps that were cut off");
            let left = resolve(&view.place, &self.job.fence, view.sessions).await?;
            if let Some(wait) = left.wait {
                let seconds = wait.as_secs() + 1;
                self.progress.say(&format!(
                    "a request of an earlier run may still be on its way; waiting {seconds} s"
                ));
                tokio::time::sleep(wait).await;
                continue;
            }
            let Some(step) = left.attention.first() else { return Ok(()) };
            let changes: Vec<String> = step.effect.changes.iter().map(one_line).collect();
            let why = self.tools.redactor.redact(&unsettled(step)).into_owned();
            anyhow::bail!(
                "{why}\n  {}\nhelp: bring it at the provider to what it was before or to what was wanted, and apply again",
                changes.join("\n  ")
            );
        }
    }

    /// A plan in which nothing changes only makes a note of what is so already.
    async fn confirmed(&self, plan: &Plan) -> anyhow::Result<Answer> {
        if plan.changes().next().is_none() {
            return Ok(Answer::Yes);
        }
        ask(&self.confirmation, self.environment.name.as_str(), &plan.digest()).await
    }

    /// A provider that cannot be asked: nothing is known, so nothing is done.
    pub(super) fn unreachable(&self, why: &str) -> anyhow::Error {
        let why = self.tools.redactor.redact(why).into_owned();
        anyhow::anyhow!("{} cannot be planned: {why}", self.environment.name)
    }
}

//! What people are told of a `landfall apply`: the plan before it, the steps behind it.

use std::fmt::Write as _;

use landfall_core::markdown;
use landfall_core::report::{RunStage, StepReport, StepResult};
use landfall_core::view::one_line;
use serde_json::json;

use super::Ended;
use super::run::Course;
use crate::cli::document::Document;
use crate::cli::findings::many;
use crate::cli::terminal::{Format, Paint, Tone, harmless, json, print};

/// How it ended.
pub(super) enum Told {
    /// Everything is as it was applied last.
    Nothing,
    /// Something is in the way, or a guardrail is passed.
    Refused,
    /// Nobody gave their word for the plan, and why.
    Unconfirmed(String),
    /// It was carried out, with or without success.
    Ended { steps: Vec<StepReport>, stage: RunStage },
}

/// Tells it in the format that was asked for.
pub(super) struct Telling<'a> {
    pub(super) course: &'a Course<'a>,
    pub(super) document: Document<'a>,
}

impl Telling<'_> {
    /// Shows the plan. JSON is one document, so there it comes at the end.
    pub(super) fn plan(&self) -> anyhow::Result<()> {
        match self.course.format {
            Format::Text => self.print(&self.document.text(Paint::of_stdout())),
            Format::Markdown => {
                self.print(&self.document.markdown(&self.course.local.templates()?)?)
            }
            Format::Json => Ok(()),
        }
    }

    /// Shows the end, and says how the command ends.
    pub(super) fn end(&self, told: &Told) -> anyhow::Result<Ended> {
        match self.course.format {
            Format::Text => self.print(&self.text(told, Paint::of_stdout()))?,
            Format::Markdown => self.print(&markdown_of(told, &self.sentence(told)))?,
            Format::Json => self.print(&json(&json!({
                "result": told.word(),
                "reason": self.sentence(told),
                "plan": self.document.json(),
                "steps": told.steps(),
            })))?,
        }
        Ok(told.ended())
    }

    fn print(&self, text: &str) -> anyhow::Result<()> {
        print(self.course.tools.redactor, text)
    }

    fn text(&self, told: &Told, paint: Paint) -> String {
        let mut text = String::new();
        if matches!(told, Told::Nothing) {
            return text;
        }
        for step in told.steps() {
            let (word, message) = result(&step.result);
            let tone = if step.result == StepResult::Done { Tone::Comes } else { Tone::Goes };
            for change in &step.changes {
                let word = paint.tone(tone, format!("{word:8}"));
                let _ = writeln!(text, "  {word} {}", harmless(&one_line(change)));
            }
            if !message.is_empty() {
                let _ = writeln!(text, "           {}", paint.tone(tone, harmless(message)));
            }
        }
        let tone = if told.ended() == Ended::Done { Tone::Comes } else { Tone::Goes };
        format!("\n{text}{}\n", paint.tone(tone, harmless(&self.sentence(told))))
    }

    /// One line on how it ended.
    fn sentence(&self, told: &Told) -> String {
        let name = &self.course.environment.name;
        match told {
            Told::Nothing => format!("{name}: nothing to do"),
            Told::Refused => format!("{name}: nothing was applied; see what is in the way above"),
            Told::Unconfirmed(why) => format!("{name}: nothing was applied: {why}"),
            Told::Ended { steps, stage: RunStage::Succeeded } => {
                format!("{name}: applied in {}", many(steps.len(), "step"))
            }
            Told::Ended { steps, .. } => {
                let done = steps.iter().filter(|step| step.result == StepResult::Done).count();
                format!(
                    "{name}: {done} of {} done; what was done stays done, and applying again does the rest",
                    many(steps.len(), "step")
                )
            }
        }
    }
}

impl Told {
    fn ended(&self) -> Ended {
        match self {
            Self::Nothing | Self::Ended { stage: RunStage::Succeeded, .. } => Ended::Done,
            Self::Unconfirmed(_) => Ended::Changes,
            Self::Refused | Self::Ended { .. } => Ended::Errors,
        }
    }

    fn steps(&self) -> &[StepReport] {
        match self {
            Self::Ended { steps, .. } => steps,
            Self::Nothing | Self::Refused | Self::Unconfirmed(_) => &[],
        }
    }

    fn word(&self) -> &'static str {
        match self {
            Self::Nothing => "nothing_to_do",
            Self::Refused => "refused",
            Self::Unconfirmed(_) => "not_confirmed",
            Self::Ended { stage: RunStage::Succeeded, .. } => "applied",
            Self::Ended { stage: RunStage::NeedsAttention(_), .. } => "needs_attention",
            Self::Ended { .. } => "failed",
        }
    }
}

/// The word for a result, and what the provider said.
fn result(result: &StepResult) -> (&'static str, &str) {
    match result {
        StepResult::Done => ("done", ""),
        StepResult::Failed(message) => ("failed", message),
        StepResult::Moved(message) => ("moved", message),
        StepResult::Unknown(message) => ("unknown", message),
        StepResult::Skipped => ("skipped", ""),
    }
}

fn markdown_of(told: &Told, sentence: &str) -> String {
    let mut text = String::from("\n");
    for step in told.steps() {
        let (word, message) = result(&step.result);
        for change in &step.changes {
            let _ = writeln!(text, "- {word}: {}", markdown::code_span(&one_line(change)));
        }
        if !message.is_empty() {
            let _ = writeln!(text, "  {}", markdown::text(message));
        }
    }
    text + &format!("\n{}\n", markdown::text(sentence))
}

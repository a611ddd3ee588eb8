//! Rendering: views through the templates.
//!
//! The templates are built in; a folder can override any of them by name. Every value that came
//! from a repository or a provider passes a filter that escapes it for where it stands
//! (`landfall_core::markdown`); a test renders hostile values with every template and looks at the
//! structure.

use std::path::Path;

use jiff::Timestamp;
use landfall_core::command;
use landfall_core::markdown;
use landfall_core::name::{BranchName, EnvironmentName};
use landfall_core::report::{PullReport, RunReport};
use landfall_core::view::{self, PullView, ServiceSection};
use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{Environment, Value, context};
use serde::Serialize;

mod trial;

/// Sections with more lines than this are folded; smaller plans are read at a glance.
const OPEN_LINES: usize = 24;

const BUILT_IN: [(&str, &str); 12] = [
    ("pull-head.md", include_str!("../../../templates/comment/pull-head.md")),
    ("pull-section.md", include_str!("../../../templates/comment/pull-section.md")),
    ("pull-tail.md", include_str!("../../../templates/comment/pull-tail.md")),
    ("errors.md", include_str!("../../../templates/comment/errors.md")),
    ("run.md", include_str!("../../../templates/comment/run.md")),
    ("run-line.md", include_str!("../../../templates/comment/run-line.md")),
    ("help.md", include_str!("../../../templates/comment/help.md")),
    ("refused.md", include_str!("../../../templates/comment/refused.md")),
    ("closed.md", include_str!("../../../templates/comment/closed.md")),
    ("given-up.md", include_str!("../../../templates/comment/given-up.md")),
    ("status.md", include_str!("../../../templates/comment/status.md")),
    ("proposal.md", include_str!("../../../templates/comment/proposal.md")),
];

/// A document that may be spread over several comments, cut only between sections.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, serde::Deserialize)]
pub struct Document {
    /// What stands first in the first part.
    pub head: String,
    /// What may go to another part, each whole.
    pub sections: Vec<String>,
    /// What stands last in the last part.
    pub tail: String,
}

impl Document {
    /// A document that fits into one comment.
    #[must_use]
    pub fn of(text: String) -> Self {
        Self { head: text, sections: Vec::new(), tail: String::new() }
    }

    /// The document in one piece.
    #[must_use]
    pub fn whole(&self) -> String {
        let parts = [&self.head].into_iter().chain(&self.sections).chain([&self.tail]);
        let parts: Vec<&str> =
            parts.map(|part| part.trim_end()).filter(|part| !part.is_empty()).collect();
        parts.join("\n\n") + "\n"
    }
}

/// One environment's line of `/status`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StatusRow {
    /// The environment.
    pub name: String,
    /// The commit that is live, seven digits.
    pub live: Option<String>,
    /// What waits, in words; empty when nothing does.
    pub waits: String,
}

/// The templates, ready to print.
#[derive(Debug)]
pub struct Templates {
    environment: Environment<'static>,
}

impl Templates {
    /// The built-in templates, with those of `folder` in place of the ones they are named after.
    ///
    /// # Errors
    /// A template of the folder does not parse; the message names it.
    pub fn load(folder: Option<&Path>) -> anyhow::Result<Self> {
        let mut environment = Environment::new();
        let syntax = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build()?;
        environment.set_syntax(syntax);
        environment.set_undefined_behavior(minijinja::UndefinedBehavior::Strict);
        add_filters(&mut environment);
        for (name, built_in) in BUILT_IN {
            let path = folder
                .map(|folder| folder.join("comment").join(name))
                .filter(|path| path.is_file());
            let text = match path {
                Some(path) => std::fs::read_to_string(path)?,
                None => built_in.to_owned(),
            };
            environment.add_template_owned(name, text)?;
        }
        Ok(Self { environment })
    }

    /// The comment on a pull request.
    ///
    /// # Errors
    /// An overriding template asks for something that is not there.
    pub fn pull(&self, report: &PullReport) -> anyhow::Result<Document> {
        self.document(&view::pull(report))
    }

    /// The same document of a view that was shaped already.
    ///
    /// # Errors
    /// As [`Self::pull`].
    pub fn document(&self, view: &PullView) -> anyhow::Result<Document> {
        let head = self.print("pull-head.md", Value::from(Serde(view)))?;
        let tail = self.print("pull-tail.md", Value::from(Serde(view)))?;
        let lines: usize = view.sections.iter().map(lines).sum();
        let open = lines <= OPEN_LINES;
        let sections = view
            .sections
            .iter()
            .map(|section| self.section(section, section.opened.unwrap_or(open)));
        Ok(Document { head, sections: sections.collect::<anyhow::Result<_>>()?, tail })
    }

    fn section(&self, section: &ServiceSection, open: bool) -> anyhow::Result<String> {
        let blocks = section.components.iter().flat_map(|(kind, lines)| {
            std::iter::once(format!("@@ {kind} @@")).chain(lines.iter().cloned())
        });
        let lines: Vec<String> = blocks.collect();
        self.print("pull-section.md", context! { open, lines, ..Value::from(Serde(section)) })
    }

    /// What is said about a run.
    ///
    /// # Errors
    /// As [`Self::pull`].
    pub fn run(&self, report: &RunReport) -> anyhow::Result<Document> {
        self.run_said_on(report, None)
    }

    /// The same for a run that no pull request brings: it says where commands for it can be given.
    ///
    /// # Errors
    /// As [`Self::pull`].
    pub fn run_alone(&self, report: &RunReport) -> anyhow::Result<Document> {
        self.run_said_on(report, Some(&report.branch))
    }

    /// `merged_into` is where the pull requests were merged on which people can command, if that has to
    /// be said.
    fn run_said_on(
        &self,
        report: &RunReport,
        merged_into: Option<&BranchName>,
    ) -> anyhow::Result<Document> {
        let merged_into = merged_into.map(BranchName::as_str);
        let run = Value::from(Serde(view::run(report)));
        let head = self.print("run.md", context! { merged_into, ..run })?;
        Ok(Document::of(head))
    }

    /// One line about a run, for the comment on its pull request. `part` is what is that pull
    /// request's own of it, in words, where others have their part in it.
    ///
    /// # Errors
    /// As [`Self::pull`].
    pub fn run_line(&self, report: &RunReport, part: Option<&str>) -> anyhow::Result<String> {
        let run = Value::from(Serde(view::run(report)));
        self.print("run-line.md", context! { part, ..run })
    }

    /// The list of commands, which `login` asked for.
    ///
    /// # Errors
    /// As [`Self::pull`].
    pub fn help(&self, login: &str) -> anyhow::Result<String> {
        let line = |usage: command::Usage| {
            context! { form => usage.form, does => usage.does, example => usage.example }
        };
        let commands: Vec<_> = command::usages().map(line).collect();
        self.print("help.md", context! { login, commands })
    }

    /// Why a command was not carried out.
    ///
    /// # Errors
    /// As [`Self::pull`].
    pub fn refused(
        &self,
        login: &str,
        command: &str,
        why: &str,
        help: Option<&str>,
    ) -> anyhow::Result<String> {
        self.print("refused.md", context! { login, command, why, help })
    }

    /// That work on a pull request is not tried again by itself.
    ///
    /// # Errors
    /// As [`Self::pull`].
    pub fn given_up(&self, attempts: u32, why: &str) -> anyhow::Result<String> {
        self.print("given-up.md", context! { attempts, why })
    }

    /// That a pull request was closed without being merged, and what was unlocked by that.
    ///
    /// # Errors
    /// As [`Self::pull`].
    pub fn closed(&self, unlocked: &[&EnvironmentName]) -> anyhow::Result<String> {
        self.print("closed.md", context! { unlocked => Serde(unlocked) })
    }

    /// What was live and what waited when `login` asked for it.
    ///
    /// # Errors
    /// As [`Self::pull`].
    pub fn status(
        &self,
        login: &str,
        at: Timestamp,
        environments: &[StatusRow],
    ) -> anyhow::Result<String> {
        let at = at.strftime("%Y-%m-%d %H:%M UTC").to_string();
        let environments = Value::from(Serde(environments));
        self.print("status.md", context! { login, at, environments })
    }

    /// The issue in a repository that has no rules: a first `landfall.yaml` for its default branch.
    ///
    /// # Errors
    /// As [`Self::pull`].
    pub fn proposal(&self, default: &str, file: &str) -> anyhow::Result<String> {
        self.print("proposal.md", context! { default, file })
    }

    fn print(&self, name: &str, context: Value) -> anyhow::Result<String> {
        let text = self.environment.get_template(name)?.render(context)?;
        Ok(without_gaps(&text))
    }
}

fn lines(section: &ServiceSection) -> usize {
    section.components.iter().map(|(_, lines)| lines.len() + 1).sum()
}

fn add_filters(environment: &mut Environment<'static>) {
    environment.add_filter("code", |value: &str| markdown::code_span(value));
    environment.add_filter("text", |value: &str| markdown::text(value));
    environment.add_filter("cell", |value: &str| markdown::cell(value));
    environment.add_filter("yaml", |text: &str| markdown::fence("yaml", text));
    environment.add_filter("diff", |lines: Vec<String>| markdown::diff(&lines));
    environment.add_filter("strong", |value: &str| format!("**{}**", markdown::text(value)));
    environment.add_filter("bold", |value: &str| format!("<b>{}</b>", markdown::html(value)));
    environment.add_filter("prose", |value: &str| markdown::prose(value));
    environment.add_filter("rest", |value: &str| markdown::rest(value));
    environment.add_filter("counted", |count: usize, one: &str, many: &str| {
        format!("{count} {}", if count == 1 { one } else { many })
    });
}

/// At most one empty line between two others, none at the beginning, one line end at the end:
/// what templates with conditions leave behind. Inside a fence every line stays as it is.
fn without_gaps(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut fence: Option<&str> = None;
    let mut gap = false;
    for line in text.lines() {
        let run = &line[..line.len() - line.trim_start_matches('`').len()];
        match fence {
            Some(open) if line.trim_end() == open => fence = None,
            None if run.len() >= 3 => fence = Some(run),
            None if line.trim().is_empty() => {
                gap = !out.is_empty();
                continue;
            }
            _ => {}
        }
        if std::mem::take(&mut gap) {
            out.push('\n');
        }
        out.push_str(line);
        out.push('\n');
    }
    out
}

#[cfg(test)]
mod tests;

//! The document as text for a terminal: environment by environment, service by service.

use std::fmt::Write as _;

use landfall_core::view::{ConflictLine, EnvironmentRow, HopView, PullView, ServiceSection};

use super::{Chapter, Document};
use crate::cli::terminal::{Paint, Tone, harmless};

impl Document<'_> {
    /// The document as text.
    pub(in crate::cli) fn text(&self, paint: Paint) -> String {
        let view = self.view();
        let rows = view.environments.iter().zip(&self.chapters);
        let chapters = rows.map(|(row, chapter)| {
            let mut page = Page { paint, text: String::new() };
            page.chapter(&view, row, chapter);
            page.text
        });
        chapters.collect::<Vec<_>>().join("\n")
    }
}

struct Page {
    paint: Paint,
    text: String,
}

impl Page {
    fn chapter(&mut self, view: &PullView, row: &EnvironmentRow, chapter: &Chapter) {
        self.title(row);
        for note in chapter.notes() {
            self.line(2, Tone::Warning, &format!("note: {note}"));
        }
        if let Some(failure) = &row.failure {
            self.line(2, Tone::Goes, failure);
        }
        for conflict in &row.conflicts {
            self.conflict(conflict);
        }
        for violation in &row.violations {
            self.line(2, Tone::Goes, &format!("a guardrail is passed: {violation}"));
        }
        for section in view.sections.iter().filter(|section| section.environment == row.name) {
            self.section(section);
        }
        let here = |(_, environment): &&(String, String)| *environment == row.name;
        let mut exposed = false;
        for (name, _) in view.opens.iter().filter(here) {
            exposed = self.exposed(exposed, Tone::Changes, &format!("becomes public: {name}"));
        }
        for (name, _) in view.closes.iter().filter(here) {
            exposed = self.exposed(exposed, Tone::Goes, &format!("stops being reachable: {name}"));
        }
        if let Some(next) = chapter.next() {
            self.text.push('\n');
            self.line(2, Tone::Aside, &next);
        }
    }

    fn title(&mut self, row: &EnvironmentRow) {
        let name = self.paint.tone(Tone::Title, &row.name);
        let digest = row.digest.as_ref().map(|digest| format!("  (plan {digest})"));
        let digest = self.paint.tone(Tone::Aside, digest.unwrap_or_default());
        let _ = writeln!(self.text, "{name}: {}{digest}", harmless(&row.changes));
        for container in &row.containers {
            self.line(2, Tone::Comes, &format!("{container} will be created"));
        }
    }

    fn conflict(&mut self, conflict: &ConflictLine) {
        let ConflictLine { unit, message, help } = conflict;
        self.line(2, Tone::Goes, &format!("in the way of {unit}: {message}"));
        if let Some(help) = help {
            self.line(4, Tone::Aside, help);
        }
    }

    fn section(&mut self, section: &ServiceSection) {
        let name = self.paint.tone(Tone::Title, harmless(&section.service));
        let _ = writeln!(self.text, "\n  {name}: {}", section.changes);
        for (kind, lines) in &section.components {
            self.line(4, Tone::Aside, kind);
            for line in lines {
                let tone = match line.as_bytes().first() {
                    Some(b'+') => Tone::Comes,
                    Some(b'-') => Tone::Goes,
                    _ => Tone::Changes,
                };
                self.line(6, tone, line);
            }
        }
        for way in &section.ways {
            let hop = |HopView { label, mark }: &HopView| match mark.is_empty() {
                true => label.clone(),
                false => format!("{label} ({mark})"),
            };
            let hops: Vec<String> = way.iter().map(hop).collect();
            self.line(4, Tone::Aside, &hops.join(" → "));
        }
    }

    /// One of the lines on what becomes or stops being public; the first with a gap before it.
    fn exposed(&mut self, exposed: bool, tone: Tone, line: &str) -> bool {
        if !exposed {
            self.text.push('\n');
        }
        self.line(2, tone, line);
        true
    }

    fn line(&mut self, indent: usize, tone: Tone, line: &str) {
        let line = self.paint.tone(tone, harmless(line));
        let _ = writeln!(self.text, "{:indent$}{line}", "");
    }
}

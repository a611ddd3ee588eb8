//! Telling: what the demo prints while it goes on. Comments are shown as they were posted; on a
//! terminal what comes and goes has its colour. For machines nothing is told before the summary.

use landfall_os::redact::Redactor;

use crate::cli::sim::Format;
use crate::cli::terminal::{Paint, Progress, Tone, harmless, print};

/// Who tells.
#[derive(Debug)]
pub(super) struct Teller {
    format: Format,
    paint: Paint,
    progress: Progress,
    redactor: Redactor,
}

impl Teller {
    pub(super) fn new(format: Format, redactor: Redactor) -> Self {
        Self { format, paint: Paint::of_stdout(), progress: Progress::begin(), redactor }
    }

    /// A new scene.
    pub(super) fn heading(&self, text: &str) -> anyhow::Result<()> {
        self.line(&format!("\n{}", self.paint.tone(Tone::Title, format!("── {text}"))))
    }

    /// What happens.
    pub(super) fn line(&self, text: &str) -> anyhow::Result<()> {
        self.progress.clear();
        match self.format {
            Format::Text => print(&self.redactor, &format!("{text}\n")),
            Format::Json => Ok(()),
        }
    }

    /// What somebody wrote on a pull request, with a line at its side.
    pub(super) fn comment(&self, author: &str, body: &str) -> anyhow::Result<()> {
        let bar = self.paint.tone(Tone::Aside, "│");
        let author = self.paint.tone(Tone::Aside, format!("{author} comments:"));
        // The first line of ours is a marker that nobody sees.
        let body = body.lines().filter(|line| !line.starts_with("<!-- landfall:"));
        let mut told = format!("\n{bar} {author}\n");
        let mut in_diff = false;
        for line in body {
            let fence = line.starts_with("```");
            in_diff = if fence { line.starts_with("```diff") } else { in_diff };
            let line = if in_diff && !fence { self.diff(line) } else { harmless(line) };
            told += &format!("{bar} {line}\n");
        }
        self.line(told.trim_end())
    }

    /// A list below a sentence.
    pub(super) fn list(&self, sentence: &str, lines: &[String]) -> anyhow::Result<()> {
        let lines: String = lines.iter().map(|line| format!("\n  {}", harmless(line))).collect();
        self.line(&format!("\n{sentence}{lines}"))
    }

    /// What is waited for; gone with the next line.
    pub(super) fn waits(&self, what: &str) {
        self.progress.say(&format!("waiting for {what}"));
    }

    /// The summary, after which nothing is told.
    pub(super) fn end(self, text: &str) -> anyhow::Result<()> {
        self.progress.clear();
        print(&self.redactor, text)
    }

    fn diff(&self, line: &str) -> String {
        let tone = match line.chars().next() {
            Some('+') => Tone::Comes,
            Some('-') => Tone::Goes,
            Some('!') => Tone::Changes,
            _ => Tone::Aside,
        };
        self.paint.tone(tone, harmless(line))
    }
}

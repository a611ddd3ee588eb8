//! What the doctor found, and how it reads: a line for each finding, and under it how to mend it.

use std::fmt;

use serde_json::{Value, json};

use super::super::terminal::{Paint, Tone, harmless};

/// How wide the column of topics is: the longest and a space.
const TOPICS: usize = 14;

/// How something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mark {
    /// As it should be.
    Fine,
    /// It works, and somebody should look at it.
    Warning,
    /// It has to be mended.
    Fault,
    /// It was not looked at, or only a person can judge it.
    Unknown,
}

impl Mark {
    fn sign(self) -> &'static str {
        match self {
            Self::Fine => "✓",
            Self::Warning => "!",
            Self::Fault => "✗",
            Self::Unknown => "·",
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Fine => "fine",
            Self::Warning => "warning",
            Self::Fault => "error",
            Self::Unknown => "unknown",
        }
    }

    fn tone(self) -> Tone {
        match self {
            Self::Fine => Tone::Comes,
            Self::Warning => Tone::Warning,
            Self::Fault => Tone::Goes,
            Self::Unknown => Tone::Aside,
        }
    }
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Finding {
    mark: Mark,
    topic: &'static str,
    said: String,
    mend: Option<String>,
}

impl Finding {
    pub(super) fn fine(topic: &'static str, said: impl fmt::Display) -> Self {
        Self { mark: Mark::Fine, topic, said: said.to_string(), mend: None }
    }

    pub(super) fn unknown(topic: &'static str, said: impl fmt::Display) -> Self {
        Self { mark: Mark::Unknown, topic, said: said.to_string(), mend: None }
    }

    pub(super) fn warning(
        topic: &'static str,
        said: impl fmt::Display,
        mend: impl fmt::Display,
    ) -> Self {
        let (said, mend) = (said.to_string(), Some(mend.to_string()));
        Self { mark: Mark::Warning, topic, said, mend }
    }

    pub(super) fn fault(
        topic: &'static str,
        said: impl fmt::Display,
        mend: impl fmt::Display,
    ) -> Self {
        Self { mark: Mark::Fault, ..Self::warning(topic, said, mend) }
    }

    pub(super) fn is_fault(&self) -> bool {
        self.mark == Mark::Fault
    }

    fn line(&self, paint: Paint) -> String {
        let Self { mark, topic, said, mend } = self;
        let sign = paint.tone(mark.tone(), mark.sign());
        let first = format!("{sign} {topic:<TOPICS$}{}\n", harmless(said));
        let mend = mend.as_deref().map(|mend| {
            let mend = paint.tone(Tone::Aside, format!("→ {}", harmless(mend)));
            format!("{:width$}{mend}\n", "", width = TOPICS + 2)
        });
        first + &mend.unwrap_or_default()
    }

    fn document(&self) -> Value {
        let Self { mark, topic, said, mend } = self;
        json!({ "mark": mark.word(), "topic": topic, "said": said, "mend": mend })
    }
}

/// All that was found, in the order in which it was looked at.
#[derive(Debug, Default)]
pub(super) struct Report(Vec<Finding>);

impl Report {
    pub(super) fn add(&mut self, findings: Vec<Finding>) {
        self.0.extend(findings);
    }

    pub(super) fn has_faults(&self) -> bool {
        self.count(Mark::Fault) > 0
    }

    fn count(&self, mark: Mark) -> usize {
        self.0.iter().filter(|finding| finding.mark == mark).count()
    }

    /// For people, ended by a summary.
    pub(super) fn text(&self, paint: Paint) -> String {
        let lines: String = self.0.iter().map(|finding| finding.line(paint)).collect();
        format!("{lines}\n{}\n", self.summary(paint))
    }

    fn summary(&self, paint: Paint) -> String {
        let counted = |count: usize, one: &str| match count {
            1 => format!("1 {one}"),
            _ => format!("{count} {one}s"),
        };
        let (faults, warnings) = (self.count(Mark::Fault), self.count(Mark::Warning));
        match (faults, warnings) {
            (0, 0) => paint.tone(Tone::Comes, "Nothing has to be mended."),
            (0, _) => {
                let text = format!("Nothing has to be mended; {}.", counted(warnings, "warning"));
                paint.tone(Tone::Changes, text)
            }
            (_, 0) => paint.tone(Tone::Goes, format!("{}.", counted(faults, "error"))),
            (_, _) => {
                let (faults, warnings) = (counted(faults, "error"), counted(warnings, "warning"));
                paint.tone(Tone::Goes, format!("{faults}, {warnings}."))
            }
        }
    }

    /// For programs.
    pub(super) fn document(&self) -> Value {
        let findings: Vec<Value> = self.0.iter().map(Finding::document).collect();
        json!({
            "errors": self.count(Mark::Fault),
            "warnings": self.count(Mark::Warning),
            "findings": findings,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_came_from_elsewhere_moves_no_cursor_and_colour_is_for_terminals() {
        let mut report = Report::default();
        report.add(vec![Finding::fault("App", "GitHub says \u{1b}[2J", "ask\nagain")]);
        let plain = report.text(Paint::Plain);
        assert!(!plain.contains('\u{1b}'), "{plain}");
        assert_eq!(plain.lines().count(), 4, "{plain}");
        assert!(report.text(Paint::Coloured).contains('\u{1b}'));
    }

    #[test]
    fn only_faults_have_to_be_mended() {
        let mut report = Report::default();
        report.add(vec![Finding::fine("git", "2.47.3"), Finding::warning("disk", "full", "buy")]);
        assert!(!report.has_faults());
        assert!(report.text(Paint::Plain).ends_with("Nothing has to be mended; 1 warning.\n"));
    }
}

//! What commands write to: text to standard output, a progress line to standard error.
//!
//! Colour and progress are for a terminal alone, and `NO_COLOR` is obeyed (no-color.org). What came
//! from a repository or a provider is made harmless by whoever words it ([`harmless`]), and
//! everything passes the redactor.

use std::fmt;
use std::io::{self, ErrorKind, IsTerminal, Write as _};

use anstyle::{AnsiColor, Effects, Style};
use clap::ValueEnum;
use landfall_core::markdown;
use landfall_os::redact::Redactor;

/// What a command prints: for people at a terminal, for a comment or a wiki, for programs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    #[default]
    Text,
    Markdown,
    Json,
}

/// Whether what is written is coloured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Paint {
    Coloured,
    Plain,
}

/// What a piece of text is, and so how it is coloured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tone {
    Title,
    Comes,
    Goes,
    Changes,
    Warning,
    Aside,
}

impl Paint {
    /// As it fits standard output.
    pub(super) fn of_stdout() -> Self {
        Self::of(&io::stdout())
    }

    /// As it fits standard error.
    pub(super) fn of_stderr() -> Self {
        Self::of(&io::stderr())
    }

    fn of(stream: &impl IsTerminal) -> Self {
        let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        match stream.is_terminal() && !set("NO_COLOR") && !is_dumb() {
            true => Self::Coloured,
            false => Self::Plain,
        }
    }

    /// `text` in its colour.
    pub(super) fn tone(self, tone: Tone, text: impl fmt::Display) -> String {
        let text = text.to_string();
        let colour = |colour: AnsiColor| colour.on_default();
        let style = match tone {
            _ if self == Self::Plain => return text,
            Tone::Title => Style::new().effects(Effects::BOLD),
            Tone::Comes => colour(AnsiColor::Green),
            Tone::Goes => colour(AnsiColor::Red),
            Tone::Changes => colour(AnsiColor::Yellow),
            Tone::Warning => colour(AnsiColor::Yellow).effects(Effects::BOLD),
            Tone::Aside => Style::new().effects(Effects::DIMMED),
        };
        if text.is_empty() { text } else { format!("{style}{text}{style:#}") }
    }
}

fn is_dumb() -> bool {
    std::env::var_os("TERM").is_some_and(|term| term == "dumb")
}

/// Foreign text as a part of a line: it cannot move the cursor, colour or hide anything.
pub(super) fn harmless(text: &str) -> String {
    markdown::terminal(text)
}

/// Writes to standard output, through the redactor. A reader that has seen enough (`| head`) is no
/// error.
pub(super) fn print(redactor: &Redactor, text: &str) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    let text = redactor.redact(text);
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

/// JSON as it is printed: indented, and ended by a line end.
pub(super) fn json(value: &serde_json::Value) -> String {
    format!("{value:#}\n")
}

/// One line on a terminal that says what is being waited for, and is gone when it is there.
#[derive(Debug)]
pub(super) struct Progress {
    shown: bool,
}

impl Progress {
    /// Nothing is said where nobody watches.
    pub(super) fn begin() -> Self {
        Self { shown: io::stderr().is_terminal() && !is_dumb() }
    }

    /// Says what is being done now.
    pub(super) fn say(&self, what: &str) {
        if self.shown {
            // A terminal that is gone is nobody's loss.
            let _ = write!(io::stderr(), "\r\x1b[2K{}…", harmless(what));
            let _ = io::stderr().flush();
        }
    }

    /// Takes the line away.
    pub(super) fn clear(&self) {
        if self.shown {
            let _ = write!(io::stderr(), "\r\x1b[2K");
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_text_carries_no_escape_and_foreign_text_never_does() {
        assert_eq!(Paint::Plain.tone(Tone::Goes, "gone"), "gone");
        assert!(Paint::Coloured.tone(Tone::Goes, "gone").contains('\u{1b}'));
        assert_eq!(harmless("a\u{1b}[2Jb\u{202e}"), "a\\u{1b}[2Jb\\u{202e}");
    }
}

//! What is wrong with a file, where, and what would be right.
//!
//! A diagnostic becomes a check-run annotation, a line in a comment, or a snippet on a terminal.
//! The rendering is elsewhere; this is the data. Every error has a code that is documented and
//! has a fixture.

use std::fmt;
use std::sync::Arc;

use serde::Serialize;

mod codes;

pub use codes::CODES;

/// A place in a file. Lines and columns count from 1; columns count characters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Span {
    /// The file's path inside the repository.
    pub file: Arc<str>,
    /// Where it begins.
    pub start: Position,
    /// Where it ends, one behind the last character.
    pub end: Position,
}

/// A position in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Position {
    /// The line, from 1.
    pub line: u32,
    /// The column in characters, from 1.
    pub column: u32,
}

impl Position {
    /// The first character of a text.
    pub const START: Self = Self { line: 1, column: 1 };

    /// The position right behind the last character of `text`.
    #[must_use]
    pub fn behind(text: &str) -> Self {
        let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX).saturating_add(1);
        let last = text.rsplit('\n').next().unwrap_or_default();
        Self { line: count(text.matches('\n').count()), column: count(last.chars().count()) }
    }
}

impl Span {
    /// The place from `start` to `end` in `file`.
    #[must_use]
    pub fn new(file: &Arc<str>, start: Position, end: Position) -> Self {
        Self { file: Arc::clone(file), start, end }
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.start.line, self.start.column)
    }
}

/// How much it matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// No plan is made.
    Error,
    /// The plan is made and the warning stands above it.
    Warning,
}

/// One finding about the configuration.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Diagnostic {
    /// The documented code: `unknown-key`, `name-declared-twice`.
    pub code: &'static str,
    /// Whether it stops the plan.
    pub severity: Severity,
    /// Where it is.
    pub span: Span,
    /// What is wrong, one sentence without a full stop.
    pub message: String,
    /// What would be right.
    pub help: Option<String>,
    /// Other places that belong to it, with what they are.
    pub related: Vec<(Span, String)>,
}

impl Diagnostic {
    /// An error.
    pub fn error(code: &'static str, span: Span, message: impl Into<String>) -> Self {
        Self::new(code, Severity::Error, span, message.into())
    }

    /// A warning.
    pub fn warning(code: &'static str, span: Span, message: impl Into<String>) -> Self {
        Self::new(code, Severity::Warning, span, message.into())
    }

    fn new(code: &'static str, severity: Severity, span: Span, message: String) -> Self {
        Self { code, severity, span, message, help: None, related: Vec::new() }
    }

    /// Adds what would be right.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Adds another place that belongs to it.
    #[must_use]
    pub fn related(mut self, span: Span, note: impl Into<String>) -> Self {
        self.related.push((span, note.into()));
        self
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} [{}]", self.span, self.message, self.code)?;
        match &self.help {
            Some(help) => write!(f, "; {help}"),
            None => Ok(()),
        }
    }
}

//! The buttons on a check, and what a click on one says: the same as a command in a comment, with the
//! rights of who clicked.
//!
//! A button that lets a run go carries the digits of the plan that stands beside it, so a click means
//! what its clicker saw, however long it was on its way.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::command::DigestPrefix;
use crate::name::EnvironmentName;
use crate::plan::Digest;

/// A button. GitHub shows three of them at most.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum Button {
    /// Plans a pull request again.
    Plan,
    /// Lets a held run carry out this plan.
    Apply(DigestPrefix),
    /// Drops a run that waits, and stops one that is under way.
    Cancel,
}

impl Button {
    /// The one that lets a run carry out the plan with this digest.
    ///
    /// # Panics
    /// Never: what a digest is shortened to is the beginning of one.
    #[must_use]
    pub fn apply(digest: &Digest) -> Self {
        Self::Apply(DigestPrefix::new(&digest.short()).expect("eight hexadecimal digits"))
    }

    /// What stands on it; GitHub takes twenty characters.
    #[must_use]
    pub fn label(&self) -> &'static str {
        match self {
            Self::Plan => "Plan again",
            Self::Apply(_) => "Apply",
            Self::Cancel => "Cancel",
        }
    }

    /// What it does; GitHub takes forty characters.
    #[must_use]
    pub fn description(&self) -> String {
        match self {
            Self::Plan => "Plan this pull request again".to_owned(),
            Self::Apply(digest) => format!("Apply exactly plan {digest}"),
            Self::Cancel => "Drop this run, or stop it on its way".to_owned(),
        }
    }

    /// The line that says the same in a comment.
    #[must_use]
    pub fn command(&self, environment: &EnvironmentName) -> String {
        match self {
            Self::Plan => "/plan".to_owned(),
            Self::Apply(digest) => format!("/apply {environment} {digest}"),
            Self::Cancel => format!("/cancel {environment}"),
        }
    }

    /// Reads what [`fmt::Display`] wrote.
    #[must_use]
    pub fn parse(identifier: &str) -> Option<Self> {
        match identifier.split_once(' ') {
            None if identifier == "plan" => Some(Self::Plan),
            None if identifier == "cancel" => Some(Self::Cancel),
            Some(("apply", digest)) => DigestPrefix::new(digest).ok().map(Self::Apply),
            _ => None,
        }
    }
}

/// What GitHub tells of a click: twenty characters at most.
impl fmt::Display for Button {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Plan => f.write_str("plan"),
            Self::Apply(digest) => write!(f, "apply {digest}"),
            Self::Cancel => f.write_str("cancel"),
        }
    }
}

impl From<Button> for String {
    fn from(button: Button) -> Self {
        button.to_string()
    }
}

impl TryFrom<String> for Button {
    type Error = String;

    fn try_from(identifier: String) -> Result<Self, Self::Error> {
        Self::parse(&identifier).ok_or_else(|| format!("`{identifier}` is no button"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command;
    use crate::plan::Value;

    fn buttons() -> [Button; 3] {
        [Button::Plan, Button::apply(&Digest::of(&Value::from("a plan"))), Button::Cancel]
    }

    #[test]
    fn github_takes_what_stands_on_a_button_and_tells_it_back() {
        for button in buttons() {
            assert!(button.label().chars().count() <= 20, "{button}");
            assert!(button.description().chars().count() <= 40, "{button}");
            assert!(button.to_string().chars().count() <= 20, "{button}");
            assert_eq!(Button::parse(&button.to_string()), Some(button));
        }
        for other in ["", "apply", "apply 123", "apply x1234567", "plan 1", "lgtm|26764"] {
            assert_eq!(Button::parse(other), None, "{other}");
        }
    }

    #[test]
    fn a_click_says_what_a_command_says() {
        let production = EnvironmentName::new("production").unwrap();
        for button in buttons() {
            let line = button.command(&production);
            assert!(matches!(command::parse(&line).as_slice(), [Ok(_)]), "{line}");
        }
    }
}

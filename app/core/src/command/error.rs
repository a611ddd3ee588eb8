//! What is wrong with a line that is meant for us, and what would be right.

use super::{MOST, Usage, usages};
use crate::yaml::nearest;

/// Why a line that is meant for us is no command.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CommandError {
    /// `/landfall` with a word we do not know.
    #[error("`{word}` is not a command{}", did_you_mean(*.suggestion))]
    Unknown {
        /// The word.
        word: String,
        /// The command it resembles.
        suggestion: Option<&'static str>,
    },
    /// A command that is planned and not there yet.
    #[error("`/{word}` is not there yet in this version of Landfall")]
    NotYet {
        /// The command.
        word: &'static str,
    },
    /// An argument that does not fit.
    #[error("`/{}` does not take `{argument}`: {rule}", .usage.word)]
    Argument {
        /// The command.
        usage: Usage,
        /// The argument.
        argument: String,
        /// What it takes, or why not.
        rule: &'static str,
    },
    /// Something has to be named.
    #[error("`/{}` lacks {what}", .usage.word)]
    Missing {
        /// The command.
        usage: Usage,
        /// What, with its article.
        what: &'static str,
    },
    /// More commands than one comment may carry.
    #[error("one comment may carry {MOST} commands; the rest was not read")]
    TooMany,
}

impl CommandError {
    /// The word that is no command, with the one that it resembles.
    pub(super) fn unknown(word: &str) -> Self {
        let suggestion = nearest(word, usages().map(|usage| usage.word));
        Self::Unknown { word: word.chars().take(40).collect(), suggestion }
    }

    /// What would be right.
    #[must_use]
    pub fn help(&self) -> String {
        match self {
            Self::Argument { usage, .. } | Self::Missing { usage, .. } => {
                format!("Usage: `{}`, for example `{}`.", usage.form, usage.example)
            }
            Self::Unknown { .. } => {
                let words: Vec<String> =
                    usages().map(|usage| format!("`/{}`", usage.word)).collect();
                format!("Commands: {}.", words.join(", "))
            }
            Self::NotYet { .. } | Self::TooMany => "`/help` lists what there is.".to_owned(),
        }
    }
}

fn did_you_mean(suggestion: Option<&str>) -> String {
    suggestion.map(|word| format!("; did you mean `/{word}`?")).unwrap_or_default()
}

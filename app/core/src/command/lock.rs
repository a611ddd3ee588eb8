//! `/lock ENVIRONMENT [reason]`

use super::CommandError;
use super::arguments::Arguments;
use super::definition::{About, Defined, Usage};
use crate::name::EnvironmentName;
use crate::rights::Level;

/// Keeps every run of an environment from beginning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lock {
    /// The environment.
    pub environment: EnvironmentName,
    /// Why, in the words of who locks it; empty when nothing was said.
    pub reason: String,
}

/// A reason is cut to this many characters: it is shown wherever a run waits.
const LONGEST_REASON: usize = 200;

impl Defined for Lock {
    const USAGE: Usage = Usage {
        word: "lock",
        form: "/lock ENVIRONMENT [reason]",
        does: "keeps every run of an environment from beginning until `/unlock`",
        example: "/lock production the database is being moved",
        about: About::Environment,
        takes: Level::Write,
    };

    fn read(mut arguments: Arguments<'_>) -> Result<Self, CommandError> {
        let environment = arguments.environment()?.ok_or_else(|| arguments.lack("an environment"))?;
        let reason = arguments.text().chars().take(LONGEST_REASON).collect();
        Ok(Self { environment, reason })
    }
}

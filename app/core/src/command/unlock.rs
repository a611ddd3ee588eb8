//! `/unlock [environment]`

use super::CommandError;
use super::arguments::Arguments;
use super::definition::{About, Defined, Usage};
use crate::name::EnvironmentName;
use crate::rights::Level;

/// Takes a lock off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unlock {
    /// The environment; may be left out where there is one.
    pub environment: Option<EnvironmentName>,
}

impl Defined for Unlock {
    const USAGE: Usage = Usage {
        word: "unlock",
        form: "/unlock [environment]",
        does: "takes a lock off, and the run that waits for it goes on",
        example: "/unlock production",
        about: About::Services,
        takes: Level::Write,
    };

    fn read(arguments: Arguments<'_>) -> Result<Self, CommandError> {
        Ok(Self { environment: arguments.environment_at_most()? })
    }
}

//! `/cancel [environment]`

use super::CommandError;
use super::arguments::Arguments;
use super::definition::{About, Defined, Usage};
use crate::name::EnvironmentName;
use crate::rights::Level;

/// Drops a run that waits or needs a look, and stops one that is under way before its next step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cancel {
    /// The environment; may be left out where there is one.
    pub environment: Option<EnvironmentName>,
}

impl Defined for Cancel {
    const USAGE: Usage = Usage {
        word: "cancel",
        form: "/cancel [environment]",
        does: "drops a run that waits or needs a look, and stops one that is under way before its next step",
        example: "/cancel production",
        about: About::Services,
        takes: Level::Write,
    };

    fn read(arguments: Arguments<'_>) -> Result<Self, CommandError> {
        Ok(Self { environment: arguments.environment_at_most()? })
    }
}

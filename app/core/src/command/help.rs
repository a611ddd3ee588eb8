//! `/help`

use super::arguments::Arguments;
use super::definition::{About, Defined, Usage};
use super::{CommandError, NOTHING_ELSE};
use crate::rights::Level;

/// Shows the commands there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Help;

impl Defined for Help {
    const USAGE: Usage = Usage {
        word: "help",
        form: "/help",
        does: "shows this list",
        example: "/help",
        about: About::Nothing,
        takes: Level::Read,
    };

    fn read(arguments: Arguments<'_>) -> Result<Self, CommandError> {
        arguments.end(NOTHING_ELSE).map(|()| Self)
    }
}

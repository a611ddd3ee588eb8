//! `/status`

use super::arguments::Arguments;
use super::definition::{About, Defined, Usage};
use super::{CommandError, NOTHING_ELSE};
use crate::rights::Level;

/// Shows where the environments stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Status;

impl Defined for Status {
    const USAGE: Usage = Usage {
        word: "status",
        form: "/status",
        does: "shows what is live, what waits, and what is locked",
        example: "/status",
        about: About::Nothing,
        takes: Level::Read,
    };

    fn read(arguments: Arguments<'_>) -> Result<Self, CommandError> {
        arguments.end(NOTHING_ELSE).map(|()| Self)
    }
}

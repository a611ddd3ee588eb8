//! What a command is: the line of the help about it, and how its arguments are read.

use super::arguments::Arguments;
use super::{Command, CommandError};
use crate::rights::Level;

/// One line of the help.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Usage {
    /// The command's word.
    pub word: &'static str,
    /// How it is written.
    pub form: &'static str,
    /// What it does.
    pub does: &'static str,
    /// One that is right.
    pub example: &'static str,
    /// What it is given for.
    pub about: About,
    /// What it takes where the rules say nothing of it.
    pub takes: Level,
}

/// What a command is given for: what the rules may make a right to it depend on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum About {
    /// Nothing in particular.
    Nothing,
    /// An environment.
    Environment,
    /// Services of an environment.
    Services,
}

/// A command's own file: what it is, and how its arguments are read.
pub(super) trait Defined: Sized {
    /// Its line of the help.
    const USAGE: Usage;

    /// Reads what stands behind its word.
    fn read(arguments: Arguments<'_>) -> Result<Self, CommandError>;
}

/// A command as the list has it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Definition {
    pub(super) usage: Usage,
    pub(super) read: fn(Arguments<'_>) -> Result<Command, CommandError>,
}

/// Makes of the list of commands, each a file and the type in it, the enum of them all, the list that
/// words are looked up in, and the way from a command to its line of the help.
macro_rules! commands {
    ($($file:ident :: $Command:ident,)*) => {
        $(mod $file; pub use $file::$Command;)*

        /// What a comment asks for.
        #[derive(Debug, Clone, PartialEq, Eq)]
        #[expect(missing_docs, reason = "each is described where it is defined")]
        pub enum Command { $($Command($Command),)* }

        /// The commands there are, in the order of the help.
        const DEFINITIONS: &[Definition] = &[$(Definition {
            usage: <$Command as Defined>::USAGE,
            read: |arguments| $Command::read(arguments).map(Command::$Command),
        },)*];

        impl Command {
            /// The command's line of the help.
            #[must_use]
            pub fn usage(&self) -> Usage {
                match self { $(Self::$Command(_) => <$Command as Defined>::USAGE,)* }
            }
        }
    };
}
pub(super) use commands;

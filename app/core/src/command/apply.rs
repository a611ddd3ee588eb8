//! `/apply [environment] [digest]`

use super::CommandError;
use super::arguments::Arguments;
use super::definition::{About, Defined, Usage};
use super::digest::DigestPrefix;
use crate::name::EnvironmentName;
use crate::rights::Level;

/// Releases a held run or retries one that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Apply {
    /// Only this environment.
    pub environment: Option<EnvironmentName>,
    /// The digest that was seen, at least eight digits.
    pub digest: Option<DigestPrefix>,
}

/// Why nothing narrows it.
const WHOLE: &str = "what was reviewed is applied whole, so a part of it is a pull request of its own";
const EACH_RUN: &str = "a run believes nothing that was found out earlier anyway";
const BOTH: &str = "one environment and one digest of at least eight digits";

impl Defined for Apply {
    const USAGE: Usage = Usage {
        word: "apply",
        form: "/apply [environment] [digest]",
        does: "on a merged pull request: releases a run that is held, or retries one that failed or was cancelled",
        example: "/apply production 1a2b3c4d",
        about: About::Services,
        takes: Level::Write,
    };

    fn read(mut arguments: Arguments<'_>) -> Result<Self, CommandError> {
        if let Some(kind) = arguments.only()?.first() {
            return Err(arguments.refuse(&format!("only:{kind}"), WHOLE));
        }
        if arguments.flag("fresh") {
            return Err(arguments.refuse("fresh", EACH_RUN));
        }
        let digest = arguments.digest();
        if let Some(second) = arguments.digest() {
            return Err(arguments.refuse(second.as_str(), BOTH));
        }
        let environment = arguments.environment()?;
        arguments.end(BOTH)?;
        Ok(Self { environment, digest })
    }
}

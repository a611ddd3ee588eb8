//! `/plan [environment] [service…] [COMMIT] [only:COMPONENT] [fresh]`
//!
//! What reads as a commit is one, whatever services there are: a pull request may bring a service of any
//! name, and none may turn a word about a commit into one about itself. So a service that is called like
//! a commit is the only thing that cannot be named here.

use super::CommandError;
use super::arguments::Arguments;
use super::commit::CommitPrefix;
use super::definition::{About, Defined, Usage};
use crate::name::{EnvironmentName, KindName, ServiceName};
use crate::rights::Level;

/// Plans again. The plan is always the whole one, because what is reviewed is what is applied: what
/// is named is what the comment opens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// What is named. Only the rules tell an environment from a service: see [`Self::about`].
    pub names: Vec<ServiceName>,
    /// The head that was looked at: it is planned only if it still is the head.
    pub head: Option<CommitPrefix>,
    /// The kinds of component that are meant; all without.
    pub only: Vec<KindName>,
    /// Whether nothing may be believed that was found out earlier.
    pub fresh: bool,
}

impl Plan {
    /// What is named, once it is known what environments there are: the first name is an environment
    /// if there is one of that name, all others are services.
    pub fn about(
        &self,
        is_environment: impl Fn(&EnvironmentName) -> bool,
    ) -> (Option<EnvironmentName>, &[ServiceName]) {
        let first = self.names.first().and_then(|name| EnvironmentName::new(name.as_str()).ok());
        match first.filter(is_environment) {
            Some(environment) => (Some(environment), &self.names[1..]),
            None => (None, &self.names),
        }
    }
}

/// A service that is called like a commit is not looked for.
const ONE_COMMIT: &str = "it takes one commit, and every word of 7 to 40 hexadecimal digits is one";

impl Defined for Plan {
    const USAGE: Usage = Usage {
        word: "plan",
        form: "/plan [environment] [service …] [COMMIT] [only:COMPONENT] [fresh]",
        does: "plans again, and opens what is named; with a commit only if that is still the head, which is how somebody who read it has a fork's head planned; `fresh` believes nothing that was found out earlier",
        example: "/plan production nas only:unifi_dns",
        about: About::Services,
        takes: Level::Write,
    };

    fn read(mut arguments: Arguments<'_>) -> Result<Self, CommandError> {
        let (fresh, only, head) =
            (arguments.flag("fresh"), arguments.only()?, arguments.commit());
        if let Some(second) = arguments.commit() {
            return Err(arguments.refuse(second.as_str(), ONE_COMMIT));
        }
        Ok(Self { names: arguments.names()?, head, only, fresh })
    }
}

//! `/plan [environment] [service…] [only:COMPONENT] [fresh]`

use super::CommandError;
use super::arguments::Arguments;
use super::definition::{About, Defined, Usage};
use crate::name::{EnvironmentName, KindName, ServiceName};
use crate::rights::Level;

/// Plans again. The plan is always the whole one, because what is reviewed is what is applied: what
/// is named is what the comment opens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// What is named. Only the rules tell an environment from a service: see [`Self::about`].
    pub names: Vec<ServiceName>,
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

impl Defined for Plan {
    const USAGE: Usage = Usage {
        word: "plan",
        form: "/plan [environment] [service …] [only:COMPONENT] [fresh]",
        does: "plans again, and opens what is named; `fresh` believes nothing that was found out earlier",
        example: "/plan production nas only:unifi_dns",
        about: About::Services,
        takes: Level::Write,
    };

    fn read(mut arguments: Arguments<'_>) -> Result<Self, CommandError> {
        let (fresh, only) = (arguments.flag("fresh"), arguments.only()?);
        Ok(Self { names: arguments.names()?, only, fresh })
    }
}

//! Which checks are due on what goes into a branch.
//!
//! The rules on the default branch say it. A branch's rules at GitHub may require those checks, so
//! where ours cannot be read they are told by what was heard before: the environments that followed
//! the branch, and those that a check on this commit is there for. Where nobody can name one, and
//! something is wrong, one check for all of them says what.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use landfall_core::config::RepositoryConfig;
use landfall_core::name::{BranchName, CommitSha, EnvironmentName, NameError, PullNumber};

use super::super::Board;
use crate::publish::body::Standing;

/// What one check is about. Printed as it stands in the check's key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Scope {
    /// An environment.
    Environment(EnvironmentName),
    /// All environments, where nobody can say which there are.
    All,
}

impl Scope {
    /// The name of the check: two pull requests with one head and different bases do not overwrite
    /// each other's.
    pub(super) fn check_name(&self, base: &BranchName) -> String {
        match self {
            Self::Environment(environment) => format!("landfall / {environment} ({base})"),
            Self::All => format!("landfall ({base})"),
        }
    }
}

/// No environment is called that.
const ALL: &str = "*";

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Environment(environment) => environment.fmt(f),
            Self::All => f.write_str(ALL),
        }
    }
}

impl FromStr for Scope {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            ALL => Ok(Self::All),
            _ => text.parse().map(Self::Environment),
        }
    }
}

/// The environments whose checks are due.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Expected {
    /// Their names.
    pub environments: Vec<EnvironmentName>,
    /// By what they are known.
    pub standing: Standing,
}

impl Expected {
    /// Those that the rules that hold plan what goes into `base` for.
    #[must_use]
    pub fn by(rules: &RepositoryConfig, base: &BranchName) -> Self {
        let mapped = rules.mapped_to(base.as_str());
        let environments = mapped.map(|environment| environment.name.clone()).collect();
        Self { environments, standing: Standing::Ruled }
    }

    /// Those that are known of without rules.
    #[must_use]
    pub fn without_rules(environments: BTreeSet<EnvironmentName>) -> Self {
        Self { environments: environments.into_iter().collect(), standing: Standing::Unruled }
    }

    /// What there has to be a check about, if something `is_wrong` that somebody has to read.
    pub(super) fn scopes(&self, is_wrong: bool) -> Vec<Scope> {
        let named = self.environments.iter().cloned().map(Scope::Environment);
        let nobody_knows = self.environments.is_empty() && self.standing == Standing::Unruled;
        named.chain((nobody_knows && is_wrong).then_some(Scope::All)).collect()
    }
}

impl Board<'_> {
    /// The environments that were heard of as following `base`, or as having been offered it.
    pub(in crate::flow) async fn following(
        &self,
        base: &BranchName,
    ) -> anyhow::Result<BTreeSet<EnvironmentName>> {
        let environments = self.house.store.environments(self.repository).await?;
        let follows = environments.into_iter().filter(|environment| {
            [&environment.branch, &environment.offered].into_iter().flatten().any(|it| it == base)
        });
        Ok(follows.map(|environment| environment.name).collect())
    }

    /// The same, and those that a pull request has a check for on its head.
    ///
    /// # Errors
    /// The store could not be asked.
    pub async fn heard_of(
        &self,
        pull: PullNumber,
        head: &CommitSha,
        base: &BranchName,
    ) -> anyhow::Result<BTreeSet<EnvironmentName>> {
        let mut heard_of = self.following(base).await?;
        for (scope, check) in self.told(pull, head).await? {
            let here = check.name == scope.check_name(base);
            if let Scope::Environment(environment) = scope
                && here
            {
                heard_of.insert(environment);
            }
        }
        Ok(heard_of)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_check_of_all_environments_is_read_back_and_is_no_environments() {
        let production = Scope::Environment("production".parse().unwrap());
        for scope in [production, Scope::All] {
            assert_eq!(scope.to_string().parse(), Ok(scope));
        }
        assert!(EnvironmentName::new(ALL).is_err());
    }
}

//! Whose word a check gives: it stands in the check's key, by which it is found again.

use landfall_core::name::{BranchName, PullNumber, RepositoryId};

use super::Scope;

/// What a check is told of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// A pull request.
    Pull(PullNumber),
    /// The group of the merge queue that this branch was made for.
    Group(BranchName),
}

impl Subject {
    /// The key of its check about `scope`.
    pub(super) fn key(&self, repository: RepositoryId, scope: &Scope) -> String {
        match self {
            Self::Pull(pull) => format!("{repository}/{pull}/{scope}"),
            Self::Group(branch) => format!("{repository}@{branch}#{scope}"),
        }
    }

    /// Reads back what [`Self::key`] wrote in a repository.
    pub(super) fn read(repository: RepositoryId, key: &str) -> Option<(Self, Scope)> {
        let rest = key.strip_prefix(&repository.to_string())?;
        let (subject, scope) = match rest.strip_prefix('@') {
            Some(group) => {
                let (branch, scope) = group.rsplit_once('#')?;
                (Self::Group(branch.parse().ok()?), scope)
            }
            None => {
                let (pull, scope) = rest.strip_prefix('/')?.split_once('/')?;
                (Self::Pull(PullNumber(pull.parse().ok()?)), scope)
            }
        };
        Some((subject, scope.parse().ok()?))
    }

    /// Whose a check of a repository is, by its key.
    #[must_use]
    pub fn of_key(repository: RepositoryId, key: &str) -> Option<Self> {
        Self::read(repository, key).map(|(subject, _)| subject)
    }

    /// What people call it.
    pub(super) fn named(&self) -> String {
        match self {
            Self::Pull(pull) => format!("#{pull}"),
            Self::Group(_) => "a group of the merge queue".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_read_back_in_its_own_repository_alone() {
        let (here, production) =
            (RepositoryId(42), Scope::Environment("production".parse().unwrap()));
        let group = "gh-readonly-queue/main/pr-7-0123".parse().unwrap();
        for subject in [Subject::Pull(PullNumber(7)), Subject::Group(group)] {
            for scope in [production.clone(), Scope::All] {
                let key = subject.key(here, &scope);
                assert_eq!(Subject::read(here, &key), Some((subject.clone(), scope)));
                assert_eq!(Subject::read(RepositoryId(4), &key), None);
            }
        }
        assert_eq!(Subject::read(here, "018f4c6e-0000-7000-8000-000000000000"), None);
    }
}

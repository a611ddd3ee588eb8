//! Locks: environments in which no run begins, because somebody said so. Not to be confused with the
//! leases of targets, which a run takes and nobody sees.

use async_trait::async_trait;
use jiff::Timestamp;
use landfall_core::name::{EnvironmentName, PullNumber, RepositoryId, UserId};

use crate::{CommandId, Created, Fence, Result};

/// A lock on an environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lock {
    /// The repository.
    pub repository: RepositoryId,
    /// The environment.
    pub environment: EnvironmentName,
    /// The command that put it there.
    pub command: CommandId,
    /// The pull request that it was given on.
    pub pull: PullNumber,
    /// Who gave it.
    pub by: UserId,
    /// Their login then, for showing.
    pub login: String,
    /// Why, in their words; empty when they said nothing.
    pub reason: String,
    /// When it was said.
    pub at: Timestamp,
}

/// Locks on environments, one on each at most.
#[async_trait]
pub trait Locks {
    /// Locks an environment, or finds the lock that is on it. When this returns, every run of it that
    /// has not begun can only begin once the lock is off ([`StoreError::Locked`](crate::StoreError)).
    /// A lock that is put on is noted with its command as what that meant
    /// ([`Meant::Lock`](crate::Meant)), at once: it is put on once, whoever takes it off meanwhile.
    async fn lock_environment(&self, fence: &Fence, lock: &Lock) -> Result<Created<Lock>>;

    /// Takes the lock off, and says which one it was.
    async fn unlock_environment(
        &self,
        fence: &Fence,
        repository: RepositoryId,
        environment: &EnvironmentName,
    ) -> Result<Option<Lock>>;

    /// The lock on an environment.
    async fn lock_on(
        &self,
        repository: RepositoryId,
        environment: &EnvironmentName,
    ) -> Result<Option<Lock>>;

    /// All locks of a repository.
    async fn locks(&self, repository: RepositoryId) -> Result<Vec<Lock>>;
}

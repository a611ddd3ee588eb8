//! Plans: what was planned, for which trees, and when GitHub accepted it for people to read.
//!
//! A row here is the only evidence that something was reviewed; a check run's id only leads to it.

use std::collections::BTreeSet;

use async_trait::async_trait;
use jiff::Timestamp;
use landfall_core::command::DigestPrefix;
use landfall_core::name::{CommitSha, EnvironmentName, PullNumber, RepositoryId, TreeSha};
use landfall_core::plan::{Digest, Plan};

use crate::words::uuid_id;
use crate::{Fence, Result};

uuid_id!(
    /// A plan's id, chosen by who makes it.
    PlanId
);

/// A plan that was just made. Its digests are taken from the plan itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewPlan {
    /// Its id.
    pub id: PlanId,
    /// The repository.
    pub repository: RepositoryId,
    /// The pull request it was made for; none for a run's own plan.
    pub pull: Option<PullNumber>,
    /// The commit it brings the environment to: a pull request's head.
    pub head: CommitSha,
    /// The commit it starts from: the base branch's tip.
    pub base: CommitSha,
    /// The tree that was planned: what merging would give.
    pub tree: TreeSha,
    /// The digest of the repository config that was used.
    pub config_digest: Digest,
    /// Whether a run held one of its targets, so that it will be planned again.
    pub provisional: bool,
    /// The plan. It names its environment.
    pub plan: Plan,
}

/// When and where people could read a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Published {
    /// GitHub's time of accepting it.
    pub at: Timestamp,
    /// GitHub's number of the comment or check run.
    pub subject: u64,
}

/// A plan as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredPlan {
    /// What was handed in.
    pub plan: NewPlan,
    /// The plan's digest.
    pub digest: Digest,
    /// The digests of its changes.
    pub changes: BTreeSet<Digest>,
    /// When it was made, by the store's clock.
    pub created_at: Timestamp,
    /// When people could first read it; none before.
    pub published: Option<Published>,
}

/// The plans of one pull request for one environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanScope {
    /// The repository.
    pub repository: RepositoryId,
    /// The pull request.
    pub pull: PullNumber,
    /// The environment.
    pub environment: EnvironmentName,
}

/// What was planned. Discarded plans are found by none of the questions.
#[async_trait]
pub trait Plans {
    /// Keeps a plan.
    async fn insert_plan(&self, fence: &Fence, plan: &NewPlan) -> Result<StoredPlan>;

    /// A plan by its id.
    async fn plan(&self, id: PlanId) -> Result<Option<StoredPlan>>;

    /// The newest plan of a pull request for an environment.
    async fn latest_plan(&self, scope: &PlanScope) -> Result<Option<StoredPlan>>;

    /// All plans of a pull request for a head, oldest first: what the coverage check asks.
    async fn plans_for_head(
        &self,
        repository: RepositoryId,
        pull: PullNumber,
        head: &CommitSha,
    ) -> Result<Vec<StoredPlan>>;

    /// The plans of an environment whose digest begins so, oldest first. Several plans may have
    /// one digest; several digests mean that the digits are too few.
    async fn plans_by_digest(
        &self,
        repository: RepositoryId,
        environment: &EnvironmentName,
        prefix: &DigestPrefix,
    ) -> Result<Vec<StoredPlan>>;

    /// Notes that GitHub accepted it. The first time stays.
    async fn mark_published(&self, id: PlanId, published: Published) -> Result<()>;

    /// The digests that people could read for a pull request and an environment before `before`.
    async fn published_digests(
        &self,
        scope: &PlanScope,
        before: Timestamp,
    ) -> Result<BTreeSet<Digest>>;

    /// Takes all plans of a pull request out of all questions: what they say is not so any more.
    async fn discard_plans(
        &self,
        fence: &Fence,
        repository: RepositoryId,
        pull: PullNumber,
    ) -> Result<()>;
}

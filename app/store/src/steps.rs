//! Steps: one effect each, with its intent on disk before and its result after.
//!
//! A result and what it means for ownership are written in one transaction, so state never says
//! less or more than the steps. A step without a result was cut off: nobody sends it again before
//! it was read back.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use async_trait::async_trait;
use jiff::Timestamp;
use landfall_core::lease::LeaseProof;
use landfall_core::name::{EnvironmentName, RepositoryId};
use landfall_core::plan::{Digest, Effect, Landed, Outcome, ResourceKey, Target};

use crate::words::words;
use crate::{Fence, Result, RunId};

/// Which step of which run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StepId {
    /// The run.
    pub run: RunId,
    /// Its place in the run, from 0, over all attempts.
    pub index: u32,
}

impl fmt::Display for StepId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.run, self.index)
    }
}

words!(
    /// What is known of a step.
    pub enum StepState {
        /// It was about to be sent. Without a result it may have been.
        Intent => "intent",
        /// All of its changes are in place.
        Done => "done",
        /// It is over, and not all of its changes are in place.
        Failed => "failed",
        /// What lived was not what was planned for: nothing was sent.
        Moved => "moved",
        /// It was sent and nobody knows what became of it.
        Unknown => "unknown",
        /// It was read back, and something foreign was found. A person has to look.
        Attention => "attention",
    }
);

impl StepState {
    /// Whether it has to be read back, or looked at, before its units may be planned.
    #[must_use]
    pub fn is_unresolved(self) -> bool {
        match self {
            Self::Intent | Self::Unknown | Self::Attention => true,
            Self::Done | Self::Failed | Self::Moved => false,
        }
    }
}

/// A step as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Which one it is.
    pub id: StepId,
    /// The repository of the run.
    pub repository: RepositoryId,
    /// The environment of the run.
    pub environment: EnvironmentName,
    /// What was to be done.
    pub effect: Effect,
    /// The epoch of the lease it was sent under; none when no provider was called.
    pub lease_epoch: Option<i64>,
    /// What is known of it.
    pub state: StepState,
    /// What the provider said, fit for a comment. Empty when there is nothing to say.
    pub message: String,
    /// When its intent was written.
    pub intended_at: Timestamp,
    /// When its result was; none before.
    pub ended_at: Option<Timestamp>,
}

/// What reading a step back showed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadBack {
    /// For each change of the effect, in its order.
    pub landed: Vec<Landed>,
    /// The provider's ids of what exists now.
    pub ids: BTreeMap<ResourceKey, Vec<String>>,
    /// What to tell people about it; empty when all is as wanted.
    pub message: String,
}

/// Where unresolved steps are looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unresolved {
    /// Those of one environment.
    In(RepositoryId, EnvironmentName),
    /// Those at one target, whoever's they are.
    At(Target),
}

/// Which changes are asked about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProofQuery {
    /// The repository.
    pub repository: RepositoryId,
    /// The environment.
    pub environment: EnvironmentName,
    /// The digests of the changes.
    pub digests: BTreeSet<Digest>,
    /// Only steps that ended at this time or later count: when the reviewed plan was made. What
    /// was done before and undone since proves nothing.
    pub since: Timestamp,
}

/// What steps of ours have done of the changes that were asked about.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Proofs {
    /// Changes that were done in full.
    pub done: BTreeSet<Digest>,
    /// Changes that were cut off in the middle: part of them is there.
    pub begun: BTreeSet<Digest>,
}

/// Effects, before and after.
#[async_trait]
pub trait Steps {
    /// Writes the intent of an effect. When this returns, it may be sent, once. The lease is that
    /// of the effect's target. Refused when somebody else owns what it is about by now.
    async fn intend(
        &self,
        fence: &Fence,
        lease: &LeaseProof,
        run: RunId,
        effect: &Effect,
    ) -> Result<StepId>;

    /// Writes what an effect came to, and with `Done` what is owned now. Only a step without a
    /// result has one written.
    async fn finish_step(&self, fence: &Fence, step: StepId, outcome: &Outcome) -> Result<Step>;

    /// Takes an intent back, because nothing of it was sent. Its units stay unsettled: they are planned
    /// again.
    async fn withdraw_step(&self, fence: &Fence, step: StepId) -> Result<()>;

    /// Writes what became of a step that was cut off or unknown. Changes that landed are owned and
    /// proven; one that landed in part is owned, so that it can be finished; with anything foreign
    /// the step stays unresolved, as `attention`.
    async fn resolve_step(&self, fence: &Fence, step: StepId, found: &ReadBack) -> Result<Step>;

    /// Changes that no provider has to be told (adopting and transferring what is already as
    /// wanted, releasing, forgetting), as a step that is done at once.
    async fn settle(&self, fence: &Fence, run: RunId, effect: &Effect) -> Result<Step>;

    /// The steps of a run, in order.
    async fn steps(&self, run: RunId) -> Result<Vec<Step>>;

    /// The steps that have to be resolved, oldest first.
    async fn unresolved_steps(&self, at: &Unresolved) -> Result<Vec<Step>>;

    /// Which of the changes were done by a step of ours.
    async fn proven(&self, query: &ProofQuery) -> Result<Proofs>;
}

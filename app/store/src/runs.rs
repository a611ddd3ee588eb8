//! Runs: attempts to bring one environment to one commit, and which state may follow which.

use async_trait::async_trait;
use jiff::Timestamp;
use landfall_core::name::{BlobSha, CommitSha, EnvironmentName, RepositoryId, UserId};
use landfall_core::plan::{Digest, Plan};
use landfall_core::report::Waiting;

use crate::words::{uuid_id, words};
use crate::{Fence, Result};

uuid_id!(
    /// A run's id, chosen by who makes it.
    RunId
);

words!(
    /// Where a run stands.
    pub enum RunState {
        /// It waits for its turn.
        Queued => "queued",
        /// It waits for somebody or something, with a reason.
        Held => "held",
        /// Its effects are being applied.
        Running => "running",
        /// They are applied, and checks are running.
        Verifying => "verifying",
        /// It did what it was to do.
        Succeeded => "succeeded",
        /// It did not; what it did stands in its steps.
        Failed => "failed",
        /// A newer head took its place before it began.
        Superseded => "superseded",
        /// Somebody stopped it.
        Cancelled => "cancelled",
        /// Something was found that only a person can judge.
        NeedsAttention => "needs_attention",
    }
);

impl RunState {
    /// Whether nothing happens any more unless somebody asks for it.
    #[must_use]
    pub fn is_ended(self) -> bool {
        match self {
            Self::Queued | Self::Held | Self::Running | Self::Verifying => false,
            Self::Succeeded
            | Self::Failed
            | Self::Superseded
            | Self::Cancelled
            | Self::NeedsAttention => true,
        }
    }

    /// Whether a run may go from here to `next`. From an ended state only [`Runs::retry_run`]
    /// leads on, and [`Runs::cancel_run`] from one that needs a look. `held` may follow itself: the reason changes.
    #[must_use]
    pub fn may_become(self, next: Self) -> bool {
        use RunState::{
            Cancelled, Failed, Held, NeedsAttention, Queued, Running, Succeeded, Superseded,
            Verifying,
        };
        match self {
            Queued => matches!(next, Held | Running | Failed | Superseded | Cancelled),
            Held => matches!(next, Held | Queued | Running | Failed | Superseded | Cancelled),
            // Held again: it was cut off, and what is left is not what was reviewed.
            Running => {
                matches!(next, Held | Verifying | Succeeded | Failed | Cancelled | NeedsAttention)
            }
            Verifying => matches!(next, Succeeded | Failed | NeedsAttention),
            Succeeded | Failed | Superseded | Cancelled | NeedsAttention => false,
        }
    }

    /// Whether nothing goes on before somebody says so.
    #[must_use]
    pub fn waits_for_somebody(self) -> bool {
        self == Self::Held || self.may_be_retried()
    }

    /// Whether it waits, begun or not, for somebody who may as well drop it.
    #[must_use]
    pub fn may_be_dropped(self) -> bool {
        matches!(self, Self::Held | Self::NeedsAttention)
    }

    /// Whether somebody may have a run in this state tried again.
    #[must_use]
    pub fn may_be_retried(self) -> bool {
        matches!(self, Self::Failed | Self::Cancelled | Self::NeedsAttention)
    }
}

words!(
    /// What brought a run about.
    pub enum Trigger {
        /// A branch that the environment follows moved.
        Push => "push",
        /// Somebody asked for it.
        Command => "command",
        /// A comparison of branch heads with what was applied found it missing.
        Reconcile => "reconcile",
    }
);

/// A run that should exist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRun {
    /// Its id, if it does not exist yet.
    pub id: RunId,
    /// The repository.
    pub repository: RepositoryId,
    /// The environment.
    pub environment: EnvironmentName,
    /// The commit it brings the environment to.
    pub commit: CommitSha,
    /// The digest of the repository config it is judged by.
    pub config_digest: Digest,
    /// Where that config can be read again; none outside a repository.
    pub rules: Option<BlobSha>,
    /// What brought it about.
    pub trigger: Trigger,
}

/// Somebody's word for a digest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approval {
    /// The digest of the plan they saw.
    pub digest: Digest,
    /// Who it was.
    pub by: UserId,
    /// Their login then, for showing.
    pub login: String,
    /// When they said so.
    pub at: Timestamp,
}

/// A run as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// What it was made with.
    pub run: NewRun,
    /// Where it stands.
    pub state: RunState,
    /// Why, for people: what a hold waits for, what failed. Empty when there is nothing to say.
    pub reason: String,
    /// What it waits for, while it is held.
    pub waiting: Option<Waiting>,
    /// What it does, once that is planned.
    pub plan: Option<Plan>,
    /// Whose word it has.
    pub approvals: Vec<Approval>,
    /// How often it was set going, from 1.
    pub attempt: u32,
    /// Who asked it to stop before its next step, while it is under way; none when nobody did.
    pub stop: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last began to run.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
}

/// Whether a row was there already.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Created<T> {
    /// It was made now.
    New(T),
    /// It was there, and is as it was.
    Existing(T),
}

impl<T> Created<T> {
    /// The row.
    pub fn into_inner(self) -> T {
        match self {
            Self::New(row) | Self::Existing(row) => row,
        }
    }
}

/// What happened to environments.
#[async_trait]
pub trait Runs {
    /// Makes a queued run, or finds the one that exists for the same repository, environment,
    /// commit and config digest. One that succeeded before a newer one began, or was superseded
    /// by a newer one, is begun anew, without its approvals: a branch or the rules went back to
    /// what they were, and the environment may have moved since. So is one that ended before the
    /// store was restored from a backup, however it ended.
    async fn insert_or_get_run(&self, fence: &Fence, run: &NewRun) -> Result<Created<Run>>;

    /// A run by its id.
    async fn run(&self, id: RunId) -> Result<Option<Run>>;

    /// Brings a run to its next state, if that may follow; into `held` only [`Self::hold_run`] leads,
    /// and none begins while its environment is locked ([`Locks`](crate::Locks)).
    /// Success is noted at the environment in the same transaction.
    async fn advance_run(
        &self,
        fence: &Fence,
        id: RunId,
        to: RunState,
        reason: &str,
    ) -> Result<Run>;

    /// Holds a run until what it waits for has come, with the plan that is shown meanwhile. The plan
    /// and the hold are written together: whoever names the plan's digest means this hold.
    async fn hold_run(
        &self,
        fence: &Fence,
        id: RunId,
        waiting: &Waiting,
        plan: &Plan,
    ) -> Result<Run>;

    /// Queues a run that ended without success once more, because somebody asked. Its plan is
    /// forgotten; its steps and approvals are not.
    async fn retry_run(&self, fence: &Fence, id: RunId) -> Result<Run>;

    /// Notes what a run will do.
    async fn set_run_plan(&self, fence: &Fence, id: RunId, plan: &Plan) -> Result<()>;

    /// Adds somebody's word. The first word of each for a digest stays.
    async fn approve_run(&self, fence: &Fence, id: RunId, approval: &Approval) -> Result<()>;

    /// Ends all queued and held runs of the environment that are older than `newest`, and names them.
    async fn supersede_older_runs(&self, fence: &Fence, newest: RunId) -> Result<Vec<RunId>>;

    /// Ends the runs of the environment, other than `this`, that were cut off while they ran, and
    /// names them. Whoever holds the environment's job knows that nobody works on them any more.
    async fn end_cut_off_runs(&self, fence: &Fence, this: RunId) -> Result<Vec<RunId>>;

    /// Cancels a run that has not begun, and asks one that is under way to stop before its next step.
    /// One that needs a look is cancelled too, and the steps of its environment that nobody could find
    /// out about are dismissed: nothing of them is believed. None, and nothing is changed, when it has
    /// ended otherwise.
    async fn cancel_run(&self, fence: &Fence, id: RunId, why: &str) -> Result<Option<Run>>;

    /// Who asked a run that is under way to stop before its next step.
    async fn stop_asked(&self, id: RunId) -> Result<Option<String>>;

    /// All runs in one of these states, oldest first.
    async fn runs_in(&self, states: &[RunState]) -> Result<Vec<Run>>;

    /// The newest runs of an environment, newest first.
    async fn recent_runs(
        &self,
        repository: RepositoryId,
        environment: &EnvironmentName,
        limit: u32,
    ) -> Result<Vec<Run>>;

    /// The last run of an environment that succeeded.
    async fn last_succeeded_run(
        &self,
        repository: RepositoryId,
        environment: &EnvironmentName,
    ) -> Result<Option<Run>>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_leads_out_of_an_ended_state_and_something_out_of_every_other() {
        for from in RunState::ALL {
            let leads_on = RunState::ALL.iter().any(|to| from.may_become(*to));
            assert_eq!(leads_on, !from.is_ended(), "{from}");
        }
    }

    #[test]
    fn a_running_run_is_never_superseded() {
        assert!(!RunState::Running.may_become(RunState::Superseded));
        assert!(!RunState::Verifying.may_become(RunState::Superseded));
    }

    #[test]
    fn a_state_reads_back_as_written() {
        for state in RunState::ALL {
            assert_eq!(state.as_str().parse::<RunState>().as_ref(), Ok(state));
        }
    }
}

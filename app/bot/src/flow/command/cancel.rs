//! `/cancel`: drops a run that waits, has one that is under way stop before its next step, and gives up
//! one that needs a look.
//!
//! What was sent to a provider is never called back: the step that is under way ends, its result is
//! written, and the run says what is left. `/apply` goes on with that. Of what a step of unknown outcome
//! did nothing is believed or changed: it stays as it is, and the next plan finds what is there.

use std::collections::BTreeSet;

use landfall_core::name::EnvironmentName;
use landfall_core::report::RunStage;
use landfall_github::PullState;
use landfall_store::{Meant, Run, RunState, Unresolved};

use super::super::announce::report_of;
use super::super::confirm::Brought;
use super::super::run::follow_up;
use super::{Answer, Said};
use crate::failpoint;

/// How many of the things are named that nobody knows the state of.
const MOST_NAMED: usize = 5;

pub(super) async fn cancel(
    said: &Said<'_>,
    environments: &[EnvironmentName],
) -> anyhow::Result<Answer> {
    let PullState::Merged { commit: Some(commit), .. } = &said.pull.state else {
        return Ok(Answer::refuse("This pull request is not merged, so there is no run of it."));
    };
    let run = match said.meant_run().await? {
        Some(run) => run,
        None => {
            let mut open = said.waiting(environments, commit).await?;
            open.retain(|run| run.state.may_be_dropped() || !run.state.is_ended());
            match open.as_slice() {
                [] => {
                    let why = "No run of this pull request waits or is under way.";
                    return Ok(Answer::refuse(why));
                }
                [run] => run.clone(),
                several => return Ok(Answer::several(several, "cancel")),
            }
        }
    };
    said.means(Meant::Run(run.run.id)).await?;
    said.drop_run(&run).await
}

impl Said<'_> {
    async fn drop_run(&self, run: &Run) -> anyhow::Result<Answer> {
        let (store, who) = (&self.house.store, format!("cancelled by {}", self.words.login));
        // Done before it was cut off.
        let ours = run.reason.strip_prefix(&who);
        let is_done = run.state == RunState::Cancelled
            && ours.is_some_and(|rest| rest.is_empty() || rest.starts_with(';'));
        let cancelled = match is_done {
            true => Some(run.clone()),
            false => {
                let why = self.with_what_is_unknown(run, who).await?;
                store.cancel_run(&self.job.fence, run.run.id, &why).await?
            }
        };
        failpoint::pass("command::acted")?;
        let Some(cancelled) = cancelled else {
            let name = &run.run.environment;
            return Ok(Answer::refuse(format!("The run on {name} has ended meanwhile.")));
        };
        if cancelled.stop.is_some() {
            // Whoever works on it sees it before the next step. If nobody does, somebody has to.
            self.set_going(&run.run.environment).await?;
        } else {
            self.tell_cancelled(&cancelled).await?;
            follow_up(self.house, self.job, &cancelled).await?;
        }
        Ok(Answer::done("cancel", &cancelled, &run.reason))
    }

    /// Why a run was cancelled, with what is given up by that.
    async fn with_what_is_unknown(&self, run: &Run, who: String) -> anyhow::Result<String> {
        if run.state != RunState::NeedsAttention {
            return Ok(who);
        }
        let here = Unresolved::In(run.run.repository, run.run.environment.clone());
        let steps = self.house.store.unresolved_steps(&here).await?;
        let changes = steps.iter().flat_map(|step| &step.effect.changes);
        let keys: BTreeSet<String> = changes.map(|change| change.key.to_string()).collect();
        if keys.is_empty() {
            return Ok(who);
        }
        let more = keys.len().saturating_sub(MOST_NAMED);
        let named: Vec<String> = keys.into_iter().take(MOST_NAMED).collect();
        let more = if more == 0 { String::new() } else { format!(" and {more} more") };
        Ok(format!(
            "{who}; what became of {}{more} is not known, and stays as it is",
            named.join(", ")
        ))
    }

    /// Says wherever the run was told of that it waits no more.
    async fn tell_cancelled(&self, run: &Run) -> anyhow::Result<()> {
        let repository = self.ground.repository.id;
        let row = self.house.store.environment(repository, &run.run.environment).await?;
        let Some(branch) = row.as_ref().and_then(|row| row.branch.clone()) else { return Ok(()) };
        let last = row.and_then(|row| row.last).map(|last| last.commit);
        let brought =
            Brought::find(self.house, self.ground, last.as_ref(), &run.run.commit).await?;
        let report = report_of(run, branch, RunStage::Cancelled(run.reason.clone()));
        self.board().run(run.run.id, &report, &brought.numbers(), &[]).await
    }
}

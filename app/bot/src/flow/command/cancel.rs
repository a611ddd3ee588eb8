//! `/cancel`: ends a run that waits, and has one that is under way stop before its next step.
//!
//! What was sent to a provider is never called back: the step that is under way ends, its result is
//! written, and the run says what is left. `/apply` goes on with that.

use landfall_core::name::EnvironmentName;
use landfall_github::PullState;
use landfall_store::RunState;

use super::super::run::follow_up;
use super::{Answer, Said};

pub(super) async fn cancel(
    said: &Said<'_>,
    environments: &[EnvironmentName],
) -> anyhow::Result<Answer> {
    let PullState::Merged { commit: Some(commit), .. } = &said.pull.state else {
        return Ok(Answer::refuse("This pull request is not merged, so there is no run of it."));
    };
    if let Some(answer) = said.cut_off() {
        return Ok(answer);
    }
    let mut open = said.waiting(environments, commit).await?;
    open.retain(|run| !run.state.is_ended());
    let run = match open.as_slice() {
        [] => return Ok(Answer::refuse("No run of this pull request waits or is under way.")),
        [run] => run,
        several => return Ok(Answer::several(several, "cancel")),
    };
    let (name, why) = (&run.run.environment, format!("cancelled by {}", said.words.login));
    let store = &said.house.store;
    let Some(run) = store.cancel_run(&said.job.fence, run.run.id, &why).await? else {
        return Ok(Answer::refuse(format!("The run on {name} has ended meanwhile.")));
    };
    said.audit("cancel", Some(name), &run.reason).await?;
    if run.state == RunState::Cancelled {
        said.tell_cancelled(&run, why).await?;
        follow_up(said.house, said.job, &run).await?;
    } else {
        // Whoever works on it sees it before the next step. If nobody does, somebody has to.
        said.set_going(name).await?;
    }
    Ok(Answer::Done)
}

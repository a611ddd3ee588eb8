//! `/cancel`: ends a run that waits, and has one that is under way stop before its next step.
//!
//! What was sent to a provider is never called back: the step that is under way ends, its result is
//! written, and the run says what is left. `/apply` goes on with that.

use landfall_core::name::EnvironmentName;
use landfall_github::PullState;
use landfall_store::{Meant, RunState};

use super::super::run::follow_up;
use super::{Answer, Said};
use crate::failpoint;

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
            open.retain(|run| !run.state.is_ended());
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
    let (store, why) = (&said.house.store, format!("cancelled by {}", said.words.login));
    // Done before it was cut off.
    let is_done = run.state == RunState::Cancelled && run.reason == why;
    let cancelled = match is_done {
        true => Some(run.clone()),
        false => store.cancel_run(&said.job.fence, run.run.id, &why).await?,
    };
    failpoint::pass("command::acted")?;
    let Some(cancelled) = cancelled else {
        let name = &run.run.environment;
        return Ok(Answer::refuse(format!("The run on {name} has ended meanwhile.")));
    };
    if cancelled.stop.is_some() {
        // Whoever works on it sees it before the next step. If nobody does, somebody has to.
        said.set_going(&run.run.environment).await?;
    } else {
        said.tell_cancelled(&cancelled, why).await?;
        follow_up(said.house, said.job, &cancelled).await?;
    }
    Ok(Answer::done("cancel", &cancelled, &run.reason))
}

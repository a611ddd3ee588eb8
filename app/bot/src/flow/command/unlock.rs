//! `/unlock`: gives up a run that is held, or the steps whose outcome nobody could find out.

use landfall_core::name::EnvironmentName;
use landfall_github::PullState;
use landfall_store::{RunState, Unresolved};

use super::{Answer, Said};

pub(super) async fn unlock(
    said: &Said<'_>,
    environment: Option<EnvironmentName>,
) -> anyhow::Result<Answer> {
    let PullState::Merged { commit: Some(commit), .. } = &said.pull.state else {
        return Ok(Answer::refuse("This pull request is not merged, so no run of it can be held."));
    };
    let waiting = said.waiting(environment.as_ref(), commit).await?;
    let run = match waiting.as_slice() {
        [] => return Ok(Answer::refuse("No run of this pull request waits.")),
        [run] => run,
        _ => {
            return Ok(Answer::refuse_with(
                "Several environments wait.",
                "Name one: `/unlock ENVIRONMENT`.",
            ));
        }
    };
    let (store, name) = (&said.house.store, run.run.environment.clone());
    let why = format!("unlocked by {}", said.words.login);
    let place = Unresolved::In(said.ground.repository.id, name.clone());
    for step in store.unresolved_steps(&place).await? {
        store.dismiss_step(&said.job.fence, step.id, &why).await?;
    }
    if run.state == RunState::Held {
        store.advance_run(&said.job.fence, run.run.id, RunState::Cancelled, &why).await?;
    }
    said.audit("unlock", Some(&name), &run.reason).await?;
    Ok(Answer::Done)
}

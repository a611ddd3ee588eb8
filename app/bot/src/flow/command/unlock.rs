//! `/unlock`: gives up a run that is held, or the steps whose outcome nobody could find out.

use landfall_core::name::EnvironmentName;
use landfall_core::report::RunStage;
use landfall_github::PullState;
use landfall_store::{Run, RunState};

use super::super::announce::report_of;
use super::super::confirm::Brought;
use super::super::run::follow_up;
use super::{Answer, Said};

pub(super) async fn unlock(
    said: &Said<'_>,
    environment: Option<EnvironmentName>,
) -> anyhow::Result<Answer> {
    let PullState::Merged { commit: Some(commit), .. } = &said.pull.state else {
        return Ok(Answer::refuse("This pull request is not merged, so no run of it can be held."));
    };
    let mut waiting = said.waiting(environment.as_ref(), commit).await?;
    waiting.retain(|run| run.state.waits_for_somebody());
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
    let Some(given_up) = store.give_up_run(&said.job.fence, run.run.id, &why).await? else {
        return Ok(Answer::refuse(format!("The run on {name} does not wait any more.")));
    };
    if run.state == RunState::Held {
        said.tell_cancelled(&given_up, why).await?;
    }
    follow_up(said.house, said.job, &given_up).await?;
    said.audit("unlock", Some(&name), &run.reason).await?;
    Ok(Answer::Done)
}

impl Said<'_> {
    /// Says wherever the run was told of that it waits no more.
    async fn tell_cancelled(&self, run: &Run, why: String) -> anyhow::Result<()> {
        let repository = self.ground.repository.id;
        let row = self.house.store.environment(repository, &run.run.environment).await?;
        let Some(branch) = row.as_ref().and_then(|row| row.branch.clone()) else { return Ok(()) };
        let last = row.and_then(|row| row.last).map(|last| last.commit);
        let brought =
            Brought::find(self.house, self.ground, last.as_ref(), &run.run.commit).await?;
        let report = report_of(run, branch, RunStage::Cancelled(why));
        self.board().run(run.run.id, &report, &brought.numbers(), &[]).await
    }
}

//! `/unlock`: takes a lock off. Where there is none, gives up a run that is held, or the steps whose
//! outcome nobody could find out.

use landfall_core::name::EnvironmentName;
use landfall_core::report::RunStage;
use landfall_github::PullState;
use landfall_store::{Run, RunState};

use super::super::announce::report_of;
use super::super::confirm::Brought;
use super::super::run::follow_up;
use super::{Answer, Said, lock};

pub(super) async fn unlock(
    said: &Said<'_>,
    environments: &[EnvironmentName],
) -> anyhow::Result<Answer> {
    let mut locks = said.house.store.locks(said.ground.repository.id).await?;
    locks.retain(|lock| environments.contains(&lock.environment));
    match locks.as_slice() {
        [] => give_up(said, environments).await,
        [lock] => said.take_off(lock).await,
        _ => Ok(Answer::refuse_with(
            "Several environments are locked.",
            "Name one: `/unlock ENVIRONMENT`.",
        )),
    }
}

async fn give_up(said: &Said<'_>, environments: &[EnvironmentName]) -> anyhow::Result<Answer> {
    let PullState::Merged { commit: Some(commit), .. } = &said.pull.state else {
        return Ok(Answer::refuse(
            "There is no lock, and this pull request is not merged, so no run of it can be held.",
        ));
    };
    if let Some(answer) = said.cut_off() {
        return Ok(answer);
    }
    let mut waiting = said.waiting(environments, commit).await?;
    waiting.retain(|run| run.state.waits_for_somebody());
    let run = match waiting.as_slice() {
        [] => {
            let why = "There is no lock, and no run of this pull request waits.";
            return Ok(Answer::refuse(why));
        }
        [run] => run,
        several => return Ok(Answer::several(several, "unlock")),
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
    async fn take_off(&self, lock: &landfall_store::Lock) -> anyhow::Result<Answer> {
        let name = &lock.environment;
        let (store, repository) = (&self.house.store, self.ground.repository.id);
        // Noted before, so that it is there even if this is cut off in between.
        self.audit("unlock", Some(name), &lock::waiting(lock).to_string()).await?;
        store.unlock_environment(&self.job.fence, repository, name).await?;
        self.tell_of_lock(name).await?;
        Ok(Answer::Done)
    }

    /// Says wherever the run was told of that it waits no more.
    pub(super) async fn tell_cancelled(&self, run: &Run, why: String) -> anyhow::Result<()> {
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

//! `/unlock`: takes a lock off. Where there is none, gives up a run that is held, or the steps whose
//! outcome nobody could find out.

use landfall_core::name::EnvironmentName;
use landfall_core::report::RunStage;
use landfall_github::PullState;
use landfall_store::{Meant, Run, RunState};

use super::super::announce::report_of;
use super::super::confirm::Brought;
use super::super::run::follow_up;
use super::{Answer, Deed, Said, lock};
use crate::failpoint;

pub(super) async fn unlock(
    said: &Said<'_>,
    environments: &[EnvironmentName],
) -> anyhow::Result<Answer> {
    match said.meant {
        Some(Meant::Lock(name)) => return said.take_off(name).await,
        Some(Meant::Run(_)) => return give_up(said, environments).await,
        None => {}
    }
    let mut locks = said.house.store.locks(said.ground.repository.id).await?;
    locks.retain(|lock| environments.contains(&lock.environment));
    match locks.as_slice() {
        [] => give_up(said, environments).await,
        [lock] => {
            said.means(Meant::Lock(lock.environment.clone())).await?;
            said.take_off(&lock.environment).await
        }
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
    let run = match said.meant_run().await? {
        Some(run) => run,
        None => {
            let mut waiting = said.waiting(environments, commit).await?;
            waiting.retain(|run| run.state.waits_for_somebody());
            match waiting.as_slice() {
                [] => {
                    let why = "There is no lock, and no run of this pull request waits.";
                    return Ok(Answer::refuse(why));
                }
                [run] => run.clone(),
                several => return Ok(Answer::several(several, "unlock")),
            }
        }
    };
    said.means(Meant::Run(run.run.id)).await?;
    let (store, why) = (&said.house.store, format!("unlocked by {}", said.words.login));
    // Done before it was cut off.
    let is_done = run.state == RunState::Cancelled && run.reason == why;
    let given_up = match is_done {
        true => Some(run.clone()),
        false => store.give_up_run(&said.job.fence, run.run.id, &why).await?,
    };
    failpoint::pass("command::acted")?;
    let Some(given_up) = given_up else {
        let name = &run.run.environment;
        return Ok(Answer::refuse(format!("The run on {name} does not wait any more.")));
    };
    if given_up.state == RunState::Cancelled {
        said.tell_cancelled(&given_up, why).await?;
    }
    follow_up(said.house, said.job, &given_up).await?;
    Ok(Answer::done("unlock", &given_up, &run.reason))
}

impl Said<'_> {
    async fn take_off(&self, name: &EnvironmentName) -> anyhow::Result<Answer> {
        let (store, repository) = (&self.house.store, self.ground.repository.id);
        let lock = store.lock_on(repository, name).await?;
        // If this was cut off after the lock was off, another one may be on by now.
        let lock = lock.filter(|lock| self.meant.is_none() || lock.at <= self.words.commented_at);
        if lock.is_some() {
            store.unlock_environment(&self.job.fence, repository, name).await?;
        }
        failpoint::pass("command::acted")?;
        self.tell_of_lock(name).await?;
        let why = lock.map(|lock| lock::waiting(&lock).to_string()).unwrap_or_default();
        Ok(Answer::Done(Deed { what: "unlock", environment: name.clone(), why }))
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

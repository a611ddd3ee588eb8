//! `/lock`: keeps every run of an environment from beginning. What is under way goes on to its end.

use landfall_core::command::Lock;
use landfall_core::name::EnvironmentName;
use landfall_core::report::Waiting;
use landfall_store::{Created, JobKey, NewJob, PlanScope};

use super::{Answer, Deed, Said};
use crate::failpoint;

pub(super) async fn lock(said: &Said<'_>, command: Lock) -> anyhow::Result<Answer> {
    let Lock { environment, reason } = command;
    let lock = landfall_store::Lock {
        repository: said.ground.repository.id,
        environment: environment.clone(),
        command: said.words.id,
        by: said.words.author,
        login: said.words.login.clone(),
        reason,
        at: said.words.commented_at,
    };
    match said.house.store.lock_environment(&said.job.fence, &lock).await? {
        // This very command did it before it was cut off.
        Created::Existing(there) if there.command != said.words.id => {
            return Ok(Answer::refuse_with(
                format!("{environment} is locked already: {}.", waiting(&there)),
                format!("`/unlock {environment}` takes that lock off."),
            ));
        }
        Created::New(_) | Created::Existing(_) => {}
    }
    failpoint::pass("command::acted")?;
    said.tell_of_lock(&environment).await?;
    Ok(Answer::Done(Deed { what: "lock", environment, why: lock.reason }))
}

/// What a run waits for under this lock.
pub(in crate::flow) fn waiting(lock: &landfall_store::Lock) -> Waiting {
    Waiting::Locked { by: lock.login.clone(), reason: lock.reason.clone() }
}

impl Said<'_> {
    /// A lock was put on or taken off: the run that waits looks again, and open pull requests that would
    /// change something there are told.
    pub(super) async fn tell_of_lock(&self, environment: &EnvironmentName) -> anyhow::Result<()> {
        let (store, repository) = (&self.house.store, self.ground.repository.id);
        let newest = store.recent_runs(repository, environment, 1).await?.pop();
        if newest.is_some_and(|run| !run.state.is_ended()) {
            self.set_going(environment).await?;
        }
        let (mut asked, mut jobs) = (Vec::new(), Vec::new());
        for pull in store.open_pulls(repository).await? {
            let environment = environment.clone();
            let scope = PlanScope { repository, pull: pull.number, environment };
            let plan = store.latest_plan(&scope).await?;
            if plan.is_some_and(|stored| stored.plan.plan.changes().next().is_some()) {
                asked.push(pull.number);
                let key = JobKey::Plan { repository, pull: pull.number };
                jobs.push(NewJob { key, installation: self.job.installation, run_at: None });
            }
        }
        store.ask_for_plans(repository, &asked).await?;
        Ok(store.enqueue(&jobs).await?)
    }
}

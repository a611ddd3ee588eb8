//! `/lock`: keeps every run of an environment from beginning. What is under way goes on to its end.

use landfall_core::command::Lock;
use landfall_core::name::{EnvironmentName, PullNumber, RepositoryId};
use landfall_core::report::Waiting;
use landfall_store::{AuditEntry, ClaimedJob, Created, JobKey, Meant, NewJob, PlanScope};

use super::{Answer, Deed, Said};
use crate::failpoint;
use crate::house::House;

pub(super) async fn lock(said: &Said<'_>, command: Lock) -> anyhow::Result<Answer> {
    let Lock { environment, reason } = command;
    let lock = landfall_store::Lock {
        repository: said.ground.repository.id,
        environment: environment.clone(),
        command: said.words.id,
        pull: said.words.pull,
        by: said.words.author,
        login: said.words.login.clone(),
        reason,
        at: said.words.commented_at,
    };
    // This very command did it before it was cut off, and somebody may have taken the lock off since.
    let is_done = matches!(said.meant, Some(Meant::Lock(name)) if *name == environment);
    if !is_done
        && let Created::Existing(there) =
            said.house.store.lock_environment(&said.job.fence, &lock).await?
    {
        return Ok(Answer::refuse_with(
            format!("{environment} is {} already.", waiting(&there)),
            format!("`/unlock {environment}` takes that lock off."),
        ));
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
    /// A lock was put on or taken off.
    pub(super) async fn tell_of_lock(&self, environment: &EnvironmentName) -> anyhow::Result<()> {
        tell_of_lock(self.house, self.job, self.ground.repository.id, environment).await
    }
}

/// A lock was put on or taken off: the run that waits looks again, and open pull requests that would
/// change something there are told.
async fn tell_of_lock(
    house: &House,
    job: &ClaimedJob,
    repository: RepositoryId,
    environment: &EnvironmentName,
) -> anyhow::Result<()> {
    let (store, mut keys, mut asked) = (&house.store, Vec::new(), Vec::new());
    let newest = store.recent_runs(repository, environment, 1).await?.pop();
    if newest.is_some_and(|run| !run.state.is_ended()) {
        keys.push(JobKey::Run { repository, environment: environment.clone() });
    }
    for pull in store.open_pulls(repository).await? {
        let environment = environment.clone();
        let scope = PlanScope { repository, pull: pull.number, environment };
        let plan = store.latest_plan(&scope).await?;
        if plan.is_some_and(|stored| stored.plan.plan.changes().next().is_some()) {
            asked.push(pull.number);
            keys.push(JobKey::Plan { repository, pull: pull.number });
        }
    }
    store.ask_for_plans(repository, &asked).await?;
    let job = |key| NewJob { key, installation: job.installation, run_at: None };
    let jobs: Vec<NewJob> = keys.into_iter().map(job).collect();
    Ok(store.enqueue(&jobs).await?)
}

/// The locks that were asked for on a pull request that comes to nothing.
///
/// # Errors
/// The store could not be asked.
pub(in crate::flow) async fn locks_of(
    house: &House,
    repository: RepositoryId,
    pull: PullNumber,
) -> anyhow::Result<Vec<landfall_store::Lock>> {
    let mut locks = house.store.locks(repository).await?;
    locks.retain(|lock| lock.pull == pull);
    Ok(locks)
}

/// Takes off a lock that nobody needs any more.
///
/// # Errors
/// The store could not be asked or written to.
pub(in crate::flow) async fn release(
    house: &House,
    job: &ClaimedJob,
    lock: &landfall_store::Lock,
) -> anyhow::Result<()> {
    let entry = AuditEntry {
        who: "landfall".to_owned(),
        what: "unlock".to_owned(),
        repository: lock.repository,
        environment: Some(lock.environment.clone()),
        digest: None,
        why: format!("#{}, on which it was locked, was closed: {}", lock.pull, waiting(lock)),
    };
    // Noted before, so that it is there even if this is cut off in between.
    house.store.append_audit(&entry).await?;
    house.store.unlock_environment(&job.fence, lock.repository, &lock.environment).await?;
    tell_of_lock(house, job, lock.repository, &lock.environment).await
}

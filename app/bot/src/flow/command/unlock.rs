//! `/unlock`: takes a lock off, and nothing else: of two people who say it at once, the second one must
//! not drop the run that the first one freed.

use landfall_core::name::EnvironmentName;
use landfall_github::PullState;
use landfall_store::Meant;

use super::{Answer, Deed, Refusal, Said, lock};
use crate::failpoint;

pub(super) async fn unlock(
    said: &Said<'_>,
    environments: &[EnvironmentName],
) -> anyhow::Result<Answer> {
    if let Some(Meant::Lock(name)) = said.meant {
        return said.take_off(name).await;
    }
    let mut locks = said.house.store.locks(said.ground.repository.id).await?;
    locks.retain(|lock| environments.contains(&lock.environment));
    match locks.as_slice() {
        [] => Ok(Answer::Refuse(said.nothing_locked(environments).await?)),
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

    /// That there is no lock to be taken off, and what drops the run that somebody may have meant.
    async fn nothing_locked(&self, environments: &[EnvironmentName]) -> anyhow::Result<Refusal> {
        let why = match environments {
            [name] => format!("{name} is not locked."),
            _ => "Nothing is locked here.".to_owned(),
        };
        let waiting = match &self.pull.state {
            PullState::Merged { commit: Some(commit), .. } => {
                self.waiting(environments, commit).await?
            }
            _ => Vec::new(),
        };
        let droppable = waiting.iter().find(|run| run.state.may_be_dropped());
        let help = droppable.map(|run| {
            format!("`/cancel {}` drops the run that waits there.", run.run.environment)
        });
        Ok(Refusal { why, help })
    }
}

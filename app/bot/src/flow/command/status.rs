//! `/status`: what is live and what waits, as the store has it.

use landfall_core::report::Waiting;
use landfall_store::RunState;

use super::{Answer, Said, lock};
use crate::render::StatusRow;

pub(super) async fn status(said: &Said<'_>) -> anyhow::Result<Answer> {
    let (store, repository) = (&said.house.store, said.ground.repository.id);
    let mut rows = Vec::new();
    let mut locks = store.locks(repository).await?;
    for environment in store.environments(repository).await? {
        let lock = locks.iter().position(|lock| lock.environment == environment.name);
        let lock = lock.map(|at| locks.remove(at));
        let newest = store.recent_runs(repository, &environment.name, 1).await?;
        let waits = match newest.first() {
            Some(run) if run.state != RunState::Succeeded => {
                // A lock is told of by itself.
                let told =
                    run.reason.is_empty() || matches!(run.waiting, Some(Waiting::Locked { .. }));
                let reason = if told { String::new() } else { format!(": {}", run.reason) };
                Some(format!("{} at `{}`{reason}", run.state, run.run.commit.short()))
            }
            _ => None,
        };
        let locked = lock.map(|lock| lock::waiting(&lock).to_string());
        let waits: Vec<String> = locked.into_iter().chain(waits).collect();
        let waits = waits.join("; ");
        let live = environment.last.map(|last| last.commit.short().to_owned());
        rows.push(StatusRow { name: environment.name.to_string(), live, waits });
    }
    for lock in locks {
        let waits = lock::waiting(&lock).to_string();
        rows.push(StatusRow { name: lock.environment.to_string(), live: None, waits });
    }
    let text = said.house.templates.status(&said.words.login, store.now().await?, &rows)?;
    Ok(Answer::Say { word: "status", text })
}

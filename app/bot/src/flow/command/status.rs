//! `/status`: what is live and what waits, as the store has it.

use landfall_store::RunState;

use super::{Answer, Said};
use crate::render::StatusRow;

pub(super) async fn status(said: &Said<'_>) -> anyhow::Result<Answer> {
    let (store, repository) = (&said.house.store, said.ground.repository.id);
    let mut rows = Vec::new();
    for environment in store.environments(repository).await? {
        let newest = store.recent_runs(repository, &environment.name, 1).await?;
        let waits = match newest.first() {
            Some(run) if run.state != RunState::Succeeded => {
                let reason =
                    if run.reason.is_empty() { String::new() } else { format!(": {}", run.reason) };
                format!("{} at `{}`{reason}", run.state, run.run.commit.short())
            }
            _ => "nothing".to_owned(),
        };
        let live = environment.last.map(|last| last.commit.short().to_owned());
        rows.push(StatusRow { name: environment.name.to_string(), live, waits });
    }
    Ok(Answer::Say(said.house.templates.status(&rows)?))
}

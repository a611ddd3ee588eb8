//! Commands: what people say on a pull request, carried out with the rights they have now.
//!
//! Each is a row of its own, so none is lost in a burst. A command that was cut off has no outcome and is
//! carried out again: what it does is written down by digest or found out anew. Where that could meet what
//! nobody meant by then, what is meant is noted before it is done.
//!
//! What a command does is a file here; how it is written, a file of the same name in the core.

use landfall_core::command::{self, Command, CommandError};
use landfall_core::name::EnvironmentName;
use landfall_github::{Pull, PullState};
use landfall_store::{ClaimedJob, Meant, NewCommand, PlanScope, Run};

use super::announce::Board;
use super::ground::Ground;
use crate::failpoint;
use crate::house::House;

mod answer;
mod apply;
mod cancel;
mod excess;
mod head;
mod heard;
mod help;
mod lock;
mod owners;
mod plan;
mod rights;
mod status;
mod unlock;

use answer::{Answer, Deed, Refusal, finish, refuse};
pub(in crate::flow) use heard::said;
pub(in crate::flow) use lock::{locks_of, release, waiting as under};
use plan::Order;
pub use plan::{Found, Ordered, There};
use rights::Standing;

/// A command that is being carried out, and what it may need.
#[derive(Debug)]
struct Said<'a> {
    house: &'a House,
    job: &'a ClaimedJob,
    ground: &'a Ground,
    pull: &'a Pull,
    words: &'a NewCommand,
    /// What the rules say of rights.
    standing: &'a Standing,
    /// What it meant, if an attempt to carry it out was cut off: nobody knows how far that came.
    meant: Option<&'a Meant>,
}

/// Carries out everything that was said and not done yet, on newly fetched ground.
///
/// # Errors
/// The store, GitHub or git could not be asked.
pub async fn carry_out(
    house: &House,
    job: &ClaimedJob,
    ground: Ground,
    pull: &Pull,
) -> anyhow::Result<(Ground, Ordered)> {
    let mut ordered = Ordered::default();
    let pending = house.store.pending_commands(ground.repository.id, pull.number).await?;
    if pending.is_empty() {
        return Ok((ground, ordered));
    }
    let ground = ground.fetch(&[]).await?;
    let standing = Standing::read(house, &ground).await?;
    for row in pending {
        let (words, meant) = (&row.command, row.meant.as_ref());
        let said = Said { house, job, ground: &ground, pull, words, standing: &standing, meant };
        let answer = match said.beyond(row.received_at).await? {
            Some(answer) => answer,
            None => said.carried_out().await?,
        };
        match answer {
            Answer::Ordered(command) => {
                house.store.ask_for_plans(ground.repository.id, &[pull.number]).await?;
                ordered.0.push(Order { words: row.command, command });
            }
            answer => said.answer(answer).await?,
        }
    }
    Ok((ground, ordered))
}

impl Said<'_> {
    async fn carried_out(&self) -> anyhow::Result<Answer> {
        if let Some(answer) = self.withdrawn().await? {
            return Ok(answer);
        }
        let command = match command::parse(&self.words.text).into_iter().next() {
            Some(Ok(command)) => command,
            Some(Err(error)) => return Ok(misspoken(&error)),
            None => return Ok(Answer::PassedOver("no command")),
        };
        let environments = match self.permitted(&command).await? {
            Ok(environments) => environments,
            Err(refusal) => return Ok(refusal),
        };
        if let Some(answer) = self.overtaken(&command, &environments).await? {
            return Ok(answer);
        }
        match command {
            Command::Help(_) => help::help(self),
            Command::Plan(plan) => plan::plan(self, plan).await,
            Command::Apply(apply) => apply::apply(self, apply, &environments).await,
            Command::Status(_) => status::status(self).await,
            Command::Lock(lock) => lock::lock(self, lock).await,
            Command::Unlock(_) => unlock::unlock(self, &environments).await,
            Command::Cancel(_) => cancel::cancel(self, &environments).await,
        }
    }

    /// Notes what it means, before that is done.
    async fn means(&self, meant: Meant) -> anyhow::Result<()> {
        self.house.store.note_meant(&self.job.fence, self.words.id, &meant).await?;
        failpoint::pass("command::meant")
    }

    /// The run that it meant when it was cut off.
    async fn meant_run(&self) -> anyhow::Result<Option<Run>> {
        match self.meant {
            Some(Meant::Run(id)) => Ok(self.house.store.run(*id).await?),
            Some(Meant::Lock(_)) | None => Ok(None),
        }
    }

    /// What becomes of a word that somebody gave before the store was restored from a backup. It may
    /// have been heeded then, and the world may have moved on; whoever means it still says it again.
    async fn overtaken(
        &self,
        command: &Command,
        environments: &[EnvironmentName],
    ) -> anyhow::Result<Option<Answer>> {
        match command {
            Command::Help(_) | Command::Plan(_) | Command::Status(_) => return Ok(None),
            Command::Apply(_) | Command::Lock(_) | Command::Unlock(_) | Command::Cancel(_) => {}
        }
        let restored = self.house.store.last_restore().await?;
        // GitHub tells the second.
        let said = self.words.commented_at.as_second();
        let Some(restored) = restored.filter(|restored| said < restored.at.as_second()) else {
            return Ok(None);
        };
        let runs = match &self.pull.state {
            PullState::Merged { commit: Some(commit), .. } => {
                self.waiting(environments, commit).await?
            }
            _ => Vec::new(),
        };
        Ok(Some(match runs.iter().any(|run| run.state.waits_for_somebody()) {
            true => Answer::refuse_with(
                format!(
                    "It was said before Landfall was restored from a backup of {}.",
                    restored.taken_at.strftime("%Y-%m-%d %H:%M UTC")
                ),
                "Look at the run that waits now, and say it again if you mean that.",
            ),
            false => Answer::PassedOver("said before a restore"),
        }))
    }

    /// The plans of this pull request for an environment.
    fn scope(&self, environment: &EnvironmentName) -> PlanScope {
        let (repository, pull) = (self.ground.repository.id, self.pull.number);
        PlanScope { repository, pull, environment: environment.clone() }
    }

    fn board(&self) -> Board<'_> {
        Board::of(self.house, self.job, self.ground.repository.id)
    }
}

fn misspoken(error: &CommandError) -> Answer {
    let why = error.to_string();
    let stop = if why.ends_with('?') { "" } else { "." };
    Answer::refuse_with(format!("{why}{stop}"), error.help())
}

/// `did you mean …?` as a sentence of its own.
fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
    let stop = if text.ends_with('?') { "" } else { "." };
    format!("{first}{}{stop}", letters.as_str())
}

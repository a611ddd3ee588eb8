//! Commands: what people say on a pull request, carried out with the rights they have now.
//!
//! Each is a row of its own, so none is lost in a burst. A command that was taken and has no outcome
//! is carried out again: every one of them may be, because what it does is written down by digest or
//! found out anew.

use landfall_core::command::{self, Command};
use landfall_core::name::EnvironmentName;
use landfall_github::{Permission, Pull, PullState};
use landfall_store::{AuditEntry, ClaimedJob, NewCommand};

use super::announce::Board;
use super::ground::Ground;
use crate::house::House;
use crate::publish::body::ReactionWord;

mod apply;
mod help;
mod status;
mod unlock;

/// A command that is being carried out, and what it may need.
#[derive(Debug)]
struct Said<'a> {
    house: &'a House,
    job: &'a ClaimedJob,
    ground: &'a Ground,
    pull: &'a Pull,
    words: &'a NewCommand,
}

/// What a command came to.
#[derive(Debug)]
enum Answer {
    /// It was done.
    Done,
    /// It was done, and this is what was asked for.
    Say(String),
    /// The plan is made again.
    Replan,
    /// It was not done, and nobody needs to know.
    PassedOver(&'static str),
    /// It was not done; why, and what would help.
    Refuse(String, Option<String>),
}

impl Answer {
    fn refuse(why: impl Into<String>) -> Self {
        Self::Refuse(why.into(), None)
    }

    fn refuse_with(why: impl Into<String>, help: impl Into<String>) -> Self {
        Self::Refuse(why.into(), Some(help.into()))
    }
}

/// Carries out everything that was said and not done yet.
///
/// # Errors
/// The store or GitHub could not be asked.
pub async fn carry_out(
    house: &House,
    job: &ClaimedJob,
    ground: &Ground,
    pull: &Pull,
) -> anyhow::Result<()> {
    let pending = house.store.pending_commands(ground.repository.id, pull.number).await?;
    for row in &pending {
        let said = Said { house, job, ground, pull, words: &row.command };
        house.store.take_command(&job.fence, row.command.id).await?;
        let answer = said.carried_out().await?;
        said.answer(answer).await?;
    }
    Ok(())
}

impl Said<'_> {
    async fn carried_out(&self) -> anyhow::Result<Answer> {
        let command = match command::parse(&self.words.text).into_iter().next() {
            Some(Ok(command)) => command,
            Some(Err(error)) => {
                let why = error.to_string();
                let stop = if why.ends_with('?') { "" } else { "." };
                let help = "`/help` lists what there is.";
                return Ok(Answer::refuse_with(format!("{why}{stop}"), help));
            }
            None => return Ok(Answer::Done),
        };
        let needed = match command {
            Command::Help | Command::Status => Permission::Read,
            Command::Plan { .. } | Command::Apply { .. } | Command::Unlock { .. } => {
                Permission::Write
            }
        };
        // Asked now, not read from the event: rights may have changed since.
        let has = self.ground.reader.permission(self.words.author, &self.words.login).await?;
        if has < needed {
            let permission = if needed == Permission::Read { "read" } else { "write" };
            let why = format!("It takes {permission} permission on this repository.");
            return Ok(Answer::refuse(why));
        }
        if let Some(answer) = self.overtaken(&command).await? {
            return Ok(answer);
        }
        match command {
            Command::Help => help::help(self),
            Command::Status => status::status(self).await,
            Command::Plan { .. } if self.pull.state != PullState::Open => {
                Ok(Answer::refuse("This pull request is closed, so there is nothing to plan."))
            }
            Command::Plan { .. } => Ok(Answer::Replan),
            Command::Apply { environment, digest } => apply::apply(self, environment, digest).await,
            Command::Unlock { environment } => unlock::unlock(self, environment).await,
        }
    }

    /// What becomes of a word that somebody gave before the store was restored from a backup. It may
    /// have been heeded then, and the world may have moved on; whoever means it still says it again.
    async fn overtaken(&self, command: &Command) -> anyhow::Result<Option<Answer>> {
        if !matches!(command, Command::Apply { .. } | Command::Unlock { .. }) {
            return Ok(None);
        }
        let restored = self.house.store.last_restore().await?;
        // GitHub tells the second.
        let said = self.words.commented_at.as_second();
        let Some(restored) = restored.filter(|restored| said < restored.at.as_second()) else {
            return Ok(None);
        };
        let runs = match &self.pull.state {
            PullState::Merged { commit: Some(commit), .. } => self.waiting(None, commit).await?,
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

    async fn answer(&self, answer: Answer) -> anyhow::Result<()> {
        let board = self.board();
        let id = self.words.id;
        let outcome = match answer {
            Answer::Done => {
                board.react(id, ReactionWord::Done).await?;
                "done".to_owned()
            }
            Answer::Replan => {
                let (repository, pull) = (self.ground.repository.id, self.pull.number);
                self.house.store.ask_for_plans(repository, &[pull]).await?;
                board.react(id, ReactionWord::Heard).await?;
                "planned again".to_owned()
            }
            Answer::Say(text) => {
                board.answer(self.pull.number, "answer", &id.to_string(), text).await?;
                "answered".to_owned()
            }
            Answer::PassedOver(why) => why.to_owned(),
            Answer::Refuse(why, help) => {
                board.react(id, ReactionWord::Refused).await?;
                let text = self.house.templates.refused(
                    &self.words.login,
                    &self.words.text,
                    &why,
                    help.as_deref(),
                )?;
                board.answer(self.pull.number, "refused", &id.to_string(), text).await?;
                self.audit("refused", None, &why).await?;
                format!("refused: {why}")
            }
        };
        Ok(self.house.store.finish_command(&self.job.fence, id, &outcome).await?)
    }

    fn board(&self) -> Board<'_> {
        Board::of(self.house, self.job, self.ground.repository.id)
    }

    async fn audit(
        &self,
        what: &str,
        environment: Option<&EnvironmentName>,
        why: &str,
    ) -> anyhow::Result<()> {
        let entry = AuditEntry {
            who: format!("{} ({})", self.words.login, self.words.author),
            what: what.to_owned(),
            repository: self.ground.repository.id,
            environment: environment.cloned(),
            digest: None,
            why: format!("{}: {why}", self.words.text),
        };
        Ok(self.house.store.append_audit(&entry).await?)
    }
}

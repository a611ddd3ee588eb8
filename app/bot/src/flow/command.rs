//! Commands: what people say on a pull request, carried out with the rights they have now.
//!
//! Each is a row of its own, so none is lost in a burst. A command that was taken and has no outcome
//! is carried out again: what it does is written down by digest or found out anew. Where that could
//! meet what nobody meant, it is refused instead.
//!
//! What a command does is a file here; how it is written, a file of the same name in the core.

use landfall_core::command::{self, Command, CommandError};
use landfall_core::name::EnvironmentName;
use landfall_github::{Pull, PullState};
use landfall_store::{AuditEntry, ClaimedJob, NewCommand, PlanScope, Run};

use super::announce::Board;
use super::ground::Ground;
use crate::house::House;
use crate::publish::AnswerBody;
use crate::publish::body::ReactionWord;

mod apply;
mod cancel;
mod head;
mod heard;
mod help;
mod lock;
mod owners;
mod plan;
mod rights;
mod status;
mod unlock;

pub(in crate::flow) use heard::said;
pub(in crate::flow) use lock::waiting as under;
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
    /// Whether an attempt to carry it out was cut off: nobody knows how far that came.
    taken: bool,
}

/// What a command came to.
#[derive(Debug)]
enum Answer {
    /// It was done.
    Done,
    /// It was done, and this is what was asked for: Markdown, whole blocks.
    Say { word: &'static str, text: String },
    /// It is done once the plan stands that is made next.
    Ordered(command::Plan),
    /// It was not done, and nobody needs to know.
    PassedOver(&'static str),
    /// It was not done.
    Refuse(Refusal),
}

/// Why a command is not carried out, and what would help. Both are prose with code spans.
#[derive(Debug)]
struct Refusal {
    why: String,
    help: Option<String>,
}

impl Answer {
    fn refuse(why: impl Into<String>) -> Self {
        Self::Refuse(Refusal { why: why.into(), help: None })
    }

    /// Several runs could be meant.
    fn several(runs: &[Run], word: &str) -> Self {
        let names: Vec<String> = runs.iter().map(|run| run.run.environment.to_string()).collect();
        Self::refuse_with(
            format!("Several environments wait: {}.", names.join(", ")),
            format!("Name one: `/{word} ENVIRONMENT`."),
        )
    }

    fn refuse_with(why: impl Into<String>, help: impl Into<String>) -> Self {
        Self::Refuse(Refusal { why: why.into(), help: Some(help.into()) })
    }
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
        let (words, taken) = (&row.command, row.taken);
        let said = Said { house, job, ground: &ground, pull, words, standing: &standing, taken };
        house.store.take_command(&job.fence, words.id).await?;
        match said.carried_out().await? {
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
            None => return Ok(Answer::Done),
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

    /// What becomes of a word whose first attempt was cut off, where doing it twice is not doing it
    /// once: it might meet a run that nobody meant.
    fn cut_off(&self) -> Option<Answer> {
        let why = "It was begun, and cut off before its end was written.";
        let help = "Look at what waits now, and say it again if you mean that.";
        self.taken.then(|| Answer::refuse_with(why, help))
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

    async fn answer(&self, answer: Answer) -> anyhow::Result<()> {
        let board = self.board();
        let id = self.words.id;
        let outcome = match answer {
            // Its outcome comes with the plan.
            Answer::Ordered(_) => return Ok(()),
            Answer::Done => {
                board.react(id, ReactionWord::Done).await?;
                "done".to_owned()
            }
            Answer::Say { word, text } => {
                let answer = AnswerBody { head: self.pull.head.sha.clone(), text };
                board.answer(self.pull.number, word, answer).await?;
                board.react(id, ReactionWord::Done).await?;
                "answered".to_owned()
            }
            Answer::PassedOver(why) => why.to_owned(),
            Answer::Refuse(refusal) => refuse(&board, self.words, &refusal).await?,
        };
        Ok(self.house.store.finish_command(&self.job.fence, id, &outcome).await?)
    }

    /// The plans of this pull request for an environment.
    fn scope(&self, environment: &EnvironmentName) -> PlanScope {
        let (repository, pull) = (self.ground.repository.id, self.pull.number);
        PlanScope { repository, pull, environment: environment.clone() }
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
        audit(&self.board(), self.words, (what, environment), why).await
    }
}

fn misspoken(error: &CommandError) -> Answer {
    let why = error.to_string();
    let stop = if why.ends_with('?') { "" } else { "." };
    Answer::refuse_with(format!("{why}{stop}"), error.help())
}

/// Tells who gave a command why it is not carried out, and notes it. Returns its outcome.
async fn refuse(
    board: &Board<'_>,
    words: &NewCommand,
    refusal: &Refusal,
) -> anyhow::Result<String> {
    let Refusal { why, help } = refusal;
    board.react(words.id, ReactionWord::Refused).await?;
    let text = board.house.templates.refused(&words.login, &words.text, why, help.as_deref())?;
    board.refused(words, text).await?;
    audit(board, words, ("refused", None), why).await?;
    Ok(format!("refused: {why}"))
}

async fn audit(
    board: &Board<'_>,
    words: &NewCommand,
    (what, environment): (&str, Option<&EnvironmentName>),
    why: &str,
) -> anyhow::Result<()> {
    let entry = AuditEntry {
        who: format!("{} ({})", words.login, words.author),
        what: what.to_owned(),
        repository: board.repository,
        environment: environment.cloned(),
        digest: None,
        why: format!("{}: {why}", words.text),
    };
    Ok(board.house.store.append_audit(&entry).await?)
}

/// `did you mean …?` as a sentence of its own.
fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
    let stop = if text.ends_with('?') { "" } else { "." };
    format!("{first}{}{stop}", letters.as_str())
}

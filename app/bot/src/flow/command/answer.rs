//! What a command comes to, and how whoever gave it learns of that.
//!
//! They are told first, and then it is finished, with its entry in the audit log: one that is cut off in
//! between is carried out again and told of again, which GitHub does not notice, and is in the log once.

use landfall_core::command;
use landfall_core::name::EnvironmentName;
use landfall_store::{AuditEntry, NewCommand, Run};

use super::Said;
use crate::failpoint;
use crate::flow::announce::Board;
use crate::publish::AnswerBody;
use crate::publish::body::ReactionWord;

/// What a command came to.
#[derive(Debug)]
pub(super) enum Answer {
    /// It was done.
    Done(Deed),
    /// It was done, and this is what was asked for: Markdown, whole blocks.
    Say { word: &'static str, text: String },
    /// It is done once the plan stands that is made next.
    Ordered(command::Plan),
    /// It was not done, and nobody needs to know.
    PassedOver(&'static str),
    /// It was not done.
    Refuse(Refusal),
    /// It was not done for the same reason as one before it, and that was said then.
    RefuseAgain(Refusal),
}

/// What was done, for the audit log.
#[derive(Debug)]
pub(super) struct Deed {
    pub(super) what: &'static str,
    pub(super) environment: EnvironmentName,
    pub(super) why: String,
}

/// Why a command is not carried out, and what would help. Both are prose with code spans.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) why: String,
    pub(super) help: Option<String>,
}

impl Refusal {
    /// What is kept of it.
    pub(super) fn outcome(&self) -> String {
        format!("refused: {}", self.why)
    }
}

impl Answer {
    pub(super) fn done(what: &'static str, run: &Run, why: impl Into<String>) -> Self {
        let environment = run.run.environment.clone();
        Self::Done(Deed { what, environment, why: why.into() })
    }

    pub(super) fn refuse(why: impl Into<String>) -> Self {
        Self::Refuse(Refusal { why: why.into(), help: None })
    }

    pub(super) fn refuse_with(why: impl Into<String>, help: impl Into<String>) -> Self {
        Self::Refuse(Refusal { why: why.into(), help: Some(help.into()) })
    }

    /// Several runs could be meant.
    pub(super) fn several(runs: &[Run], word: &str) -> Self {
        let names: Vec<String> = runs.iter().map(|run| run.run.environment.to_string()).collect();
        Self::refuse_with(
            format!("Several environments wait: {}.", names.join(", ")),
            format!("Name one: `/{word} ENVIRONMENT`."),
        )
    }
}

impl Said<'_> {
    pub(super) async fn answer(&self, answer: Answer) -> anyhow::Result<()> {
        failpoint::pass("command::done")?;
        let (board, id) = (self.board(), self.words.id);
        match answer {
            // Its outcome comes with the plan.
            Answer::Ordered(_) => Ok(()),
            Answer::Done(Deed { what, environment, why }) => {
                board.react(id, ReactionWord::Done).await?;
                let entry = entry(&board, self.words, (what, Some(environment)), &why);
                finish(&board, self.words, "done", Some(&entry)).await
            }
            Answer::Say { word, text } => {
                let answer = AnswerBody { head: self.pull.head.sha.clone(), text };
                board.answer(self.pull.number, word, answer).await?;
                board.react(id, ReactionWord::Done).await?;
                finish(&board, self.words, "answered", None).await
            }
            Answer::PassedOver(why) => finish(&board, self.words, why, None).await,
            Answer::Refuse(refusal) => refuse(&board, self.words, &refusal).await,
            Answer::RefuseAgain(refusal) => {
                board.react(id, ReactionWord::Refused).await?;
                finish(&board, self.words, &refusal.outcome(), None).await
            }
        }
    }
}

/// Tells who gave a command why it is not carried out, and is done with it.
pub(super) async fn refuse(
    board: &Board<'_>,
    words: &NewCommand,
    refusal: &Refusal,
) -> anyhow::Result<()> {
    let Refusal { why, help } = refusal;
    board.react(words.id, ReactionWord::Refused).await?;
    let text = board.house.templates.refused(&words.login, &words.text, why, help.as_deref())?;
    board.refused(words, text).await?;
    let entry = entry(board, words, ("refused", None), why);
    finish(board, words, &refusal.outcome(), Some(&entry)).await
}

/// Notes what came of a command.
pub(super) async fn finish(
    board: &Board<'_>,
    words: &NewCommand,
    outcome: &str,
    audit: Option<&AuditEntry>,
) -> anyhow::Result<()> {
    failpoint::pass("command::told")?;
    Ok(board.house.store.finish_command(board.fence, words.id, outcome, audit).await?)
}

fn entry(
    board: &Board<'_>,
    words: &NewCommand,
    (what, environment): (&str, Option<EnvironmentName>),
    why: &str,
) -> AuditEntry {
    AuditEntry {
        who: format!("{} ({})", words.login, words.author),
        what: what.to_owned(),
        repository: board.repository,
        environment,
        digest: None,
        why: format!("{}: {why}", words.text),
    }
}

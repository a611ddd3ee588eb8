//! Asking for somebody's word.

use std::io::{self, BufRead as _, IsTerminal as _, Write as _};

use landfall_core::plan::Digest;
use tokio::signal::unix::{SignalKind, signal};

use super::Confirmation;
use crate::flow::confirm::names;

/// What came of asking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Answer {
    Yes,
    /// Not confirmed, and why.
    No(String),
}

/// Whether the plan with `digest`, which was shown, is to be carried out.
pub(super) async fn ask(
    confirmation: &Confirmation,
    environment: &str,
    digest: &Digest,
) -> anyhow::Result<Answer> {
    let short = digest.short();
    match confirmation {
        Confirmation::Given => Ok(Answer::Yes),
        Confirmation::GivenFor(prefix) if names(prefix, digest) => Ok(Answer::Yes),
        Confirmation::GivenFor(prefix) => Ok(Answer::No(format!(
            "`{prefix}` is not what {environment} would do now: its plan is {short}"
        ))),
        Confirmation::Asked if !io::stdin().is_terminal() => Ok(Answer::No(format!(
            "nobody can be asked here: say --digest {short} for this plan, or --yes for whatever the plan is"
        ))),
        Confirmation::Asked => {
            let question = format!("Apply this to {environment}? Type yes: ");
            // Before the question is there to be interrupted.
            let mut interrupt = signal(SignalKind::interrupt())?;
            let (send, answer) = tokio::sync::oneshot::channel();
            // A thread of its own: the runtime would wait for one of its own to be answered, also
            // after an interrupt.
            std::thread::spawn(move || send.send(typed(&question)));
            tokio::select! {
                answer = answer => Ok(answer??),
                _ = interrupt.recv() => {
                    eprintln!();
                    Ok(Answer::No("interrupted".to_owned()))
                }
            }
        }
    }
}

fn typed(question: &str) -> io::Result<Answer> {
    eprint!("\n{question}");
    io::stderr().flush()?;
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line)?;
    Ok(match line.trim() {
        "yes" => Answer::Yes,
        _ => Answer::No("not confirmed".to_owned()),
    })
}

//! What the simulators saw, as it happens: from their log of exchanges, with the time at which each
//! was answered.

use std::time::{Duration, Instant};

use anyhow::Context as _;
use landfall_sim::exchange::{Exchange, ExchangeLog, Wire};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::timeout;

/// After this long without an exchange nothing more is expected.
const SILENCE: Duration = Duration::from_millis(250);
/// Longer than anything that is waited for takes.
const PATIENCE: Duration = Duration::from_secs(300);

/// One request with its answer.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    /// When the answer was ready: what it stands for is stored.
    pub(crate) at: Instant,
    /// Who was asked.
    pub(crate) wire: Wire,
    /// How.
    pub(crate) method: String,
    /// For what.
    pub(crate) path: String,
}

impl Seen {
    /// Whether it made a comment on a pull request.
    pub(crate) fn is_new_comment(&self) -> bool {
        self.wire == Wire::GitHub && self.method == "POST" && self.path.ends_with("/comments")
    }
}

/// Watches an exchange log. Bodies are let go as they come, or a long measurement would fill the
/// memory with them.
#[derive(Debug)]
pub(crate) struct Watch {
    incoming: UnboundedReceiver<Seen>,
    log: ExchangeLog,
}

impl Watch {
    /// From now on.
    pub(crate) fn begin(log: &ExchangeLog) -> Self {
        let (out, incoming) = unbounded_channel();
        log.listen(move |exchange: &Exchange| {
            let _ = out.send(Seen {
                at: Instant::now(),
                wire: exchange.wire,
                method: exchange.method.clone(),
                path: exchange.path.clone(),
            });
        });
        Self { incoming, log: log.clone() }
    }

    /// Waits for an exchange that `wanted` says yes to, and gives all that came up to it.
    ///
    /// # Errors
    /// It does not come.
    pub(crate) async fn until(
        &mut self,
        wanted: impl Fn(&Seen) -> bool,
    ) -> anyhow::Result<Vec<Seen>> {
        let mut seen = Vec::new();
        loop {
            let next = timeout(PATIENCE, self.incoming.recv()).await;
            let next = next.context("what is waited for does not happen")?;
            seen.push(next.context("the simulators have stopped")?);
            if seen.last().is_some_and(&wanted) {
                return Ok(seen);
            }
        }
    }

    /// Gives all that comes until nothing has come for a while.
    pub(crate) async fn until_silence(&mut self) -> Vec<Seen> {
        let mut seen = Vec::new();
        while let Ok(Some(next)) = timeout(SILENCE, self.incoming.recv()).await {
            seen.push(next);
        }
        self.log.clear();
        seen
    }
}

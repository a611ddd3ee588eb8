//! A homelab with many services that were all applied, and pull requests that change one, one after
//! the other.

use std::time::{Duration, Instant};

use anyhow::Context as _;
use landfall_sim::exchange::Wire;
use landfall_sim::github::{Fate, OnDelivery};

use crate::homelab::Homelab;
use crate::seen::Seen;
use crate::town::Town;

/// A town with one homelab, in which everything is as it was applied.
#[derive(Debug)]
pub(crate) struct Fleet {
    /// Where it lives.
    pub(crate) town: Town,
    homelab: Homelab,
    changes: u32,
}

/// A pull request from its event to the end of what followed.
#[derive(Debug)]
pub(crate) struct Planned {
    /// From the sending of the event until the comment was stored.
    pub(crate) took: Duration,
    /// Everything that was asked of GitHub and Cloudflare for it.
    pub(crate) seen: Vec<Seen>,
}

impl Planned {
    /// How many requests there were on a wire.
    pub(crate) fn requests(&self, wire: Wire) -> usize {
        self.seen.iter().filter(|seen| seen.wire == wire).count()
    }
}

impl Fleet {
    /// Brings `services` services to live in the first `environments` environments.
    ///
    /// # Errors
    /// The runs do not succeed.
    pub(crate) async fn start(services: u32, environments: usize) -> anyhow::Result<Self> {
        let mut town = Town::start().await?;
        let homelab = Homelab::create(&town, "acme/fleet", "example.com", environments).await?;
        let pull = homelab.propose(services).await?;
        town.settle().await;
        homelab.bring_up(pull).await?;
        town.settle().await;
        Ok(Self { town, homelab, changes: 0 })
    }

    /// Changes one service on a branch and opens a pull request. Only its `opened` event is timed:
    /// the push before it has settled.
    ///
    /// # Errors
    /// There is no comment.
    pub(crate) async fn change_one(&mut self) -> anyhow::Result<Planned> {
        self.changes += 1;
        let branch = self.homelab.move_one(self.changes).await?;
        self.town.settle().await;
        let hooks = self.town.github.hooks().clone();
        hooks.fate(OnDelivery::event("pull_request").action("opened"), Fate::Held);
        self.homelab.open(&branch).await?;
        self.town.settle().await;
        let began = Instant::now();
        hooks.release();
        let mut seen = self.town.watch.until(Seen::is_new_comment).await?;
        let took = seen.last().context("a comment was seen")?.at - began;
        seen.extend(self.town.watch.until_silence().await);
        Ok(Planned { took, seen })
    }
}

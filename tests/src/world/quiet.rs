//! Quiet: nothing is on its way and nothing is left to do.
//!
//! GitHub's queue and the server's are looked at in turn until both are empty at once. Work that
//! waits for its time counts as work, so a retry is waited for like anything else. A server that
//! fetches its webhooks has to have looked for them first.

use std::sync::Arc;
use std::time::Duration;

use landfall::settings::Webhooks;
use landfall_store::GivenUp;

use super::{Exchange, World};

/// How long the world may stay busy. Far beyond what a story takes on a loaded machine.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often the server's queues are looked at. Finishing work is announced to nobody.
const GLANCE: Duration = Duration::from_millis(2);

impl World {
    /// Waits until everything that follows from what was done has happened.
    ///
    /// # Panics
    /// The server failed, gave work up, or is still busy after a long time; the message tells what
    /// happened so far.
    pub async fn settle(&mut self) {
        self.rest().await;
        let given_up = self.server.store().given_up().await.expect("the store answers");
        assert!(given_up.is_empty(), "jobs were given up: {given_up:#?}\n{}", self.history().await);
    }

    /// The jobs that were given up, for a story in which some are, once the world is quiet. They
    /// count as read, and so does every panic up to then.
    ///
    /// # Panics
    /// The server failed, or is still busy after a long time.
    pub async fn given_up(&mut self) -> Vec<GivenUp> {
        self.panics_read = u64::MAX;
        self.rest().await;
        self.panics_read = self.server.panics();
        let store = self.server.store();
        let given_up = store.given_up().await.expect("the store answers");
        for job in &given_up {
            store.forget_given_up(job.id).await.expect("the store forgets");
        }
        given_up
    }

    async fn rest(&mut self) {
        let settled = tokio::time::timeout(PATIENCE, self.quiet()).await;
        if settled.is_err() {
            panic!("the world does not come to rest\n{}", self.history().await);
        }
    }

    /// Asserts that nothing in the server panicked but what the story knows of.
    pub(super) fn assert_no_panic(&self) {
        let panics = self.server.panics();
        assert!(panics <= self.panics_read, "the server panicked: its log says where");
    }

    async fn quiet(&mut self) {
        let hooks = self.github.hooks().clone();
        loop {
            let before = hooks.log().len();
            hooks.deliver_all().await;
            self.looked().await;
            self.assert_no_panic();
            let backlog = self.server.store().backlog().await.expect("the store answers");
            // What was published may have made GitHub send more; what was sent before the
            // backlog was empty is in it no more.
            if backlog.is_empty() && hooks.log().len() == before {
                return;
            }
            tokio::select! {
                () = tokio::time::sleep(GLANCE) => {}
                ended = self.server.failed() => panic!("the server ended: {ended:?}"),
            }
        }
    }

    /// In pull mode, waits until the server has looked at the delivery log as it is now, and asked
    /// for what follows from it: the next look but one has begun.
    async fn looked(&mut self) {
        if self.server.webhooks() == Webhooks::Push {
            return;
        }
        let is_look = |exchange: &Exchange| {
            exchange.path.ends_with("/app/hook/deliveries") && exchange.query == "per_page=1"
        };
        let enough = self.exchanges.count(is_look) + 3;
        while self.exchanges.count(is_look) < enough {
            tokio::select! {
                () = tokio::time::sleep(GLANCE) => {}
                ended = self.server.failed() => panic!("the server ended: {ended:?}"),
            }
        }
    }

    /// Waits until a server that was just started has asked GitHub what it asks at its start. `said`
    /// is how many exchanges there were before.
    pub(super) async fn started(&mut self, said: usize) {
        let begun = |path: &str, all: &[Arc<Exchange>]| {
            all.iter().skip(said).any(|exchange| exchange.path.ends_with(path))
        };
        loop {
            let all = self.exchanges.all();
            if begun("/app/hook/deliveries", &all) && begun("/app/installations", &all) {
                return;
            }
            tokio::select! {
                () = tokio::time::sleep(GLANCE) => {}
                ended = self.server.failed() => panic!("the server ended: {ended:?}"),
            }
        }
    }

    /// Everything that happened, for who has to find out why a story failed.
    async fn history(&self) -> String {
        let store = self.server.store();
        let mut told = vec![self.said(), format!("left to do: {:?}", store.backlog().await)];
        for environment in ["staging", "production"] {
            let name = environment.parse().expect("a name");
            let repository = landfall_core::name::RepositoryId(self.repo.id());
            for run in store.recent_runs(repository, &name, 20).await.unwrap_or_default() {
                let commit = self.names.told(run.run.commit.short());
                told.push(format!(
                    "run on {environment} at {commit}: {} {}",
                    run.state, run.reason
                ));
            }
        }
        told.join("\n")
    }

    /// Every exchange in one line.
    pub(super) fn said(&self) -> String {
        let line = |exchange: &Exchange| {
            let fault = if exchange.faulted { " (by a fault)" } else { "" };
            format!("{exchange:?}{fault}")
        };
        let all = self.exchanges.all();
        let lines: Vec<String> = all.iter().map(|exchange| line(exchange)).collect();
        format!("what was said:\n{}", lines.join("\n"))
    }
}

//! A repository with many services that were all applied, and pull requests that change one.

use std::time::{Duration, Instant};

use anyhow::Context as _;
use landfall_sim::exchange::Wire;
use landfall_sim::github::{Edit, Fate, MergeMethod, NewPull, OnDelivery, Repo, Role, edit};

use crate::seen::Seen;
use crate::town::Town;

const PERSON: &str = "alice";
const BRANCH: &str = "main";
/// The environments, as many of them as a fleet has.
const ENVIRONMENTS: [&str; 2] = ["production", "staging"];
/// Between two looks at a run that takes its time.
const LOOK: Duration = Duration::from_millis(200);
/// A first run of 10,000 services takes less.
const PATIENCE: Duration = Duration::from_secs(600);

/// A repository whose services have a record each, all of them as applied.
#[derive(Debug)]
pub(crate) struct Fleet {
    /// Where it lives.
    pub(crate) town: Town,
    repo: Repo,
    environments: &'static [&'static str],
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
    /// Brings `services` services to live in the first `environments` environments, as people would:
    /// a pull request that adds them all, merged, its first runs released by name.
    ///
    /// # Errors
    /// The runs do not succeed.
    pub(crate) async fn start(services: u32, environments: usize) -> anyhow::Result<Self> {
        let town = Town::start().await?;
        let environments = &ENVIRONMENTS[..environments];
        let rules = edit("landfall.yaml", rules(&town.cloudflare.url(), environments));
        let repo = town.github.create_repository("acme/fleet", [rules]).await?;
        repo.add_user(PERSON, Role::Write)?;
        let mut fleet = Self { town, repo, environments, changes: 0 };
        fleet.bring_up(services).await?;
        Ok(fleet)
    }

    /// Changes one service on a branch and opens a pull request. Only its `opened` event is timed:
    /// the push before it has settled.
    ///
    /// # Errors
    /// There is no comment.
    pub(crate) async fn change_one(&mut self) -> anyhow::Result<Planned> {
        self.changes += 1;
        let branch = format!("change-{}", self.changes);
        let edits = [service(self.changes, 200)];
        self.repo.push(&branch, PERSON, "Move a service", edits).await?;
        self.town.settle().await;
        let hooks = self.town.github.hooks().clone();
        hooks.fate(OnDelivery::event("pull_request").action("opened"), Fate::Held);
        self.repo.open(NewPull::from(&branch)).await?;
        self.town.settle().await;
        let began = Instant::now();
        hooks.release();
        let mut seen = self.town.watch.until(Seen::is_new_comment).await?;
        let took = seen.last().context("a comment was seen")?.at - began;
        seen.extend(self.town.watch.until_silence().await);
        Ok(Planned { took, seen })
    }

    async fn bring_up(&mut self, services: u32) -> anyhow::Result<()> {
        let files: Vec<Edit> = (1..=services).map(|number| service(number, 100)).collect();
        self.repo.push("all", PERSON, "Add every service", files).await?;
        let pull = self.repo.open(NewPull::from("all")).await?;
        self.town.watch.until(Seen::is_new_comment).await?;
        self.town.settle().await;
        self.repo.merge(pull, MergeMethod::Squash, PERSON).await?;
        for environment in self.environments {
            self.until(environment, "pending").await?;
            self.repo.comment(pull, PERSON, &format!("/apply {environment}"))?;
            self.until(environment, "success").await?;
        }
        self.town.settle().await;
        Ok(())
    }

    /// Waits until the deployment of an environment is in a state.
    async fn until(&self, environment: &str, wanted: &str) -> anyhow::Result<()> {
        let began = Instant::now();
        loop {
            let deployments = self.repo.deployments().into_iter();
            let mut of = deployments.filter(|deployment| deployment.environment == environment);
            let state = of.next_back().and_then(|mut found| Some(found.statuses.pop()?.state));
            if state.as_deref() == Some(wanted) {
                return Ok(());
            }
            anyhow::ensure!(
                began.elapsed() < PATIENCE && state.as_deref() != Some("failure"),
                "{environment} is {state:?} and not {wanted}"
            );
            tokio::time::sleep(LOOK).await;
        }
    }
}

fn service(number: u32, first: u8) -> Edit {
    let [_, b, c, d] = number.to_be_bytes();
    let text = format!(
        "owners: [\"@acme/platform\"]\n\
         cloudflare_dns:\n  \"service-{number}${{suffix}}.example.com\": {{ a: {first}.{b}.{c}.{d}, ttl: 300 }}\n"
    );
    edit(format!("services/service-{number}.yaml"), text)
}

fn rules(cloudflare: &str, environments: &[&str]) -> String {
    let mut text = "version: 1\nenvironments:\n".to_owned();
    for name in environments {
        let suffix = if *name == "production" { String::new() } else { format!("-{name}") };
        text.push_str(&format!(
            "  {name}:\n    branches: [{BRANCH}]\n    vars: {{ suffix: \"{suffix}\" }}\n    connections:\n      \
             cloudflare: {{ account: 0123456789abcdef0123456789abcdef, zones: [example.com], \
             token: \"ref+env://LANDFALL_SECRET_CLOUDFLARE\", url: \"{cloudflare}\" }}\n"
        ));
    }
    text
}

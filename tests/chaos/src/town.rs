//! The surroundings of the servers: a GitHub, a console and an account, which outlive them all, and
//! one repository with two environments.

use std::time::Duration;

use landfall_sim::cloudflare::{CloudflareSettings, CloudflareSim, Plan};
use landfall_sim::exchange::ExchangeLog;
use landfall_sim::github::{self, GithubSim, RateLimit, Repo, Role, edit};
use landfall_sim::unifi::{UnifiSettings, UnifiSim};

use crate::model::Service;
use crate::serve::Told;

/// Who does everything.
pub(crate) const PERSON: &str = "alice";

/// An environment: what it is called, the branch it follows, and what its names carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Environment {
    pub(crate) name: &'static str,
    pub(crate) branch: &'static str,
    pub(crate) suffix: &'static str,
    /// What `plan_changed` says.
    plan_changed: &'static str,
}

/// One that waits for a word when something comes that nobody reviewed, and one that does not.
pub(crate) const ENVIRONMENTS: [Environment; 2] = [
    Environment { name: "production", branch: "main", suffix: "", plan_changed: "hold" },
    Environment { name: "staging", branch: "develop", suffix: "-staging", plan_changed: "apply" },
];

/// All of it, running. Clones are the same.
#[derive(Debug, Clone)]
pub(crate) struct Town {
    pub(crate) github: GithubSim,
    pub(crate) unifi: UnifiSim,
    pub(crate) cloudflare: CloudflareSim,
    pub(crate) repo: Repo,
    /// What is said. It is cleared now and then: who wants to know listens.
    pub(crate) exchanges: ExchangeLog,
}

impl Town {
    /// Begins with a repository whose branches hold the rules and the service that stays.
    ///
    /// # Errors
    /// Something cannot be started.
    pub(crate) async fn start() -> anyhow::Result<Self> {
        let exchanges = ExchangeLog::default();
        let github = GithubSim::start(github::Settings {
            clock: landfall_sim::clock::Clock::machine(),
            exchanges: exchanges.clone(),
            // A long story is more than GitHub's hour. Too many requests are a fault of the nemesis here.
            rate_limit: Some(RateLimit {
                requests_per_hour: 1_000_000,
                writes_per_minute: 1_000_000,
            }),
            ..github::Settings::default()
        });
        let github = github.await?;
        let unifi = UnifiSim::start(UnifiSettings {
            exchanges: exchanges.clone(),
            ..UnifiSettings::default()
        });
        let unifi = unifi.await?;
        let cloudflare = CloudflareSim::start(CloudflareSettings {
            exchanges: exchanges.clone(),
            plan: Plan::Paid,
            rate_limit: None,
            ..CloudflareSettings::default()
        });
        let cloudflare = cloudflare.await?;
        let rules = edit("landfall.yaml", rules(&unifi.url(), &cloudflare.url()));
        let lasting = Service::lasting();
        let files = [rules, edit(lasting.path(), lasting.text())];
        let repo = github.create_repository("acme/homelab", files).await?;
        repo.add_user(PERSON, Role::Write)?;
        let first = repo.head("main").await?.unwrap_or_default();
        for environment in ENVIRONMENTS {
            repo.point_branch(environment.branch, &first, PERSON).await?;
        }
        Ok(Self { github, unifi, cloudflare, repo, exchanges })
    }

    /// What servers have to know of it.
    pub(crate) fn told(&self, database_url: String, reconcile: Duration) -> Told {
        Told {
            database_url,
            folder: std::path::PathBuf::new(),
            api_url: self.github.api_url(),
            git_url: self.github.url(),
            app_id: github::Settings::default().app_id,
            reconcile,
        }
    }
}

fn rules(unifi: &str, cloudflare: &str) -> String {
    let account = CloudflareSettings::default().account;
    let mut text = "version: 1\nenvironments:\n".to_owned();
    for Environment { name, branch, suffix, plan_changed } in ENVIRONMENTS {
        text.push_str(&format!(
            "  {name}:\n    branches: [{branch}]\n    vars: {{ suffix: \"{suffix}\" }}\n    \
             plan_changed: {plan_changed}\n    guardrails: {{ max_deletes: 100% }}\n    connections:\n      \
             unifi: {{ url: \"{unifi}\", api_key: \"ref+env://LANDFALL_SECRET_UNIFI\" }}\n      \
             cloudflare: {{ url: \"{cloudflare}\", account: {account}, zones: [example.com], \
             token: \"ref+env://LANDFALL_SECRET_CLOUDFLARE\" }}\n"
        ));
    }
    text
}

//! The simulators that `landfall sim` and `landfall demo` run: GitHub, the two consoles of the
//! example repository, and Cloudflare. All of them on loopback, in this process.

use landfall_sim::clock::Clock;
use landfall_sim::cloudflare::{CloudflareSettings, CloudflareSim};
use landfall_sim::github::{self, GithubSim, Repo, Role, TEST_WEBHOOK_SECRET};
use landfall_sim::unifi::{UnifiSettings, UnifiSim};

use super::homelab::Addresses;

/// The repository at the simulated GitHub.
pub(in crate::cli) const REPOSITORY: &str = "acme/homelab";
/// Who may write there.
pub(in crate::cli) const PERSON: &str = "alice";
/// The branch that staging follows.
pub(in crate::cli) const STAGING: &str = "develop";
/// The branch that production follows.
pub(in crate::cli) const PRODUCTION: &str = "main";

const HOME_KEY: &str = "simulated-unifi-key";
const LAB_KEY: &str = "simulated-unifi-lab-key";

/// Where each listens; a free port where none is named.
#[derive(Debug, Clone, Copy, Default)]
pub(in crate::cli) struct Ports {
    pub(in crate::cli) github: Option<u16>,
    pub(in crate::cli) github_api: Option<u16>,
    pub(in crate::cli) home: Option<u16>,
    pub(in crate::cli) lab: Option<u16>,
    pub(in crate::cli) cloudflare: Option<u16>,
}

/// All of them, running. They stop when this is dropped.
#[derive(Debug, Clone)]
pub(in crate::cli) struct Simulators {
    pub(in crate::cli) github: GithubSim,
    /// The console of production.
    pub(in crate::cli) home: UnifiSim,
    /// The console of staging.
    pub(in crate::cli) lab: UnifiSim,
    pub(in crate::cli) cloudflare: CloudflareSim,
    token: String,
}

impl Simulators {
    /// Starts them. `clock` is GitHub's.
    pub(in crate::cli) async fn start(ports: Ports, clock: Clock) -> anyhow::Result<Self> {
        let github = github::Settings {
            clock,
            git_port: ports.github,
            api_port: ports.github_api,
            ..github::Settings::default()
        };
        let console = |name: &str, key: &str, port| UnifiSettings {
            name: name.to_owned(),
            api_key: Some(key.to_owned()),
            port,
            ..UnifiSettings::default()
        };
        let cloudflare =
            CloudflareSettings { port: ports.cloudflare, ..CloudflareSettings::default() };
        let token = cloudflare.tokens.first().map(|token| token.value.clone());
        Ok(Self {
            github: GithubSim::start(github).await?,
            home: UnifiSim::start(console("home", HOME_KEY, ports.home)).await?,
            lab: UnifiSim::start(console("lab", LAB_KEY, ports.lab)).await?,
            cloudflare: CloudflareSim::start(cloudflare).await?,
            token: token.unwrap_or_default(),
        })
    }

    /// Makes the repository with `files` on both branches, and lets [`PERSON`] write to it.
    pub(in crate::cli) async fn repository(
        &self,
        files: Vec<(&'static str, String)>,
    ) -> anyhow::Result<Repo> {
        let repo = self.github.create_repository(REPOSITORY, files).await?;
        repo.add_user(PERSON, Role::Write)?;
        repo.point_branch(STAGING, PRODUCTION, PERSON).await?;
        repo.protect(STAGING)?;
        repo.protect(PRODUCTION)?;
        Ok(repo)
    }

    pub(in crate::cli) fn addresses(&self) -> Addresses {
        Addresses { lab: self.lab.url(), home: self.home.url(), cloudflare: self.cloudflare.url() }
    }

    /// What the references in the example repository's rules lead to.
    pub(in crate::cli) fn secrets(&self) -> [(&'static str, String); 3] {
        [
            ("LANDFALL_SECRET_UNIFI", HOME_KEY.to_owned()),
            ("LANDFALL_SECRET_UNIFI_LAB", LAB_KEY.to_owned()),
            ("LANDFALL_SECRET_CLOUDFLARE", self.token.clone()),
        ]
    }

    /// The variables with which a server takes these for GitHub and its providers, but for the
    /// App's key and the folder it works in.
    pub(in crate::cli) fn variables(&self) -> Vec<(&'static str, String)> {
        let app = github::Settings::default().app_id;
        let mut variables = vec![
            ("GITHUB_APP_ID", app.to_string()),
            ("GITHUB_WEBHOOK_SECRET", TEST_WEBHOOK_SECRET.to_owned()),
            ("GITHUB_URL", self.github.url()),
            ("GITHUB_API_URL", self.github.api_url()),
            ("LANDFALL_ALLOW_HOSTS", "127.0.0.1".to_owned()),
        ];
        variables.extend(self.secrets());
        variables
    }
}

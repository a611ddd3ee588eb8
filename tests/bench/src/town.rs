//! The surroundings of a measurement: a simulated GitHub and Cloudflare, and a server between them.

use anyhow::Context as _;
use landfall_sim::cloudflare::{CloudflareSettings, CloudflareSim, Plan, ZoneSettings};
use landfall_sim::exchange::ExchangeLog;
use landfall_sim::github::{self, GithubSim, TEST_PRIVATE_KEY, TEST_WEBHOOK_SECRET};
use tempfile::TempDir;

use crate::seen::Watch;
use crate::server::Server;

/// All of it, running.
#[derive(Debug)]
pub(crate) struct Town {
    /// GitHub.
    pub(crate) github: GithubSim,
    /// Cloudflare, without a limit on requests.
    pub(crate) cloudflare: CloudflareSim,
    /// What is said between them and the server.
    pub(crate) watch: Watch,
    /// The server.
    pub(crate) server: Server,
    /// The server's data.
    pub(crate) folder: TempDir,
}

impl Town {
    /// Starts everything, with the zone `example.com`.
    ///
    /// # Errors
    /// Something cannot be started.
    pub(crate) async fn start() -> anyhow::Result<Self> {
        Self::start_with(vec![ZoneSettings::active("example.com")]).await
    }

    /// Starts everything, with these zones.
    ///
    /// # Errors
    /// Something cannot be started.
    pub(crate) async fn start_with(zones: Vec<ZoneSettings>) -> anyhow::Result<Self> {
        let log = ExchangeLog::default();
        let settings = github::Settings { exchanges: log.clone(), ..github::Settings::default() };
        let app = settings.app_id;
        let github = GithubSim::start(settings).await?;
        let settings = CloudflareSettings {
            exchanges: log.clone(),
            zones,
            plan: Plan::Paid,
            rate_limit: None,
            ..CloudflareSettings::default()
        };
        let token = settings.tokens.first().context("no token")?.value.clone();
        let cloudflare = CloudflareSim::start(settings).await?;
        let watch = Watch::begin(&log);
        let folder = tempfile::tempdir()?;
        let variables = [
            ("GITHUB_APP_ID", app.to_string()),
            ("GITHUB_PRIVATE_KEY", TEST_PRIVATE_KEY.to_owned()),
            ("GITHUB_WEBHOOK_SECRET", TEST_WEBHOOK_SECRET.to_owned()),
            ("GITHUB_API_URL", github.api_url()),
            ("GITHUB_URL", github.url()),
            ("LANDFALL_ALLOW_HOSTS", "127.0.0.1".to_owned()),
            ("LANDFALL_SECRET_CLOUDFLARE", token),
        ];
        let variables = variables.map(|(name, value)| (name.to_owned(), value));
        let server = Server::start(folder.path(), &variables).await?;
        github.hooks().send_to(&server.webhook());
        Ok(Self { github, cloudflare, watch, server, folder })
    }

    /// Waits until everything that was begun has been done.
    pub(crate) async fn settle(&mut self) {
        self.github.hooks().deliver_all().await;
        self.watch.until_silence().await;
    }
}

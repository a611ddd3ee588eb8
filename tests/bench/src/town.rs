//! The surroundings of a measurement: a simulated GitHub and Cloudflare, and a server between them.

use anyhow::Context as _;
use landfall_sim::cloudflare::{CloudflareSettings, CloudflareSim, Plan, ZoneSettings};
use landfall_sim::exchange::ExchangeLog;
use landfall_sim::github::{self, GithubSim, TEST_PRIVATE_KEY, TEST_WEBHOOK_SECRET};
use tempfile::TempDir;

use crate::engine::{Database, Engine};
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
    /// The server's store.
    pub(crate) database: Database,
    variables: Vec<(String, String)>,
}

impl Town {
    /// Starts everything, with the zone `example.com`.
    ///
    /// # Errors
    /// Something cannot be started.
    pub(crate) async fn start() -> anyhow::Result<Self> {
        Self::start_on(Engine::Sqlite).await
    }

    /// As [`Self::start`], with another store.
    ///
    /// # Errors
    /// Something cannot be started.
    pub(crate) async fn start_on(engine: Engine) -> anyhow::Result<Self> {
        Self::start_as(engine, vec![ZoneSettings::active("example.com")], async |_| Ok(())).await
    }

    /// Starts everything, with these zones.
    ///
    /// # Errors
    /// Something cannot be started.
    pub(crate) async fn start_with(zones: Vec<ZoneSettings>) -> anyhow::Result<Self> {
        Self::start_as(Engine::Sqlite, zones, async |_| Ok(())).await
    }

    /// Starts everything, the server last: on a store that `begin` has written to.
    ///
    /// # Errors
    /// Something cannot be started.
    pub(crate) async fn start_as(
        engine: Engine,
        zones: Vec<ZoneSettings>,
        begin: impl AsyncFnOnce(&Database) -> anyhow::Result<()>,
    ) -> anyhow::Result<Self> {
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
        let database = Database::new(engine, folder.path())?;
        begin(&database).await?;
        let variables = [
            ("GITHUB_APP_ID", app.to_string()),
            ("GITHUB_PRIVATE_KEY", TEST_PRIVATE_KEY.to_owned()),
            ("GITHUB_WEBHOOK_SECRET", TEST_WEBHOOK_SECRET.to_owned()),
            ("GITHUB_API_URL", github.api_url()),
            ("GITHUB_URL", github.url()),
            ("LANDFALL_ALLOW_HOSTS", "127.0.0.1".to_owned()),
            ("LANDFALL_SECRET_CLOUDFLARE", token),
            ("LANDFALL_DATABASE_URL", database.url.clone()),
        ];
        let variables = variables.map(|(name, value)| (name.to_owned(), value)).to_vec();
        let server = Server::start(folder.path(), &variables).await?;
        github.hooks().send_to(&server.webhook());
        Ok(Self { github, cloudflare, watch, server, folder, database, variables })
    }

    /// Starts one more server on the same store, with mirrors of its own.
    ///
    /// # Errors
    /// It does not become ready.
    pub(crate) async fn another_server(&self) -> anyhow::Result<(Server, TempDir)> {
        let folder = tempfile::tempdir()?;
        Ok((Server::start(folder.path(), &self.variables).await?, folder))
    }

    /// Kills the server, as a power cut would, and starts it again on what is there.
    ///
    /// # Errors
    /// It does not become ready.
    pub(crate) async fn kill_and_start(&mut self) -> anyhow::Result<()> {
        self.server.kill().await?;
        self.server = Server::start(self.folder.path(), &self.variables).await?;
        self.github.hooks().send_to(&self.server.webhook());
        Ok(())
    }

    /// Waits until everything that was begun has been done.
    pub(crate) async fn settle(&mut self) {
        self.github.hooks().deliver_all().await;
        self.watch.until_silence().await;
    }
}

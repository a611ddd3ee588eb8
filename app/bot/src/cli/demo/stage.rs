//! Where the demo plays: the simulators with the example repository, and the real server, in one
//! process and on loopback. What the server does is seen as a person sees it, at GitHub.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use landfall_os::http::AddressRules;
use landfall_os::redact::Redactor;
use landfall_secrets::Resolver;
use landfall_sim::clock::Clock;
use landfall_sim::github::{self, Repo, TEST_PRIVATE_KEY, TEST_WEBHOOK_SECRET};
use secrecy::SecretString;
use tempfile::TempDir;
use tokio::net::TcpListener;

use crate::cli::sim::homelab::{self, RULES};
use crate::cli::sim::simulators::{Ports, Simulators};
use crate::house::{House, Surroundings, Timing, verifier};
use crate::server::{Running, Shared};
use crate::settings::{BackupSettings, GithubSettings, Settings, Webhooks};

/// How long anything may take that usually takes a part of a second.
const PATIENCE: Duration = Duration::from_secs(30);
/// How often the server is looked at.
const GLANCE: Duration = Duration::from_millis(5);

/// Everything that the story plays with. The simulators end when this is dropped.
#[derive(Debug)]
pub(super) struct Stage {
    pub(super) simulators: Simulators,
    pub(super) repo: Repo,
    pub(super) house: Arc<House>,
    /// Where the server receives webhooks.
    pub(super) webhook_url: String,
}

impl Stage {
    /// Starts it all. The server's data goes below `folder`; the repository holds the rules and
    /// nothing else yet.
    ///
    /// # Errors
    /// Something of it cannot be started.
    pub(super) async fn open(
        folder: &TempDir,
        redactor: Redactor,
    ) -> anyhow::Result<(Self, Running)> {
        // GitHub's clock ticks with what happens there and not by itself. The demo is faster than
        // its whole seconds, and who came first has to be seen.
        let clock = Clock::standing_at(jiff::Timestamp::now());
        let simulators = Simulators::start(Ports::default(), clock).await?;
        let files = homelab::files(&simulators.addresses());
        let rules = files.into_iter().filter(|(path, _)| *path == RULES).collect();
        let repo = simulators.repository(rules).await?;
        let settings = settings(&simulators, folder.path())?;
        let around = surroundings(&simulators, redactor);
        let verifier = verifier(&settings)?;
        let house = Arc::new(House::open(&settings, around).await?);
        let listener = TcpListener::bind(settings.listen).await?;
        let shared = Shared { house: Arc::clone(&house), verifier };
        let server = Running::start(shared, listener)?;
        let webhook_url = format!("http://{}/webhook", server.address);
        simulators.github.hooks().send_to(&webhook_url);
        Ok((Self { simulators, repo, house, webhook_url }, server))
    }

    /// Waits until everything that follows from what was done has happened: GitHub has nothing to
    /// deliver and the server nothing to do.
    ///
    /// # Errors
    /// It does not come to rest in time, or gave something up.
    pub(super) async fn settle(&self) -> anyhow::Result<()> {
        let settled = tokio::time::timeout(PATIENCE, self.quiet()).await;
        settled.with_context(|| format!("still at work after {} s", PATIENCE.as_secs()))??;
        let given_up = self.house.store.given_up().await?;
        anyhow::ensure!(given_up.is_empty(), "jobs were given up: {given_up:?}");
        Ok(())
    }

    async fn quiet(&self) -> anyhow::Result<()> {
        let hooks = self.simulators.github.hooks();
        loop {
            let before = hooks.log().len();
            hooks.deliver_all().await;
            // What was published may have made GitHub send more.
            if self.house.store.backlog().await?.is_empty() && hooks.log().len() == before {
                return Ok(());
            }
            tokio::time::sleep(GLANCE).await;
        }
    }
}

fn settings(simulators: &Simulators, folder: &Path) -> anyhow::Result<Settings> {
    let data_dir = folder.join("data");
    Ok(Settings {
        listen: ([127, 0, 0, 1], 0).into(),
        database_url: format!("sqlite:{}", data_dir.join("landfall.db").display()).into(),
        data_dir,
        backup: BackupSettings::default(),
        operator_file: None,
        templates: None,
        webhooks: Webhooks::Push,
        rules: AddressRules::parse("127.0.0.1").context("loopback is an address")?,
        github: GithubSettings {
            app_id: github::Settings::default().app_id,
            private_key: SecretString::from(TEST_PRIVATE_KEY),
            webhook_secrets: vec![SecretString::from(TEST_WEBHOOK_SECRET)],
            api_url: simulators.github.api_url().parse()?,
            url: simulators.github.url().parse()?,
        },
    })
}

/// Those of a server, but for its secrets: they are the simulators', and not in the environment. And
/// the simulated GitHub has no limits that a story would have to wait for.
fn surroundings(simulators: &Simulators, redactor: Redactor) -> Surroundings {
    let secrets = simulators.secrets();
    let secret = move |name: &str| {
        let (_, value) = secrets.iter().find(|(known, _)| *known == name)?;
        Some(SecretString::from(value.clone()))
    };
    let resolver = Resolver::new(secret, redactor.clone());
    let around = Surroundings::of_process();
    let timing = Timing { pace: Vec::new(), ..around.timing };
    Surroundings { resolver, redactor, timing, ..around }
}

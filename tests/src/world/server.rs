//! The server of a story: the one that ships, in this process.

use std::sync::{Arc, Once};

use landfall::house::{House, Surroundings, Timing, verifier};
use landfall::server::{Running, Shared};
use landfall::settings::{GithubSettings, Settings};
use landfall_os::redact::Redactor;
use landfall_secrets::Resolver;
use landfall_sim::github::{GithubSim, TEST_PRIVATE_KEY, TEST_WEBHOOK_SECRET};
use landfall_store::{Store, SystemClock};
use secrecy::SecretString;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tracing_subscriber::EnvFilter;

/// What the references of a story's `landfall.yaml` lead to.
const SECRETS: [(&str, &str); 2] = [
    ("LANDFALL_SECRET_UNIFI", "simulated-unifi-key"),
    ("LANDFALL_SECRET_CLOUDFLARE", "simulated-cloudflare-token"),
];

/// A server with its store and mirrors in a folder of its own.
#[derive(Debug)]
pub struct Server {
    settings: Settings,
    timing: Timing,
    house: Arc<House>,
    running: Option<Running>,
    _folder: TempDir,
}

impl Server {
    pub(super) async fn start(github: &GithubSim, timing: Timing) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let settings = settings(github, &folder)?;
        let (house, running) = run(&settings, &timing).await?;
        Ok(Self { settings, timing, house, running: Some(running), _folder: folder })
    }

    /// Where webhooks go.
    ///
    /// # Panics
    /// The server is stopped.
    #[must_use]
    pub fn webhook_url(&self) -> String {
        let running = self.running.as_ref().expect("the server runs");
        format!("http://{}/webhook", running.address)
    }

    /// The store, to look into.
    #[must_use]
    pub fn store(&self) -> &dyn Store {
        &*self.house.store
    }

    /// Finishes what is under way and ends.
    ///
    /// # Panics
    /// The server failed or something in it panicked.
    pub async fn stop(&mut self) {
        if let Some(running) = self.running.take() {
            running.stop().await.expect("the server stops without a failure");
        }
    }

    /// Begins anew with what is on disk. It listens elsewhere: see
    /// [`World::restart`](super::World::restart).
    ///
    /// # Panics
    /// It cannot start.
    pub(super) async fn restart(&mut self) {
        self.stop().await;
        let (house, running) = run(&self.settings, &self.timing).await.expect("it starts again");
        (self.house, self.running) = (house, Some(running));
    }

    /// Waits until it ends by itself, and says why. Never, if it is stopped.
    pub(super) async fn failed(&mut self) -> anyhow::Result<()> {
        match &mut self.running {
            Some(running) => running.failed().await,
            None => std::future::pending().await,
        }
    }
}

async fn run(settings: &Settings, timing: &Timing) -> anyhow::Result<(Arc<House>, Running)> {
    let redactor = Redactor::new();
    let secret = |name: &str| {
        let known = SECRETS.iter().find(|(known, _)| *known == name);
        known.map(|(_, value)| SecretString::from(*value))
    };
    let around = Surroundings {
        resolver: Resolver::new(secret, redactor.clone()),
        redactor,
        clock: Arc::new(SystemClock),
        timing: timing.clone(),
    };
    let house = Arc::new(House::open(settings, around).await?);
    let shared = Shared { house: Arc::clone(&house), verifier: verifier(settings)? };
    let listener = TcpListener::bind(settings.listen).await?;
    Ok((house, Running::start(shared, listener)?))
}

fn settings(github: &GithubSim, folder: &TempDir) -> anyhow::Result<Settings> {
    Ok(Settings {
        listen: "127.0.0.1:0".parse()?,
        database_url: format!("sqlite:{}", folder.path().join("landfall.db").display()),
        data_dir: folder.path().to_owned(),
        operator_file: None,
        templates: None,
        rules: "127.0.0.0/8, ::1".parse()?,
        github: GithubSettings {
            app_id: 4242,
            private_key: TEST_PRIVATE_KEY.into(),
            webhook_secrets: vec![TEST_WEBHOOK_SECRET.into()],
            api_url: github.api_url().parse()?,
            url: github.url().parse()?,
        },
    })
}

/// What the server logs is shown with the test that it belongs to, if that fails.
pub(super) fn log_to_the_test() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let wanted = std::env::var("LANDFALL_LOG").unwrap_or_else(|_| "landfall=debug".to_owned());
        tracing_subscriber::fmt()
            .with_test_writer()
            .without_time()
            .with_ansi(false)
            .with_env_filter(EnvFilter::new(wanted))
            .init();
    });
}

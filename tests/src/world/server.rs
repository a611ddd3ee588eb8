//! The server of a story: the one that ships, in this process.

use std::sync::{Arc, Once};

use jiff::Timestamp;
use landfall::backup::{Backups, Credentials, Place};
use landfall::house::{House, Surroundings, Timing, verifier};
use landfall::server::{Running, Shared};
use landfall::settings::{BackupSettings, GithubSettings, Settings, Webhooks};
use landfall_os::redact::Redactor;
use landfall_secrets::Resolver;
use landfall_sim::github::{GithubSim, TEST_PRIVATE_KEY, TEST_WEBHOOK_SECRET};
use landfall_store::{Clock, Occupied, Store};
use secrecy::{ExposeSecret as _, SecretString};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tracing_subscriber::EnvFilter;

/// A server with its store and mirrors in a folder of its own.
#[derive(Debug)]
pub struct Server {
    settings: Settings,
    around: Around,
    house: Arc<House>,
    running: Option<Running>,
    folder: TempDir,
}

/// What surrounds each server of a story, in as far as the story chooses it.
#[derive(Debug)]
pub(super) struct Around {
    pub(super) timing: Timing,
    pub(super) database: Option<String>,
    pub(super) webhooks: Webhooks,
    pub(super) secret: fn(&str) -> Option<SecretString>,
    pub(super) clock: fn() -> Timestamp,
    pub(super) operator: String,
    /// Where the chat is, which only this server knows.
    pub(super) chat: String,
}

/// A story's clock.
struct Told(fn() -> Timestamp);

impl Clock for Told {
    fn now(&self) -> Timestamp {
        (self.0)()
    }
}

impl Server {
    pub(super) async fn start(github: &GithubSim, around: Around) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let mut settings = settings(github, &folder, &around)?;
        if let Some(url) = &around.database {
            settings.database_url = url.as_str().into();
        }
        let (house, running) = run(&settings, &around).await?;
        Ok(Self { settings, around, house, running: Some(running), folder })
    }

    /// How events come to it.
    pub(super) fn webhooks(&self) -> Webhooks {
        self.around.webhooks
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

    /// The store of a server that is stopped, to change what the next one finds. It has to be closed.
    ///
    /// # Panics
    /// It cannot be opened.
    pub async fn store_at_rest(&self) -> Arc<dyn Store> {
        let url = self.settings.database_url.expose_secret();
        let clock = Arc::new(Told(self.around.clock));
        landfall_store::open(url, clock).await.expect("the store can be opened again")
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

    /// Ends at once, as when the process dies.
    ///
    /// # Panics
    /// The server is stopped.
    pub async fn kill(&mut self) {
        self.running.take().expect("the server runs").kill().await;
        // The system closes the files of a process that dies.
        self.house.store.close().await;
    }

    /// A backup of the store as it is now, in a file.
    ///
    /// # Panics
    /// It cannot be taken.
    pub async fn back_up(&self) -> Place {
        let place = Place::Folder(self.folder.path().join("backups"));
        self.backups().take(&place).await.expect("a backup is taken").place
    }

    /// Loses everything and begins anew with a backup.
    ///
    /// # Panics
    /// It cannot be restored, or the server not start.
    pub(super) async fn restore(&mut self, backup: &Place) {
        self.stop().await;
        self.backups().restore(backup, Occupied::Replace).await.expect("it is restored");
        std::fs::remove_dir_all(self.folder.path().join("mirrors")).expect("there were mirrors");
        self.restart().await;
    }

    fn backups(&self) -> Backups {
        let clock = Arc::new(Told(self.around.clock));
        Backups::new(self.settings.database_url.clone(), clock, Credentials::default())
    }

    /// Begins anew with what is on disk. It listens elsewhere: see
    /// [`World::restart`](super::World::restart).
    ///
    /// # Panics
    /// It cannot start.
    pub(super) async fn restart(&mut self) {
        self.stop().await;
        let (house, running) = run(&self.settings, &self.around).await.expect("it starts again");
        (self.house, self.running) = (house, Some(running));
    }

    /// Begins anew with nothing of what was on disk.
    ///
    /// # Panics
    /// It cannot start.
    pub(super) async fn restart_afresh(&mut self) {
        self.stop().await;
        let all = std::fs::read_dir(self.folder.path()).expect("its folder can be read");
        for entry in all {
            let path = entry.expect("its folder can be read").path();
            if self.settings.operator_file.as_ref() == Some(&path) {
                continue;
            }
            let removed = match path.is_dir() {
                true => std::fs::remove_dir_all(path),
                false => std::fs::remove_file(path),
            };
            removed.expect("what it left can be removed");
        }
        self.restart().await;
    }

    /// Waits until it ends by itself, and says why it did. Then it is stopped.
    ///
    /// # Panics
    /// It was stopped before, or ended without an error.
    pub async fn ends(&mut self) -> String {
        let mut running = self.running.take().expect("the server runs");
        running.failed().await.expect_err("a server ends by itself when it fails").to_string()
    }

    /// How often a piece of its work panicked.
    pub(super) fn panics(&self) -> u64 {
        self.house.panics.count()
    }

    /// Waits until it ends by itself, and says why. Never, if it is stopped.
    pub(super) async fn failed(&mut self) -> anyhow::Result<()> {
        match &mut self.running {
            Some(running) => running.failed().await,
            None => std::future::pending().await,
        }
    }
}

async fn run(settings: &Settings, around: &Around) -> anyhow::Result<(Arc<House>, Running)> {
    let redactor = Redactor::new();
    let (secret, chat) = (around.secret, around.chat.clone());
    let secret = move |name: &str| match name {
        "LANDFALL_SECRET_CHAT" => Some(SecretString::from(chat.clone())),
        other => secret(other),
    };
    let around = Surroundings {
        resolver: Resolver::new(secret, redactor.clone()),
        redactor,
        clock: Arc::new(Told(around.clock)),
        timing: around.timing.clone(),
    };
    let house = Arc::new(House::open(settings, around).await?);
    let shared = Shared { house: Arc::clone(&house), verifier: verifier(settings)? };
    let listener = TcpListener::bind(settings.listen).await?;
    Ok((house, Running::start(shared, listener)?))
}

fn settings(github: &GithubSim, folder: &TempDir, around: &Around) -> anyhow::Result<Settings> {
    let operator_file = folder.path().join("operator.toml");
    std::fs::write(&operator_file, &around.operator)?;
    let webhooks = around.webhooks;
    let secret = (webhooks == Webhooks::Push).then(|| TEST_WEBHOOK_SECRET.into());
    Ok(Settings {
        listen: "127.0.0.1:0".parse()?,
        database_url: format!("sqlite:{}", folder.path().join("landfall.db").display()).into(),
        backup: BackupSettings::default(),
        data_dir: folder.path().to_owned(),
        operator_file: (!around.operator.is_empty()).then_some(operator_file),
        templates: None,
        rules: "127.0.0.0/8, ::1".parse()?,
        webhooks,
        github: GithubSettings {
            app_id: 4242,
            private_key: TEST_PRIVATE_KEY.into(),
            webhook_secrets: secret.into_iter().collect(),
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

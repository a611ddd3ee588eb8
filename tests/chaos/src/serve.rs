//! A server as a process of its own: this executable again, told to [`SERVE`].
//!
//! It is the server that ships, with shorter leases and waits, so that hundreds of kills take minutes.
//! It ends when whoever started it does, because nothing holds the other end of its input any more.

use std::io::Read as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use landfall::house::{House, Surroundings, Timing, verifier};
use landfall::server::{Running, Shared};
use landfall::settings::{BackupSettings, GithubSettings, Settings, Webhooks};
use landfall_os::redact::Redactor;
use landfall_secrets::Resolver;
use landfall_sim::github::{TEST_PRIVATE_KEY, TEST_WEBHOOK_SECRET};
use landfall_store::SystemClock;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

/// The word with which this executable becomes a server.
pub(crate) const SERVE: &str = "serve";
/// What a server says of itself on its output, before its address.
pub(crate) const READY: &str = "listening on ";

/// How long a claim on a job or a target lasts. Whoever is paused for longer has lost it.
pub(crate) const LEASE: Duration = Duration::from_millis(2_500);
/// How long a request to a provider may take: less than a third of [`LEASE`].
pub(crate) const REQUEST: Duration = Duration::from_millis(800);

/// How often what never arrived is looked for in GitHub's log, and by comparing.
const SWEEP: Duration = Duration::from_millis(1_500);

/// What the references of the workload's `landfall.yaml` lead to.
const SECRETS: [(&str, &str); 2] = [
    ("LANDFALL_SECRET_UNIFI", "simulated-unifi-key"),
    ("LANDFALL_SECRET_CLOUDFLARE", "simulated-cloudflare-token"),
];

/// What a server is told, as JSON in its one argument. Nothing of it is secret.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Told {
    /// The store that all share.
    pub(crate) database_url: String,
    /// Mirrors: one server at a time has a folder.
    pub(crate) folder: PathBuf,
    /// The simulated GitHub's API.
    pub(crate) api_url: String,
    /// The simulated GitHub's git.
    pub(crate) git_url: String,
    /// The App.
    pub(crate) app_id: u64,
    /// How often what GitHub has is compared with what is known.
    pub(crate) reconcile: Duration,
}

/// Serves until it is asked to stop, fails, or is left alone.
///
/// # Errors
/// It cannot start, or it failed.
pub(crate) async fn serve(told: &str) -> anyhow::Result<()> {
    let told: Told = serde_json::from_str(told)?;
    let wanted = std::env::var("LANDFALL_LOG").unwrap_or_else(|_| "landfall=info".to_owned());
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .with_env_filter(EnvFilter::new(wanted))
        .init();
    end_with_whoever_started_us();
    let settings = settings(&told)?;
    let redactor = Redactor::new();
    let around = Surroundings {
        resolver: Resolver::new(secret, redactor.clone()),
        redactor,
        clock: Arc::new(SystemClock),
        timing: hasty(told.reconcile),
    };
    let house = Arc::new(House::open(&settings, around).await?);
    let listener = TcpListener::bind(settings.listen).await?;
    let shared = Shared { house, verifier: verifier(&settings)? };
    let mut running = Running::start(shared, listener)?;
    println!("{READY}{}", running.address);
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        failed = running.failed() => failed.context("the server ended by itself"),
        _ = terminate.recv() => running.stop().await,
    }
}

/// Nobody writes to our input: it ends when its other end is closed.
fn end_with_whoever_started_us() {
    std::thread::spawn(|| {
        let _ = std::io::stdin().read(&mut [0]);
        std::process::exit(0);
    });
}

fn secret(name: &str) -> Option<SecretString> {
    let known = SECRETS.iter().find(|(known, _)| *known == name);
    known.map(|(_, value)| SecretString::from(*value))
}

fn settings(told: &Told) -> anyhow::Result<Settings> {
    Ok(Settings {
        listen: "127.0.0.1:0".parse()?,
        database_url: told.database_url.clone().into(),
        data_dir: told.folder.clone(),
        backup: BackupSettings::default(),
        operator_file: None,
        templates: None,
        rules: "127.0.0.0/8, ::1".parse()?,
        webhooks: Webhooks::Push,
        github: GithubSettings {
            app_id: told.app_id,
            private_key: TEST_PRIVATE_KEY.into(),
            webhook_secrets: vec![TEST_WEBHOOK_SECRET.into()],
            api_url: told.api_url.parse()?,
            url: told.git_url.parse()?,
        },
    })
}

/// Everything as in production, only sooner.
fn hasty(reconcile: Duration) -> Timing {
    let millis = Duration::from_millis;
    Timing {
        job_lease: LEASE,
        target_lease: LEASE,
        request: REQUEST,
        inbox_lease: LEASE,
        item_lease: LEASE * 2,
        publication_deadline: LEASE + LEASE / 2,
        // Longer than the nemesis has GitHub take for anything.
        late: LEASE,
        poll: millis(300),
        sweep: SWEEP,
        reconcile,
        attribution: [100, 200, 400, 800].map(millis).into(),
        lag: [50, 100, 200, 400, 800, 800, 800, 800].map(millis).into(),
        retry: [100, 200, 400, 800].map(millis).into(),
        publication: [100, 200, 400, 800].map(millis).into(),
        // GitHub's pace would be that of the whole story.
        pace: Vec::new(),
        ..Timing::default()
    }
}

//! `landfall sim`: the simulators alone, so that `landfall serve` can be tried by hand next to them.

use std::io::Write as _;
use std::path::Path;

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use landfall_sim::clock::Clock;
use landfall_sim::github::TEST_PRIVATE_KEY;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::signal::unix::{SignalKind, signal};
use url::Url;

use super::{Ended, terminal};

pub(super) mod homelab;
pub(super) mod simulators;
pub(super) mod walk;

use simulators::{PERSON, Ports, REPOSITORY, Simulators};

/// Runs GitHub, two UniFi consoles and Cloudflare as simulators, with an example repository, and
/// prints how to start a server next to them and how to act on them.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  landfall sim
  landfall sim --webhook-url http://127.0.0.1:9000/webhook
  landfall sim --format json | jq .environment

Everything listens on 127.0.0.1 only, and is gone when the command ends. A port of 0 is a free one.")]
pub(super) struct Sim {
    /// Where the simulated GitHub sends webhooks: the server's address.
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8080/webhook")]
    webhook_url: Url,
    /// How the addresses are printed.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// Where git goes.
    #[arg(long, value_name = "PORT", default_value_t = 8101)]
    github_port: u16,
    /// GitHub's API.
    #[arg(long, value_name = "PORT", default_value_t = 8102)]
    github_api_port: u16,
    /// The console of production.
    #[arg(long, value_name = "PORT", default_value_t = 8103)]
    unifi_port: u16,
    /// The console of staging.
    #[arg(long, value_name = "PORT", default_value_t = 8104)]
    unifi_lab_port: u16,
    /// Cloudflare's API.
    #[arg(long, value_name = "PORT", default_value_t = 8105)]
    cloudflare_port: u16,
}

/// How something is printed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// For people.
    #[default]
    Text,
    /// One JSON object.
    Json,
}

impl Sim {
    pub(super) async fn run(self) -> anyhow::Result<Ended> {
        // Somebody may stop it as soon as it has printed.
        let interrupted = interrupted()?;
        let simulators = Simulators::start(self.ports(), Clock::machine()).await?;
        simulators.repository(homelab::files(&simulators.addresses())).await?;
        simulators.github.hooks().send_to(self.webhook_url.as_str());
        let folder = tempfile::Builder::new().prefix("landfall-sim-").tempdir()?;
        let variables = self.variables(&simulators, &folder)?;
        let text = match self.format {
            Format::Text => self.text(&simulators, &variables),
            Format::Json => terminal::json(&self.json(&simulators, &variables)),
        };
        print(&text)?;
        interrupted.await;
        Ok(Ended::Done)
    }

    fn ports(&self) -> Ports {
        Ports {
            github: Some(self.github_port),
            github_api: Some(self.github_api_port),
            home: Some(self.unifi_port),
            lab: Some(self.unifi_lab_port),
            cloudflare: Some(self.cloudflare_port),
        }
    }

    /// Everything that a server next to the simulators is started with. The key and the server's own
    /// data are below `folder`, so that they go with the simulators that they belong to.
    fn variables(
        &self,
        simulators: &Simulators,
        folder: &TempDir,
    ) -> anyhow::Result<Vec<(&'static str, String)>> {
        let key = folder.path().join("github-app-key.pem");
        std::fs::write(&key, TEST_PRIVATE_KEY)
            .with_context(|| format!("cannot write {}", key.display()))?;
        let port = self.webhook_url.port_or_known_default();
        let port = port.context("--webhook-url has no port that a server could listen on")?;
        let shown = |path: &Path| path.display().to_string();
        let mut variables = simulators.variables();
        variables.push(("GITHUB_PRIVATE_KEY_PATH", shown(&key)));
        variables.push(("LANDFALL_DATA_DIR", shown(&folder.path().join("data"))));
        variables.push(("LANDFALL_LISTEN", format!("127.0.0.1:{port}")));
        Ok(variables)
    }

    fn text(&self, simulators: &Simulators, variables: &[(&'static str, String)]) -> String {
        let Self { webhook_url, .. } = self;
        format!(
            "The simulators run until they are interrupted:\n\n{}\n\
             1. Start the server in another terminal. It receives webhooks at\n   {webhook_url}:\n\n{}   \
             landfall serve\n\n\
             2. Send it a webhook by hand; it answers `pong`:\n\n{}\n{}",
            walk::addresses(simulators),
            walk::exports(variables),
            walk::webhook(webhook_url.as_str()),
            walk::walk(simulators, 3)
        )
    }

    fn json(&self, simulators: &Simulators, variables: &[(&'static str, String)]) -> Value {
        let environment: serde_json::Map<String, Value> =
            variables.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
        json!({
            "addresses": addresses_json(simulators),
            "process": std::process::id(),
            "webhook_url": self.webhook_url.as_str(),
            "environment": environment,
            "repository": REPOSITORY,
            "clone_url": simulators.github.git_url(REPOSITORY),
            "person": { "login": PERSON, "token": simulators.github.person_token(PERSON) },
        })
    }
}

/// Where each simulator is, for programs.
pub(super) fn addresses_json(simulators: &Simulators) -> Value {
    json!({
        "github": simulators.github.url(),
        "github_api": simulators.github.api_url(),
        "unifi": simulators.home.url(),
        "unifi_lab": simulators.lab.url(),
        "cloudflare": simulators.cloudflare.url(),
    })
}

/// Prints at once, for who reads it may be another program that waits for it; and as it is, for the
/// only tokens in it are the simulators' own.
pub(super) fn print(text: &str) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes())?;
    Ok(out.flush()?)
}

/// Listens from now on, and ends when somebody wants this to end.
pub(super) fn interrupted() -> anyhow::Result<impl Future<Output = ()>> {
    let (mut interrupt, mut terminate) =
        (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

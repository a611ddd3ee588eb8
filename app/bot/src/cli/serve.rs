//! `landfall serve`

use std::sync::Arc;

use clap::Args;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

use super::{Ended, log};
use crate::house::{House, Surroundings, verifier};
use crate::server::{Running, Shared};
use crate::settings::{Settings, told};

/// Settings are read from the environment; all that is wrong with them is told at once.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  landfall serve
  GITHUB_APP_ID=1234 GITHUB_PRIVATE_KEY_PATH=key.pem GITHUB_WEBHOOK_SECRET=… landfall serve

Environment:
  LANDFALL_LISTEN          address and port [127.0.0.1:8080]
  LANDFALL_DATA_DIR        mirrors and the database [data]
  LANDFALL_DATABASE_URL    sqlite:PATH, or postgres://USER:PASSWORD@HOST/DATABASE for several
                           servers [sqlite:DATA_DIR/landfall.db]
  LANDFALL_CONFIG          the operator file (TOML)
  LANDFALL_ALLOW_HOSTS     hosts and networks that connections may lead to beside public ones
  LANDFALL_TEMPLATES       a folder whose templates take the place of the built-in ones
  LANDFALL_BACKUP          where the server backs up to by itself: FOLDER/ or s3://BUCKET/PREFIX/,
                           with the usual AWS_… variables
  LANDFALL_BACKUP_EVERY    how often [6h]
  LANDFALL_BACKUP_KEEP     how many are kept; only what it made itself is removed [28]
  LANDFALL_LOG             what is logged, as in `info` or `landfall=debug` [info]
  LANDFALL_LOG_FORMAT      `json` for one object a line [text]
  LANDFALL_SECRET_…        what `ref+env://LANDFALL_SECRET_…` in landfall.yaml leads to
  LANDFALL_WEBHOOKS        `push`: GitHub sends them here; `pull`: they are fetched from GitHub
                           every 2 s, by a server that GitHub cannot reach [push]
  GITHUB_APP_ID            the App's number
  GITHUB_PRIVATE_KEY       its key in PEM form, or GITHUB_PRIVATE_KEY_PATH
  GITHUB_WEBHOOK_SECRET    its webhook secret; during a rotation the old one goes into
                           GITHUB_WEBHOOK_SECRET_PREVIOUS. With `pull` it may be left out:
                           then /webhook answers 404
  GITHUB_API_URL           [https://api.github.com]
  GITHUB_URL               [https://github.com]")]
pub(super) struct Serve {}

impl Serve {
    pub(super) async fn run(self) -> anyhow::Result<Ended> {
        let settings =
            Settings::read(&|name| std::env::var(name).ok()).map_err(|faults| told(&faults))?;
        let around = Surroundings::of_process();
        log::begin(&around.redactor, "info");
        let verifier = verifier(&settings)?;
        let house = Arc::new(House::open(&settings, around).await?);
        let listener = TcpListener::bind(settings.listen).await?;
        let mut server = Running::start(Shared { house, verifier }, listener)?;
        tracing::info!(address = %server.address, "listening");
        let (mut interrupt, mut terminate) =
            (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
        tokio::select! {
            outcome = server.failed() => {
                outcome?;
                return Ok(Ended::Done);
            }
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        tracing::info!("stopping: what is under way is finished first, or put back after a while");
        tokio::select! {
            outcome = server.stop() => {
                outcome?;
                tracing::info!("stopped");
            }
            _ = interrupt.recv() => at_once(),
            _ = terminate.recv() => at_once(),
        }
        Ok(Ended::Done)
    }
}

fn at_once() {
    tracing::warn!("stopped at once: what was under way is looked at before it goes on");
}

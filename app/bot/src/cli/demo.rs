//! `landfall demo`: the whole loop on loopback, played before the reader's eyes.
//!
//! The server is the real one and speaks HTTP with simulators in the same process. What is printed
//! is read where people read it: at the simulated GitHub and at the simulated providers.

use std::path::Path;
use std::time::Instant;

use clap::Args;
use landfall_os::redact::Redactor;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::sim::simulators::PERSON;
use super::sim::{Format, addresses_json, interrupted, print, walk};
use super::{Ended, log, terminal};
use crate::server::Running;

mod after;
mod before;
mod ledger;
mod stage;
mod story;
mod tell;

use after::Findings;
use stage::Stage;
use story::{Story, Told};
use tell::Teller;

/// Plays the whole loop with simulators: pull requests, plans, merges, and what is applied. Needs no
/// account and no network.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  landfall demo
  landfall demo --once
  landfall demo --once --format json | jq .findings

With --once the exit code is 0 only if every expected record and route exists at the simulated
providers, every foreign one is untouched, and a second plan is empty.")]
pub(super) struct Demo {
    /// Ends with a summary instead of staying up.
    #[arg(long)]
    once: bool,
    /// How it is told; `json` prints one summary.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

impl Demo {
    pub(super) async fn run(self) -> anyhow::Result<Ended> {
        let folder = tempfile::Builder::new().prefix("landfall-demo-").tempdir()?;
        let log = folder.path().join("landfall.log");
        let redactor = Redactor::new();
        log::begin_in_file(&redactor, "info", &log)?;
        let interrupted = interrupted()?;
        tokio::select! {
            ended = self.on_stage(&folder, &redactor, &log) => {
                ended.map_err(|error| with_log(&error, &log))
            }
            () = interrupted => self.cut_short(),
        }
    }

    /// An interrupt ends what stays up; with `--once` nobody has seen then that all is as it should be.
    fn cut_short(&self) -> anyhow::Result<Ended> {
        anyhow::ensure!(!self.once, "interrupted before everything was looked at");
        Ok(Ended::Done)
    }

    /// Plays, and goes on until the server fails or, with `--once`, until the story is told.
    async fn on_stage(
        &self,
        folder: &TempDir,
        redactor: &Redactor,
        log: &Path,
    ) -> anyhow::Result<Ended> {
        let (stage, mut server) = Stage::open(folder, redactor.clone()).await?;
        let good = tokio::select! {
            good = self.play(&stage, redactor) => good?,
            ended = server.failed() => return Err(ended_by_itself(ended)),
        };
        anyhow::ensure!(good, "not everything is as it should be");
        if !self.once {
            self.invite(&stage, &server, log)?;
            return Err(ended_by_itself(server.failed().await));
        }
        server.stop().await?;
        Ok(Ended::Done)
    }

    /// Plays the story and sums it up; says whether all is as it should be.
    async fn play(&self, stage: &Stage, redactor: &Redactor) -> anyhow::Result<bool> {
        let began = Instant::now();
        let teller = Teller::new(self.format, redactor.clone());
        let foreign = before::seed(&stage.simulators);
        teller.line(
            "Some names exist before the first pull request. Two are just what the repository \
             will ask for, the others are somebody else's.",
        )?;
        let told = Story::new(stage, &teller).tell().await?;
        teller.waits("a second plan of everything");
        let findings = Findings::look(stage, &foreign).await?;
        let took = began.elapsed().as_secs_f64();
        teller.end(&match self.format {
            Format::Text => summary(&findings, took),
            Format::Json => terminal::json(&summary_json(stage, &told, &findings, took)),
        })?;
        Ok(findings.is_good())
    }

    /// How to go on by hand.
    fn invite(&self, stage: &Stage, server: &Running, log: &Path) -> anyhow::Result<()> {
        match self.format {
            Format::Json => Ok(()),
            Format::Text => print(&format!(
                "\nAll of it runs until it is interrupted:\n\n  the server           http://{}\n\
                 {}  its log              {}\n  the repository       git clone {}\n",
                server.address,
                walk::addresses(&stage.simulators),
                log.display(),
                walk::clone_url(&stage.simulators, &stage.simulators.github.person_token(PERSON))
            )),
        }
    }
}

fn summary(findings: &Findings, took: f64) -> String {
    let Findings { expected, missing, foreign, touched, second_plan } = findings;
    let list =
        |lines: &[String]| -> String { lines.iter().map(|line| format!("  {line}\n")).collect() };
    let mut text = format!(
        "\nIn {took:.1} s: {} of {expected} records and routes are as the repository says, {} of \
         {foreign} foreign ones as they were.\n",
        expected.saturating_sub(missing.len()),
        foreign.saturating_sub(touched.len()),
    );
    text += &list(missing);
    text += &list(touched);
    for (environment, changes) in second_plan {
        text += &match changes.is_empty() {
            true => format!("A second plan of {environment} is empty.\n"),
            false => format!("A second plan of {environment} is not empty:\n{}", list(changes)),
        };
    }
    text
}

fn summary_json(stage: &Stage, told: &[Told], findings: &Findings, took: f64) -> Value {
    json!({
        "good": findings.is_good(),
        "seconds": took,
        "pulls": told,
        "findings": findings,
        "addresses": addresses_json(&stage.simulators),
        "webhook_url": stage.webhook_url,
    })
}

fn ended_by_itself(ended: anyhow::Result<()>) -> anyhow::Error {
    match ended {
        Ok(()) => anyhow::anyhow!("the server ended by itself"),
        Err(error) => error.context("the server failed"),
    }
}

/// An error that says what the server was at.
fn with_log(error: &anyhow::Error, log: &Path) -> anyhow::Error {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    anyhow::anyhow!("{error:#}\n\nThe server's log:\n{}", text.trim_end())
}

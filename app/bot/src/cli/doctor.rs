//! `landfall doctor`: everything that an operator can get wrong, looked at, with how to mend it.
//!
//! It reads what a server would read and changes nothing: not at GitHub, and on this machine only that
//! a database which is there is opened as a server opens it, and tried by a write of no consequence.
//! Each look is a function that gives findings; none stops the others.

use clap::{Args, ValueEnum};
use landfall_github::App;
use landfall_os::redact::Redactor;

use super::Ended;
use super::terminal::{Paint, Progress, json, print};
use crate::house;
use crate::settings::{Fault, Settings, passwords_in};

mod branches;
mod deliveries;
mod machine;
mod registration;
mod report;
mod store;

use report::{Finding, Report};

/// Look at everything that an operator can get wrong, and say how to mend it.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  landfall doctor
  ( set -a; . ~/landfall/landfall.env; landfall doctor )
  landfall doctor --format json                for a check that runs by itself

Environment: what `landfall serve` reads. Run it as the user that the server runs as, so that it may
write where the server may. A server may go on meanwhile.

Marks: ✓ as it should be; ! works, but look at it; ✗ has to be mended; · not looked at, or not for a
program to judge. Exit code: 0 nothing has to be mended; 1 something has.")]
pub(super) struct Doctor {
    /// What to print.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// What to print: for people at a terminal, or for programs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum Format {
    #[default]
    Text,
    Json,
}

/// What is looked at, and what must not be shown.
struct Patient {
    settings: Settings,
    faults: Vec<Fault>,
    redactor: Redactor,
}

impl Patient {
    /// Whether one of these variables is missing or wrong, so that there is nothing to look at.
    fn lacks(&self, variables: &[&str]) -> bool {
        self.faults.iter().any(|fault| variables.contains(&fault.variable))
    }
}

impl Doctor {
    pub(super) async fn run(self) -> anyhow::Result<Ended> {
        let patient = patient();
        let progress = Progress::begin();
        let report = examine(&patient, &progress).await;
        progress.clear();
        let text = match self.format {
            Format::Text => report.text(Paint::of_stdout()),
            Format::Json => json(&report.document()),
        };
        print(&patient.redactor, &text)?;
        Ok(if report.has_faults() { Ended::Errors } else { Ended::Done })
    }
}

/// Reads the settings, and teaches the redactor what is secret in them.
fn patient() -> Patient {
    let (settings, faults) = Settings::examine(&|name| std::env::var(name).ok());
    let redactor = Redactor::new();
    let passwords = passwords_in(&settings.database_url);
    let secrets = settings.backup.credentials.secrets().chain(&settings.github.webhook_secrets);
    secrets.chain(&passwords).for_each(|secret| redactor.learn(secret));
    redactor.learn(&settings.github.private_key);
    Patient { settings, faults, redactor }
}

async fn examine(patient: &Patient, progress: &Progress) -> Report {
    let mut report = Report::default();
    progress.say("looking at this machine");
    report.add(settings(patient));
    report.add(machine::findings(patient).await);
    progress.say("looking at the database");
    report.add(store::findings(patient).await);
    progress.say("asking GitHub");
    report.add(github(patient, progress).await);
    report
}

fn settings(patient: &Patient) -> Vec<Finding> {
    if patient.faults.is_empty() {
        return vec![Finding::fine("settings", "all can be used")];
    }
    let faults = patient.faults.iter();
    let fault = |fault: &Fault| {
        let mend =
            "set it as `landfall serve --help` says; `landfall setup` writes those of the App";
        Finding::fault("settings", fault, mend)
    };
    faults.map(fault).collect()
}

/// What the App cannot be made without.
const OF_THE_APP: [&str; 5] = [
    "GITHUB_APP_ID",
    "GITHUB_PRIVATE_KEY",
    "GITHUB_PRIVATE_KEY_PATH",
    "GITHUB_API_URL",
    "GITHUB_URL",
];

async fn github(patient: &Patient, progress: &Progress) -> Vec<Finding> {
    if patient.lacks(&OF_THE_APP) {
        return vec![Finding::unknown("App", "GitHub is asked once its settings can be used")];
    }
    let app: App = match house::app(&patient.settings, &patient.redactor) {
        Ok(app) => app,
        Err(error) => {
            let mend = "put the `.pem` file there that GitHub gave for the App, unchanged";
            return vec![Finding::fault("App", format!("{error:#}"), mend)];
        }
    };
    let mut found = Vec::from_iter(registration::clock(&app).await);
    if found.iter().any(Finding::is_fault) {
        found.push(Finding::unknown("App", "GitHub takes its key once the clock is right"));
        return found;
    }
    let registered = match registration::app(&app, &patient.settings).await {
        Ok(registered) => registered,
        Err(finding) => {
            found.push(finding);
            return found;
        }
    };
    found.extend(registration::findings(&registered));
    found.extend(deliveries::findings(&app, &patient.settings).await);
    progress.say("asking GitHub for installations and branches");
    found.extend(branches::findings(&app, &registered, &patient.settings).await);
    found
}

//! The command line. Each command is a file; each prints what `--format` says and ends with 0 when
//! there is nothing to do or it is done, 1 on an error, 2 when there are changes.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

mod apply;
mod backup;
mod choose;
mod demo;
mod doctor;
mod document;
mod findings;
mod local;
pub mod log;
mod plan;
mod restore;
mod schema;
mod serve;
mod setup;
mod show;
mod sim;
mod survey;
mod terminal;
mod validate;
mod working;

/// Plans and applies what the services of a repository need, reviewed on pull requests.
#[derive(Debug, Parser)]
#[command(name = "landfall", version, propagate_version = true)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Setup(setup::Setup),
    /// Receive webhooks, plan pull requests, apply what is merged.
    Serve(serve::Serve),
    Validate(validate::Validate),
    Show(show::Show),
    Plan(plan::Plan),
    Apply(apply::Apply),
    Schema(schema::Schema),
    Backup(backup::Backup),
    Restore(restore::Restore),
    Doctor(doctor::Doctor),
    Demo(demo::Demo),
    Sim(sim::Sim),
}

/// How a command ended that did not fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// There was nothing to do, or it is done.
    Done,
    /// There are changes.
    Changes,
    /// What was looked at has errors; they were printed.
    Errors,
}

impl From<Ended> for ExitCode {
    fn from(ended: Ended) -> Self {
        match ended {
            Ended::Done => Self::SUCCESS,
            Ended::Errors => Self::from(1),
            Ended::Changes => Self::from(2),
        }
    }
}

impl Cli {
    /// Carries the command out.
    ///
    /// # Errors
    /// What went wrong, to be printed with its causes.
    pub async fn run(self) -> anyhow::Result<Ended> {
        match self.command {
            Command::Setup(setup) => setup.run().await,
            Command::Serve(serve) => serve.run().await,
            Command::Demo(demo) => demo.run().await,
            Command::Sim(sim) => sim.run().await,
            Command::Validate(validate) => validate.run().await,
            Command::Show(show) => show.run().await,
            Command::Plan(plan) => plan.run().await,
            Command::Apply(apply) => apply.run().await,
            Command::Schema(schema) => schema.run(),
            Command::Backup(backup) => backup.run().await,
            Command::Restore(restore) => restore.run().await,
            Command::Doctor(doctor) => doctor.run().await,
        }
    }
}

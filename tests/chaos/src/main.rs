//! Chaos: real servers on one store, killed, paused and troubled at random, and what must hold all the
//! same.
//!
//! `cargo run -p landfall-chaos -- --engine sqlite --kills 500 --pauses 200 --seed 7`. The simulators
//! and the people live in this process; each server is a process of its own: this executable again,
//! told to [`serve::SERVE`]. When everything was done, the servers are left alone until all has come to
//! rest, and what is found then is held against what people wrote ([`check`]). The seed decides what people and the
//! nemesis do; when a process is killed is up to the machine, so a seed brings the same story and
//! not the same schedule. Files for looking into stay in the folder that is named when something is wrong.

mod check;
mod fleet;
mod history;
mod model;
mod nemesis;
mod people;
mod report;
mod serve;
mod story;
mod town;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, ValueEnum};

use story::{Story, Until};

/// Kills and pauses servers under load and checks that nothing is lost and nothing done twice.
#[derive(Debug, Parser)]
struct Arguments {
    /// Which store: `sqlite` has one server at a time, `postgres` several.
    #[arg(long, value_enum, default_value_t)]
    engine: Engine,
    /// Until so many servers were killed, if that is said.
    #[arg(long)]
    kills: Option<u64>,
    /// Until so many were paused for longer than a lease, if that is said.
    #[arg(long)]
    pauses: Option<u64>,
    /// For so many seconds at least.
    #[arg(long, default_value_t = 20)]
    seconds: u64,
    /// What people do and what goes wrong follows from this; some number if none is said.
    #[arg(long)]
    seed: Option<u64>,
    /// Where logs and data go, and stay; a temporary folder without it, which stays if something is wrong.
    #[arg(long)]
    folder: Option<PathBuf>,
}

/// Behind which store it happens.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum Engine {
    /// A file, and one server at a time.
    #[default]
    Sqlite,
    /// A database, and several servers at once.
    Postgres,
}

impl Engine {
    fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgres",
        }
    }
}

#[tokio::main]
async fn main() -> anyhow::Result<ExitCode> {
    let mut words = std::env::args().skip(1);
    if let (Some(serve::SERVE), Some(told)) = (words.next().as_deref(), words.next()) {
        return serve::serve(&told).await.map(|()| ExitCode::SUCCESS);
    }
    let arguments = Arguments::parse();
    let until = Until {
        kills: arguments.kills.unwrap_or_default(),
        pauses: arguments.pauses.unwrap_or_default(),
        time: Duration::from_secs(arguments.seconds),
    };
    let seed = arguments.seed.unwrap_or_else(rand::random);
    let kept = arguments.folder.is_some();
    let folder = match arguments.folder {
        Some(folder) => folder,
        None => tempfile::Builder::new().prefix("landfall-chaos-").tempdir()?.keep(),
    };
    std::fs::create_dir_all(&folder)?;
    eprintln!("chaos on {}, seed {seed}, in {}", arguments.engine.name(), folder.display());
    let report = Story::begin(arguments.engine, seed, &folder).await?.tell(until).await?;
    print!("{report}");
    if !report.is_good() {
        println!("what happened is in {}", folder.display());
        return Ok(ExitCode::FAILURE);
    }
    if !kept {
        std::fs::remove_dir_all(&folder)?;
    }
    Ok(ExitCode::SUCCESS)
}

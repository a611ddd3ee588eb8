//! The bench: how fast Landfall is and how much memory it takes, held against its budgets.
//!
//! `cargo run --release -p landfall-bench [-- NAME..] [--format json]`. Simulators run in this process,
//! the server in a child of it: this executable again, told to `serve`. So what is measured of the
//! server is the server's alone. A budget that is missed is printed as missed; it is no failure.

mod delivery;
mod engine;
mod fleet;
mod homelab;
mod measure;
mod report;
mod samples;
mod seen;
mod server;
mod town;

use clap::{Parser, ValueEnum};
use landfall::cli::Cli;

use measure::{Extent, Measurement};
use report::Report;

/// Measures Landfall and prints what was found beside what is allowed.
#[derive(Debug, Parser)]
struct Arguments {
    /// What to measure; everything if nothing is named.
    names: Vec<Measurement>,
    /// How it is printed.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// For how many seconds deliveries are sent.
    #[arg(long, default_value_t = 60)]
    seconds: u32,
    /// How many pull requests are timed.
    #[arg(long, default_value_t = 40)]
    events: usize,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum Format {
    #[default]
    Text,
    Json,
}

/// The word with which this executable becomes the server.
const SERVE: &str = "serve";

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    if std::env::args().nth(1).as_deref() == Some(SERVE) {
        return Cli::parse_from(["landfall", SERVE]).run().await.map(drop);
    }
    let arguments = Arguments::parse();
    let extent = Extent { seconds: arguments.seconds, events: arguments.events };
    let named = match arguments.names.as_slice() {
        [] => Measurement::value_variants(),
        named => named,
    };
    let mut report = Report::of_this_machine();
    for measurement in named {
        eprintln!("measuring {}", measurement.name());
        let load = report::load();
        let figures = measurement.take(&extent).await?;
        report.add(measurement.name(), load, figures);
    }
    match arguments.format {
        Format::Text => print!("{report}"),
        Format::Json => println!("{}", serde_json::to_string_pretty(&report)?),
    }
    Ok(())
}

//! The binary: parses the command line, carries it out, and says with its exit code how it ended.

use std::process::ExitCode;

use clap::Parser as _;
use landfall::cli::Cli;

#[tokio::main]
async fn main() -> ExitCode {
    match Cli::parse().run().await {
        Ok(ended) => ended.into(),
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

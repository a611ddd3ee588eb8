//! The binary: parses the command line, carries it out, and says with its exit code how it ended.

use std::process::ExitCode;

use clap::Parser as _;
use landfall::cli::Cli;

#[tokio::main]
async fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(told) => {
            // A terminal that is gone is nobody's loss.
            let _ = told.print();
            // Not clap's 2: that means that there are changes.
            return if told.use_stderr() { ExitCode::FAILURE } else { ExitCode::SUCCESS };
        }
    };
    match cli.run().await {
        Ok(ended) => ended.into(),
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

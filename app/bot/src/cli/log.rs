//! The log: to standard error, through the redactor, coloured on a terminal only.

use std::io::{IsTerminal as _, stderr};

use landfall_os::redact::{RedactingWriter, Redactor};
use tracing_subscriber::EnvFilter;

/// Begins logging. `LANDFALL_LOG` says what is logged (`info` without it), `LANDFALL_LOG_FORMAT=json`
/// one object a line.
pub fn begin(redactor: &Redactor, default: &str) {
    let filter =
        EnvFilter::try_from_env("LANDFALL_LOG").unwrap_or_else(|_| EnvFilter::new(default));
    let redactor = redactor.clone();
    let writer = move || RedactingWriter::new(redactor.clone(), stderr());
    let log =
        tracing_subscriber::fmt().with_env_filter(filter).with_target(false).with_writer(writer);
    let json = std::env::var("LANDFALL_LOG_FORMAT").is_ok_and(|format| format == "json");
    // A second call, in a test, changes nothing.
    let _ =
        if json { log.json().try_init() } else { log.with_ansi(stderr().is_terminal()).try_init() };
}

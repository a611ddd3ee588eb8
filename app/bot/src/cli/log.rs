//! The log: to standard error, through the redactor, coloured on a terminal only.

use std::fs::File;
use std::io::{IsTerminal as _, stderr};
use std::path::Path;
use std::sync::Arc;

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

/// As [`begin`], but into a new file at `path`.
///
/// # Errors
/// The file cannot be made.
pub fn begin_in_file(redactor: &Redactor, default: &str, path: &Path) -> std::io::Result<()> {
    let filter =
        EnvFilter::try_from_env("LANDFALL_LOG").unwrap_or_else(|_| EnvFilter::new(default));
    let (redactor, file) = (redactor.clone(), Arc::new(File::create(path)?));
    let writer = move || RedactingWriter::new(redactor.clone(), Arc::clone(&file));
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_target(false);
    let _ = log.with_writer(writer).with_ansi(false).try_init();
    Ok(())
}

//! The log: to standard error, through the redactor, coloured on a terminal only. Panics are told
//! in it, because what they say may hold a secret.

use std::backtrace::{Backtrace, BacktraceStatus};
use std::fs::File;
use std::io::{IsTerminal as _, stderr};
use std::panic::PanicHookInfo;
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
    std::panic::set_hook(Box::new(panicked));
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
    std::panic::set_hook(Box::new(panicked));
    Ok(())
}

/// Tells of a panic in one entry; with its backtrace, where `RUST_BACKTRACE` asks for one.
fn panicked(panic: &PanicHookInfo<'_>) {
    let place = panic.location().map(ToString::to_string).unwrap_or_default();
    let said = panic.payload_as_str().unwrap_or("something that is no text");
    let backtrace = Backtrace::capture();
    match backtrace.status() {
        BacktraceStatus::Captured => {
            tracing::error!(panic.place = place, "panicked: {said}\n{backtrace}");
        }
        _ => tracing::error!(panic.place = place, "panicked: {said}"),
    }
}

#[cfg(test)]
mod tests {
    use std::panic::catch_unwind;

    use secrecy::SecretString;

    use super::*;

    #[test]
    fn a_panic_is_told_in_the_log_with_its_place_and_without_its_secrets() {
        let redactor = Redactor::new();
        redactor.learn(&SecretString::from("correct horse battery"));
        let file = tempfile::NamedTempFile::new().unwrap();
        let sink = Arc::new(file.reopen().unwrap());
        let writer = move || RedactingWriter::new(redactor.clone(), Arc::clone(&sink));
        let log = tracing_subscriber::fmt().with_ansi(false).with_writer(writer).finish();

        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(panicked));
        let panics = || catch_unwind(|| panic!("the token is `correct horse battery`"));
        assert!(tracing::subscriber::with_default(log, panics).is_err());
        std::panic::set_hook(before);

        let told = std::fs::read_to_string(file.path()).unwrap();
        assert!(told.contains("panicked: the token is `***`"), "{told}");
        assert!(told.contains(file!()), "{told}");
    }
}

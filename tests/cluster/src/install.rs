//! Installing PostgreSQL where it is missing and somebody who may do so runs the tests: root, on Debian
//! or one of its kind. A pipeline's container is such a place.

use std::io;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::find;

const MISSING: &str = "it is not installed. On Debian: `apt-get install postgresql`; elsewhere put \
    `initdb`, `postgres`, `pg_isready` and `createdb` of version 15 or newer into PATH";

/// Installs it and says where the programs are.
pub(crate) fn programs() -> io::Result<PathBuf> {
    eprintln!("PostgreSQL is not installed: trying `apt-get install postgresql`");
    apt_get(&["update", "--quiet"])?;
    apt_get(&["install", "--quiet", "--yes", "--no-install-recommends", "postgresql"])?;
    find::programs().ok_or_else(|| io::Error::other(MISSING))
}

#[expect(clippy::disallowed_methods, reason = "it depends on nothing of Landfall")]
fn apt_get(arguments: &[&str]) -> io::Result<()> {
    let mut command = Command::new("apt-get");
    command.args(arguments).env("DEBIAN_FRONTEND", "noninteractive").stdin(Stdio::null());
    match command.stdout(Stdio::null()).status() {
        Ok(status) if status.success() => Ok(()),
        Ok(_) => Err(io::Error::other(format!("{MISSING}. Installing it failed: see above"))),
        Err(_) => Err(io::Error::other(MISSING)),
    }
}

//! Git, run so that nothing a repository contains can make it do more than it is asked.
//!
//! No system or user configuration, no hooks, no file system monitor, no credential helper, no
//! prompt, no replacement objects, no fetching of missing objects, no submodules, no redirects, and
//! only the protocols of the settings. All of that is set by environment variables, so it holds for
//! the processes that git starts as well. Every answer is in English and every path is literal.

use std::ffi::OsString;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use landfall_os::process::{Command, Output};
use landfall_os::redact::Redactor;

use crate::RepoError;

/// How git is run.
#[derive(Debug, Clone)]
pub struct GitSettings {
    /// The program: a path, or a name in `PATH`.
    pub program: OsString,
    /// Protocols that may be fetched by, as git names them. Tests add `file`.
    pub protocols: Vec<String>,
    /// For a call that reads.
    pub read_timeout: Duration,
    /// For a fetch, and for compacting.
    pub long_timeout: Duration,
    /// Passes what git says on standard error.
    pub redactor: Redactor,
}

impl Default for GitSettings {
    /// `git` by `http` and `https`; a minute to read, ten to fetch.
    fn default() -> Self {
        Self {
            program: "git".into(),
            protocols: ["http", "https"].map(str::to_owned).to_vec(),
            read_timeout: Duration::from_secs(60),
            long_timeout: Duration::from_secs(600),
            redactor: Redactor::new(),
        }
    }
}

/// A git that is known to be recent enough. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Git {
    settings: Arc<GitSettings>,
    version: Arc<str>,
}

/// The oldest version that reads attributes of a given tree while merging (`--attr-source`) and
/// reports fetched refs for programs (`fetch --porcelain`).
const OLDEST: (u32, u32) = (2, 43);

/// Variables that hold for every call.
const ENVIRONMENT: [(&str, &str); 9] = [
    ("GIT_CONFIG_NOSYSTEM", "1"),
    ("GIT_CONFIG_GLOBAL", "/dev/null"),
    ("GIT_ATTR_NOSYSTEM", "1"),
    ("GIT_TERMINAL_PROMPT", "0"),
    ("GIT_NO_REPLACE_OBJECTS", "1"),
    ("GIT_NO_LAZY_FETCH", "1"),
    ("GIT_OPTIONAL_LOCKS", "0"),
    ("GIT_LITERAL_PATHSPECS", "1"),
    ("LC_ALL", "C"),
];

/// Configuration that holds for every call and stands above that of the repository.
const CONFIGURATION: [(&str, &str); 16] = [
    ("core.hooksPath", "/dev/null"),
    ("core.fsmonitor", "false"),
    ("core.attributesFile", "/dev/null"),
    ("core.quotePath", "false"),
    ("credential.helper", ""),
    ("gc.auto", "0"),
    ("maintenance.auto", "false"),
    ("submodule.recurse", "false"),
    ("fetch.recurseSubmodules", "false"),
    ("http.followRedirects", "false"),
    ("http.lowSpeedLimit", "1000"),
    ("http.lowSpeedTime", "30"),
    ("transfer.fsckObjects", "true"),
    // Faults that old, honest histories have; GitHub accepts them too.
    ("fetch.fsck.zeroPaddedFilemode", "ignore"),
    ("fetch.fsck.missingSpaceBeforeDate", "ignore"),
    ("fetch.fsck.badTimezone", "ignore"),
];

impl Git {
    /// Finds git and asks for its version.
    ///
    /// # Errors
    /// It is missing or too old.
    pub async fn find(settings: GitSettings) -> Result<Self, RepoError> {
        let git = Self { settings: Arc::new(settings), version: "".into() };
        let answer = git.succeed("version", git.command(["version"])).await?;
        let text = String::from_utf8_lossy(&answer);
        let found = text.trim().strip_prefix("git version ").unwrap_or(text.trim()).to_owned();
        match version(&found) {
            Some(version) if version >= OLDEST => Ok(Self { version: found.into(), ..git }),
            _ => Err(RepoError::TooOld { found }),
        }
    }

    /// Which one it is, in its own words: `2.47.3`.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    pub(crate) fn settings(&self) -> &GitSettings {
        &self.settings
    }

    /// A hardened call without a repository.
    pub(crate) fn command<A: Into<OsString>>(&self, args: impl IntoIterator<Item = A>) -> Command {
        self.configured(&[], args)
    }

    /// A hardened call on the repository in `folder` (its `.git` folder, or a bare one).
    pub(crate) fn on<A: Into<OsString>>(
        &self,
        folder: &Path,
        args: impl IntoIterator<Item = A>,
    ) -> Command {
        self.command(args).env("GIT_DIR", folder)
    }

    /// A hardened call with the names of more configuration, whose values the caller sets as
    /// `GIT_CONFIG_VALUE_<n>`, counted from [`first_free`].
    pub(crate) fn configured<A: Into<OsString>>(
        &self,
        more: &[&str],
        args: impl IntoIterator<Item = A>,
    ) -> Command {
        let mut command = Command::new(&self.settings.program)
            .args(args)
            .timeout(self.settings.read_timeout)
            .max_stdout(256 << 20)
            .env("GIT_ALLOW_PROTOCOL", self.settings.protocols.join(":"))
            .env("GIT_CONFIG_COUNT", (CONFIGURATION.len() + more.len()).to_string());
        for (name, value) in ENVIRONMENT {
            command = command.env(name, value);
        }
        for (at, (key, value)) in CONFIGURATION.iter().enumerate() {
            command = command.env(format!("GIT_CONFIG_KEY_{at}"), *key);
            command = command.env(format!("GIT_CONFIG_VALUE_{at}"), *value);
        }
        for (at, key) in more.iter().enumerate() {
            command = command.env(format!("GIT_CONFIG_KEY_{}", first_free() + at), *key);
        }
        command
    }

    /// Runs a call that fails if its code is not 0.
    pub(crate) async fn succeed(
        &self,
        what: &'static str,
        command: Command,
    ) -> Result<Vec<u8>, RepoError> {
        let output = command.run().await?;
        if output.is_success() { Ok(output.stdout) } else { Err(self.failed(what, &output)) }
    }

    /// What git said, cut to a length that can be shown.
    pub(crate) fn failed(&self, what: &'static str, output: &Output) -> RepoError {
        let said = self.settings.redactor.redact(output.stderr.trim());
        RepoError::Git { what, stderr: said.chars().take(2000).collect() }
    }
}

/// The first number of configuration that is not used by every call.
pub(crate) const fn first_free() -> usize {
    CONFIGURATION.len()
}

/// The first two numbers of a version.
fn version(text: &str) -> Option<(u32, u32)> {
    let mut numbers = text.split(['.', ' ', '-']).map(|part| part.parse().ok());
    Some((numbers.next()??, numbers.next()??))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_read_whatever_the_vendor_adds() {
        assert_eq!(version("2.47.3"), Some((2, 47)));
        assert_eq!(version("2.39.5 (Apple Git-154)"), Some((2, 39)));
        assert_eq!(version("3.0-rc1"), Some((3, 0)));
        assert_eq!(version("unknown"), None);
    }
}

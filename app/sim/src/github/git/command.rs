//! Running git, the one place where the simulated GitHub starts a process.

use std::path::Path;

use anyhow::{Context, bail};
use landfall_os::process::{Command, Exit};

/// A clone of a large fixture is the most that git ever writes here.
const MOST_OUTPUT: usize = 1 << 30;

/// What a git process left.
#[derive(Debug)]
pub(crate) struct Ended {
    /// `None` if a signal ended it.
    pub(crate) code: Option<i32>,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: String,
}

/// Runs `git ARGS` in `folder`, feeding it `stdin`. Neither a person's settings nor a surrounding
/// git command change what it does.
pub(crate) async fn git(
    folder: &Path,
    args: &[&str],
    env: &[(&str, &str)],
    stdin: &[u8],
) -> anyhow::Result<Ended> {
    let mut command = Command::new("git")
        .args(args)
        .current_dir(folder)
        .env("HOME", folder)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("LC_ALL", "C")
        .max_stdout(MOST_OUTPUT)
        .stdin(stdin);
    for (name, value) in env {
        command = command.env(name, value);
    }
    let output = command.run().await.context("the simulated GitHub cannot run git")?;
    let code = match output.exit {
        Exit::Code(code) => Some(code),
        Exit::Killed => None,
    };
    Ok(Ended { code, stdout: output.stdout, stderr: output.stderr })
}

/// As [`git`], where anything but success is an error. Returns standard output without its last
/// line end.
pub(crate) async fn git_text(
    folder: &Path,
    args: &[&str],
    env: &[(&str, &str)],
    stdin: &[u8],
) -> anyhow::Result<String> {
    let ended = git(folder, args, env, stdin).await?;
    if ended.code != Some(0) {
        bail!("git {} failed: {}", args.first().unwrap_or(&""), ended.stderr.trim());
    }
    let text = String::from_utf8(ended.stdout).context("git said something that is not UTF-8")?;
    Ok(text.trim_end_matches('\n').to_owned())
}

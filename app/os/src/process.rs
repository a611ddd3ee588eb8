//! Subprocesses without a shell: an argument list, an environment of only what is given, a limit
//! in time and in bytes, and a process group of its own that dies with the call.
//!
//! A secret goes into the environment or to standard input, never into an argument: arguments are
//! readable by every process of the machine. Errors name the program and nothing else of the call.

use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::{ChildStdin, ChildStdout};

mod group;

use group::Group;

/// How much of standard error is kept, in bytes. The rest is read and dropped.
const MAX_STDERR: u64 = 64 << 10;

/// How [`read_up_to`] says that there is too much.
const TOO_LONG: io::ErrorKind = io::ErrorKind::FileTooLarge;

/// A program to run, with all it gets.
#[derive(Debug)]
pub struct Command {
    program: OsString,
    args: Vec<OsString>,
    env: Vec<(OsString, Value)>,
    directory: Option<PathBuf>,
    stdin: Vec<u8>,
    timeout: Duration,
    max_stdout: usize,
}

#[derive(Debug)]
enum Value {
    Plain(OsString),
    Secret(SecretString),
}

/// What a program left behind. A status other than 0 is an output, not an error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// How it ended.
    pub exit: Exit,
    /// Its standard output, whole.
    pub stdout: Vec<u8>,
    /// The beginning of its standard error. Not redacted.
    pub stderr: String,
}

/// How a program ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// By itself, with this code.
    Code(i32),
    /// By a signal: somebody killed it.
    Killed,
}

/// Why there is no output.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProcessError {
    /// The program is not in `PATH`.
    #[error("`{program}` is not installed, or not in PATH")]
    Missing {
        /// The program.
        program: String,
    },
    /// The operating system did not start it.
    #[error("`{program}` cannot be started: {reason}")]
    Start {
        /// The program.
        program: String,
        /// The operating system's reason.
        reason: io::ErrorKind,
    },
    /// It took too long and was killed.
    #[error("`{program}` did not end within {limit:?} and was stopped")]
    Timeout {
        /// The program.
        program: String,
        /// The limit.
        limit: Duration,
    },
    /// It wrote too much and was killed.
    #[error("`{program}` wrote more than {limit} bytes and was stopped")]
    TooLong {
        /// The program.
        program: String,
        /// The limit, in bytes.
        limit: usize,
    },
    /// Talking to it failed.
    #[error("the pipe to `{program}` broke: {reason}")]
    Pipe {
        /// The program.
        program: String,
        /// The operating system's reason.
        reason: io::ErrorKind,
    },
}

impl Command {
    /// A program by its path, or by its name in `PATH`. It gets no arguments, no environment but
    /// `PATH`, empty standard input, 60 s, and may write 16 MiB, unless told otherwise.
    #[must_use]
    pub fn new(program: impl Into<OsString>) -> Self {
        Self {
            program: program.into(),
            args: Vec::new(),
            env: Vec::new(),
            directory: None,
            stdin: Vec::new(),
            timeout: Duration::from_secs(60),
            max_stdout: 16 << 20,
        }
    }

    /// Adds an argument.
    #[must_use]
    pub fn arg(mut self, arg: impl Into<OsString>) -> Self {
        self.args.push(arg.into());
        self
    }

    /// Adds arguments.
    #[must_use]
    pub fn args<A: Into<OsString>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        self.args.extend(args.into_iter().map(Into::into));
        self
    }

    /// Sets an environment variable.
    #[must_use]
    pub fn env(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.env.push((name.into(), Value::Plain(value.into())));
        self
    }

    /// Sets an environment variable to a secret.
    #[must_use]
    pub fn secret_env(mut self, name: impl Into<OsString>, value: SecretString) -> Self {
        self.env.push((name.into(), Value::Secret(value)));
        self
    }

    /// Where it runs. Without it: where this process runs.
    #[must_use]
    pub fn current_dir(mut self, directory: impl Into<PathBuf>) -> Self {
        self.directory = Some(directory.into());
        self
    }

    /// What it reads.
    #[must_use]
    pub fn stdin(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.stdin = bytes.into();
        self
    }

    /// How long it may take.
    #[must_use]
    pub fn timeout(mut self, limit: Duration) -> Self {
        self.timeout = limit;
        self
    }

    /// How many bytes it may write to standard output.
    #[must_use]
    pub fn max_stdout(mut self, bytes: usize) -> Self {
        self.max_stdout = bytes;
        self
    }

    /// Runs it to its end.
    ///
    /// # Errors
    /// It did not start, or was stopped at a limit.
    pub async fn run(mut self) -> Result<Output, ProcessError> {
        let (input, limit, program) =
            (std::mem::take(&mut self.stdin), self.max_stdout, self.name());
        let pump = |stdin, stdout| async move {
            let ((), stdout) = tokio::try_join!(feed(stdin, &input), read_up_to(stdout, limit))?;
            Ok(stdout)
        };
        match self.converse(pump).await {
            Ok((stdout, output)) => Ok(Output { stdout, ..output }),
            Err(ProcessError::Pipe { reason: TOO_LONG, .. }) => {
                Err(ProcessError::TooLong { program, limit })
            }
            Err(error) => Err(error),
        }
    }

    /// Runs it while `talk` writes to its standard input and reads its standard output; the two
    /// have to be driven at once where the program answers as it reads. The time limit is for all
    /// of it. The program is stopped when `talk` fails or this future is dropped.
    ///
    /// # Errors
    /// It did not start, was stopped at its limit, or `talk` failed.
    pub async fn converse<T, F>(
        self,
        talk: impl FnOnce(ChildStdin, ChildStdout) -> F,
    ) -> Result<(T, Output), ProcessError>
    where
        F: Future<Output = io::Result<T>>,
    {
        let (program, limit) = (self.name(), self.timeout);
        let mut group = self.start()?;
        let (stdin, stdout, stderr) = group.pipes();
        let conversation = async {
            let said = talk(stdin, stdout);
            let (said, stderr) = tokio::try_join!(said, read_beginning(stderr))?;
            Ok::<_, io::Error>((said, stderr, group.wait().await?))
        };
        let ended = tokio::time::timeout(limit, conversation).await;
        let ended = ended.map_err(|_| ProcessError::Timeout { program: program.clone(), limit })?;
        let (said, stderr, exit) =
            ended.map_err(|e| ProcessError::Pipe { program, reason: e.kind() })?;
        Ok((said, Output { exit, stdout: Vec::new(), stderr }))
    }

    fn start(self) -> Result<Group, ProcessError> {
        let program = self.name();
        let path = search_path();
        let file = find(&self.program, &path)
            .ok_or_else(|| ProcessError::Missing { program: program.clone() })?;
        #[expect(clippy::disallowed_methods, reason = "the one place that starts a process")]
        let mut command = tokio::process::Command::new(file);
        command.args(self.args).env_clear().env("PATH", path);
        for (name, value) in &self.env {
            match value {
                Value::Plain(value) => command.env(name, value),
                Value::Secret(value) => command.env(name, value.expose_secret()),
            };
        }
        if let Some(directory) = self.directory {
            command.current_dir(directory);
        }
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.process_group(0).kill_on_drop(true);
        let child =
            command.spawn().map_err(|e| ProcessError::Start { program, reason: e.kind() })?;
        Ok(Group::new(child))
    }

    fn name(&self) -> String {
        Path::new(&self.program).file_name().unwrap_or(&self.program).to_string_lossy().into_owned()
    }
}

impl Output {
    /// Whether it ended by itself with code 0.
    #[must_use]
    pub fn is_success(&self) -> bool {
        self.exit == Exit::Code(0)
    }
}

/// This process's `PATH` without relative entries: those would mean files of a checkout.
fn search_path() -> OsString {
    let path = std::env::var_os("PATH").unwrap_or_else(|| "/usr/local/bin:/usr/bin:/bin".into());
    let absolute = std::env::split_paths(&path).filter(|entry| entry.is_absolute());
    std::env::join_paths(absolute).expect("entries that were split can be joined")
}

/// The file of a program. It is looked up here, and not by the operating system in the child,
/// because a start by full path needs no copy of this process (`posix_spawn`).
fn find(program: &OsStr, path: &OsStr) -> Option<PathBuf> {
    if Path::new(program).components().count() > 1 {
        return Some(program.into());
    }
    std::env::split_paths(path).map(|entry| entry.join(program)).find(|file| file.is_file())
}

/// Writes all of it. A program that ends before it read everything is no fault of the pipe.
async fn feed(mut stdin: ChildStdin, bytes: &[u8]) -> io::Result<()> {
    match stdin.write_all(bytes).await {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}

/// All of it; fails as soon as it is longer than `limit`.
async fn read_up_to(pipe: impl AsyncRead + Unpin, limit: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    pipe.take(limit as u64 + 1).read_to_end(&mut bytes).await?;
    if bytes.len() <= limit { Ok(bytes) } else { Err(TOO_LONG.into()) }
}

async fn read_beginning(mut pipe: impl AsyncRead + Unpin) -> io::Result<String> {
    let mut bytes = Vec::new();
    (&mut pipe).take(MAX_STDERR).read_to_end(&mut bytes).await?;
    tokio::io::copy(&mut pipe, &mut tokio::io::sink()).await?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests;

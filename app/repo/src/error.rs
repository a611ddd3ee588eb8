//! What can go wrong with git, told apart by what a caller does about it.

use landfall_core::name::CommitSha;
use landfall_os::process::ProcessError;

/// Why git gave no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RepoError {
    /// A branch, pull request or repository is not at the remote (any more).
    #[error("{0} does not exist at the remote")]
    Gone(String),
    /// The remote shows another commit than it announced; it lags, so ask again soon.
    #[error("{wanted} is not at {expected} yet")]
    NotYet {
        /// The ref, in words.
        wanted: String,
        /// The commit that was announced.
        expected: CommitSha,
        /// What the remote shows now.
        found: Option<CommitSha>,
    },
    /// The remote refuses the credentials.
    #[error("the remote refuses access")]
    Denied,
    /// The index has files that are not merged.
    #[error("the index has conflicts: {}", .0.join(", "))]
    Conflict(Vec<String>),
    /// More content was asked for than one answer may hold.
    #[error("the files asked for have more than {limit} bytes together")]
    TooLarge {
        /// The limit, in bytes.
        limit: u64,
    },
    /// Git failed for another reason.
    #[error("git {what} failed: {stderr}")]
    Git {
        /// The subcommand.
        what: &'static str,
        /// What git said, redacted.
        stderr: String,
    },
    /// Git answered something that its documentation does not allow for.
    #[error("git {what} gave an answer that cannot be read")]
    Unreadable {
        /// The subcommand.
        what: &'static str,
    },
    /// Git is missing, too slow, or wrote too much.
    #[error(transparent)]
    Process(#[from] ProcessError),
    /// This git is older than what the mirrors need.
    #[error("git {found} is too old: Landfall needs 2.43 or later")]
    TooOld {
        /// The version found.
        found: String,
    },
    /// The address cannot be fetched from.
    #[error("a repository's address is `https://host/owner/name`, without a user or password")]
    Address,
    /// The file system refused.
    #[error("{what}: {reason}")]
    Files {
        /// What was tried.
        what: &'static str,
        /// The operating system's reason.
        reason: std::io::ErrorKind,
    },
}

impl RepoError {
    pub(crate) fn files(what: &'static str, error: &std::io::Error) -> Self {
        Self::Files { what, reason: error.kind() }
    }
}

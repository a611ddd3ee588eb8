//! What is weak about how a branch is guarded that environments follow: it lets through what nobody
//! reviewed, or what we never said.

use std::fmt;

use crate::name::BranchName;

/// One thing that is weak. Printed as a sentence of prose with code spans.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Weakness {
    /// Nothing is asked of a push to it.
    Unprotected(BranchName),
    /// It requires a check of ours from any source, so whoever may write can set it.
    Forgeable {
        /// The branch.
        branch: BranchName,
        /// The check's name.
        check: String,
    },
    /// It requires a check of ours from another App, which never sets it.
    Misbound {
        /// The branch.
        branch: BranchName,
        /// The check's name.
        check: String,
        /// GitHub's number of that App.
        app: u64,
    },
}

impl Weakness {
    /// How it is mended.
    #[must_use]
    pub fn mend(&self) -> &'static str {
        match self {
            Self::Unprotected(_) => {
                "require a pull request and a review: Settings, Rules of the repository"
            }
            Self::Forgeable { .. } | Self::Misbound { .. } => {
                "choose Landfall's App as the source of the check: Settings, Rules or Branches of the repository"
            }
        }
    }
}

impl fmt::Display for Weakness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unprotected(branch) => {
                write!(f, "`{branch}` is not protected, so nobody has to review what comes there.")
            }
            Self::Forgeable { branch, check } => write!(
                f,
                "`{branch}` requires the check `{check}` from any source, so whoever may write can set it."
            ),
            Self::Misbound { branch, check, app } => write!(
                f,
                "`{branch}` requires the check `{check}` from App {app}, which is not Landfall and never sets it."
            ),
        }
    }
}

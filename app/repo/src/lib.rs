//! Mirrors, trees and blobs: the only crate that runs git.
//!
//! A [`Mirror`] is a full bare copy of a repository at GitHub; a [`WorkingCopy`] is a person's own
//! checkout. Both are read without a work tree of ours: no hook, filter, submodule or configuration
//! of a repository is ever run or believed (see `git`). Objects are named by their full ids.

mod error;
mod git;
mod mirror;
mod objects;
mod working;

pub use error::RepoError;
pub use git::{Git, GitSettings};
pub use mirror::{Commit, Fetched, Merged, Mirror, Mirrors, Remote, Wanted};
pub use objects::{Blob, Entry, EntryKind, Listing};
pub use working::WorkingCopy;

#[cfg(test)]
mod tests;

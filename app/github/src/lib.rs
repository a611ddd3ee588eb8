//! GitHub: webhooks in, App authentication, reads, writes.
//!
//! The only crate that names octocrab, and no type of octocrab leaves it: what GitHub says becomes
//! lean structs of our own, what goes wrong becomes [`GithubError`]. Planning gets a [`Reader`],
//! whose token cannot write; only the outbox gets a [`Writer`]. This crate decides nothing and
//! repeats nothing that may have happened: retries, lanes and look-ups before a create belong to
//! the outbox.

mod actor;
pub mod app;
pub mod check;
pub mod comment;
pub mod deployment;
mod error;
mod known;
mod limits;
pub mod manifest;
pub mod needs;
mod pages;
mod proposer;
mod pull;
mod reader;
mod repository;
mod session;
mod team;
mod transport;
pub mod webhook;
mod writer;

pub use actor::{AppId, User, UserKind};
pub use app::{
    Account, App, AppSettings, Attempt, Chosen, Cursor, Hook, Identity, Installation, LogPage,
    Registration, SettingsError, Timeouts, Verified,
};
pub use error::{Failure, GithubError};
pub use limits::Limits;
pub use proposer::Proposer;
pub use pull::{Base, Head, Pull, PullState};
pub use reader::{BranchProtection, GitCredentials, Reader, RequiredCheck};
pub use repository::{InstalledRepository, Repository};
pub use writer::{Fold, Reaction, Writer};

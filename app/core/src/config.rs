//! The configuration: `landfall.yaml`, one file per service, and what they come to together.
//!
//! The way of a value: [`yaml::parse`](crate::yaml::parse) → [`ServiceFile`] → variables inserted →
//! the environment's part merged over it → decoded by its [`Kind`](kind::Kind) → [`Unit`]. All of it is
//! pure. What depends on one file alone ([`ServiceFile::parse`]) and what depends on one file and one
//! environment ([`units`]) are functions of their own, so that a caller can keep the results by blob
//! and by [`Environment::digest`].

mod budget;
mod commands;
mod connection;
mod digest;
mod effective;
mod environment;
mod glob;
pub mod kind;
mod later;
mod merge;
pub mod names;
mod proposal;
mod registry;
mod repository;
pub mod schema;
pub mod secret;
mod service;
mod show;
mod tree;
mod vanished;
mod variables;

pub use budget::{Budget, MAX_TOGETHER};
pub use connection::NamedConnection;
pub use digest::{content_digest, unit_hash};
pub use effective::{Unit, effective, units};
pub use environment::Environment;
pub use glob::ServiceGlob;
pub use merge::merge;
pub use proposal::{USUAL, proposal};
pub use registry::Registry;
pub use repository::{RepositoryConfig, Scope};
pub use service::ServiceFile;
pub use show::{Line, show};
pub use tree::Tree;
pub use vanished::{OwnedUnit, vanished};
pub use variables::{Variables, insert};

/// The path of the repository config.
pub const REPOSITORY_CONFIG: &str = "landfall.yaml";

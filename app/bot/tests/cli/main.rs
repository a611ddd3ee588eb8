//! The command line as people meet it: the real binary, in folders of their own, against simulators.

#![expect(
    clippy::unwrap_used,
    reason = "a scenario ends at the first thing that is not as it should be"
)]

mod apply;
mod backup;
mod browser;
mod doctor;
mod plan;
mod schema;
mod setup;
mod show;
mod terminal;
mod validate;
mod world;

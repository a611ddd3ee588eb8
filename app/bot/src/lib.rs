//! Landfall: the server, the flows and the command line.
//!
//! A webhook's way in five hops: [`server`] receives and stores it, [`worker`] takes it from the
//! inbox, [`flow::handle`] turns it into rows and jobs, [`flow`] plans or runs, and the outbox in
//! [`publish`] tells GitHub.

pub mod backup;
pub mod cli;
mod failpoint;
pub mod flow;
pub mod gather;
pub mod house;
pub mod operator;
pub mod panics;
pub mod publish;
pub mod render;
pub mod server;
pub mod settings;
pub mod worker;

//! The scenarios: stories about what people do, and what they then read and find.
//!
//! One binary, one module for each capability. The snapshots are the specification of every
//! comment; how a story is told is written in [`landfall_tests::world`].

#![expect(clippy::unwrap_used, reason = "a story that cannot go on has failed")]

mod attacks;
mod bootstrap;
mod change;
mod checks;
mod commands;
mod comments;
mod config;
mod database;
mod deployments;
mod enterprise;
mod faults;
mod forks;
mod holds;
mod life;
mod locks;
mod merging;
mod missed;
mod nas;
mod notifications;
mod onboarding;
mod once;

mod orphans;
mod outdated;
mod ownership;
mod pace;
mod panics;
mod queue;
mod refusals;
mod required;
mod restore;
mod rights;
mod stopping;
mod targets;
mod tenants;
mod thrift;
mod timing;
mod tunnel;
mod webhooks;

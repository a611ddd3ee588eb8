//! The pure core of Landfall.
//!
//! Everything here is data in, data out: no async runtime, no I/O, no clock, no randomness.
//! What a repository declares ([`config`]) becomes units; units, what lives at the providers and
//! what we own become a [`plan`]; a plan has digests; a run is confirmed by [`coverage`].
//! Nothing in this crate can time out, and nothing in it knows a kind of component by name.

pub mod button;
pub mod check;
pub mod codeowners;
pub mod command;
pub mod config;
pub mod coverage;
pub mod diagnostic;
pub mod guardrail;
pub mod label;
pub mod lease;
pub mod markdown;
pub mod name;
pub mod plan;
pub mod report;
pub mod rights;
pub mod view;
pub mod way;
pub mod weakness;
pub mod yaml;

//! The configuration from text to checked units, with kinds that `core` does not know.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on panics, in its own functions too"
)]

mod checks;
mod commands;
mod kinds;
mod load;
mod properties;
mod shuffled;
mod spike;
mod yaml;

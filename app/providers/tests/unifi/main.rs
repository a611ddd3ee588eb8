//! UniFi consoles, simulated: planned, applied, planned again, and what goes wrong in between.

#![expect(
    clippy::unwrap_used,
    reason = "a scenario ends at the first thing that is not as it should be"
)]

mod devices;
mod door;
mod records;
mod trouble;
mod world;

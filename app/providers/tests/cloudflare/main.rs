//! The Cloudflare providers against a simulated account: planned, applied, planned again.

#![expect(
    clippy::unwrap_used,
    reason = "a scenario ends at the first thing that is not as it should be"
)]

mod dns;
mod tunnel;
mod world;

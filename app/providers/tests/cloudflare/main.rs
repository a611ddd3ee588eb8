//! The Cloudflare providers against a simulated account: planned, applied, planned again.

mod dns;
mod tunnel;
mod world;

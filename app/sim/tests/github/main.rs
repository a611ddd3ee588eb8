//! The simulated GitHub, seen from outside: over HTTP, with a real git, as an App and as a
//! receiver of webhooks.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails where it stands")]

mod api;
mod faults;
mod git;
mod hooks;
mod merging;
mod world;

//! The client against a server on loopback: what it sends, what it makes of answers, and above
//! all what it does not do.

#![expect(clippy::unwrap_used, reason = "a test fails where it unwraps")]

mod app;
mod server;
mod tokens;
mod traffic;
mod writes;

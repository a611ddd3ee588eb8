//! The simulated providers, asked over real HTTP: stories of what a client meets.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod caller;
mod cloudflare_dns;
mod cloudflare_tunnels;
mod unifi_console;
mod unifi_integration;
mod unifi_static_dns;

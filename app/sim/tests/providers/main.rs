//! The simulated providers, asked over real HTTP: stories of what a client meets.

mod caller;
mod cloudflare_dns;
mod cloudflare_tunnels;
mod unifi_console;
mod unifi_integration;
mod unifi_static_dns;

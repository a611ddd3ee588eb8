//! Providers: the code for each kind of component.
//!
//! One folder per vendor (the connection) and one per kind of component: `config.rs` decodes,
//! `plan.rs` is pure, the rest talks. Adding one is a folder and a line in [`registry`].

mod address;

pub mod cloudflare;
pub mod cloudflare_dns;
pub mod cloudflare_tunnel;
pub mod codes;
mod hold;
pub mod provider;
pub mod registry;
pub mod unifi;
pub mod unifi_dns;

pub use hold::Hold;
pub use provider::{
    Access, ConnectionProvider, Found, Later, Lookup, Needs, Provider, ProviderError, Reader,
    Scope, Writer,
};
pub use registry::Registry;

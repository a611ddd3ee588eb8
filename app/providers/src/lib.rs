//! Providers: the code for each kind of component.
//!
//! One folder per vendor and kind: `config.rs` decodes, `plan.rs` is pure, `api.rs` talks.
//! Adding one is a folder and a line in [`registry`].

pub mod provider;

pub use provider::{
    Access, ConnectionProvider, Found, Lookup, Needs, Provider, ProviderError, Reader, Scope, Writer,
};

//! Cloudflare: the connection that `cloudflare_dns` and `cloudflare_tunnel` share, and its API.
//!
//! One connection leads to one account and some of its zones. What it reads and writes depends on
//! the target's provider: `cloudflare_dns:<zone id>` or `cloudflare_tunnel:<account>/<name>`. This
//! folder knows the envelope, the errors, the account's zones and tunnels; records and rules are
//! the kinds' own.

mod api;
mod clients;
mod config;
mod connection;
mod error;
mod names;
mod realm;
mod session;
mod tunnels;
mod zones;

pub use config::{AccountId, Cloudflare};
pub use connection::CloudflareKind;

pub(crate) use error::CallError;
pub(crate) use names::{kind_name, tunnel_lookup, tunnel_scope, zone_scope, zone_target};
pub(crate) use session::Session;
pub(crate) use tunnels::{Tunnel, TunnelNames};

/// The kind of connection.
pub(crate) const NAME: &str = "cloudflare";

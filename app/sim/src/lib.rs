//! GitHub, UniFi, Cloudflare, S3 and a chat as they behave, for tests and the demo.
//!
//! Every simulator is stateful, runs in this process and answers real HTTP on loopback. They know nothing of the clients that
//! talk to them: what they answer comes from the vendors' own descriptions and from their documented quirks. What all of them
//! share is here: [`serve`] (the listener), [`tls`] (HTTPS in front of it), [`fault`] (what goes wrong, by a knob), [`exchange`]
//! (what was said) and [`clock`].

mod call;
pub mod chat;
pub mod clock;
pub mod cloudflare;
pub mod exchange;
pub mod fault;
pub mod github;
mod ids;
pub mod s3;
pub mod serve;
pub mod tls;
pub mod unifi;

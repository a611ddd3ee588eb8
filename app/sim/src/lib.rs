//! GitHub, UniFi and Cloudflare as they behave, for tests and the demo.
//!
//! Every simulator is stateful, runs in this process and answers real HTTP on loopback. They know nothing of the clients that
//! talk to them: what they answer comes from the vendors' own descriptions and from their documented quirks. What all of them
//! share is here: [`serve`] (the listener), [`fault`] (what goes wrong, by a knob) and [`exchange`] (what was said).

pub mod exchange;
pub mod fault;
pub mod serve;

//! Gathering: everything that a plan is made of, before the pure planner is asked.
//!
//! `tree` reads what a commit declares; `session` opens connections; `sight` brings declared
//! units, their targets, what lives and what we own together. Nothing here decides anything.

pub mod cache;
pub mod facts;
pub mod known;
pub mod session;
pub mod sight;
pub mod source;
pub mod tree;

pub use cache::Caches;
pub use session::{Route, Sessions};
pub use sight::{Located, Sight};
pub use source::Source;
pub use tree::{Declared, LoadError};

//! Plans: what is desired, what lives, what we own, and the ordered difference.
//!
//! A plan is data. Nothing here asks anybody anything; what it needs to know was gathered before.

mod change;
mod digest;
mod resource;

pub use change::{Action, Change, Effect, Landed, Outcome};
pub use digest::{Digest, UnitHash};
pub use resource::{Desired, Live, LiveResource, Owned, Owner, ResourceKey, Target, Value};

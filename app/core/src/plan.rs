//! Plans: what is desired, what lives, what we own, and the ordered difference.
//!
//! A plan is data. Nothing here asks anybody anything; what it needs to know was gathered before,
//! so planning cannot time out and two plans of the same facts are equal.

mod beside;
mod change;
mod digest;
mod make;
mod order;
mod resource;
mod unit;
mod words;

#[cfg(test)]
pub(crate) mod testing;

pub use beside::Cnames;
pub use change::{Action, Change, Effect, Landed, Outcome};
pub use digest::{Digest, UnitHash};
pub use make::{Adoption, Facts, Unanswered, Wanted, make};
pub use order::{Batch, Cycle, Needs, Ranks, order, stands_behind};
pub use resource::{
    Desired, Live, LiveResource, Owned, Owner, ResourceKey, ResourceName, Target, Value,
};
pub use unit::{Conflict, Origin, Plan, UnitPlan};
pub(crate) use words::{fields, plain, value_text};

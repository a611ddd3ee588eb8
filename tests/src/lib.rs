//! What the scenarios share: the vendors' contracts, and the world harness.

pub mod contract;
pub mod world;

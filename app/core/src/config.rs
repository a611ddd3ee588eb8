//! The configuration: `landfall.yaml`, one file per service, and what they come to together.

pub mod kind;
pub mod names;
pub mod secret;

//! The configuration from text to checked units, with kinds that `core` does not know.

mod checks;
mod kinds;
mod load;
mod properties;
mod spike;
mod yaml;

//! The world harness and one file of scenarios per capability

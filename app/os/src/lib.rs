//! The operating system's edge: the clock, the disk, the HTTP client, subprocesses, the redactor.
//!
//! The only crate that names reqwest and the only one that starts a process. What goes out obeys
//! the operator's address rules, what runs gets a scrubbed environment, and what is printed passes
//! the redactor.

pub mod clock;
pub mod disk;
pub mod http;
pub mod process;
pub mod redact;

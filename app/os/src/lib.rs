//! The operating system's edge: subprocesses, the HTTP client, the redactor

pub mod http;

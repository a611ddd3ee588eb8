//! Speed and memory, measured.
fn main() {}

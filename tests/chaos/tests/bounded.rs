//! Chaos for as long as a pipeline can wait: a little of it on each engine, by a seed of its own that is
//! printed, so that what fails can be tried again. For more, see the binary.

use std::process::Command;

#[test]
fn nothing_is_lost_and_nothing_done_twice_on_sqlite() {
    endure("sqlite", 1);
}

#[test]
fn nothing_is_lost_and_nothing_done_twice_on_postgresql() {
    endure("postgres", 2);
}

#[expect(
    clippy::disallowed_methods,
    reason = "the binary is what is tried, and no part of the product"
)]
fn endure(engine: &str, seed: u64) {
    let mut chaos = Command::new(env!("CARGO_BIN_EXE_landfall-chaos"));
    chaos.args(["--engine", engine, "--seconds", "25", "--seed", &seed.to_string()]);
    let ended = chaos.output().expect("the binary can be run");
    let (said, told) = (ended.stdout, ended.stderr);
    let told = format!("{}{}", String::from_utf8_lossy(&told), String::from_utf8_lossy(&said));
    println!("{told}");
    assert!(ended.status.success(), "seed {seed}:\n{told}");
}

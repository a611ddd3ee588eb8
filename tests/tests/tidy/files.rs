//! How files look, and that what is said twice is said the same way.

use crate::assert_none;
use crate::sources;

/// Lines. Most files have 100 to 200.
const LONGEST: usize = 500;

#[test]
fn files_stay_readable_in_one_sitting() {
    let long = |lines: usize| (lines > LONGEST).then_some(lines);
    let files = sources::rust().into_iter().filter(|source| !source.is_test());
    let found = files.filter_map(|source| {
        let lines = long(source.text.lines().count())?;
        Some(format!("{}: {lines} lines", source.path))
    });
    assert_none("no file has more than 500 lines", &found.collect::<Vec<_>>());
}

#[test]
fn every_module_opens_with_what_it_is() {
    let files = sources::rust().into_iter();
    // The tests of a module are about that module.
    let mute = files
        .filter(|source| !source.path.ends_with("/tests.rs") && !source.text.starts_with("//! "));
    let found: Vec<String> = mute.map(|source| source.at(1)).collect();
    assert_none(
        "every module opens with `//!`: what it is, what it must not do, where data comes from and goes to",
        &found,
    );
}

#[test]
fn the_readme_and_the_pipeline_pass_all_tests_with_one_command() {
    let readme = sources::read("README.md");
    let commands = readme.lines().filter_map(|line| line.trim().strip_prefix("$ "));
    let tests = commands.map(|line| line.split('#').next().unwrap_or_default().trim());
    let tests: Vec<&str> = tests.filter(|command| command.starts_with("cargo test")).collect();
    let [command] = tests.as_slice() else {
        panic!("README.md: one command passes all tests, not {tests:?}");
    };
    let pipeline = sources::read(".ci/run");
    assert!(pipeline.contains(command), ".ci/run does not run the README's `{command}`");
}

#[test]
fn every_licence_that_the_workspace_names_is_beside_it() {
    let manifest = sources::read("Cargo.toml");
    assert!(manifest.contains(r#"license = "MIT OR Apache-2.0""#));
    assert!(sources::read("LICENSE-MIT").contains("Permission is hereby granted, free of charge"));
    assert!(sources::read("LICENSE-APACHE").contains("Version 2.0, January 2004"));
    let both = sources::read("LICENSE");
    assert!(both.contains("LICENSE-MIT") && both.contains("LICENSE-APACHE"));
}

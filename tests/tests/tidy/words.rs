//! What no source may contain.

use crate::assert_none;
use crate::sources::{self, Source};

/// The rules' own examples do not count.
fn is_about_itself(source: &Source) -> bool {
    source.path.starts_with("tests/tests/tidy")
}

fn places(sources: &[Source], breaks: impl Fn(&Source, &str) -> bool) -> Vec<String> {
    let mut places = Vec::new();
    for source in sources.iter().filter(|source| !is_about_itself(source)) {
        let lines = source.code().filter(|(_, code)| breaks(source, code));
        places.extend(lines.map(|(line, _)| source.at(line)));
    }
    places
}

#[test]
fn a_lint_is_expected_with_a_reason_and_never_allowed() {
    let found = places(&sources::rust(), |_, code| {
        code.contains("[allow(") || code.contains("cfg_attr(") && code.contains("allow(")
    });
    assert_none("#[expect(lint, reason = \"...\")], never allow", &found);
}

#[test]
fn nothing_is_left_undone() {
    let words = ["todo!(", "unimplemented!(", "dbg!("];
    let found = places(&sources::rust(), |_, code| words.iter().any(|word| code.contains(word)));
    assert_none("no todo!, unimplemented! or dbg!", &found);
}

#[test]
fn nothing_that_ships_unwraps() {
    let mut found = Vec::new();
    for source in sources::below("app", &[".rs"]) {
        let lines = source.shipped().filter(|(_, code)| code.contains(".unwrap()"));
        found.extend(lines.map(|(line, _)| source.at(line)));
    }
    assert_none(
        "no unwrap outside tests: return the error, or expect with the reason why it cannot fail",
        &found,
    );
}

#[test]
fn no_test_sleeps_or_is_skipped() {
    let words = ["thread::sleep(", "time::sleep(", "#[ignore"];
    let tests: Vec<Source> = sources::rust().into_iter().filter(is_a_test).collect();
    let found = places(&tests, |_, code| words.iter().any(|word| code.contains(word)));
    assert_none(
        "a test waits for what it wants to see, never for a time, and none is ignored",
        &found,
    );
}

/// The harness looks at things again and again; the tests on top of it do not.
fn is_a_test(source: &Source) -> bool {
    source.is_test()
        && !source.path.starts_with("tests/src/")
        && !source.path.starts_with("tests/bench/")
}

#[test]
fn no_name_says_that_nobody_knew_what_the_thing_is() {
    const EMPTY: [&str; 5] = ["Manager", "Helper", "Helpers", "Util", "Utils"];
    let named = |code: &str| {
        let mut words = code.split(|c: char| !c.is_alphanumeric() && c != '_');
        words.any(|word| matches!(word, "struct" | "enum" | "trait" | "type" | "mod"))
            && words.next().is_some_and(|name| {
                EMPTY.iter().any(|empty| name.ends_with(empty) || name == empty.to_lowercase())
            })
    };
    let found = places(&sources::rust(), |_, code| named(code));
    assert_none("no Manager, Helper or Util: say what it is", &found);
}

#[test]
fn no_file_names_a_machines_paths() {
    let folders = ["root", "home", "work", "tmp"].map(|name| format!("/{name}/"));
    let endings = [
        ".rs",
        ".md",
        ".toml",
        ".yaml",
        ".yml",
        ".json",
        ".txt",
        ".sql",
        "Dockerfile",
        ".dockerignore",
        "run",
    ];
    let mut found = Vec::new();
    for source in sources::below("", &endings).iter().filter(|source| !source.is_test()) {
        for (place, line) in source.text.lines().enumerate() {
            // In an address or a relative path these are ordinary names.
            let starts = |folder: &String| {
                line.match_indices(folder.as_str()).any(|(at, _)| {
                    !line[..at].ends_with(|c: char| c.is_alphanumeric() || "._-}".contains(c))
                })
            };
            if folders.iter().any(starts) {
                found.push(source.at(place + 1));
            }
        }
    }
    assert_none("no file names the paths of one machine", &found);
}

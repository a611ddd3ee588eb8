//! Who may depend on whom, and which crate alone may name a library.

use std::collections::BTreeSet;

use crate::assert_none;
use crate::sources::{self, Source};

/// The crates of the workspace and those of it that each may use. Siblings do not know each other.
const MAY_USE: [(&str, &[&str]); 11] = [
    ("app/core", &[]),
    ("app/os", &["core"]),
    ("app/secrets", &["core", "os"]),
    ("app/providers", &["core", "os"]),
    ("app/github", &["core", "os"]),
    ("app/repo", &["core", "os"]),
    ("app/store", &["core", "os"]),
    // The simulators know none of their clients, so that they cannot agree with them on a mistake.
    ("app/sim", &["os"]),
    ("tests/cluster", &[]),
    ("app/bot", &["core", "os", "secrets", "providers", "github", "repo", "store", "sim"]),
    (
        "tests",
        &["core", "os", "secrets", "providers", "github", "repo", "store", "sim", "cluster", ""],
    ),
];

/// What tests alone may use, whichever crate's they are.
const FOR_TESTS: [&str; 2] = ["sim", "cluster"];

/// Libraries that one crate alone may name.
const OWNED: [(&str, &str); 4] = [
    ("reqwest", "app/os"),
    ("octocrab", "app/github"),
    ("sqlx", "app/store"),
    ("libsqlite3-sys", "app/store"),
];

/// Who may start git: the mirrors, and the simulated server's own side.
const GIT: [&str; 2] = ["app/repo", "app/sim"];

/// The names in one table of a manifest, with the line of each.
fn dependencies(manifest: &str, table: &str) -> Vec<(usize, String)> {
    let header = format!("[{table}]");
    let lines = manifest.lines().enumerate().skip_while(|(_, line)| line.trim() != header).skip(1);
    lines
        .take_while(|(_, line)| !line.starts_with('['))
        .filter_map(|(place, line)| {
            let name = line.split(['.', ' ', '=']).next().filter(|name| !name.is_empty())?;
            (!name.starts_with('#')).then(|| (place + 1, name.to_owned()))
        })
        .collect()
}

fn manifests() -> Vec<Source> {
    MAY_USE
        .iter()
        .map(|(home, _)| {
            let path = format!("{home}/Cargo.toml");
            Source { text: sources::read(&path), path }
        })
        .collect()
}

#[test]
fn every_crate_of_the_workspace_has_its_place_in_the_order() {
    let workspace = sources::read("Cargo.toml");
    let members = workspace.split("members = [").nth(1).unwrap().split(']').next().unwrap();
    let members: BTreeSet<&str> =
        members.split('"').filter(|part| part.contains(char::is_alphabetic)).collect();
    let known = MAY_USE.iter().map(|(home, _)| *home).chain(["tests/bench", "tests/chaos"]);
    assert_eq!(members, known.collect(), "tests/tests/tidy/crates.rs says who may use whom");
}

#[test]
fn imports_point_one_way() {
    let mut places = Vec::new();
    for (manifest, (_, allowed)) in manifests().iter().zip(MAY_USE) {
        for (line, name) in dependencies(&manifest.text, "dependencies") {
            let Some(other) = name.strip_prefix("landfall") else { continue };
            if !allowed.contains(&other.trim_start_matches('-')) {
                places.push(format!("{} uses {name}", manifest.at(line)));
            }
        }
    }
    assert_none(
        "core <- os <- secrets, providers, github, repo, store <- bot <- tests; sim uses os alone",
        &places,
    );
}

#[test]
fn tests_of_a_crate_use_what_it_may_use_and_what_is_for_tests() {
    let mut places = Vec::new();
    for (manifest, (_, allowed)) in manifests().iter().zip(MAY_USE) {
        for (line, name) in dependencies(&manifest.text, "dev-dependencies") {
            let other = name.strip_prefix("landfall").map(|rest| rest.trim_start_matches('-'));
            let others = FOR_TESTS.iter().chain(allowed);
            if other.is_some_and(|other| !others.clone().any(|allowed| *allowed == other)) {
                places.push(format!("{} uses {name}", manifest.at(line)));
            }
        }
    }
    assert_none("tests of a crate use what it may use, the simulators and the cluster", &places);
}

#[test]
fn a_library_with_an_owner_is_named_by_its_owner_alone() {
    let mut places = Vec::new();
    for (library, owner) in OWNED {
        let tables = ["dependencies", "dev-dependencies"];
        for manifest in manifests().iter().filter(|manifest| !manifest.path.starts_with(owner)) {
            let named = tables.iter().flat_map(|table| dependencies(&manifest.text, table));
            places.extend(
                named.filter(|(_, name)| name == library).map(|(line, _)| manifest.at(line)),
            );
        }
        let path = format!("{}::", library.replace('-', "_"));
        for source in sources::rust().iter().filter(|source| source.home() != owner) {
            let own = source.path.starts_with("tests/tests/tidy");
            let lines = source.code().filter(|(_, code)| !own && code.contains(&path));
            places.extend(lines.map(|(line, _)| source.at(line)));
        }
    }
    assert_none("reqwest belongs to os, octocrab to github, SQLite and sqlx to store", &places);
}

#[test]
fn git_is_started_by_the_mirrors_and_the_simulated_server_alone() {
    let mut places = Vec::new();
    for source in sources::rust().iter().filter(|source| !GIT.contains(&source.home())) {
        let starts =
            |code: &str| code.contains("new(\"git\")") || code.contains("program: \"git\"");
        places.extend(
            source.shipped().filter(|(_, code)| starts(code)).map(|(line, _)| source.at(line)),
        );
    }
    assert_none("only app/repo and app/sim run git", &places);
}

#[test]
fn a_lease_is_proven_by_the_store_alone() {
    let mut places = Vec::new();
    for source in sources::rust().iter().filter(|source| source.home() != "app/store") {
        let made = source.shipped().filter(|(_, code)| code.contains("LeaseProof::new"));
        places.extend(made.map(|(line, _)| source.at(line)));
    }
    assert_none(
        "only app/store makes a LeaseProof: it is the evidence that a lease is held",
        &places,
    );
}

#[test]
fn the_core_does_no_io_and_knows_no_clock() {
    const FOREIGN: [&str; 13] = [
        "tokio",
        "async ",
        "std::fs",
        "std::env",
        "std::process",
        "std::thread",
        "TcpStream",
        "UdpSocket",
        "ToSocketAddrs",
        "Instant",
        "SystemTime",
        "Timestamp::now",
        "println!",
    ];
    let mut places = Vec::new();
    for source in sources::below("app/core/src", &[".rs"]) {
        for (line, code) in source.shipped() {
            let foreign = FOREIGN.iter().filter(|word| code.contains(**word));
            places.extend(foreign.map(|word| format!("{}: {word}", source.at(line))));
        }
    }
    assert_none("app/core is pure: no I/O, no async runtime, no clock", &places);
}

#[test]
fn a_dependency_is_found_where_it_is_named() {
    let manifest = "[dependencies]\n# why\nserde.workspace = true\nlandfall-os = { path = \"x\" }\n\n[lints]\nx = 1\n";
    let found = dependencies(manifest, "dependencies");
    assert_eq!(found, [(3, "serde".to_owned()), (4, "landfall-os".to_owned())]);
}

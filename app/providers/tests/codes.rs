//! Every code that decoding a component can find has a folder in `fixtures/components` whose
//! `expected.txt` is what is said of it.

#![expect(clippy::unwrap_used, reason = "a test fails where it does")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use landfall_core::yaml;
use landfall_providers::Registry;
use landfall_providers::codes::CODES;

/// Found while gathering, so there is nothing in a file that shows them.
const GATHERED: [&str; 3] = ["target-unknown", "text-too-long", "device-unknown"];

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/components")
}

/// What is said of the components of a service file.
fn found(file: &Path) -> String {
    let registry = Registry::new();
    let node = yaml::parse("service.yaml", &fs::read(file).unwrap()).unwrap();
    let mut text = String::new();
    for (key, component) in node.entries() {
        let kind = registry.provider(&key.text.parse().unwrap()).unwrap();
        for finding in kind.decode(component).err().into_iter().flatten() {
            text.push_str(&format!("{finding}\n"));
        }
    }
    text
}

#[test]
fn every_code_has_a_fixture_that_says_what_is_expected() {
    let folders = fs::read_dir(fixtures())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let folders: BTreeSet<String> = folders.collect();
    let codes = CODES.iter().map(|(code, _)| (*code).to_owned());
    let codes: BTreeSet<String> = codes.filter(|code| !GATHERED.contains(&code.as_str())).collect();
    assert_eq!(folders, codes);
    for code in &codes {
        let folder = fixtures().join(code);
        let found = found(&folder.join("service.yaml"));
        assert!(found.contains(&format!("[{code}]")), "{code} is not found:\n{found}");
        if std::env::var_os("UPDATE_FIXTURES").is_some() {
            fs::write(folder.join("expected.txt"), &found).unwrap();
        }
        let expected = fs::read_to_string(folder.join("expected.txt")).unwrap_or_default();
        assert_eq!(found, expected, "{code}; UPDATE_FIXTURES=1 writes what is found");
    }
}

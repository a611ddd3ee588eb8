//! Every code has a folder in `fixtures/checks` whose `expected.txt` is what is said of it.
//!
//! A folder is a repository: `landfall.yaml`, service files and others. `owned.txt` lists units that
//! own something, one a line; `before.txt` is the `services:` pattern that was applied last.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use landfall_core::check::tracked;
use landfall_core::config::{
    OwnedUnit, RepositoryConfig, ServiceFile, ServiceGlob, Tree, vanished,
};
use landfall_core::diagnostic::{CODES, Diagnostic, Severity};
use landfall_core::name::ConfigPath;

use crate::kinds::REGISTRY;

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/checks")
}

/// Every file below `root`, as paths inside it.
fn files(root: &Path, below: &Path, found: &mut Vec<ConfigPath>) {
    for entry in fs::read_dir(below).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(root, &path, found);
        } else {
            let inside = path.strip_prefix(root).unwrap().to_str().unwrap();
            found.push(ConfigPath::new(inside).unwrap());
        }
    }
    found.sort();
}

/// What is said of the repository in `root`, in the order it would be shown.
fn findings(root: &Path) -> Vec<Diagnostic> {
    let mut paths = Vec::new();
    files(root, root, &mut paths);
    let read = |path: &str| fs::read(root.join(path)).unwrap();
    let repository = match RepositoryConfig::load(REGISTRY, "landfall.yaml", &read("landfall.yaml"))
    {
        Ok(repository) => Arc::new(repository),
        Err(findings) => return findings,
    };
    let (mut services, mut findings) = (Vec::new(), tracked(&paths));
    for path in paths.iter().filter(|path| repository.services.matches(path)) {
        match ServiceFile::parse(REGISTRY, path, &read(path.as_str())) {
            Ok(service) => services.push(Arc::new(service)),
            Err(errors) => findings.extend(errors),
        }
    }
    let text = |file: &str| fs::read_to_string(root.join(file)).ok();
    let owned = text("owned.txt").unwrap_or_default();
    let owned: Vec<OwnedUnit> = owned
        .lines()
        .map(|line| OwnedUnit { name: line.parse().unwrap(), connection: None, here: true })
        .collect();
    let before = text("before.txt").map(|pattern| ServiceGlob::new(pattern.trim()).unwrap());
    findings.extend(vanished(REGISTRY, &repository, before.as_ref(), &paths, &owned));
    match Tree::load(REGISTRY, repository, services) {
        Ok(tree) => findings.extend(tree.warnings),
        Err(errors) => findings.extend(errors),
    }
    findings
}

fn rendered(finding: &Diagnostic) -> String {
    let severity = match finding.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    let mut text =
        format!("{severity}[{}] {}\n  {}\n", finding.code, finding.span, finding.message);
    for (span, note) in &finding.related {
        text.push_str(&format!("  {span}: {note}\n"));
    }
    if let Some(help) = &finding.help {
        text.push_str(&format!("  help: {help}\n"));
    }
    text
}

#[test]
fn every_code_has_a_fixture_that_says_what_is_expected() {
    let folders = fs::read_dir(fixtures()).unwrap().map(|entry| entry.unwrap().path());
    let folders: BTreeSet<PathBuf> = folders.collect();
    let names: BTreeSet<&str> =
        folders.iter().map(|path| path.file_name().unwrap().to_str().unwrap()).collect();
    let codes: BTreeSet<&str> = CODES.iter().map(|(code, _)| *code).collect();
    assert_eq!(names, codes, "folders in fixtures/checks and documented codes");
    assert_eq!(codes.len(), CODES.len(), "a code is documented twice");
    let mut wrong = Vec::new();
    for folder in &folders {
        let findings = findings(folder);
        let found: String = findings.iter().map(rendered).collect();
        let name = folder.file_name().unwrap().to_str().unwrap();
        assert!(
            findings.iter().any(|finding| finding.code == name),
            "{name} is not found:\n{found}"
        );
        assert!(
            findings.iter().all(|finding| codes.contains(finding.code)),
            "not documented:\n{found}"
        );
        let expected = folder.join("expected.txt");
        if std::env::var_os("UPDATE_FIXTURES").is_some() {
            fs::write(&expected, &found).unwrap();
        }
        let expected = fs::read_to_string(expected).unwrap_or_default();
        if expected != found {
            wrong.push(format!("== {name}\n-- expected\n{expected}-- found\n{found}"));
        }
    }
    assert!(wrong.is_empty(), "{}\nUPDATE_FIXTURES=1 writes what is found", wrong.join("\n"));
}

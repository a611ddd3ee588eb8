//! The files of the workspace, and what of a Rust source is code that ships.

use std::fs;
use std::path::{Path, PathBuf};

/// A text file.
pub(crate) struct Source {
    /// From the workspace's root, with slashes.
    pub(crate) path: String,
    pub(crate) text: String,
}

/// Folders that hold no source.
const SKIPPED: [&str; 2] = ["target", ".git"];

pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// One file, by its path from the root.
pub(crate) fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// All files with one of these endings, below a folder of the workspace, in order.
pub(crate) fn below(folder: &str, endings: &[&str]) -> Vec<Source> {
    let mut found = Vec::new();
    walk(&root().join(folder), folder, endings, &mut found);
    found.sort_by(|a, b| a.path.cmp(&b.path));
    assert!(!found.is_empty(), "no file of {endings:?} is below `{folder}`");
    found
}

/// All Rust sources.
pub(crate) fn rust() -> Vec<Source> {
    ["app", "tests"].into_iter().flat_map(|folder| below(folder, &[".rs"])).collect()
}

fn walk(folder: &Path, name: &str, endings: &[&str], found: &mut Vec<Source>) {
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let file = entry.file_name().into_string().unwrap();
        let path = if name.is_empty() { file.clone() } else { format!("{name}/{file}") };
        if entry.file_type().unwrap().is_dir() {
            if !SKIPPED.contains(&file.as_str()) {
                walk(&entry.path(), &path, endings, found);
            }
        } else if endings.iter().any(|ending| file.ends_with(ending)) {
            // Fixtures contain bytes that are no text.
            let bytes = fs::read(entry.path()).unwrap();
            found.push(Source { path, text: String::from_utf8_lossy(&bytes).into_owned() });
        }
    }
}

impl Source {
    /// The folder of the crate it belongs to: `app/core`, `tests`.
    pub(crate) fn home(&self) -> &str {
        match self.path.strip_prefix("app/").and_then(|rest| rest.find('/')) {
            Some(end) => &self.path[.."app/".len() + end],
            None => "tests",
        }
    }

    /// Whether all of it is compiled for tests alone.
    pub(crate) fn is_test(&self) -> bool {
        self.path.starts_with("tests/")
            || self.path.contains("/tests/")
            || self.path.ends_with("/tests.rs")
            || self.path.ends_with("/testing.rs")
    }

    /// The lines of code with their numbers. Comments are left out; strings stay.
    pub(crate) fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        let lines = self.text.lines().enumerate().map(|(place, line)| (place + 1, line));
        lines.map(|(number, line)| (number, without_comment(line)))
    }

    /// The code that ships: none of a test file, and of others what stands before their tests.
    pub(crate) fn shipped(&self) -> impl Iterator<Item = (usize, &str)> {
        let lines: Vec<&str> = self.text.lines().collect();
        let test_module = |pair: &[&str]| {
            pair[0].trim() == "#[cfg(test)]"
                && pair[1].starts_with("mod ")
                && pair[1].ends_with('{')
        };
        let tests = lines.windows(2).position(test_module).unwrap_or(lines.len());
        let end = if self.is_test() { 0 } else { tests };
        self.code().take_while(move |(number, _)| *number <= end)
    }

    /// `path:line`, for a message.
    pub(crate) fn at(&self, line: usize) -> String {
        format!("{}:{line}", self.path)
    }
}

fn without_comment(line: &str) -> &str {
    let end = line.match_indices("//").find(|(start, _)| {
        // An address in a string has the same two slashes, after a colon.
        !line[..*start].ends_with(':')
    });
    end.map_or(line, |(start, _)| &line[..start])
}

#[test]
fn comments_and_tests_are_told_from_code_that_ships() {
    let text =
        "//! Words.\nlet url = \"http://x\"; // why\n#[cfg(test)]\nmod tests {\n    x.unwrap();\n";
    let source = Source { path: "app/core/src/x.rs".to_owned(), text: text.to_owned() };
    assert_eq!(source.home(), "app/core");
    let shipped: Vec<_> = source.shipped().collect();
    assert_eq!(shipped, [(1, ""), (2, "let url = \"http://x\"; ")]);
}

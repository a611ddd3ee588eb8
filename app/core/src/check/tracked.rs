//! Files that have no business in a repository.

use std::sync::Arc;

use crate::diagnostic::{Diagnostic, Position, Span};
use crate::name::ConfigPath;

/// Endings of files that show what a `.env` looks like and hold nothing.
const EXAMPLES: [&str; 4] = ["example", "sample", "template", "dist"];

/// A tracked `.env`: whoever can read the repository can read what is in it.
#[must_use]
pub fn tracked<'a>(paths: impl IntoIterator<Item = &'a ConfigPath>) -> Vec<Diagnostic> {
    let finding = |path: &ConfigPath| {
        let file: Arc<str> = path.as_str().into();
        let message = format!("{path} is tracked, and such files hold secrets");
        Diagnostic::error("tracked-env-file", Span::new(&file, Position::START, Position::START), message).help(
            "run `git rm --cached` on it, list it in .gitignore, and replace the secrets: they stay in the history",
        )
    };
    paths.into_iter().filter(|path| is_env_file(path)).map(finding).collect()
}

fn is_env_file(path: &ConfigPath) -> bool {
    let file = path.as_str().rsplit('/').next().unwrap_or_default();
    match file.strip_prefix(".env") {
        Some("") => true,
        Some(rest) => rest.strip_prefix('.').is_some_and(|ending| !EXAMPLES.contains(&ending)),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_example_is_no_secret() {
        let is = |path: &str| is_env_file(&ConfigPath::new(path).unwrap());
        assert!(is(".env") && is("a/.env") && is("a/.env.production"));
        assert!(!is(".env.example") && !is(".envrc") && !is("env") && !is("a/.environment"));
    }
}

//! Patterns over the paths of service files: which paths are some, and which of them a scope is about.

use std::fmt;

use globset::{Glob, GlobBuilder, GlobMatcher};

use crate::name::ConfigPath;

/// The longest pattern, in bytes.
const LONGEST: usize = 500;

/// How many alternatives (`{a,b}`) a pattern may have. Whoever reads a pattern goes as deep as they
/// are nested, on the call stack, and the pattern may come from anybody's pull request.
const MOST_ALTERNATIVES: usize = 16;

/// A pattern over paths in which `*` stops at `/`: `services/*.yaml` does not match deeper,
/// `services/**/*.yaml` does.
#[derive(Clone)]
pub struct ServiceGlob {
    matcher: GlobMatcher,
}

impl ServiceGlob {
    /// What `services:` is when nobody says otherwise.
    pub const DEFAULT: &'static str = "services/*.yaml";

    /// Reads a pattern.
    ///
    /// # Errors
    /// Says what is wrong with it.
    pub fn new(pattern: &str) -> Result<Self, String> {
        if pattern.len() > LONGEST || pattern.contains('\0') {
            return Err(format!("a pattern has at most {LONGEST} characters"));
        }
        if pattern.matches('{').count() > MOST_ALTERNATIVES {
            return Err(format!("a pattern has at most {MOST_ALTERNATIVES} `{{`"));
        }
        let glob: Result<Glob, _> = GlobBuilder::new(pattern).literal_separator(true).build();
        match glob {
            Ok(glob) => Ok(Self { matcher: glob.compile_matcher() }),
            Err(error) => Err(format!("`{pattern}` is not a pattern over paths: {}", error.kind())),
        }
    }

    /// Whether `path` is meant.
    #[must_use]
    pub fn matches(&self, path: &ConfigPath) -> bool {
        self.matcher.is_match(path.as_str())
    }

    /// Whether `path` is meant, with or without its ending: a scope `services/media-*` is about the
    /// services of that name.
    #[must_use]
    pub fn matches_stem(&self, path: &ConfigPath) -> bool {
        let bare = path.as_str().rsplit_once('.').map_or(path.as_str(), |(bare, _)| bare);
        self.matches(path) || self.matcher.is_match(bare)
    }

    /// The pattern as written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.matcher.glob().glob()
    }
}

impl fmt::Debug for ServiceGlob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.as_str())
    }
}

impl PartialEq for ServiceGlob {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for ServiceGlob {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stops_at_a_folder_and_two_do_not() {
        let path = |text: &str| ConfigPath::new(text).unwrap();
        let flat = ServiceGlob::new("services/*.yaml").unwrap();
        assert!(flat.matches(&path("services/nas.yaml")));
        assert!(!flat.matches(&path("services/home/nas.yaml")));
        assert!(!flat.matches(&path("services/nas.yml")));
        let deep = ServiceGlob::new("services/**/*.yaml").unwrap();
        assert!(
            deep.matches(&path("services/home/nas.yaml"))
                && deep.matches(&path("services/nas.yaml"))
        );
        assert!(ServiceGlob::new("services/[").is_err());
    }
}

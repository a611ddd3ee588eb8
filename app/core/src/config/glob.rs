//! Which paths are service files.

use std::fmt;

use globset::{Glob, GlobBuilder, GlobMatcher};

use crate::name::ConfigPath;

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
        const LONGEST: usize = 500;
        if pattern.len() > LONGEST || pattern.contains('\0') {
            return Err(format!("a pattern has at most {LONGEST} characters"));
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

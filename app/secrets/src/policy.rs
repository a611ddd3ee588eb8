//! What the operator allows the references of a repository's environment to reach.

use std::path::PathBuf;

/// What may be resolved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// How the names of readable environment variables begin. An empty one allows nothing.
    pub env_prefixes: Vec<String>,
    /// Folders, by absolute path, whose files may be read. Never a checkout.
    pub folders: Vec<PathBuf>,
}

impl Policy {
    /// The prefix that is allowed without an operator file.
    pub const ENV_PREFIX: &'static str = "LANDFALL_SECRET_";

    /// Allows nothing.
    #[must_use]
    pub const fn nothing() -> Self {
        Self { env_prefixes: Vec::new(), folders: Vec::new() }
    }
}

impl Default for Policy {
    /// Without an operator file: variables that begin with [`Policy::ENV_PREFIX`], and no folder.
    fn default() -> Self {
        Self { env_prefixes: vec![Self::ENV_PREFIX.to_owned()], folders: Vec::new() }
    }
}

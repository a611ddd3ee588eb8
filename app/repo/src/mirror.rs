//! Mirrors: full bare copies of repositories, one folder each, named by GitHub's number.
//!
//! Who reads does so at any time and without a lock: objects are only ever added. Who fetches or
//! compacts takes the mirror's lock first, so that two fetches of one repository never meet in its
//! refs. The folder belongs to one server; locks that git left there when it was killed are removed
//! the first time a mirror is used.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use landfall_core::name::RepositoryId;

use crate::{Git, GitSettings, RepoError};

mod fetch;
mod folder;
mod read;

pub use fetch::{Fetched, Remote, Wanted};
pub use read::{Commit, Merged};

/// All mirrors of a server. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Mirrors {
    git: Git,
    root: Arc<Path>,
    opened: Arc<Mutex<HashMap<RepositoryId, Mirror>>>,
}

/// The mirror of one repository. Cheap to clone; clones share the lock.
#[derive(Debug, Clone)]
pub struct Mirror {
    git: Git,
    folder: Arc<Path>,
    /// Held while refs are written.
    writing: Arc<tokio::sync::Mutex<Readiness>>,
}

/// What was done to the folder by this process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Readiness {
    Untouched,
    Ready,
}

impl Mirrors {
    /// Mirrors below `root`, which is made when the first one is.
    ///
    /// # Errors
    /// Git is missing or too old.
    pub async fn open(root: impl Into<PathBuf>, settings: GitSettings) -> Result<Self, RepoError> {
        let git = Git::find(settings).await?;
        Ok(Self { git, root: root.into().into(), opened: Arc::default() })
    }

    /// The mirror of a repository. Nothing is on disk before its first fetch.
    #[must_use]
    pub fn mirror(&self, repository: RepositoryId) -> Mirror {
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        let mirror = opened.entry(repository).or_insert_with(|| Mirror {
            git: self.git.clone(),
            folder: self.root.join(format!("{repository}.git")).into(),
            writing: Arc::new(tokio::sync::Mutex::new(Readiness::Untouched)),
        });
        mirror.clone()
    }
}

impl Mirror {
    /// Packs what fetches left loose, and drops objects that no ref leads to for two weeks. To be
    /// called now and then; fetches of this mirror wait, reads do not.
    ///
    /// # Errors
    /// Git failed; the mirror is as good as before.
    pub async fn compact(&self) -> Result<(), RepoError> {
        let _writing = self.ready().await?;
        let command = self.git.on(&self.folder, ["gc", "--quiet", "--prune=2.weeks.ago"]);
        let command = command.timeout(self.git.settings().long_timeout);
        self.git.succeed("gc", command).await.map(drop)
    }

    /// The lock, with the folder in order.
    async fn ready(&self) -> Result<tokio::sync::MutexGuard<'_, Readiness>, RepoError> {
        let mut readiness = self.writing.lock().await;
        if *readiness == Readiness::Untouched {
            folder::prepare(&self.git, &self.folder).await?;
            *readiness = Readiness::Ready;
        }
        Ok(readiness)
    }
}

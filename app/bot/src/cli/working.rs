//! The configuration of a working copy: the files that lie in a folder, or what is staged of them.
//!
//! In a git repository those are its files that are not ignored, tracked or not; a folder outside of
//! one is walked. Nothing here asks anybody on the network, and nothing is written.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use landfall_core::config::{self, REPOSITORY_CONFIG, RepositoryConfig};
use landfall_core::name::RepositoryName;
use landfall_os::process::ProcessError;
use landfall_repo::{Git, GitSettings, RepoError, WorkingCopy};

use crate::gather::{Caches, Declared, LoadError, Source, tree};

mod folder;
mod staged;

use folder::Folder;
use staged::Staged;

/// Which state of the files counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Which {
    /// As they lie in the folder.
    Files,
    /// As they would be committed.
    Staged,
}

/// A folder with a configuration.
pub(super) struct Working {
    /// Its topmost folder.
    pub(super) root: PathBuf,
    /// The checkout that it is; none for a plain folder.
    pub(super) copy: Option<WorkingCopy>,
    which: Which,
    source: Box<dyn Source>,
}

impl Working {
    /// Finds the folder that `path` belongs to: the nearest one upwards that has a repository
    /// config, up to the root of the git repository.
    ///
    /// # Errors
    /// There is nothing at `path`, git failed, or the staged files of a plain folder are asked for.
    pub(super) async fn open(path: &Path, which: Which) -> anyhow::Result<Self> {
        let path = path.canonicalize().with_context(|| format!("{}", path.display()))?;
        let start = if path.is_dir() { path.as_path() } else { path.parent().unwrap_or(&path) };
        let copy = checkout(start).await?;
        let has_config = |folder: &&Path| folder.join(REPOSITORY_CONFIG).symlink_metadata().is_ok();
        let top = copy.as_ref().map(WorkingCopy::root);
        let inside = |folder: &&Path| top.is_none_or(|top| folder.starts_with(top));
        let nearest = start.ancestors().take_while(inside).find(has_config);
        match (which, copy, nearest.map(Path::to_owned)) {
            (Which::Staged, Some(copy), _) => {
                let source = Box::new(Staged::list(copy.clone()).await?);
                Ok(Self { root: copy.root().to_owned(), copy: Some(copy), which, source })
            }
            (Which::Staged, None, _) => anyhow::bail!(
                "{} is in no git repository, so nothing is staged there\nhelp: leave --staged out to check the files as they are",
                start.display()
            ),
            (Which::Files, Some(copy), nearest)
                if nearest.as_deref().is_none_or(|nearest| nearest == copy.root()) =>
            {
                let source = Box::new(Folder::of_checkout(&copy).await?);
                Ok(Self { root: copy.root().to_owned(), copy: Some(copy), which, source })
            }
            (Which::Files, _, nearest) => {
                let root = nearest.unwrap_or_else(|| start.to_owned());
                let source = Box::new(Folder::walk(&root).await?);
                Ok(Self { root, copy: None, which, source })
            }
        }
    }

    /// Its files.
    pub(super) fn source(&self) -> &dyn Source {
        &*self.source
    }

    /// The repository config alone.
    ///
    /// # Errors
    /// It is not there, or wrong.
    pub(super) async fn repository_config(
        &self,
        registry: config::Registry<'_>,
    ) -> Result<Arc<RepositoryConfig>, LoadError> {
        let (config, _) = tree::repository_config(self.source(), registry).await?;
        Ok(Arc::new(config))
    }

    /// Everything that is declared, checked.
    ///
    /// # Errors
    /// As [`Self::repository_config`], and what is wrong with the services.
    pub(super) async fn declared(
        &self,
        registry: config::Registry<'_>,
    ) -> Result<Declared, LoadError> {
        let config = self.repository_config(registry).await?;
        tree::declared(self.source(), registry, config, &Caches::default()).await
    }

    /// What is said when there is no repository config.
    pub(super) fn no_config(&self) -> anyhow::Error {
        let root = self.root.display();
        match self.which {
            Which::Staged => anyhow::anyhow!(
                "`{REPOSITORY_CONFIG}` is not staged in {root}\nhelp: `git add {REPOSITORY_CONFIG}`"
            ),
            Which::Files => anyhow::anyhow!(
                "there is no `{REPOSITORY_CONFIG}` in {root} or above it\nhelp: it says which environments there are; `landfall schema repository` describes it"
            ),
        }
    }

    /// What the repository is called: by its remote `origin` where that is `owner/name` somewhere,
    /// else by its folder.
    ///
    /// # Errors
    /// Git failed.
    pub(super) async fn name(&self) -> anyhow::Result<RepositoryName> {
        let origin = match &self.copy {
            Some(copy) => copy.origin().await?,
            None => None,
        };
        let folder = self.root.file_name().unwrap_or_default().to_string_lossy();
        let local = || RepositoryName::new(format!("local/{}", sanitized(&folder)));
        Ok(match origin.as_deref().and_then(owner_and_name) {
            Some(name) => name,
            None => local().or_else(|_| RepositoryName::new("local/repository"))?,
        })
    }
}

/// The checkout that `folder` is in; none where there is none, or no git to ask.
async fn checkout(folder: &Path) -> anyhow::Result<Option<WorkingCopy>> {
    let git = match Git::find(GitSettings::default()).await {
        Ok(git) => git,
        Err(RepoError::Process(ProcessError::Missing { .. })) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let index = std::env::var_os("GIT_INDEX_FILE").map(PathBuf::from);
    match WorkingCopy::discover(&git, folder, index).await {
        Ok(copy) => Ok(Some(copy)),
        Err(RepoError::Git { stderr, .. }) if stderr.contains("not a git repository") => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// `owner/name` at the end of `https://host/owner/name.git` or `git@host:owner/name.git`.
fn owner_and_name(origin: &str) -> Option<RepositoryName> {
    let bare = origin.trim_end_matches('/');
    let bare = bare.strip_suffix(".git").unwrap_or(bare);
    let path = bare.rsplit_once(':').map_or(bare, |(_, path)| path);
    let mut parts = path.rsplit('/');
    let (name, owner) = (parts.next()?, parts.next()?);
    RepositoryName::new(format!("{owner}/{name}")).ok()
}

fn sanitized(folder: &str) -> String {
    let keep = |c: char| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '-' };
    folder.chars().map(keep).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repository_is_called_as_its_origin_ends() {
        let name = |origin: &str| owner_and_name(origin).map(|name| name.to_string());
        for origin in [
            "https://github.com/acme/homelab.git",
            "https://github.com/acme/homelab/",
            "git@github.com:acme/homelab.git",
            "ssh://git@github.com:22/acme/homelab",
        ] {
            assert_eq!(name(origin).as_deref(), Some("acme/homelab"), "{origin}");
        }
        assert_eq!(name("homelab"), None);
    }
}

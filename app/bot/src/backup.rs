//! Backups: the store's archive to a file or to S3-compatible storage, and back.
//!
//! What an archive is and what a restore does to the rows is the store's (`landfall_store::back_up`,
//! `landfall_store::restore`); here it gets a place ([`place`]) and a name, and is made last: a file
//! is on disk under its name, or an object complete, or there is neither. It goes through in pieces,
//! so its size does not matter to memory.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use landfall_store::{Clock, Contents, Occupied, Refilled};
use secrecy::{ExposeSecret as _, SecretString};

mod bucket;
mod file;
pub mod place;
mod storage;
mod wire;

pub use bucket::Credentials;
pub use place::Place;

use storage::Storage;

/// Takes and restores backups of one store.
pub struct Backups {
    url: SecretString,
    clock: Arc<dyn Clock>,
    storage: Storage,
}

impl std::fmt::Debug for Backups {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Backups").field("storage", &self.storage).finish_non_exhaustive()
    }
}

/// A backup that was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// What is in it.
    pub contents: Contents,
    /// Where it is now.
    pub place: Place,
    /// How large it is there.
    pub bytes: u64,
    /// How long it took.
    pub took: Duration,
}

/// When a server backs up by itself, and where to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    /// Where to: a folder or a prefix.
    pub place: Place,
    /// How often.
    pub every: Duration,
    /// How many are kept.
    pub keep: NonZeroUsize,
}

impl Backups {
    /// Backups of the store behind `url`.
    #[must_use]
    pub fn new(url: SecretString, clock: Arc<dyn Clock>, credentials: Credentials) -> Self {
        Self { url, clock, storage: Storage::new(credentials) }
    }

    /// Takes a backup, while servers go on.
    ///
    /// # Errors
    /// The store cannot be read or the place not be written to. Nothing is there then.
    pub async fn take(&self, to: &Place) -> anyhow::Result<Taken> {
        let begun = self.clock.now();
        let place = to.for_one(&place::name(begun));
        let mut draft = self.storage.create(&place).await?;
        let clock = Arc::clone(&self.clock);
        let written =
            landfall_store::back_up(self.url.expose_secret(), clock, draft.writer()).await;
        let contents = match written {
            Ok(contents) => contents,
            Err(error) => {
                draft.discard().await;
                return Err(anyhow::Error::new(error).context(format!("no backup at {place}")));
            }
        };
        draft.keep().await.with_context(|| format!("{place} cannot be completed"))?;
        let bytes = self.storage.size(&place).await?;
        let took = Duration::try_from(self.clock.now().duration_since(begun)).unwrap_or_default();
        Ok(Taken { contents, place, bytes, took })
    }

    /// The newest backup in a folder or below a prefix, by its name.
    ///
    /// # Errors
    /// There is none, or the place cannot be read.
    pub async fn latest(&self, place: &Place) -> anyhow::Result<Place> {
        let newest = self.newest(place).await?;
        newest.with_context(|| format!("there is no backup with a name of ours at {place}"))
    }

    /// The same; none where there is none.
    ///
    /// # Errors
    /// The place cannot be read.
    pub async fn newest(&self, place: &Place) -> anyhow::Result<Option<Place>> {
        Ok(self.ours(place).await?.pop().map(|name| place.for_one(&name)))
    }

    /// Removes the oldest backups of ours at a place until `keep` are left, and names them.
    ///
    /// # Errors
    /// The place cannot be read, or one not be removed.
    pub async fn thin(&self, place: &Place, keep: NonZeroUsize) -> anyhow::Result<Vec<Place>> {
        let mut names = self.ours(place).await?;
        names.truncate(names.len().saturating_sub(keep.get()));
        let old: Vec<Place> = names.iter().map(|name| place.for_one(name)).collect();
        for place in &old {
            self.storage.remove(place).await?;
        }
        Ok(old)
    }

    /// Restores the backup at `from`.
    ///
    /// # Errors
    /// It cannot be read or is not used, or the store is not one that may be written to. Nothing was
    /// changed then.
    pub async fn restore(&self, from: &Place, occupied: Occupied) -> anyhow::Result<Refilled> {
        let mut archive = self.storage.read(from).await?;
        let (url, clock) = (self.url.expose_secret(), Arc::clone(&self.clock));
        Ok(landfall_store::restore(url, clock, occupied, &mut archive).await?)
    }

    /// What has a name of ours at a place, oldest first.
    async fn ours(&self, place: &Place) -> anyhow::Result<Vec<String>> {
        let mut names = self.storage.names(place).await?;
        names.retain(|name| place::taken_at(name).is_some());
        names.sort_unstable();
        Ok(names)
    }
}

//! Everything that a simulated console keeps in memory, under one lock.

use super::door::Door;
use super::settings::UnifiSettings;
use super::site::Site;
use crate::ids::Ids;

/// A console's state. Handlers get it whole, so every request sees and makes one consistent state.
#[derive(Debug)]
pub(super) struct Console {
    pub(super) settings: UnifiSettings,
    pub(super) ids: Ids,
    pub(super) door: Door,
    pub(super) sites: Vec<Site>,
    pub(super) quirks: Quirks,
}

/// What a console does wrong until it is told otherwise.
#[derive(Debug, Default)]
pub(super) struct Quirks {
    /// How many of the next listings of the Integration API are empty pages.
    pub(super) empty_pages: usize,
    /// The static-dns API answers every PUT with `AlreadyExists`, as one user found.
    pub(super) put_finds_itself: bool,
}

/// How a listing of the Integration API can be short although it was answered with 200.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ShortListing {
    /// A page without items although `totalCount` says that there are more.
    EmptyPage,
    /// `{}` instead of a page. It is against the vendor's description, so the exchange is marked
    /// as a fault.
    EmptyObject,
}

impl Console {
    pub(super) fn new(settings: UnifiSettings) -> Self {
        let sites = settings.sites.iter().map(|site| Site::new(&settings.name, site)).collect();
        Self {
            sites,
            ids: Ids::new(settings.name.clone()),
            door: Door::default(),
            quirks: Quirks::default(),
            settings,
        }
    }

    /// Whether the Network application's version is at least this.
    pub(super) fn is_at_least(&self, major: u32, minor: u32) -> bool {
        let mut parts = self.settings.version.split('.').map(|part| part.parse().unwrap_or(0));
        (parts.next().unwrap_or(0), parts.next().unwrap_or(0)) >= (major, minor)
    }
}

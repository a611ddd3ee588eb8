//! State: which resources are whose, and which unit hash was last applied in full.
//!
//! A resource has one owner, across environments and repositories: (target, type, name) is the
//! primary key. Ownership changes only with a step, in [`crate::Steps`].

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use landfall_core::name::{EnvironmentName, RepositoryId, UnitName};
use landfall_core::plan::{Owned, ResourceKey, UnitHash};

use crate::{Fence, Result, RunId};

/// A resource that is owned, and the run that last wrote it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnedResource {
    /// What it is.
    pub key: ResourceKey,
    /// Whose it is, and what was applied last.
    pub owned: Owned,
    /// The run that did.
    pub run: RunId,
}

/// What Landfall owns.
#[async_trait]
pub trait Resources {
    /// Who owns these; what nobody owns is left out. One query, however many are asked about.
    async fn owned(&self, keys: &BTreeSet<ResourceKey>) -> Result<BTreeMap<ResourceKey, Owned>>;

    /// Everything that units of an environment own.
    async fn owned_in(
        &self,
        repository: RepositoryId,
        environment: &EnvironmentName,
    ) -> Result<BTreeMap<ResourceKey, Owned>>;

    /// Everything that these units own.
    async fn owned_by(
        &self,
        repository: RepositoryId,
        units: &BTreeSet<UnitName>,
    ) -> Result<BTreeMap<ResourceKey, Owned>>;

    /// One resource with everything that is known of it.
    async fn owned_resource(&self, key: &ResourceKey) -> Result<Option<OwnedResource>>;

    /// The hash that each unit of an environment was last applied with in full; none for a unit that
    /// a step was begun for and that no run has brought anywhere in full since. One query.
    async fn unit_hashes(
        &self,
        repository: RepositoryId,
        environment: &EnvironmentName,
    ) -> Result<BTreeMap<UnitName, Option<UnitHash>>>;

    /// Notes which units were applied in full; none for a unit that is gone.
    async fn record_units(
        &self,
        fence: &Fence,
        repository: RepositoryId,
        units: &BTreeMap<UnitName, Option<UnitHash>>,
    ) -> Result<()>;
}

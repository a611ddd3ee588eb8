//! Reads one site: its identity, its records, the addresses of its devices.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use landfall_core::plan::{Live, LiveResource, ResourceKey, Target};

use super::kind_name;
use super::plan::{LONGEST_TEXT, SITE, looked_up_mac, mac_lookup};
use super::set::RecordSet;
use crate::provider::{Lookup, ProviderError, Reader, Scope};
use crate::unifi::console::Console;
use crate::unifi::device::Macs;
use crate::unifi::record::{Listed, Record};

/// Reads one site.
#[derive(Debug)]
pub(crate) struct SiteReader {
    console: Console,
}

impl SiteReader {
    pub(crate) fn new(console: Console) -> Self {
        Self { console }
    }
}

#[async_trait]
impl Reader for SiteReader {
    async fn identify(
        &self,
        scopes: &BTreeSet<Scope>,
    ) -> Result<BTreeMap<Scope, Target>, ProviderError> {
        if let Some(other) = scopes.iter().find(|scope| *scope != SITE) {
            return Err(ProviderError::Missing(format!("a console has no `{other}`")));
        }
        Ok(scopes.iter().map(|scope| (scope.clone(), target_of(&self.console))).collect())
    }

    async fn look_up(
        &self,
        lookups: &BTreeSet<Lookup>,
    ) -> Result<BTreeMap<Lookup, String>, ProviderError> {
        let devices: Macs = lookups.iter().filter_map(|lookup| looked_up_mac(lookup)).collect();
        let mut answers = BTreeMap::new();
        if lookups.contains(LONGEST_TEXT) {
            answers.insert(LONGEST_TEXT.to_owned(), self.console.longest_text().to_string());
        }
        if !devices.is_empty() {
            let found = self.console.addresses(&devices).await?.into_iter();
            answers.extend(found.map(|(mac, address)| (mac_lookup(&mac), address.to_string())));
        }
        Ok(answers)
    }

    async fn observe(
        &self,
        target: &Target,
        _: &BTreeSet<ResourceKey>,
    ) -> Result<Live, ProviderError> {
        if *target != target_of(&self.console) {
            return Err(ProviderError::Missing(elsewhere(target, &self.console)));
        }
        let sets = sets(target, self.console.list().await?);
        let own = sets.iter().filter(|(_, records)| set_of(records).has_the_consoles_own());
        let fixed = own.map(|(key, _)| key.clone()).collect();
        let resources = sets.into_iter().filter_map(|(key, records)| {
            let ids = records.iter().map(|listed| listed.id.clone()).collect();
            let value = set_of(&records).to_value(&key.rtype)?;
            Some((key, LiveResource { value, ids }))
        });
        let replaces = !self.console.changes_in_place();
        Ok(Live { resources: resources.collect(), replaces, fixed, ..Live::default() })
    }
}

/// The site that a console was opened for.
pub(super) fn target_of(console: &Console) -> Target {
    Target::new(kind_name(), console.site_id())
}

/// What is said when a connection leads to another site than it did.
pub(super) fn elsewhere(wanted: &Target, console: &Console) -> String {
    format!("the connection leads to {} and no longer to {wanted}", target_of(console))
}

/// The records of a site by name and type.
pub(super) fn sets(target: &Target, listing: Vec<Listed>) -> BTreeMap<ResourceKey, Vec<Listed>> {
    let mut sets: BTreeMap<ResourceKey, Vec<Listed>> = BTreeMap::new();
    for listed in listing {
        let key = ResourceKey::new(target.clone(), listed.rtype.clone(), listed.name.clone());
        sets.entry(key).or_default().push(listed);
    }
    sets
}

/// What the records of one set say.
pub(super) fn set_of(records: &[Listed]) -> RecordSet {
    let records: Vec<Record> = records.iter().map(|listed| listed.record.clone()).collect();
    RecordSet::new(records)
}

//! One site of a console: to look at, and to change behind its clients' backs.

use uuid::Uuid;

use super::UnifiSim;
use super::device::Device;
use super::record::{Origin, UnifiContent, UnifiRecord};
use super::site::{Site, UnifiMutation};
use crate::ids::Ids;

/// A site of a running console.
#[derive(Debug, Clone)]
pub struct UnifiSite {
    sim: UnifiSim,
    place: usize,
}

impl UnifiSite {
    pub(super) fn new(sim: UnifiSim, place: usize) -> Self {
        Self { sim, place }
    }

    /// The id that the Integration API gives it.
    pub fn id(&self) -> Uuid {
        self.with(|site, _| site.id)
    }

    /// All records, oldest first.
    pub fn records(&self) -> Vec<UnifiRecord> {
        self.with(|site, _| site.records.clone())
    }

    /// The values of the records with this name and type (`A`, `AAAA`, `CNAME`, `MX`, `TXT`, `SRV`,
    /// `NS` for forwards), as a zone file writes them, sorted. SRV names have service and protocol.
    pub fn record(&self, name: &str, record_type: &str) -> Vec<String> {
        let mut values: Vec<_> = self
            .records()
            .into_iter()
            .filter(|record| record.content.name.eq_ignore_ascii_case(name))
            .filter(|record| record.content.value.record_type() == record_type)
            .map(|record| record.content.value.to_string())
            .collect();
        values.sort();
        values
    }

    /// Adds a record as if a person had: behind every client's back, without a mutation.
    pub fn seed(&self, content: UnifiContent) -> UnifiRecord {
        self.with(|site, ids| site.insert(ids, content, Origin::User))
    }

    /// Adds a record that is the console's own and that no API changes.
    pub fn seed_system(&self, content: UnifiContent) -> UnifiRecord {
        self.with(|site, ids| site.insert(ids, content, Origin::System))
    }

    /// Changes all records with this name behind every client's back; says how many there were.
    pub fn edit(&self, name: &str, mut change: impl FnMut(&mut UnifiContent)) -> usize {
        self.with(|site, _| {
            let named = |record: &&mut UnifiRecord| record.content.name.eq_ignore_ascii_case(name);
            site.records.iter_mut().filter(named).map(|record| change(&mut record.content)).count()
        })
    }

    /// Removes all records with this name behind every client's back; says how many there were.
    pub fn remove(&self, name: &str) -> usize {
        self.with(|site, _| {
            let before = site.records.len();
            site.records.retain(|record| !record.content.name.eq_ignore_ascii_case(name));
            before - site.records.len()
        })
    }

    /// Puts a device on the network, in place of one with the same MAC address.
    pub fn connect(&self, device: Device) {
        self.with(|site, _| {
            site.devices.retain(|known| known.mac != device.mac);
            site.devices.push(device);
        });
    }

    /// The changes that came through an API, oldest first.
    pub fn mutations(&self) -> Vec<UnifiMutation> {
        self.with(|site, _| site.mutations.clone())
    }

    fn with<T>(&self, act: impl FnOnce(&mut Site, &mut Ids) -> T) -> T {
        let console = &mut *self.sim.lock();
        act(&mut console.sites[self.place], &mut console.ids)
    }
}

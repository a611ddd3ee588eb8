//! One site of a console: its records, its devices, and the console's rules for both.
//!
//! Both APIs change records through [`Site::create`], [`Site::replace`] and [`Site::delete`], and
//! each says a [`Refusal`] in its own words. What a test seeds or changes behind a client's back
//! obeys no rule and is no mutation.

use uuid::Uuid;

use super::device::Device;
use super::record::{Origin, RecordValue, UnifiContent, UnifiRecord};
use super::settings::SiteSettings;
use crate::ids::Ids;

/// A site, and how both APIs name it.
#[derive(Debug, Clone)]
pub(super) struct Site {
    pub(super) id: Uuid,
    /// The id in the classic API: 24 hexadecimal digits.
    pub(super) legacy_id: String,
    /// The name in old paths: `default`.
    pub(super) reference: String,
    pub(super) name: String,
    /// The network's own domain: the console refuses records in it.
    pub(super) local_domain: Option<String>,
    pub(super) records: Vec<UnifiRecord>,
    pub(super) devices: Vec<Device>,
    pub(super) mutations: Vec<UnifiMutation>,
}

/// A change that came through one of the APIs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UnifiMutation {
    /// A record came to be.
    Created(UnifiRecord),
    /// A record was replaced in full.
    Replaced { before: UnifiRecord, after: UnifiRecord },
    /// A record is gone.
    Deleted(UnifiRecord),
}

/// Through which API a change came: they do not hold the same rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Api {
    Integration,
    StaticDns,
}

/// Why a change is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    AlreadyExists,
    CnameOverlaps,
    OverlapsWithLocalDns,
    CommaNotQuoted,
    NotFound,
    /// The console's own records cannot be changed.
    NotYours,
}

impl Site {
    /// An empty site of the console with this name.
    pub(super) fn new(console: &str, settings: &SiteSettings) -> Self {
        let mut ids = Ids::new(format!("{console} site {}", settings.reference));
        Self {
            id: ids.uuid(),
            legacy_id: ids.hex(24),
            reference: settings.reference.clone(),
            name: settings.name.clone(),
            local_domain: settings.local_domain.clone(),
            records: Vec::new(),
            devices: settings.devices.clone(),
            mutations: Vec::new(),
        }
    }

    pub(super) fn find(&self, id: Uuid) -> Option<&UnifiRecord> {
        self.records.iter().find(|record| record.id == id)
    }

    /// Adds a record without asking any rule.
    pub(super) fn insert(
        &mut self,
        ids: &mut Ids,
        content: UnifiContent,
        origin: Origin,
    ) -> UnifiRecord {
        let record = UnifiRecord { id: ids.uuid(), legacy_id: ids.hex(24), content, origin };
        self.records.push(record.clone());
        record
    }

    pub(super) fn create(
        &mut self,
        ids: &mut Ids,
        content: UnifiContent,
        api: Api,
    ) -> Result<UnifiRecord, Refusal> {
        self.check(&content, None, api)?;
        let record = self.insert(ids, content, Origin::User);
        self.mutations.push(UnifiMutation::Created(record.clone()));
        Ok(record)
    }

    pub(super) fn replace(
        &mut self,
        id: Uuid,
        content: UnifiContent,
        api: Api,
    ) -> Result<UnifiRecord, Refusal> {
        let place = self.place_of_own(id)?;
        self.check(&content, Some(id), api)?;
        let before = self.records[place].clone();
        self.records[place].content = content;
        let after = self.records[place].clone();
        self.mutations.push(UnifiMutation::Replaced { before, after: after.clone() });
        Ok(after)
    }

    pub(super) fn delete(&mut self, id: Uuid) -> Result<(), Refusal> {
        let place = self.place_of_own(id)?;
        let record = self.records.remove(place);
        self.mutations.push(UnifiMutation::Deleted(record));
        Ok(())
    }

    /// Whether dnsmasq on the gateway still runs. It refuses to start when one name has two CNAMEs
    /// and takes DHCP and DNS of the whole network down with it.
    pub(super) fn gateway_resolves(&self) -> bool {
        let mut aliases: Vec<_> = self
            .records
            .iter()
            .filter(|record| record.content.enabled && is_cname(&record.content))
            .map(|record| record.content.name.to_ascii_lowercase())
            .collect();
        aliases.sort();
        aliases.windows(2).all(|pair| pair[0] != pair[1])
    }

    fn place_of_own(&self, id: Uuid) -> Result<usize, Refusal> {
        let place =
            self.records.iter().position(|record| record.id == id).ok_or(Refusal::NotFound)?;
        match self.records[place].origin {
            Origin::User => Ok(place),
            Origin::System => Err(Refusal::NotYours),
        }
    }

    fn check(&self, content: &UnifiContent, except: Option<Uuid>, api: Api) -> Result<(), Refusal> {
        let others = || {
            let others = self.records.iter().filter(|record| Some(record.id) != except);
            others.map(|record| &record.content)
        };
        if others().any(|other| other.is_same_as(content)) {
            return Err(Refusal::AlreadyExists);
        }
        if self.is_local(&content.name) {
            return Err(Refusal::OverlapsWithLocalDns);
        }
        if let RecordValue::Txt(text) = &content.value
            && text.contains(',')
            && !(text.len() >= 2 && text.starts_with('"') && text.ends_with('"'))
        {
            return Err(Refusal::CommaNotQuoted);
        }
        match others().any(|other| overlap(content, other, api)) {
            true => Err(Refusal::CnameOverlaps),
            false => Ok(()),
        }
    }

    fn is_local(&self, name: &str) -> bool {
        let name = name.to_ascii_lowercase();
        let of_device = |device: &Device| device.local_dns_record.as_deref() == Some(name.as_str());
        let in_domain = |domain: &String| {
            name == *domain
                || name.strip_suffix(domain.as_str()).is_some_and(|rest| rest.ends_with('.'))
        };
        self.devices.iter().any(of_device) || self.local_domain.as_ref().is_some_and(in_domain)
    }
}

/// A CNAME stands alone at its name. The static-dns API looks only for records of other types and
/// so lets a second CNAME in: home-operations/external-dns-unifi-webhook#104.
fn overlap(one: &UnifiContent, other: &UnifiContent, api: Api) -> bool {
    one.name.eq_ignore_ascii_case(&other.name)
        && match (is_cname(one), is_cname(other)) {
            (true, true) => api == Api::Integration,
            (false, false) => false,
            _ => true,
        }
}

fn is_cname(content: &UnifiContent) -> bool {
    matches!(content.value, RecordValue::Cname(_))
}

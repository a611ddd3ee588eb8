//! Reading the records of a zone, in as few requests as there can be.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use landfall_core::plan::{Cnames, Live, LiveResource, ResourceKey, Target, Value};
use serde::Deserialize;

use super::batch::{LiveRecord, LiveRecords};
use super::content;
use super::set::{AUTOMATIC, Record, RecordSet, tunnel_uuid};
use crate::cloudflare::{CallError, Session, TunnelNames};
use crate::provider::ProviderError;

/// The records of a page. The vendor allows more; a zone of this size is one request.
const PER_PAGE: usize = 5000;

/// A record as the API gives it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(super) struct ApiRecord {
    pub(super) id: String,
    #[serde(rename = "type")]
    pub(super) rtype: String,
    pub(super) name: String,
    #[serde(default)]
    pub(super) content: String,
    #[serde(default = "automatic")]
    pub(super) ttl: u32,
    #[serde(default)]
    pub(super) proxied: Option<bool>,
    #[serde(default)]
    pub(super) priority: Option<u16>,
    #[serde(default)]
    pub(super) data: Option<Value>,
}

fn automatic() -> u32 {
    AUTOMATIC
}

impl ApiRecord {
    /// The key of the set it is in.
    pub(super) fn key(&self, target: &Target) -> ResourceKey {
        ResourceKey::new(target.clone(), self.rtype.as_str(), content::host(&self.name))
    }
}

/// What was read of a zone.
#[derive(Debug)]
pub(super) struct Zone {
    /// All records at the names that were asked for.
    pub(super) records: LiveRecords,
    /// The account's tunnels, if any of the records or of the wanted ones leads to one.
    pub(super) tunnels: Arc<TunnelNames>,
}

/// What lives at the names of `keys`.
pub(crate) async fn observe(
    session: &Session,
    target: &Target,
    keys: &BTreeSet<ResourceKey>,
) -> Result<Live, ProviderError> {
    let names = keys.iter().map(|key| key.name.as_str()).collect();
    let zone = read(session, target, &names, &BTreeSet::new()).await?;
    let resources =
        zone.records.iter().map(|(key, records)| (key.clone(), live_resource(key, records)));
    Ok(Live { resources: resources.collect(), cnames: Cnames::Flattened, ..Live::default() })
}

/// Reads all records at `names`, and the account's tunnels if a record leads to one or if
/// `wanted` (tunnels by `account/name`) is not empty.
pub(super) async fn read(
    session: &Session,
    target: &Target,
    names: &BTreeSet<&str>,
    wanted: &BTreeSet<String>,
) -> Result<Zone, ProviderError> {
    let zone = zone_id(session, target)?;
    let records = list(session, zone, names).await.map_err(ProviderError::from);
    if let Err(ProviderError::Missing(_) | ProviderError::Denied(_)) = &records {
        session.forget_zone(zone);
    }
    let records = records?;
    let uuids: BTreeSet<&str> =
        records.iter().filter_map(|r| tunnel_uuid(&r.rtype, &r.content)).collect();
    let knows = |known: &TunnelNames| {
        uuids.iter().all(|uuid| known.name_of(uuid).is_some())
            && wanted.iter().all(|name| known.get(name).is_some())
    };
    let tunnels = match uuids.is_empty() && wanted.is_empty() {
        true => Arc::default(),
        false => session.tunnels(knows).await?,
    };
    let mut by_key = LiveRecords::new();
    for record in &records {
        let live = LiveRecord { id: record.id.clone(), record: Record::of(record, &tunnels) };
        by_key.entry(record.key(target)).or_default().push(live);
    }
    Ok(Zone { records: by_key, tunnels })
}

/// The id by which the API knows the zone of a target.
pub(super) fn zone_id<'t>(session: &Session, target: &'t Target) -> Result<&'t str, ProviderError> {
    session
        .realm
        .unmark(&target.id)
        .ok_or_else(|| ProviderError::Missing(format!("the connection does not lead to {target}")))
}

/// One name is asked for by name; of more, the whole zone is listed, which is fewer requests and
/// one for all but the largest.
async fn list(
    session: &Session,
    zone: &str,
    names: &BTreeSet<&str>,
) -> Result<Vec<ApiRecord>, CallError> {
    let path = ["zones", zone, "dns_records"];
    let mut only = names.iter();
    let mut items = match (only.next(), only.next()) {
        (None, _) => Vec::new(),
        (Some(name), None) => {
            session.api.list::<ApiRecord>(&path, &[("name.exact", name)], PER_PAGE).await?.items
        }
        _ => {
            let listing = session.api.list::<ApiRecord>(&path, &[], PER_PAGE).await?;
            if let Some(total) = listing.total.filter(|total| *total != listing.items.len()) {
                let found = listing.items.len();
                let message = format!(
                    "Cloudflare listed {found} of {total} records: the zone changed meanwhile"
                );
                return Err(CallError::Unexpected(message));
            }
            listing.items
        }
    };
    items.retain(|record| names.contains(content::host(&record.name).as_str()));
    Ok(items)
}

/// A set as a plan has it.
pub(super) fn live_resource(key: &ResourceKey, records: &[LiveRecord]) -> LiveResource {
    let set = RecordSet::new(records.iter().map(|live| live.record.clone()).collect());
    LiveResource { value: set.to_value(&key.rtype), ids: ids(records) }
}

/// The ids of records.
pub(super) fn ids(records: &[LiveRecord]) -> Vec<String> {
    records.iter().map(|live| live.id.clone()).collect()
}

/// The ids of every set among `keys` that exists.
pub(super) fn ids_of<'k>(
    keys: impl Iterator<Item = &'k ResourceKey>,
    records: &LiveRecords,
) -> BTreeMap<ResourceKey, Vec<String>> {
    keys.filter_map(|key| Some((key.clone(), ids(records.get(key)?)))).collect()
}

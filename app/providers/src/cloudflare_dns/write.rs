//! Writing a zone: read the names again, compare, send one batch.
//!
//! Who may be at work on the same names: another run of ours is kept out by the target's lease; a
//! person at the dashboard is not. What they change before our read is seen and refused as moved.
//! What they change between our read and our batch cannot be seen, but the batch names records by
//! id: if one of them is gone the whole batch is refused, and nothing was done.

use std::collections::{BTreeMap, BTreeSet};

use landfall_core::plan::{Change, Effect, Landed, Outcome, ResourceKey, Value};
use serde::Deserialize;

use super::api::{ApiRecord, Zone, ids_of, live_resource, read, zone_id};
use super::batch::{LiveRecord, LiveRecords, Writing, batch};
use super::set::{Content, Record, RecordSet};
use crate::cloudflare::Session;
use crate::hold::Hold;
use crate::provider::{Later, ProviderError};

/// The result of a batch. What was patched keeps its id, so only these are read.
#[derive(Debug, Deserialize)]
struct Done {
    #[serde(default)]
    deletes: Option<Vec<Gone>>,
    #[serde(default)]
    posts: Option<Vec<ApiRecord>>,
}

#[derive(Debug, Deserialize)]
struct Gone {
    id: String,
}

/// Does one effect in one batch.
pub(crate) async fn apply(
    session: &Session,
    effect: &Effect,
    hold: Hold<'_>,
    marker: &str,
) -> Result<Outcome, Later> {
    let zone = match read_names(session, effect).await {
        Ok(zone) => zone,
        Err(error) => return error.before_write(),
    };
    if let Some(moved) = effect.changes.iter().find_map(|change| moved(change, &zone.records)) {
        return Ok(Outcome::Moved(moved));
    }
    let writing = Writing { marker, tunnels: &zone.tunnels };
    let batch = match batch(&effect.changes, &zone.records, writing) {
        Ok(batch) => batch,
        Err(message) => return Ok(Outcome::Failed(message)),
    };
    let keys = effect.changes.iter().map(|change| &change.key);
    if batch.is_empty() {
        return Ok(Outcome::Done(ids_of(keys, &zone.records)));
    }
    let zone_id = match zone_id(session, &effect.target) {
        Ok(id) => id,
        Err(error) => return error.before_write(),
    };
    let path = ["zones", zone_id, "dns_records", "batch"];
    match session.api.post::<Done>(hold, &path, &batch).await {
        Ok(done) => Ok(Outcome::Done(landed_ids(effect, &zone.records, done))),
        Err(error) => error.into_outcome(),
    }
}

/// What became of an effect.
pub(crate) async fn read_back(
    session: &Session,
    effect: &Effect,
) -> Result<(Vec<Landed>, BTreeMap<ResourceKey, Vec<String>>), ProviderError> {
    let zone = read_names(session, effect).await?;
    let landed = effect.changes.iter().map(|change| landed(change, &zone.records)).collect();
    Ok((landed, ids_of(effect.changes.iter().map(|change| &change.key), &zone.records)))
}

async fn read_names(session: &Session, effect: &Effect) -> Result<Zone, ProviderError> {
    let names = effect.changes.iter().map(|change| change.key.name.as_str()).collect();
    let wanted = effect.changes.iter().flat_map(|change| records(change.after.as_ref()));
    let tunnels = wanted.filter_map(|record| match record.content {
        Content::Tunnel(name) => Some(name),
        Content::Text(_) => None,
    });
    read(session, &effect.target, &names, &tunnels.collect()).await
}

fn records(value: Option<&Value>) -> Vec<Record> {
    value.and_then(RecordSet::from_value).map(|set| set.records().to_vec()).unwrap_or_default()
}

fn value(key: &ResourceKey, live: &LiveRecords) -> Option<Value> {
    live.get(key).map(|records| live_resource(key, records).value)
}

fn moved(change: &Change, live: &LiveRecords) -> Option<String> {
    let found = value(&change.key, live);
    if found == change.before {
        return None;
    }
    let say = |value: &Option<Value>| {
        value.as_ref().map_or_else(|| "nothing".to_owned(), Value::to_string)
    };
    Some(format!(
        "{} is not what the plan found: it found {}, now there is {}",
        change.key,
        say(&change.before),
        say(&found)
    ))
}

/// A batch is done as a whole or not at all: part of a change is never ours.
fn landed(change: &Change, live: &LiveRecords) -> Landed {
    let found = value(&change.key, live);
    if found == change.after {
        Landed::After
    } else if found == change.before {
        Landed::Before
    } else {
        Landed::Foreign
    }
}

/// What was there before the batch, without what it deleted and with what it created.
fn landed_ids(
    effect: &Effect,
    before: &LiveRecords,
    done: Done,
) -> BTreeMap<ResourceKey, Vec<String>> {
    let deleted: BTreeSet<String> =
        done.deletes.into_iter().flatten().map(|gone| gone.id).collect();
    let kept = |records: &[LiveRecord]| {
        records.iter().map(|live| live.id.clone()).filter(|id| !deleted.contains(id)).collect()
    };
    let mut ids: BTreeMap<ResourceKey, Vec<String>> = BTreeMap::new();
    for change in effect.changes.iter().filter(|change| change.after.is_some()) {
        let found = before.get(&change.key).map_or(&[][..], Vec::as_slice);
        ids.insert(change.key.clone(), kept(found));
    }
    for record in done.posts.into_iter().flatten() {
        if let Some(ids) = ids.get_mut(&record.key(&effect.target)) {
            ids.push(record.id);
        }
    }
    ids
}

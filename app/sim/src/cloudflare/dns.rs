//! DNS records: one at a time, and in batches that are done in full or not at all.

use http::Method;
use serde_json::{Map, Value, json};

use super::cloud::{Cloud, CloudflareMutation};
use super::draft::{self, Rules};
use super::envelope::{self, ApiError, Outcome, PageSizes};
use super::query::Filters;
use super::record::{CloudflareRecord, RecordFields, RecordJson};
use super::zone::Zone;
use crate::call::Call;

const RECORD_PAGES: PageSizes = PageSizes { smallest: 1, default: 100, largest: 5_000_000 };

/// Answers what follows `/zones/{id}/dns_records`. `place` says which zone.
pub(super) fn answer(cloud: &mut Cloud, place: usize, call: &Call, rest: &[&str]) -> Outcome {
    match (&call.method, rest) {
        (&Method::GET, []) => list(&cloud.zones[place], call),
        (&Method::GET, [id]) => envelope::result(RecordJson::from(cloud.zones[place].get(id)?)),
        (&Method::POST, ["batch"]) => batch(cloud, place, call),
        (&Method::POST, []) => one(cloud, place, Operation::Post(body(call)?)),
        (&Method::PUT, [id]) => one(cloud, place, Operation::Put((*id).to_owned(), body(call)?)),
        (&Method::PATCH, [id]) => {
            one(cloud, place, Operation::Patch((*id).to_owned(), body(call)?))
        }
        (&Method::DELETE, [id]) => {
            let deleted = run(cloud, place, Operation::Delete((*id).to_owned()))?;
            envelope::result(json!({ "id": deleted.id }))
        }
        _ => Err(ApiError::no_route(call)),
    }
}

/// One change of one record.
#[derive(Debug)]
enum Operation {
    Delete(String),
    Patch(String, Value),
    Put(String, Value),
    Post(Value),
}

fn list(zone: &Zone, call: &Call) -> Outcome {
    let filters = Filters::new(call);
    let mut found: Vec<_> = zone.records.iter().filter(|record| filters.accept(record)).collect();
    match call.param("order") {
        Some("name") => found.sort_by(|a, b| a.fields.name.cmp(&b.fields.name)),
        Some("content") => found.sort_by(|a, b| a.fields.content.cmp(&b.fields.content)),
        Some("type") => found.sort_by(|a, b| a.fields.record_type.cmp(&b.fields.record_type)),
        _ => {}
    }
    if call.param("direction") == Some("desc") {
        found.reverse();
    }
    let records: Vec<_> = found.into_iter().map(RecordJson::from).collect();
    envelope::page(call, &records, RECORD_PAGES)
}

fn one(cloud: &mut Cloud, place: usize, operation: Operation) -> Outcome {
    let record = run(cloud, place, operation)?;
    envelope::result(RecordJson::from(&record))
}

/// Deletes, then patches, then puts, then posts; the first that fails undoes all before it.
fn batch(cloud: &mut Cloud, place: usize, call: &Call) -> Outcome {
    let body = body(call)?;
    let operations = [
        ("deletes", operations(&body, "deletes", |id, _| Operation::Delete(id))?),
        ("patches", operations(&body, "patches", Operation::Patch)?),
        ("puts", operations(&body, "puts", Operation::Put)?),
        ("posts", items(&body, "posts")?.iter().cloned().map(Operation::Post).collect()),
    ];
    let size: usize = operations.iter().map(|(_, operations)| operations.len()).sum();
    let largest = cloud.settings.plan.largest_batch();
    if size > largest {
        // The code is unverified.
        let message =
            format!("A batch may have at most {largest} operations; this one has {size}.");
        return Err(ApiError::bad_request(9302, message));
    }
    let (records_before, mutations_before) =
        (cloud.zones[place].records.clone(), cloud.mutations.len());
    let mut result = Map::new();
    for (name, operations) in operations {
        let done: Result<Vec<_>, _> =
            operations.into_iter().map(|operation| run(cloud, place, operation)).collect();
        match done {
            Ok(records) => {
                let records: Vec<_> =
                    records.iter().map(|record| json!(RecordJson::from(record))).collect();
                result.insert(name.to_owned(), Value::Array(records));
            }
            Err(error) => {
                cloud.zones[place].records = records_before;
                cloud.mutations.truncate(mutations_before);
                return Err(error);
            }
        }
    }
    envelope::result(result)
}

fn run(
    cloud: &mut Cloud,
    place: usize,
    operation: Operation,
) -> Result<CloudflareRecord, ApiError> {
    let now = cloud.now();
    match operation {
        Operation::Delete(id) => {
            let record = cloud.zones[place].delete(&id)?;
            cloud.mutations.push(CloudflareMutation::RecordDeleted(record.clone()));
            Ok(record)
        }
        Operation::Post(body) => {
            let fields = fields(cloud, place, &body)?;
            let record = cloud.zones[place].create(cloud.ids.hex(32), fields, now)?;
            cloud.mutations.push(CloudflareMutation::RecordCreated(record.clone()));
            Ok(record)
        }
        Operation::Put(id, body) => replace(cloud, place, &id, &body),
        Operation::Patch(id, changes) => {
            let merged = merge(json!(RecordJson::from(cloud.zones[place].get(&id)?)), changes);
            replace(cloud, place, &id, &merged)
        }
    }
}

fn replace(
    cloud: &mut Cloud,
    place: usize,
    id: &str,
    body: &Value,
) -> Result<CloudflareRecord, ApiError> {
    let fields = fields(cloud, place, body)?;
    let now = cloud.now();
    let (before, after) = cloud.zones[place].replace(id, fields, now)?;
    let (was, is) = (Box::new(before), Box::new(after.clone()));
    cloud.mutations.push(CloudflareMutation::RecordUpdated { before: was, after: is });
    Ok(after)
}

fn fields(cloud: &Cloud, place: usize, body: &Value) -> Result<RecordFields, ApiError> {
    let rules = Rules {
        zone: &cloud.zones[place].settings.name,
        plan: cloud.settings.plan,
        txt: cloud.settings.txt,
    };
    draft::fields(body, rules)
}

/// A PATCH changes the fields that it names.
fn merge(mut record: Value, changes: Value) -> Value {
    if let (Value::Object(record), Value::Object(changes)) = (&mut record, changes) {
        record.extend(changes);
    }
    record
}

fn body(call: &Call) -> Result<Value, ApiError> {
    match call.json() {
        Ok(body @ Value::Object(_)) => Ok(body),
        _ => Err(ApiError::bad_request(9207, "Request body is invalid.")),
    }
}

fn items<'a>(body: &'a Value, name: &str) -> Result<&'a [Value], ApiError> {
    match body.get(name) {
        None | Some(Value::Null) => Ok(&[]),
        Some(Value::Array(items)) => Ok(items),
        Some(_) => Err(ApiError::bad_request(9207, format!("{name} must be an array."))),
    }
}

fn operations(
    body: &Value,
    name: &str,
    operation: fn(String, Value) -> Operation,
) -> Result<Vec<Operation>, ApiError> {
    let missing = || ApiError::bad_request(9207, format!("every one of {name} must have an id."));
    let read = |item: &Value| {
        let id = item.get("id").and_then(Value::as_str).ok_or_else(missing)?;
        Ok(operation(id.to_owned(), item.clone()))
    };
    items(body, name)?.iter().map(read).collect()
}

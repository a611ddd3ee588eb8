//! Record sets: all records of one name and type, as one value.
//!
//! The value in a plan is `{ "values": [..], "ttl": 300, "proxied": false }`: contents in their
//! normal form and sorted, TTL in seconds (1 is automatic, and what a proxied record always
//! reports), `proxied` only for types that can be. The zone lets the records of one set differ in
//! TTL and proxying; then the field is a list beside `values`, so that nothing found is lost.
//! Comments, tags and settings of a record are not in it.

use serde_json::{Map, Value, json};

use super::api::ApiRecord;
use super::content;
use crate::cloudflare::TunnelNames;

/// What a CNAME to a tunnel says in a plan: the tunnel by name, whether or not it exists yet.
const TUNNEL: &str = "tunnel";
/// Behind a tunnel's uuid in the content of a CNAME.
const TUNNEL_DOMAIN: &str = ".cfargotunnel.com";
/// The TTL that means automatic.
pub(crate) const AUTOMATIC: u32 = 1;

/// What a record leads to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Content {
    /// A content in its normal form, see [`content`].
    Text(String),
    /// A tunnel of the connection's account, by `account/name`.
    Tunnel(String),
}

/// One record of a set.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Record {
    /// What it leads to.
    pub(crate) content: Content,
    /// Seconds; [`AUTOMATIC`] for automatic.
    pub(crate) ttl: u32,
    /// Whether the vendor's proxy stands before it.
    pub(crate) proxied: bool,
}

impl Record {
    /// The record as the zone has it, with a tunnel by its name where the account knows it.
    pub(super) fn of(record: &ApiRecord, tunnels: &TunnelNames) -> Self {
        let text = content::of(record);
        let tunnel = tunnel_uuid(&record.rtype, &text).and_then(|uuid| tunnels.name_of(uuid));
        let tunnel = tunnel.map(str::to_owned);
        let content = tunnel.map_or(Content::Text(text), Content::Tunnel);
        let proxied = record.proxied.unwrap_or(false);
        Self { content, ttl: if proxied { AUTOMATIC } else { record.ttl }, proxied }
    }

    /// The managed fields of a request body for it. None if its tunnel does not exist or its
    /// content is not of the type's form.
    pub(crate) fn body(&self, rtype: &str, tunnels: &TunnelNames) -> Option<Map<String, Value>> {
        let text = match &self.content {
            Content::Text(text) => text.clone(),
            Content::Tunnel(name) => format!("{}{TUNNEL_DOMAIN}", tunnels.get(name)?.id),
        };
        let mut body = content::fields(rtype, &text)?;
        body.insert("ttl".to_owned(), self.ttl.into());
        if content::is_proxiable(rtype) {
            body.insert("proxied".to_owned(), self.proxied.into());
        }
        Some(body)
    }
}

/// The uuid of the tunnel that a record of this content leads to.
pub(crate) fn tunnel_uuid<'c>(rtype: &str, content: &'c str) -> Option<&'c str> {
    if rtype == "CNAME" { content.strip_suffix(TUNNEL_DOMAIN) } else { None }
}

/// The records of one name and type, sorted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct RecordSet(Vec<Record>);

impl RecordSet {
    /// The set of these records.
    pub(crate) fn new(mut records: Vec<Record>) -> Self {
        records.sort();
        Self(records)
    }

    /// The records, sorted.
    pub(crate) fn records(&self) -> &[Record] {
        &self.0
    }

    /// The set as a plan has it.
    pub(crate) fn to_value(&self, rtype: &str) -> Value {
        let values: Vec<Value> =
            self.0.iter().map(|record| content_value(&record.content)).collect();
        let mut value =
            json!({ "values": values, "ttl": one_or_all(self.0.iter().map(|r| r.ttl.into())) });
        if content::is_proxiable(rtype) {
            value["proxied"] = one_or_all(self.0.iter().map(|r| r.proxied.into()));
        }
        value
    }

    /// Reads what [`Self::to_value`] wrote; none for anything else.
    pub(crate) fn from_value(value: &Value) -> Option<Self> {
        let values = value.get("values")?.as_array()?;
        let field = |name: &str, at: usize| match value.get(name) {
            Some(Value::Array(all)) => all.get(at),
            one => one,
        };
        let record = |(at, content): (usize, &Value)| {
            Some(Record {
                content: content_of(content)?,
                ttl: u32::try_from(field("ttl", at)?.as_u64()?).ok()?,
                proxied: field("proxied", at).and_then(Value::as_bool).unwrap_or(false),
            })
        };
        values.iter().enumerate().map(record).collect::<Option<Vec<_>>>().map(Self::new)
    }
}

fn content_value(content: &Content) -> Value {
    match content {
        Content::Text(text) => json!(text),
        Content::Tunnel(name) => json!({ TUNNEL: name }),
    }
}

fn content_of(value: &Value) -> Option<Content> {
    match value {
        Value::String(text) => Some(Content::Text(text.clone())),
        other => Some(Content::Tunnel(other.get(TUNNEL)?.as_str()?.to_owned())),
    }
}

/// One value if all are the same, else the list of them.
fn one_or_all(values: impl Iterator<Item = Value>) -> Value {
    let all: Vec<Value> = values.collect();
    match all.split_first() {
        Some((first, rest)) if rest.iter().all(|value| value == first) => first.clone(),
        _ => Value::Array(all),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn a(content: &str, ttl: u32, proxied: bool) -> Record {
        Record { content: Content::Text(content.to_owned()), ttl, proxied }
    }

    #[test]
    fn a_set_is_the_same_in_any_order_and_reads_back() {
        let set = RecordSet::new(vec![a("192.0.2.2", 300, false), a("192.0.2.1", 300, false)]);
        let value = set.to_value("A");
        assert_eq!(
            value,
            json!({ "values": ["192.0.2.1", "192.0.2.2"], "ttl": 300, "proxied": false })
        );
        assert_eq!(RecordSet::from_value(&value), Some(set));
    }

    #[test]
    fn records_that_differ_in_ttl_or_proxying_are_told_apart_and_read_back() {
        let set = RecordSet::new(vec![a("192.0.2.1", 300, false), a("192.0.2.2", 1, true)]);
        let value = set.to_value("A");
        assert_eq!(value["ttl"], json!([300, 1]));
        assert_eq!(value["proxied"], json!([false, true]));
        assert_eq!(RecordSet::from_value(&value), Some(set));
    }

    #[test]
    fn a_type_that_cannot_be_proxied_does_not_speak_of_it() {
        let set = RecordSet::new(vec![a("v=spf1 -all", 1, false)]);
        assert_eq!(set.to_value("TXT"), json!({ "values": ["v=spf1 -all"], "ttl": 1 }));
        assert_eq!(RecordSet::from_value(&set.to_value("TXT")), Some(set));
    }

    #[test]
    fn a_tunnel_stands_by_its_name() {
        let record = Record { content: Content::Tunnel("acc/media".into()), ttl: 1, proxied: true };
        let value = RecordSet::new(vec![record.clone()]).to_value("CNAME");
        assert_eq!(value["values"], json!([{ "tunnel": "acc/media" }]));
        assert_eq!(RecordSet::from_value(&value).unwrap().records(), [record]);
    }
}

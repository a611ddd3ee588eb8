//! The static-dns API, which the console's own web pages use and nobody documents: for versions
//! before 10.1 and for logins, which the Integration API does not take.
//!
//! A bare array, no paging, zeros (or empty texts) for what a type does not have. A record with a
//! field that its type does not have is refused, so only the fields of the type are written.

use landfall_os::http::Method;
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};

use super::record::{Listed, Origin, Record, RecordType, quoted};
use super::said::Said;
use super::session::{Ask, Session};
use crate::provider::ProviderError;

#[derive(Deserialize)]
struct Entry {
    #[serde(rename = "_id")]
    id: String,
    #[serde(default = "yes")]
    enabled: bool,
    key: String,
    record_type: String,
    value: String,
    #[serde(default, deserialize_with = "lenient")]
    ttl: u32,
    #[serde(default, deserialize_with = "lenient")]
    port: u32,
    #[serde(default, deserialize_with = "lenient")]
    priority: u32,
    #[serde(default, deserialize_with = "lenient")]
    weight: u32,
}

fn yes() -> bool {
    true
}

/// A number, also as a text; an empty text and nothing are 0.
fn lenient<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    let odd = || serde::de::Error::custom("a number was expected");
    match Value::deserialize(deserializer)? {
        Value::Null => Ok(0),
        Value::String(text) if text.trim().is_empty() => Ok(0),
        Value::String(text) => text.trim().parse().map_err(|_| odd()),
        number => number.as_u64().and_then(|number| number.try_into().ok()).ok_or_else(odd),
    }
}

/// All records of the site. The API does not tell the console's own records from a user's.
pub(super) async fn list(session: &Session, site: &str) -> Result<Vec<Listed>, ProviderError> {
    let answer = session.send(&Ask::get(path(site))).await?;
    match answer.status {
        200 => {}
        404 | 405 => {
            let message =
                "the console has no DNS records to set: that needs UniFi Network 8.2 or later";
            return Err(ProviderError::Missing(message.to_owned()));
        }
        _ => return Err(Said::of(&answer).into_error(&answer)),
    }
    let entries: Vec<Entry> = answer.json().map_err(|error| {
        ProviderError::Unexpected(format!("the console's listing is none: {error}"))
    })?;
    Ok(entries.into_iter().map(Entry::listed).collect())
}

impl Entry {
    fn listed(self) -> Listed {
        let Self { id, enabled, key, record_type, value, ttl, port, priority, weight } = self;
        let text = match record_type.as_str() {
            "MX" => format!("{priority} {value}"),
            "SRV" => format!("{priority} {weight} {port} {value}"),
            _ => value,
        };
        Listed::new(id, &key, &record_type, Record { text, ttl, enabled, origin: Origin::User })
    }
}

pub(super) fn create(
    site: &str,
    name: &str,
    rtype: RecordType,
    record: &Record,
) -> Result<Ask, String> {
    let Record { text, ttl, enabled, origin: _ } = record;
    let odd = || format!("`{text}` is not the value of a {rtype} record");
    let number = |text: &str| text.parse::<u16>().map_err(|_| odd());
    let words: Vec<&str> = text.split(' ').collect();
    let mut body =
        json!({ "enabled": enabled, "key": name, "record_type": rtype.as_str(), "value": text });
    match (rtype, &words[..]) {
        (RecordType::Txt, _) => body["value"] = json!(quoted(text)),
        (RecordType::Mx, [priority, host]) => {
            body["value"] = json!(host);
            body["priority"] = json!(number(priority)?);
        }
        (RecordType::Srv, [priority, weight, port, host]) => {
            body["value"] = json!(host);
            body["priority"] = json!(number(priority)?);
            body["weight"] = json!(number(weight)?);
            body["port"] = json!(number(port)?);
        }
        (RecordType::Mx | RecordType::Srv, _) => return Err(odd()),
        (RecordType::A | RecordType::Aaaa | RecordType::Cname, _) => body["ttl"] = json!(ttl),
    }
    Ok(Ask::new(Method::POST, path(site)).body(body))
}

pub(super) fn record_path(site: &str, id: &str) -> Vec<String> {
    let mut path = path(site);
    path.push(id.to_owned());
    path
}

fn path(site: &str) -> Vec<String> {
    ["v2", "api", "site", site, "static-dns"].map(str::to_owned).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(entry: Value) -> Listed {
        serde_json::from_value::<Entry>(entry).unwrap().listed()
    }

    #[test]
    fn zeros_and_numbers_as_texts_are_read() {
        let srv = listed(json!({
            "_id": "1", "key": "_ldap._tcp.Lan", "record_type": "SRV", "value": "LDAP.lan.", "ttl": "",
            "port": "389", "priority": 0, "weight": null,
        }));
        assert_eq!(
            (srv.name.as_str(), srv.record.text.as_str()),
            ("_ldap._tcp.lan", "0 0 389 ldap.lan")
        );
        let a = listed(json!({
            "_id": "1", "key": "nas.lan", "record_type": "A", "value": "192.168.1.9", "ttl": 60, "enabled": false,
            "port": 0, "priority": 0, "weight": 0,
        }));
        assert_eq!((a.record.ttl, a.record.enabled), (60, false));
    }

    #[test]
    fn what_is_not_a_number_is_an_error() {
        for ttl in [json!("x"), json!(-1), json!({})] {
            let entry =
                json!({ "_id": "1", "key": "a", "record_type": "A", "value": "b", "ttl": ttl });
            assert!(serde_json::from_value::<Entry>(entry).is_err());
        }
    }
}

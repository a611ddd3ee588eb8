//! The static-dns API, which the console's own web pages use and nobody documents: a bare array,
//! no paging, no `GET` by id, zeros for what a type does not have.

use http::{Method, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::console::Console;
use super::record::{RecordValue, UnifiContent, UnifiRecord};
use super::site::{Api, Refusal};
use crate::call::{Call, Reply};

const LONGEST: usize = 256;

/// A record as it is sent. What a type does not have must be absent, or the record is refused.
#[derive(Debug, Deserialize)]
struct Sent {
    #[serde(default)]
    enabled: Option<bool>,
    key: String,
    record_type: String,
    value: String,
    #[serde(default)]
    ttl: Option<u32>,
    #[serde(default)]
    port: Option<u16>,
    #[serde(default)]
    priority: Option<u16>,
    #[serde(default)]
    weight: Option<u16>,
}

/// Answers what follows `/v2/api/site/{site}/`.
pub(super) fn answer(console: &mut Console, call: &Call, site: &str, rest: &[&str]) -> Reply {
    let Some(place) = console.sites.iter().position(|known| known.reference == site) else {
        // The message is from a recording; the code is unverified.
        return error(StatusCode::BAD_REQUEST, "api.err.NoSiteContext", "Site does not exist", &[]);
    };
    match (&call.method, rest) {
        (&Method::GET, ["static-dns"]) => {
            let records: Vec<_> = console.sites[place].records.iter().map(record_json).collect();
            Reply::json(StatusCode::OK, &records)
        }
        (&Method::POST, ["static-dns"]) => written(decode(call).and_then(|content| {
            let site = &mut console.sites[place];
            site.create(&mut console.ids, content, Api::StaticDns).map_err(refused)
        })),
        (&Method::PUT, ["static-dns", id]) => written(decode(call).and_then(|content| {
            let id = record_id(console, place, id)?;
            if console.quirks.put_finds_itself {
                return Err(refused(Refusal::AlreadyExists));
            }
            console.sites[place].replace(id, content, Api::StaticDns).map_err(refused)
        })),
        (&Method::DELETE, ["static-dns", id]) => {
            let deleted = record_id(console, place, id)
                .and_then(|id| console.sites[place].delete(id).map_err(refused));
            deleted.map_or_else(|reply| reply, |()| Reply::empty(StatusCode::OK))
        }
        (_, ["static-dns", ..]) => {
            Reply::html(StatusCode::METHOD_NOT_ALLOWED, "405 Method Not Allowed")
        }
        _ => Reply::html(StatusCode::NOT_FOUND, "404 Not Found"),
    }
}

fn written(outcome: Result<UnifiRecord, Reply>) -> Reply {
    outcome.map_or_else(|reply| reply, |record| Reply::json(StatusCode::OK, &record_json(&record)))
}

fn record_id(console: &Console, place: usize, legacy_id: &str) -> Result<Uuid, Reply> {
    let mut records = console.sites[place].records.iter();
    let found = records.find(|record| record.legacy_id == legacy_id).map(|record| record.id);
    found.ok_or_else(|| refused(Refusal::NotFound))
}

fn decode(call: &Call) -> Result<UnifiContent, Reply> {
    let sent: Sent = call.json().map_err(|message| invalid(&message, &[]))?;
    for (field, length) in [("key", sent.key.len()), ("value", sent.value.len())] {
        if !(1..=LONGEST).contains(&length) {
            return Err(invalid(&format!("{field} must have 1 to {LONGEST} characters"), &[field]));
        }
    }
    sent.refuse_foreign_fields()?;
    Ok(UnifiContent {
        value: sent.record_value()?,
        name: sent.key,
        ttl: sent.ttl.unwrap_or(0),
        enabled: sent.enabled.unwrap_or(true),
    })
}

impl Sent {
    fn refuse_foreign_fields(&self) -> Result<(), Reply> {
        let own: &[&str] = match self.record_type.as_str() {
            "SRV" => &["port", "priority", "weight"],
            "MX" => &["priority"],
            _ => &[],
        };
        let set = [
            ("port", self.port.is_some()),
            ("priority", self.priority.is_some()),
            ("weight", self.weight.is_some()),
        ];
        let foreign: Vec<&str> = set
            .into_iter()
            .filter(|(name, set)| *set && !own.contains(name))
            .map(|(name, _)| name)
            .collect();
        if foreign.is_empty() {
            return Ok(());
        }
        let message = format!(
            "Invalid static DNS record: {} record may not have a value set on the following parameters - {}",
            self.record_type,
            foreign.join(", "),
        );
        Err(invalid(&message, &foreign))
    }

    fn record_value(&self) -> Result<RecordValue, Reply> {
        let address = |what: &str| invalid(&format!("value is not {what}"), &["value"]);
        Ok(match self.record_type.as_str() {
            "A" => RecordValue::A(self.value.parse().map_err(|_| address("an IPv4 address"))?),
            "AAAA" => {
                RecordValue::Aaaa(self.value.parse().map_err(|_| address("an IPv6 address"))?)
            }
            "NS" => RecordValue::Forward(self.value.parse().map_err(|_| address("an IP address"))?),
            "CNAME" => RecordValue::Cname(self.value.clone()),
            "TXT" => RecordValue::Txt(self.value.clone()),
            "MX" => {
                RecordValue::Mx { server: self.value.clone(), priority: self.priority.unwrap_or(0) }
            }
            "SRV" => RecordValue::Srv {
                server: self.value.clone(),
                port: self.port.unwrap_or(0),
                priority: self.priority.unwrap_or(0),
                weight: self.weight.unwrap_or(0),
            },
            _ => return Err(invalid("unknown record_type", &["record_type"])),
        })
    }
}

fn record_json(record: &UnifiRecord) -> Value {
    let UnifiContent { name, value, ttl, enabled } = &record.content;
    let (text, port, priority, weight) = match value {
        RecordValue::Srv { server, port, priority, weight } => {
            (server.clone(), *port, *priority, *weight)
        }
        RecordValue::Mx { server, priority } => (server.clone(), 0, *priority, 0),
        other => (other.to_string(), 0, 0, 0),
    };
    json!({
        "_id": record.legacy_id,
        "enabled": enabled,
        "key": name,
        "record_type": value.record_type(),
        "value": text,
        "ttl": ttl,
        "port": port,
        "priority": priority,
        "weight": weight,
    })
}

fn refused(refusal: Refusal) -> Reply {
    let (code, message) = match refusal {
        Refusal::AlreadyExists => {
            ("api.err.StaticDnsRecordAlreadyExists", "Static DNS record already exists")
        }
        Refusal::CnameOverlaps => (
            "api.err.StaticDnsCnameAliasOverlapsWithOtherRecords",
            "CNAME alias overlaps with other static DNS records",
        ),
        Refusal::OverlapsWithLocalDns => (
            "api.err.StaticDnsOverlapsWithDeviceLocalDns",
            "Static DNS record overlaps with the local DNS record of a device",
        ),
        Refusal::CommaNotQuoted => {
            return invalid("TXT values with commas must be enclosed in double quotes", &["value"]);
        }
        Refusal::NotFound => {
            let message = "Static DNS record not found";
            return error(StatusCode::NOT_FOUND, "api.err.StaticDnsRecordNotFound", message, &[]);
        }
        // Unverified: what the console says about its own records.
        Refusal::NotYours => return invalid("the record is not user defined", &[]),
    };
    error(StatusCode::BAD_REQUEST, code, message, &[])
}

fn invalid(message: &str, fields: &[&str]) -> Reply {
    error(StatusCode::BAD_REQUEST, "api.err.StaticDnsRecordInvalidParameters", message, fields)
}

fn error(status: StatusCode, code: &str, message: &str, fields: &[&str]) -> Reply {
    let body = json!({
        "code": code,
        "errorCode": status.as_u16(),
        "message": message,
        "details": { "invalid_fields": fields },
    });
    Reply::json(status, &body)
}

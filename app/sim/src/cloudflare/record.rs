//! DNS records of a zone, as they are kept and as they are answered.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value, json};

/// One record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CloudflareRecord {
    /// 32 hexadecimal digits.
    pub id: String,
    pub fields: RecordFields,
    pub created_on: Timestamp,
    pub modified_on: Timestamp,
    /// When the comment was last changed; `None` if it never was.
    pub comment_modified_on: Option<Timestamp>,
}

/// What a record says: all that a client sends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordFields {
    /// `A`, `CNAME`, ...
    pub record_type: String,
    /// Fully qualified, lower case, punycode, without a trailing dot.
    pub name: String,
    /// For SRV and CAA derived from `data`.
    pub content: String,
    /// For MX and SRV.
    pub priority: Option<u16>,
    /// The parts of SRV and CAA.
    pub data: Option<Map<String, Value>>,
    /// Seconds; 1 is Cloudflare's own choice and the only one for a proxied record.
    pub ttl: u32,
    pub proxied: bool,
    pub comment: Option<String>,
}

impl RecordFields {
    /// A record with an automatic TTL, not proxied, without comment.
    pub fn new(record_type: &str, name: &str, content: &str) -> Self {
        Self {
            record_type: record_type.to_owned(),
            name: name.to_owned(),
            content: content.to_owned(),
            priority: None,
            data: None,
            ttl: 1,
            proxied: false,
            comment: None,
        }
    }

    /// A mail server.
    pub fn mx(name: &str, server: &str, priority: u16) -> Self {
        Self { priority: Some(priority), ..Self::new("MX", name, server) }
    }

    /// The same, proxied.
    pub fn proxied(self) -> Self {
        Self { proxied: true, ttl: 1, ..self }
    }

    /// The same with a TTL in seconds.
    pub fn with_ttl(self, ttl: u32) -> Self {
        Self { ttl, ..self }
    }

    /// The same with a comment.
    pub fn with_comment(self, comment: &str) -> Self {
        Self { comment: Some(comment.to_owned()), ..self }
    }

    /// Whether it can stand behind Cloudflare's proxy.
    pub(super) fn is_proxiable(&self) -> bool {
        matches!(self.record_type.as_str(), "A" | "AAAA" | "CNAME")
    }

    /// Whether both answer the same question with the same answer.
    pub(super) fn answers_like(&self, other: &Self) -> bool {
        self.name == other.name
            && self.record_type == other.record_type
            && self.content == other.content
            && self.priority == other.priority
    }
}

/// The value as a zone file writes it: MX and SRV begin with their priority.
impl std::fmt::Display for RecordFields {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.priority {
            Some(priority) => write!(f, "{priority} {}", self.content),
            None => f.write_str(&self.content),
        }
    }
}

/// A record as it is answered.
#[derive(Debug, Serialize)]
pub(super) struct RecordJson<'a> {
    id: &'a str,
    name: &'a str,
    r#type: &'a str,
    content: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    priority: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<&'a Map<String, Value>>,
    proxiable: bool,
    proxied: bool,
    ttl: u32,
    settings: Value,
    meta: Value,
    comment: Option<&'a str>,
    tags: [&'a str; 0],
    created_on: String,
    modified_on: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    comment_modified_on: Option<String>,
}

impl<'a> From<&'a CloudflareRecord> for RecordJson<'a> {
    fn from(record: &'a CloudflareRecord) -> Self {
        let fields = &record.fields;
        Self {
            id: &record.id,
            name: &fields.name,
            r#type: &fields.record_type,
            content: &fields.content,
            priority: fields.priority,
            data: fields.data.as_ref(),
            proxiable: fields.is_proxiable(),
            proxied: fields.proxied,
            ttl: fields.ttl,
            settings: json!({}),
            meta: json!({}),
            comment: fields.comment.as_deref(),
            tags: [],
            created_on: time(record.created_on),
            modified_on: time(record.modified_on),
            comment_modified_on: record.comment_modified_on.map(time),
        }
    }
}

/// A time as Cloudflare writes it: RFC 3339 with microseconds.
pub(super) fn time(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%S.%6fZ").to_string()
}

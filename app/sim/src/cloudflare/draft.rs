//! A record that a client sent, on its way to being one: decoded, put into Cloudflare's normal
//! form, held against the rules that concern it alone.

use std::net::{Ipv4Addr, Ipv6Addr};

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::envelope::ApiError;
use super::record::RecordFields;
use super::settings::{Plan, TxtContent};

/// A record as it is sent. Everything may be missing; what may not is decided by type.
#[derive(Debug, Deserialize)]
struct Sent {
    r#type: Option<String>,
    name: Option<String>,
    content: Option<String>,
    ttl: Option<u32>,
    proxied: Option<bool>,
    comment: Option<String>,
    tags: Option<Vec<String>>,
    priority: Option<u16>,
    data: Option<Map<String, Value>>,
}

/// What a draft is held against.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rules<'a> {
    /// The zone's name: what does not end with it is taken to be relative to it.
    pub(super) zone: &'a str,
    pub(super) plan: Plan,
    pub(super) txt: TxtContent,
}

/// The record that `body` asks for.
pub(super) fn fields(body: &Value, rules: Rules<'_>) -> Result<RecordFields, ApiError> {
    let sent =
        Sent::deserialize(body).map_err(|error| ApiError::bad_request(9207, error.to_string()))?;
    let record_type = sent.r#type.clone().unwrap_or_default().to_ascii_uppercase();
    let name = sent.name.as_deref().unwrap_or_default();
    let mut fields = RecordFields::new(&record_type, &full_name(name, rules.zone)?, "");
    sent.value(&mut fields, rules.txt)?;
    fields.proxied = sent.proxied.unwrap_or(false);
    if fields.proxied && !fields.is_proxiable() {
        return Err(ApiError::invalid_record(9004, "This record type cannot be proxied."));
    }
    fields.ttl = sent.ttl(fields.proxied)?;
    fields.comment = sent.comment(rules.plan)?;
    let tags = sent.tags.unwrap_or_default();
    if !tags.is_empty() {
        let message = format!("DNS record has {} tags, exceeding the quota of 0.", tags.len());
        return Err(ApiError::bad_request(9300, message));
    }
    Ok(fields)
}

impl Sent {
    fn value(&self, fields: &mut RecordFields, txt: TxtContent) -> Result<(), ApiError> {
        let given = self.content.as_deref().unwrap_or_default();
        let content = given.trim();
        match fields.record_type.as_str() {
            "SRV" => return self.srv(fields),
            "CAA" => return self.caa(fields),
            _ if content.is_empty() => {
                return Err(ApiError::invalid_record(
                    9005,
                    "Content is required for this record type.",
                ));
            }
            "A" => fields.content = address::<Ipv4Addr>(content, "A", "IPv4")?,
            "AAAA" => fields.content = address::<Ipv6Addr>(content, "AAAA", "IPv6")?,
            "CNAME" | "NS" | "PTR" => fields.content = hostname(content)?,
            "MX" => {
                fields.content = host_or_none(content)?;
                let missing =
                    || ApiError::invalid_record(9206, "Priority is required for MX records.");
                fields.priority = Some(self.priority.ok_or_else(missing)?);
            }
            "TXT" => fields.content = text(given, txt),
            _ => {
                return Err(ApiError::invalid_record(
                    9020,
                    "Invalid or unsupported DNS record type.",
                ));
            }
        }
        Ok(())
    }

    fn srv(&self, fields: &mut RecordFields) -> Result<(), ApiError> {
        let (priority, weight, port): (u16, u16, u16) =
            (self.part("priority")?, self.part("weight")?, self.part("port")?);
        let target = host_or_none(&self.part::<String>("target")?)?;
        fields.content = format!("{weight} {port} {target}");
        fields.priority = Some(priority);
        fields.data = to_map(
            &json!({ "priority": priority, "weight": weight, "port": port, "target": target }),
        );
        Ok(())
    }

    fn caa(&self, fields: &mut RecordFields) -> Result<(), ApiError> {
        let flags: u8 = self.part("flags")?;
        let (tag, value): (String, String) = (self.part("tag")?, self.part("value")?);
        fields.content = format!("{flags} {tag} \"{value}\"");
        fields.data = to_map(&json!({ "flags": flags, "tag": tag, "value": value }));
        Ok(())
    }

    fn part<T: serde::de::DeserializeOwned>(&self, name: &str) -> Result<T, ApiError> {
        let part = self.data.as_ref().and_then(|data| data.get(name)).cloned();
        let invalid =
            || ApiError::invalid_record(9101, format!("{name} is a required data field."));
        part.and_then(|part| serde_json::from_value(part).ok()).ok_or_else(invalid)
    }

    fn ttl(&self, proxied: bool) -> Result<u32, ApiError> {
        match self.ttl.unwrap_or(1) {
            1 => Ok(1),
            60..=86_400 if proxied => Ok(1),
            ttl @ 60..=86_400 => Ok(ttl),
            _ => Err(ApiError::invalid_record(
                9021,
                "Invalid TTL. Must be between 60 and 86400 seconds, or 1 for Automatic.",
            )),
        }
    }

    /// The code of these errors is unverified.
    fn comment(&self, plan: Plan) -> Result<Option<String>, ApiError> {
        let Some(comment) = self.comment.as_deref().filter(|comment| !comment.is_empty()) else {
            return Ok(None);
        };
        let longest = plan.longest_comment();
        if comment.chars().count() > longest {
            return Err(ApiError::invalid_record(
                9301,
                format!("The comment has more than {longest} characters."),
            ));
        }
        if comment.contains(['\n', '\r']) {
            return Err(ApiError::invalid_record(9301, "The comment contains a line break."));
        }
        Ok(Some(comment.to_owned()))
    }
}

fn full_name(name: &str, zone: &str) -> Result<String, ApiError> {
    let name = ascii(name.trim_end_matches('.'))?;
    let is_in_zone =
        name == zone || name.strip_suffix(zone).is_some_and(|rest| rest.ends_with('.'));
    let full = match name.as_str() {
        "@" => zone.to_owned(),
        _ if is_in_zone => name,
        _ => format!("{name}.{zone}"),
    };
    let is_valid =
        full.len() <= 253 && full.split('.').all(|label| (1..=63).contains(&label.len()));
    if is_valid { Ok(full) } else { Err(invalid_name()) }
}

fn hostname(content: &str) -> Result<String, ApiError> {
    match ascii(content.trim_end_matches('.')) {
        Ok(name) if !name.is_empty() && !name.contains([' ', '/', ':']) => Ok(name),
        _ => Err(ApiError::invalid_record(9007, "Content must be a hostname.")),
    }
}

/// A hostname, or `.` for a name without the service (RFC 7505, RFC 2782).
fn host_or_none(content: &str) -> Result<String, ApiError> {
    if content == "." { Ok(content.to_owned()) } else { hostname(content) }
}

/// Lower case, punycode.
fn ascii(name: &str) -> Result<String, ApiError> {
    if name.is_ascii() {
        return Ok(name.to_ascii_lowercase());
    }
    idna::domain_to_ascii(name).map_err(|_| invalid_name())
}

fn invalid_name() -> ApiError {
    ApiError::invalid_record(9000, "DNS name is invalid.")
}

fn address<T>(content: &str, record_type: &str, version: &str) -> Result<String, ApiError>
where
    T: std::str::FromStr + ToString,
{
    let message = format!("Content for {record_type} record must be a valid {version} address.");
    let invalid = |_| ApiError::invalid_record(9005, message);
    content.parse::<T>().map(|address| address.to_string()).map_err(invalid)
}

fn text(content: &str, txt: TxtContent) -> String {
    match txt {
        TxtContent::Quoted if !content.starts_with('"') => {
            format!("\"{}\"", content.replace('"', "\\\""))
        }
        _ => content.to_owned(),
    }
}

fn to_map(value: &Value) -> Option<Map<String, Value>> {
    value.as_object().cloned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draft(body: &Value) -> Result<RecordFields, ApiError> {
        fields(body, Rules { zone: "example.com", plan: Plan::Free, txt: TxtContent::AsGiven })
    }

    #[test]
    fn names_are_full_lower_case_and_punycode() {
        for (sent, stored) in [
            ("WWW.Example.com.", "www.example.com"),
            ("@", "example.com"),
            ("www", "www.example.com"),
            ("www.other.org", "www.other.org.example.com"),
            ("bücher.example.com", "xn--bcher-kva.example.com"),
        ] {
            let fields =
                draft(&json!({ "type": "A", "name": sent, "content": "203.0.113.1" })).unwrap();
            assert_eq!(fields.name, stored);
        }
    }

    #[test]
    fn contents_of_srv_and_caa_are_derived_from_their_parts() {
        let data =
            json!({ "priority": 10, "weight": 5, "port": 8806, "target": "Sip.example.com." });
        let srv = draft(&json!({ "type": "SRV", "name": "_sip._tcp", "data": data })).unwrap();
        assert_eq!(srv.to_string(), "10 5 8806 sip.example.com");
        let data = json!({ "flags": 0, "tag": "issue", "value": "letsencrypt.org" });
        let caa = draft(&json!({ "type": "CAA", "name": "@", "data": data })).unwrap();
        assert_eq!(caa.content, "0 issue \"letsencrypt.org\"");
    }

    #[test]
    fn a_proxied_record_has_an_automatic_ttl() {
        let body = json!({ "type": "A", "name": "a", "content": "203.0.113.1", "ttl": 300, "proxied": true });
        assert_eq!(draft(&body).unwrap().ttl, 1);
    }

    #[test]
    fn what_is_wrong_is_refused() {
        for body in [
            json!({ "type": "A", "name": "a", "content": "2001:db8::1" }),
            json!({ "type": "A", "name": "a", "content": "203.0.113.1", "ttl": 30 }),
            json!({ "type": "A", "name": "a", "content": "203.0.113.1", "tags": ["team:dns"] }),
            json!({ "type": "A", "name": "a", "content": "203.0.113.1", "comment": "x".repeat(101) }),
            json!({ "type": "MX", "name": "a", "content": "mail.example.com" }),
            json!({ "type": "TXT", "name": "a", "content": "x", "proxied": true }),
            json!({ "type": "SRV", "name": "_sip._tcp", "content": "5 8806 sip.example.com" }),
            json!({ "type": "WKS", "name": "a", "content": "x" }),
            json!({ "type": "CNAME", "name": "a..b", "content": "x.example.com" }),
        ] {
            assert!(draft(&body).is_err(), "{body}");
        }
    }
}

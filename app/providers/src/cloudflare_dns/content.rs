//! Contents of records in one normal form, so that two that mean the same are the same text.
//!
//! The form is the one people know from zone files: an address, a name, `10 mail.example.com` (MX),
//! `10 5 443 host` (SRV), `0 issue "letsencrypt.org"` (CAA); a TXT is its joined text. From a
//! record that the zone gave it is made by [`of`], and turned into what the API takes by [`fields`].

use std::net::{Ipv4Addr, Ipv6Addr};

use landfall_core::name::DnsName;
use serde_json::{Map, Value, json};

use super::api::ApiRecord;
use super::txt;

/// The type that a record may be proxied as: only these, says the vendor.
pub(super) fn is_proxiable(rtype: &str) -> bool {
    matches!(rtype, "A" | "AAAA" | "CNAME")
}

/// A host in its normal form; `.` alone means "none" (RFC 7505, RFC 2782). What is no name at all
/// stays as it is, in lower case: it is somebody else's and only compared.
pub(super) fn host(text: &str) -> String {
    if text == "." {
        return text.to_owned();
    }
    DnsName::new(text).map_or_else(|_| text.trim_end_matches('.').to_lowercase(), String::from)
}

/// The content of `record` in its normal form. A type that we do not write keeps its text.
pub(super) fn of(record: &ApiRecord) -> String {
    let content = record.content.as_str();
    let known = match record.rtype.as_str() {
        "A" => content.parse::<Ipv4Addr>().ok().map(|address| address.to_string()),
        "AAAA" => content.parse::<Ipv6Addr>().ok().map(|address| address.to_string()),
        "CNAME" | "NS" => Some(host(content)),
        "MX" => record.priority.map(|priority| format!("{priority} {}", host(content))),
        "SRV" => srv(record),
        "CAA" => caa(record),
        "TXT" => Some(txt::join(content)),
        _ => None,
    };
    known.unwrap_or_else(|| content.to_owned())
}

fn srv(record: &ApiRecord) -> Option<String> {
    if let Some(data) = &record.data {
        let number = |key: &str| data.get(key).and_then(Value::as_u64);
        let priority = number("priority").or(record.priority.map(u64::from))?;
        let (weight, port) = (number("weight")?, number("port")?);
        return Some(format!("{priority} {weight} {port} {}", host(data.get("target")?.as_str()?)));
    }
    // Without `data` the content is `weight port target`, with the priority beside it or in front.
    let words: Vec<&str> = record.content.split_whitespace().collect();
    match (words.as_slice(), record.priority) {
        ([weight, port, target], Some(priority)) => {
            Some(format!("{priority} {weight} {port} {}", host(target)))
        }
        ([priority, weight, port, target], _) => {
            Some(format!("{priority} {weight} {port} {}", host(target)))
        }
        _ => None,
    }
}

fn caa(record: &ApiRecord) -> Option<String> {
    if let Some(data) = &record.data {
        let text = |key: &str| data.get(key).and_then(Value::as_str);
        let flags = data.get("flags").and_then(Value::as_u64)?;
        return Some(caa_text(u8::try_from(flags).ok()?, text("tag")?, text("value")?));
    }
    let mut words = record.content.splitn(3, ' ');
    let (flags, tag, value) = (words.next()?, words.next()?, words.next()?);
    Some(caa_text(flags.parse().ok()?, tag, value.trim_matches('"')))
}

/// A CAA content in its normal form. Tags are matched without case (RFC 8659 section 4.1).
pub(super) fn caa_text(flags: u8, tag: &str, value: &str) -> String {
    format!("{flags} {} \"{value}\"", tag.to_lowercase())
}

/// The fields of a request body that carry `content`: `content`, and `priority` or `data` where
/// the type has them. None if the text is not of the type's form.
pub(super) fn fields(rtype: &str, content: &str) -> Option<Map<String, Value>> {
    let body = match rtype {
        "MX" => {
            let (priority, host) = content.split_once(' ')?;
            json!({ "content": host, "priority": priority.parse::<u16>().ok()? })
        }
        "SRV" => {
            let words: Vec<&str> = content.split(' ').collect();
            let [priority, weight, port, target] = words.as_slice() else { return None };
            let number = |text: &str| text.parse::<u16>().ok();
            json!({ "data": {
                "priority": number(priority)?, "weight": number(weight)?, "port": number(port)?, "target": target,
            }})
        }
        "CAA" => {
            let mut words = content.splitn(3, ' ');
            let (flags, tag, value) = (words.next()?, words.next()?, words.next()?);
            let value = value.strip_prefix('"')?.strip_suffix('"')?;
            json!({ "data": { "flags": flags.parse::<u8>().ok()?, "tag": tag, "value": value } })
        }
        "TXT" => json!({ "content": txt::quote(content) }),
        _ => json!({ "content": content }),
    };
    match body {
        Value::Object(map) => Some(map),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(value: &Value) -> ApiRecord {
        let mut full = json!({ "id": "1", "name": "x.example.com", "content": "", "ttl": 1 });
        let fields = value.as_object().unwrap().clone();
        full.as_object_mut().unwrap().extend(fields);
        serde_json::from_value(full).unwrap()
    }

    #[test]
    fn spellings_of_one_content_are_one_text() {
        for (given, wanted) in [
            (json!({ "type": "AAAA", "content": "2001:0DB8:0:0::1" }), "2001:db8::1"),
            (json!({ "type": "CNAME", "content": "Host.Example.COM." }), "host.example.com"),
            (json!({ "type": "CNAME", "content": "bücher.example" }), "xn--bcher-kva.example"),
            (
                json!({ "type": "MX", "content": "Mail.example.com", "priority": 10 }),
                "10 mail.example.com",
            ),
            (json!({ "type": "MX", "content": ".", "priority": 0 }), "0 ."),
            (json!({ "type": "TXT", "content": "\"a\" \"b\"" }), "ab"),
            (
                json!({ "type": "CAA", "content": "0 Issue \"ca.example\"" }),
                "0 issue \"ca.example\"",
            ),
            (
                json!({ "type": "CAA", "data": { "flags": 0, "tag": "issue", "value": "ca.example" } }),
                "0 issue \"ca.example\"",
            ),
            (
                json!({ "type": "SRV", "content": "5 443 H.example.com", "priority": 1 }),
                "1 5 443 h.example.com",
            ),
            (
                json!({ "type": "SRV", "data": { "priority": 1, "weight": 5, "port": 443, "target": "h.example.com." } }),
                "1 5 443 h.example.com",
            ),
            (json!({ "type": "HTTPS", "content": "1 . alpn=h2" }), "1 . alpn=h2"),
        ] {
            assert_eq!(of(&record(&given)), wanted, "{given}");
        }
    }

    #[test]
    fn what_is_sent_reads_back_as_the_same_content() {
        for (rtype, content) in [
            ("A", "192.0.2.1"),
            ("MX", "10 mail.example.com"),
            ("SRV", "1 5 443 h.example.com"),
            ("CAA", "128 iodef \"mailto:a@example.com\""),
            ("TXT", "say \"hi\""),
        ] {
            let mut fields = Value::Object(fields(rtype, content).unwrap());
            fields["type"] = rtype.into();
            assert_eq!(of(&record(&fields)), content);
        }
    }

    #[test]
    fn a_text_that_is_not_of_the_types_form_has_no_fields() {
        for (rtype, content) in
            [("MX", "mail"), ("MX", "70000 mail"), ("SRV", "1 2 3"), ("CAA", "0 issue x")]
        {
            assert_eq!(fields(rtype, content), None, "{rtype} {content}");
        }
    }
}

//! Values in words, as they stand in a diff and in a message.
//!
//! The keys of a value are a vendor's; people read those of the configuration. Nothing here is
//! escaped: what is shown came from a repository or a provider.

use std::borrow::Cow;

use super::Value;

/// A value in one line: what it holds first, then the rest, `192.168.1.50 (ttl 300)`. An automatic
/// TTL (0 at one vendor, 1 at the other) is not worth a word.
pub(crate) fn value_text(value: &Value) -> String {
    if !value.is_object() {
        return plain(value);
    }
    let fields = fields(value);
    let main = ["values", "service", "tunnel", "content"]
        .into_iter()
        .find_map(|key| fields.iter().find(|(name, _)| name == key));
    let automatic =
        |key: &str, value: &Value| key == "ttl" && matches!(value.as_u64(), Some(0 | 1));
    let worth_a_word = |value: &Value| !matches!(value, Value::Null | Value::Bool(false));
    let rest = fields
        .iter()
        .filter(|(key, value)| main.is_none_or(|(name, _)| key != name) && !automatic(key, value));
    let told = |(key, value): &(Cow<'_, str>, &Value)| match value {
        Value::Bool(true) => key.to_string(),
        value => format!("{key} {}", plain(value)),
    };
    let rest: Vec<String> = rest.filter(|(_, value)| worth_a_word(value)).map(told).collect();
    let main = main.map(|(_, value)| plain(value)).unwrap_or_default();
    match (main.is_empty(), rest.is_empty()) {
        (_, true) => main,
        (true, false) => rest.join(", "),
        (false, false) => format!("{main} ({})", rest.join(", ")),
    }
}

/// The fields of an object under the keys that they have in a service file, where the settings of
/// a rule's origin stand beside its address.
pub(crate) fn fields(value: &Value) -> Vec<(Cow<'_, str>, &Value)> {
    let map = value.as_object().into_iter().flatten();
    let fields = map.flat_map(|(key, value)| match (key.as_str(), value.as_object()) {
        ("origin_request", Some(settings)) => {
            settings.iter().map(|(key, value)| (as_written(key), value)).collect()
        }
        _ => vec![(as_written(key), value)],
    });
    fields.collect()
}

/// Part of a value in one line.
pub(crate) fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(plain).collect::<Vec<_>>().join(", "),
        Value::Object(_) => object(value),
        other => other.to_string(),
    }
}

/// An object within a value: `{priority 10, target mail.example.com}`; one field needs no braces.
/// A tunnel is told by its name, without the account that is the same for all of an environment.
fn object(value: &Value) -> String {
    let field = |(key, value): (Cow<'_, str>, &Value)| match (key.as_ref(), plain(value)) {
        ("tunnel", text) => format!("tunnel {}", text.rsplit('/').next().unwrap_or(&text)),
        (key, text) => format!("{key} {text}"),
    };
    let fields: Vec<String> = fields(value).into_iter().map(field).collect();
    match fields.as_slice() {
        [only] => only.clone(),
        fields => format!("{{{}}}", fields.join(", ")),
    }
}

/// A vendor's `noTLSVerify` as a service file has it: `no_tls_verify`.
fn as_written(key: &str) -> Cow<'_, str> {
    if !key.contains(|c: char| c.is_ascii_uppercase()) {
        return key.into();
    }
    // Cloudflare's own spelling, in which a word may be all capitals.
    let key = key.replace("SNIto", "SniTo").replace("TLS", "Tls");
    let mut written = String::with_capacity(key.len() + 4);
    for c in key.chars() {
        if c.is_ascii_uppercase() {
            written.push('_');
        }
        written.push(c.to_ascii_lowercase());
    }
    written.into()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_value_says_what_it_holds_first_and_nothing_automatic() {
        let record = json!({"values": ["10.0.0.1", "10.0.0.2"], "ttl": 300, "proxied": true});
        assert_eq!(value_text(&record), "10.0.0.1, 10.0.0.2 (proxied, ttl 300)");
        assert_eq!(value_text(&json!({"service": "http://nas.lan:80"})), "http://nas.lan:80");
        assert_eq!(
            value_text(&json!({"values": [{"priority": 10, "target": "mail"}], "ttl": 1})),
            "{priority 10, target mail}"
        );
        let alias = json!({"values": [{"tunnel": "0123456789abcdef/media"}], "proxied": true});
        assert_eq!(value_text(&alias), "tunnel media (proxied)");
    }

    #[test]
    fn the_settings_of_an_origin_are_called_as_in_a_service_file() {
        let settings = json!({"noTLSVerify": true, "matchSNItoHost": true, "tcpKeepAlive": 30});
        let rule = json!({"service": "https://nas.lan", "origin_request": settings});
        assert_eq!(
            value_text(&rule),
            "https://nas.lan (match_sni_to_host, no_tls_verify, tcp_keep_alive 30)"
        );
    }
}

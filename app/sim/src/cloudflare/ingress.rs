//! What makes a tunnel's configuration a bad one: the checks that cloudflared makes of its rules.

use regex::Regex;
use serde::Deserialize;
use serde_json::Value;

/// One rule of a tunnel, as it is stored.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct IngressRule {
    /// `None` or empty matches every hostname.
    #[serde(default)]
    pub hostname: Option<String>,
    /// A regular expression; `None` or empty matches every path.
    #[serde(default)]
    pub path: Option<String>,
    /// Where requests go: `http://nas.lan:8080`, `http_status:404`, ...
    pub service: String,
    /// How cloudflared talks to the origin.
    #[serde(default, rename = "originRequest")]
    pub origin_request: Option<Value>,
}

/// The rules of a configuration; none if it has none.
pub(super) fn rules(config: &Value) -> Result<Vec<IngressRule>, String> {
    let ingress = config.get("ingress").cloned().unwrap_or_else(|| Value::Array(Vec::new()));
    serde_json::from_value(ingress).map_err(|error| error.to_string())
}

/// Why cloudflared would not run with these rules.
pub(super) fn check(rules: &[IngressRule]) -> Result<(), String> {
    let Some((last, others)) = rules.split_last() else {
        return Err("The config file doesn't contain any ingress rules".to_owned());
    };
    for (number, rule) in (1..).zip(others) {
        if rule.matches_all() {
            let hostname = rule.hostname.as_deref().unwrap_or_default();
            return Err(format!(
                "Rule #{number} is matching the hostname '{hostname}', but this will match every hostname, \
                 meaning the rules which follow it will never be triggered."
            ));
        }
    }
    if !last.matches_all() {
        return Err("The last ingress rule must match all URLs (i.e. it should not have a hostname or path filter)"
            .to_owned());
    }
    (1..).zip(rules).try_for_each(|(number, rule)| {
        check_hostname(rule.hostname.as_deref().unwrap_or_default())?;
        check_path(number, rule.path.as_deref().unwrap_or_default())?;
        check_service(&rule.service)
    })
}

impl IngressRule {
    fn matches_all(&self) -> bool {
        matches!(self.hostname.as_deref(), None | Some("" | "*"))
            && self.path.as_deref().is_none_or(str::is_empty)
    }
}

fn check_hostname(hostname: &str) -> Result<(), String> {
    if hostname.contains(':') {
        return Err("Hostname cannot contain a port".to_owned());
    }
    let rest = hostname.strip_prefix("*.").unwrap_or(hostname);
    if rest.contains('*') && hostname != "*" {
        return Err("Hostname patterns can have at most one wildcard character (\"*\") and it can only be used for \
                    subdomains, e.g. \"*.example.com\""
            .to_owned());
    }
    Ok(())
}

/// It compiles with Go's `regexp`; ours is of the same family and takes nearly the same.
fn check_path(number: usize, path: &str) -> Result<(), String> {
    let invalid = |error| format!("Rule #{number} has an invalid regex: {error}");
    Regex::new(path).map(drop).map_err(invalid)
}

fn check_service(service: &str) -> Result<(), String> {
    if let Some(status) = service.strip_prefix("http_status:") {
        return match status.parse::<u16>() {
            Ok(100..=999) => Ok(()),
            _ => Err(format!("invalid HTTP status code: {status}")),
        };
    }
    let is_named = matches!(service, "hello_world" | "hello-world" | "socks-proxy" | "bastion");
    if is_named || service.starts_with("unix:/") || service.starts_with("unix+tls:/") {
        return Ok(());
    }
    let no_address = || {
        format!("{service} is an invalid address, please make sure it has a scheme and a hostname")
    };
    let (scheme, rest) = service.split_once("://").ok_or_else(no_address)?;
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if scheme.is_empty() || authority.is_empty() {
        return Err(no_address());
    }
    if authority.len() < rest.len() {
        return Err(format!(
            "{service} is an invalid address, ingress rules don't support proxying to a different path on the origin \
             service. The path will be the same as the eyeball request's path"
        ));
    }
    let port = match authority.rsplit_once(':') {
        Some((_, port)) if !port.ends_with(']') => port,
        _ => return Ok(()),
    };
    let valid = port.parse::<u16>().is_ok();
    valid
        .then_some(())
        .ok_or_else(|| format!("parse \"{service}\": invalid port \":{port}\" after host"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn verdict(ingress: &Value) -> Result<(), String> {
        check(&rules(&json!({ "ingress": ingress })).unwrap())
    }

    #[test]
    fn all_forms_of_services_are_taken() {
        let mut ingress: Vec<Value> = [
            "http://nas.lan:8080",
            "https://[2001:db8::1]:8443",
            "tcp://db.lan:5432",
            "ssh://nas.lan",
            "unix:/run/a.sock",
            "unix+tls:/run/a.sock",
            "hello_world",
            "bastion",
            "http_status:503",
            "https://[2001:db8::1]",
        ]
        .iter()
        .map(|service| json!({ "hostname": "a.example.com", "service": service }))
        .collect();
        ingress.push(json!({ "service": "http_status:404" }));
        verdict(&Value::Array(ingress)).unwrap();
    }

    #[test]
    fn bad_configurations_are_refused() {
        let last = json!({ "service": "http_status:404" });
        for (ingress, reason) in [
            (json!([]), "doesn't contain any ingress rules"),
            (
                json!([{ "hostname": "a.example.com", "service": "http://nas.lan" }]),
                "last ingress rule",
            ),
            (json!([{ "path": "/a", "service": "http://nas.lan" }]), "last ingress rule"),
            (json!([last, last]), "Rule #1 is matching"),
            (json!([{ "hostname": "a.*.com", "service": "http://nas.lan" }, last]), "wildcard"),
            (
                json!([{ "hostname": "a.com:80", "service": "http://nas.lan" }, last]),
                "cannot contain a port",
            ),
            (
                json!([{ "hostname": "a.com", "service": "http://nas.lan/x" }, last]),
                "different path",
            ),
            (
                json!([{ "hostname": "a.com", "service": "nas.lan:80" }, last]),
                "scheme and a hostname",
            ),
            (
                json!([{ "hostname": "a.com", "service": "http://nas.lan: 80" }, last]),
                "invalid port",
            ),
            (json!([{ "service": "http_status:99" }]), "invalid HTTP status"),
            (
                json!([{ "hostname": "a.com", "path": "api(", "service": "http://nas.lan" }, last]),
                "Rule #1 has an invalid regex",
            ),
        ] {
            let verdict = verdict(&ingress).unwrap_err();
            assert!(verdict.contains(reason), "{verdict}");
        }
    }
}

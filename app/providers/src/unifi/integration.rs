//! The Integration API: what the vendor describes and keys open. A record is a DNS policy, of a type
//! with exactly its own fields.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use landfall_core::name::MacAddress;
use landfall_os::http::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use super::device::{Addresses, Macs};
use super::pages::all;
use super::record::{Listed, Origin, Record, RecordType, quoted};
use super::session::{Ask, Session};
use crate::provider::ProviderError;
use crate::unifi_dns::srv_parts;

/// How many devices are asked for at once, so that the address of the request stays short.
const DEVICES: usize = 50;

#[derive(Deserialize)]
struct Site {
    id: String,
    #[serde(rename = "internalReference")]
    reference: String,
}

/// A policy of any type: what a type does not have is absent.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Policy {
    #[serde(rename = "type")]
    kind: String,
    id: String,
    enabled: bool,
    metadata: Metadata,
    domain: Option<String>,
    #[serde(default)]
    ttl_seconds: u32,
    ipv4_address: Option<String>,
    ipv6_address: Option<String>,
    target_domain: Option<String>,
    mail_server_domain: Option<String>,
    text: Option<String>,
    service: Option<String>,
    protocol: Option<String>,
    server_domain: Option<String>,
    ip_address: Option<String>,
    #[serde(default)]
    port: u16,
    #[serde(default)]
    priority: u16,
    #[serde(default)]
    weight: u16,
}

#[derive(Deserialize)]
struct Metadata {
    origin: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Client {
    mac_address: Option<String>,
    ip_address: Option<String>,
}

/// The uuid of the site with this name in older paths. It is for paths alone: the first site of
/// every console has the same one.
pub(super) async fn site(session: &Session, reference: &str) -> Result<String, ProviderError> {
    let sites: Vec<Site> = all(session, &Ask::get(["integration", "v1", "sites"])).await?;
    let names: Vec<String> = sites.iter().map(|site| site.reference.clone()).collect();
    let found = sites.into_iter().find(|site| site.reference == reference);
    found.map(|site| site.id).ok_or_else(|| super::no_site(reference, &names))
}

/// All records of the site with this uuid.
pub(super) async fn list(session: &Session, site: &str) -> Result<Vec<Listed>, ProviderError> {
    let policies: Vec<Policy> = all(session, &Ask::get(policies_path(site))).await?;
    policies.into_iter().filter_map(|policy| policy.listed().transpose()).collect()
}

/// The addresses that devices have now, of those that are connected.
pub(super) async fn addresses(
    session: &Session,
    site: &str,
    devices: &Macs,
) -> Result<Addresses, ProviderError> {
    let mut addresses = BTreeMap::new();
    let devices: Vec<&MacAddress> = devices.iter().collect();
    for some in devices.chunks(DEVICES) {
        let list: Vec<String> = some.iter().map(|mac| format!("'{mac}'")).collect();
        let filter = format!("macAddress.in({})", list.join(","));
        let ask = Ask::get(["integration", "v1", "sites", site, "clients"]).query("filter", filter);
        for client in all::<Client>(session, &ask).await? {
            let mac = client.mac_address.and_then(|mac| MacAddress::new(mac).ok());
            let address = client.ip_address.and_then(|ip| ip.parse::<Ipv4Addr>().ok());
            addresses.extend(mac.zip(address));
        }
    }
    Ok(addresses)
}

pub(super) fn create(
    site: &str,
    name: &str,
    rtype: RecordType,
    record: &Record,
) -> Result<Ask, String> {
    Ok(Ask::new(Method::POST, policies_path(site)).body(policy(name, rtype, record)?))
}

/// Replaces a policy in full: there is no partial update.
pub(super) fn change(
    site: &str,
    id: &str,
    name: &str,
    rtype: RecordType,
    record: &Record,
) -> Result<Ask, String> {
    Ok(Ask::new(Method::PUT, policy_path(site, id)).body(policy(name, rtype, record)?))
}

pub(super) fn policy_path(site: &str, id: &str) -> Vec<String> {
    let mut path = policies_path(site);
    path.push(id.to_owned());
    path
}

fn policies_path(site: &str) -> Vec<String> {
    ["integration", "v1", "sites", site, "dns", "policies"].map(str::to_owned).into()
}

/// A record as the API takes it: exactly the fields of its type, all of them.
fn policy(name: &str, rtype: RecordType, record: &Record) -> Result<Value, String> {
    let Record { text, ttl, enabled, origin: _ } = record;
    let odd = || format!("`{text}` is not the value of a {rtype} record");
    let words: Vec<&str> = text.split(' ').collect();
    let mut body = match rtype {
        RecordType::A => json!({ "type": "A_RECORD", "ipv4Address": text }),
        RecordType::Aaaa => json!({ "type": "AAAA_RECORD", "ipv6Address": text }),
        RecordType::Cname => json!({ "type": "CNAME_RECORD", "targetDomain": text }),
        RecordType::Txt => json!({ "type": "TXT_RECORD", "text": quoted(text) }),
        RecordType::Mx => {
            let [priority, host] = words[..] else { return Err(odd()) };
            json!({ "type": "MX_RECORD", "mailServerDomain": host, "priority": number(priority).ok_or_else(odd)? })
        }
        RecordType::Srv => {
            let [priority, weight, port, host] = words[..] else { return Err(odd()) };
            let (service, protocol, domain) = srv_parts(name).ok_or_else(odd)?;
            let [priority, weight, port] = [priority, weight, port].map(number);
            json!({
                "type": "SRV_RECORD", "domain": domain, "service": service, "protocol": protocol,
                "serverDomain": host, "port": port.ok_or_else(odd)?,
                "priority": priority.ok_or_else(odd)?, "weight": weight.ok_or_else(odd)?,
            })
        }
    };
    body["enabled"] = json!(enabled);
    if rtype.has_ttl() {
        body["ttlSeconds"] = json!(ttl);
    }
    if rtype != RecordType::Srv {
        body["domain"] = json!(name);
    }
    Ok(body)
}

fn number(text: &str) -> Option<u16> {
    text.parse().ok()
}

impl Policy {
    /// The record; none for a policy without a name, of a type that is not known here.
    fn listed(self) -> Result<Option<Listed>, ProviderError> {
        let Self { priority, weight, port, .. } = self;
        let (word, text) = match self.kind.as_str() {
            "A_RECORD" => ("A", self.ipv4_address),
            "AAAA_RECORD" => ("AAAA", self.ipv6_address),
            "CNAME_RECORD" => ("CNAME", self.target_domain),
            "TXT_RECORD" => ("TXT", self.text),
            "MX_RECORD" => ("MX", self.mail_server_domain.map(|host| format!("{priority} {host}"))),
            "SRV_RECORD" => {
                ("SRV", self.server_domain.map(|host| format!("{priority} {weight} {port} {host}")))
            }
            "FORWARD_DOMAIN" => ("NS", self.ip_address),
            other => (other, Some(String::new())),
        };
        let name = match (self.service, self.protocol, self.domain) {
            (_, _, None) if RecordType::named(word).is_none() => return Ok(None),
            (Some(service), Some(protocol), Some(domain)) => {
                Some(format!("{service}.{protocol}.{domain}"))
            }
            (_, _, domain) => domain,
        };
        let (Some(name), Some(text)) = (name, text) else {
            let message = format!("the console lists a {word} record without its fields");
            return Err(ProviderError::Unexpected(message));
        };
        let origin =
            if self.metadata.origin == "USER_DEFINED" { Origin::User } else { Origin::Console };
        let record = Record { text, ttl: self.ttl_seconds, enabled: self.enabled, origin };
        Ok(Some(Listed::new(self.id, &name, word, record)))
    }
}

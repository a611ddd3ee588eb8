//! DNS policies: the Integration API's form of records.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use http::{Method, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use super::super::console::Console;
use super::super::record::{Origin, RecordValue, UnifiContent, UnifiRecord};
use super::super::site::{Api, Refusal};
use super::{Problem, argument, listing, no_route};
use crate::call::{Call, Reply};

const LONGEST_NAME: usize = 127;
const LONGEST_TEXT: usize = 1024;
const LONGEST_TTL: u32 = 86_400;
const LONGEST_CNAME_TTL: u32 = 604_800;

/// A policy as it is sent and, with its id, answered. Every field is required.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Policy {
    enabled: bool,
    #[serde(flatten)]
    kind: PolicyKind,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "SCREAMING_SNAKE_CASE", rename_all_fields = "camelCase")]
enum PolicyKind {
    ARecord {
        domain: String,
        ipv4_address: Ipv4Addr,
        ttl_seconds: u32,
    },
    AaaaRecord {
        domain: String,
        ipv6_address: Ipv6Addr,
        ttl_seconds: u32,
    },
    CnameRecord {
        domain: String,
        target_domain: String,
        ttl_seconds: u32,
    },
    MxRecord {
        domain: String,
        mail_server_domain: String,
        priority: u16,
    },
    TxtRecord {
        domain: String,
        text: String,
    },
    SrvRecord {
        domain: String,
        service: String,
        protocol: String,
        server_domain: String,
        port: u16,
        priority: u16,
        weight: u16,
    },
    ForwardDomain {
        domain: String,
        ip_address: IpAddr,
    },
}

/// Answers what follows `/sites/{id}/dns/policies`.
pub(super) fn answer(
    console: &mut Console,
    place: usize,
    call: &Call,
    rest: &[&str],
) -> Result<Reply, Problem> {
    match (&call.method, rest) {
        (&Method::GET, []) => {
            let policies = console.sites[place].records.iter().map(policy_json).collect();
            listing::page(console, call, policies)
        }
        (&Method::POST, []) => {
            let content = content_of(call)?;
            let created = console.sites[place].create(&mut console.ids, content, Api::Integration);
            created
                .map(|record| Reply::json(StatusCode::CREATED, &policy_json(&record)))
                .map_err(problem)
        }
        (&Method::GET, [id]) => {
            let record = console.sites[place].find(argument(id)?);
            let record = record.ok_or_else(|| problem(Refusal::NotFound))?;
            Ok(Reply::json(StatusCode::OK, &policy_json(record)))
        }
        (&Method::PUT, [id]) => {
            let (id, content): (Uuid, _) = (argument(id)?, content_of(call)?);
            let replaced = console.sites[place].replace(id, content, Api::Integration);
            replaced
                .map(|record| Reply::json(StatusCode::OK, &policy_json(&record)))
                .map_err(problem)
        }
        (&Method::DELETE, [id]) => {
            let deleted = console.sites[place].delete(argument(id)?);
            deleted.map(|()| Reply::empty(StatusCode::OK)).map_err(problem)
        }
        _ => Err(no_route()),
    }
}

fn content_of(call: &Call) -> Result<UnifiContent, Problem> {
    let policy: Policy =
        call.json().map_err(|error| Problem::bad_request("api.request.body.invalid", error))?;
    let (domain, ttl) = policy.kind.limits();
    let length = 1..=LONGEST_NAME;
    let problem = match (&policy.kind, ttl) {
        _ if !length.contains(&domain.len()) => "domain: length must be between 1 and 127",
        (PolicyKind::CnameRecord { target_domain, .. }, _)
            if !length.contains(&target_domain.len()) =>
        {
            "targetDomain: length must be between 1 and 127"
        }
        (PolicyKind::TxtRecord { text, .. }, _) if text.is_empty() || text.len() > LONGEST_TEXT => {
            "text: length must be between 1 and 1024"
        }
        (_, Some((ttl, largest))) if ttl > largest => "ttlSeconds: out of range",
        _ => return Ok(content(policy)),
    };
    Err(Problem::bad_request("api.request.validation-failed", problem))
}

impl PolicyKind {
    /// The domain, and the time to live with its largest value.
    fn limits(&self) -> (&str, Option<(u32, u32)>) {
        match self {
            Self::ARecord { domain, ttl_seconds, .. }
            | Self::AaaaRecord { domain, ttl_seconds, .. } => {
                (domain, Some((*ttl_seconds, LONGEST_TTL)))
            }
            Self::CnameRecord { domain, ttl_seconds, .. } => {
                (domain, Some((*ttl_seconds, LONGEST_CNAME_TTL)))
            }
            Self::MxRecord { domain, .. }
            | Self::TxtRecord { domain, .. }
            | Self::SrvRecord { domain, .. }
            | Self::ForwardDomain { domain, .. } => (domain, None),
        }
    }
}

fn content(policy: Policy) -> UnifiContent {
    let (name, value, ttl) = match policy.kind {
        PolicyKind::ARecord { domain, ipv4_address, ttl_seconds } => {
            (domain, RecordValue::A(ipv4_address), ttl_seconds)
        }
        PolicyKind::AaaaRecord { domain, ipv6_address, ttl_seconds } => {
            (domain, RecordValue::Aaaa(ipv6_address), ttl_seconds)
        }
        PolicyKind::CnameRecord { domain, target_domain, ttl_seconds } => {
            (domain, RecordValue::Cname(target_domain), ttl_seconds)
        }
        PolicyKind::MxRecord { domain, mail_server_domain: server, priority } => {
            (domain, RecordValue::Mx { server, priority }, 0)
        }
        PolicyKind::TxtRecord { domain, text } => (domain, RecordValue::Txt(text), 0),
        PolicyKind::SrvRecord {
            domain,
            service,
            protocol,
            server_domain: server,
            port,
            priority,
            weight,
        } => (
            format!("{service}.{protocol}.{domain}"),
            RecordValue::Srv { server, port, priority, weight },
            0,
        ),
        PolicyKind::ForwardDomain { domain, ip_address } => {
            (domain, RecordValue::Forward(ip_address), 0)
        }
    };
    UnifiContent { name, value, ttl, enabled: policy.enabled }
}

fn policy_json(record: &UnifiRecord) -> Value {
    let UnifiContent { name, value, ttl, enabled } = record.content.clone();
    let (domain, ttl_seconds) = (name, ttl);
    let kind = match value {
        RecordValue::A(ipv4_address) => PolicyKind::ARecord { domain, ipv4_address, ttl_seconds },
        RecordValue::Aaaa(ipv6_address) => {
            PolicyKind::AaaaRecord { domain, ipv6_address, ttl_seconds }
        }
        RecordValue::Cname(target_domain) => {
            PolicyKind::CnameRecord { domain, target_domain, ttl_seconds }
        }
        RecordValue::Mx { server, priority } => {
            PolicyKind::MxRecord { domain, mail_server_domain: server, priority }
        }
        RecordValue::Txt(text) => PolicyKind::TxtRecord { domain, text },
        RecordValue::Srv { server, port, priority, weight } => {
            let mut labels = domain.splitn(3, '.').map(str::to_owned);
            let mut label = || labels.next().unwrap_or_default();
            let (service, protocol, domain) = (label(), label(), label());
            PolicyKind::SrvRecord {
                domain,
                service,
                protocol,
                server_domain: server,
                port,
                priority,
                weight,
            }
        }
        RecordValue::Forward(ip_address) => PolicyKind::ForwardDomain { domain, ip_address },
    };
    let origin = match record.origin {
        Origin::User => "USER_DEFINED",
        Origin::System => "SYSTEM_DEFINED",
    };
    let mut json = json!(Policy { enabled, kind });
    json["id"] = json!(record.id);
    json["metadata"] = json!({ "origin": origin });
    json
}

fn problem(refusal: Refusal) -> Problem {
    let (code, message) = match refusal {
        Refusal::AlreadyExists => {
            ("api.dns.policy.validation.record-already-exists", "DNS record already exists")
        }
        Refusal::CnameOverlaps => (
            "api.dns.policy.validation.cname-alias-overlap",
            "CNAME alias overlaps with other DNS records",
        ),
        Refusal::OverlapsWithLocalDns => (
            "api.dns.policy.validation.overlap-with-local-dns",
            "DNS record overlaps with a local DNS record",
        ),
        Refusal::CommaNotQuoted => (
            "api.dns.policy.validation.comma-not-quoted",
            "Text with commas must be enclosed in double quotes",
        ),
        Refusal::NotFound => {
            return Problem::not_found("api.dns.policy.not-found", "DNS policy does not exist");
        }
        // Unverified: what the console says about its own policies.
        Refusal::NotYours => {
            ("api.dns.policy.not-user-defined", "Only user defined policies can be changed")
        }
    };
    Problem::bad_request(code, message)
}

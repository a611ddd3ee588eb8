//! The Integration API: what the vendor describes as OpenAPI and keys open.
//!
//! Paths name a site by its UUID. Lists come in pages (`listing`) and take filters (`filter`);
//! a record is a DNS policy (`policy`).

use http::{Method, StatusCode};
use serde_json::{Value, json};
use uuid::Uuid;

use super::console::Console;
use super::device::{Device, Link};
use super::site::Site;
use crate::call::{Call, Reply};
use crate::ids::Ids;

mod filter;
mod listing;
mod policy;

/// An error in this API's words: HTTP status, code and message.
#[derive(Debug, Clone)]
struct Problem {
    status: StatusCode,
    code: &'static str,
    message: String,
}

impl Problem {
    fn bad_request(code: &'static str, message: impl Into<String>) -> Self {
        Self { status: StatusCode::BAD_REQUEST, code, message: message.into() }
    }

    fn not_found(code: &'static str, message: impl Into<String>) -> Self {
        Self { status: StatusCode::NOT_FOUND, code, message: message.into() }
    }
}

/// Answers what follows `/integration/v1/`.
pub(super) fn answer(console: &mut Console, call: &Call, rest: &[&str]) -> Reply {
    let outcome = match (&call.method, rest) {
        (&Method::GET, ["info"]) => Ok(Reply::json(
            StatusCode::OK,
            &json!({ "applicationVersion": console.settings.version }),
        )),
        (&Method::GET, ["sites"]) => {
            let sites = console.sites.iter().map(site_json).collect();
            listing::page(console, call, sites)
        }
        (_, ["sites", site, rest @ ..]) => in_site(console, call, site, rest),
        _ => Err(no_route()),
    };
    outcome.unwrap_or_else(|problem| problem_reply(console, call, &problem))
}

/// What the application itself says to a request without a key. UniFi OS usually says its own
/// before.
pub(super) fn missing_credentials(console: &mut Console, call: &Call) -> Reply {
    let problem = Problem {
        status: StatusCode::UNAUTHORIZED,
        code: "api.authentication.missing-credentials",
        message: "Missing credentials".to_owned(),
    };
    problem_reply(console, call, &problem)
}

fn in_site(
    console: &mut Console,
    call: &Call,
    site: &str,
    rest: &[&str],
) -> Result<Reply, Problem> {
    let id: Uuid = argument(site)?;
    let Some(place) = console.sites.iter().position(|site| site.id == id) else {
        return Err(Problem::not_found("api.site.not-found", format!("Site {id} does not exist")));
    };
    match (&call.method, rest) {
        (&Method::GET, ["clients"]) => {
            let site = &console.sites[place];
            let connected = site.devices.iter().filter(|device| device.is_connected());
            let clients = connected.map(|device| client_json(site, device, console)).collect();
            listing::page(console, call, clients)
        }
        (_, ["dns", "policies", rest @ ..]) if console.is_at_least(10, 1) => {
            policy::answer(console, place, call, rest)
        }
        _ => Err(no_route()),
    }
}

fn site_json(site: &Site) -> Value {
    json!({ "id": site.id, "internalReference": site.reference, "name": site.name })
}

fn client_json(site: &Site, device: &Device, console: &Console) -> Value {
    let kind = if matches!(device.link, Link::Wireless(_)) { "WIRELESS" } else { "WIRED" };
    let id = |what: &str| Ids::new(format!("{what} {} {}", site.id, device.mac)).uuid();
    let mut client = json!({
        "type": kind,
        "id": id("client"),
        "name": device.name,
        "connectedAt": seconds(console),
        "macAddress": device.mac,
        "uplinkDeviceId": id("uplink"),
        "access": { "type": "DEFAULT" },
    });
    if let Some(ip) = device.ip() {
        client["ipAddress"] = json!(ip);
    }
    client
}

fn argument(text: &str) -> Result<Uuid, Problem> {
    text.parse().map_err(|_| {
        Problem::bad_request(
            "api.request.argument-type-mismatch",
            format!("'{text}' is not a valid 'UUID' value"),
        )
    })
}

fn no_route() -> Problem {
    Problem::not_found("api.request.not-found", "No such resource")
}

fn problem_reply(console: &mut Console, call: &Call, problem: &Problem) -> Reply {
    let status_name = problem.status.canonical_reason().unwrap_or("UNKNOWN");
    let path = call.path.strip_prefix("/proxy/network").unwrap_or(&call.path);
    let body = json!({
        "statusCode": problem.status.as_u16(),
        "statusName": status_name.to_ascii_uppercase().replace(' ', "_"),
        "code": problem.code,
        "message": problem.message,
        "timestamp": seconds(console),
        "requestPath": path,
        "requestId": console.ids.uuid(),
    });
    Reply::json(problem.status, &body)
}

/// The time now, in whole seconds, as RFC 3339.
fn seconds(console: &Console) -> String {
    console.settings.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

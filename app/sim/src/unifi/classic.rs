//! The classic API, as far as it is about devices and sites: every answer is `{meta, data}`, and
//! errors say `rc: error`.

use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::console::Console;
use super::device::{Device, Link};
use super::site::Site;
use crate::call::{Call, Reply};

/// Answers what follows `/api/`.
pub(super) fn answer(console: &Console, call: &Call, rest: &[&str]) -> Reply {
    if call.method != Method::GET {
        return error(StatusCode::NOT_FOUND, "api.err.NotFound");
    }
    match rest {
        ["self", "sites"] => {
            let sites = console.sites.iter();
            let site_json = |site: &Site| json!({ "_id": site.legacy_id, "name": site.reference, "desc": site.name });
            found(sites.map(site_json))
        }
        ["s", site, rest @ ..] => {
            let Some(site) = console.sites.iter().find(|known| known.reference == *site) else {
                return error(StatusCode::BAD_REQUEST, "api.err.NoSiteContext");
            };
            in_site(console, &site.devices, rest)
        }
        _ => error(StatusCode::NOT_FOUND, "api.err.NotFound"),
    }
}

/// `GET /status`, which the application alone answers to anybody.
pub(super) fn status(console: &Console) -> Reply {
    let meta = json!({ "rc": "ok", "up": true, "server_version": console.settings.version });
    Reply::json(StatusCode::OK, &json!({ "meta": meta, "data": [] }))
}

/// What anybody gets who is not logged in.
pub(super) fn login_required() -> Reply {
    error(StatusCode::UNAUTHORIZED, "api.err.LoginRequired")
}

fn in_site(console: &Console, devices: &[Device], rest: &[&str]) -> Reply {
    match rest {
        ["stat", "sta"] => {
            found(devices.iter().filter(|device| device.is_connected()).map(device_json))
        }
        ["rest", "user"] => found(devices.iter().map(device_json)),
        ["stat", "user", mac] => {
            match devices.iter().find(|device| device.mac.eq_ignore_ascii_case(mac)) {
                Some(device) => found([device_json(device)]),
                None => error(StatusCode::BAD_REQUEST, "api.err.UnknownUser"),
            }
        }
        ["stat", "sysinfo"] => found([json!({ "version": console.settings.version })]),
        _ => error(StatusCode::NOT_FOUND, "api.err.NotFound"),
    }
}

fn device_json(device: &Device) -> Value {
    let mut json = json!({
        "mac": device.mac,
        "name": device.name,
        "hostname": device.name,
        "is_wired": matches!(device.link, Link::Wired(_)),
        "use_fixedip": device.fixed_ip.is_some(),
        "local_dns_record_enabled": device.local_dns_record.is_some(),
        "network_id": "5f0c1d2e3a4b5c6d7e8f9a0b",
    });
    let optional = [
        ("ip", device.ip().map(|ip| ip.to_string())),
        ("last_ip", device.last_ip.map(|ip| ip.to_string())),
        ("fixed_ip", device.fixed_ip.map(|ip| ip.to_string())),
        ("local_dns_record", device.local_dns_record.clone()),
    ];
    for (name, value) in optional {
        if let Some(value) = value {
            json[name] = json!(value);
        }
    }
    json
}

fn found(items: impl IntoIterator<Item = Value>) -> Reply {
    let items: Vec<_> = items.into_iter().collect();
    Reply::json(StatusCode::OK, &json!({ "meta": { "rc": "ok" }, "data": items }))
}

fn error(status: StatusCode, code: &str) -> Reply {
    Reply::json(status, &json!({ "meta": { "rc": "error", "msg": code }, "data": [] }))
}

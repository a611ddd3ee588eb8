//! Which request goes where: what UniFi OS answers itself, and the three APIs behind it.

use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::State;
use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode, Uri};
use serde_json::json;

use super::console::Console;
use super::door::{self, Proof};
use super::settings::{SessionsInIntegration, Software};
use super::{classic, integration, static_dns};
use crate::call::{Call, Reply};

/// Answers any request.
pub(super) async fn answer(
    State(console): State<Arc<Mutex<Console>>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Reply {
    let call = Call::new(method, &uri, headers, body);
    let console = &mut *console.lock().unwrap_or_else(PoisonError::into_inner);
    let reply = front(console, &call);
    match console.door.csrf_news(&call) {
        Some(token) => reply.with("x-updated-csrf-token", &token),
        None => reply,
    }
}

fn front(console: &mut Console, call: &Call) -> Reply {
    let pieces = call.pieces();
    match (console.settings.software, &call.method, pieces.as_slice()) {
        (Software::UnifiOs, &Method::GET, []) => Reply::html(StatusCode::OK, "UniFi OS"),
        (Software::SelfHosted, &Method::GET, []) => {
            Reply::empty(StatusCode::FOUND).with("location", "/manage")
        }
        (Software::UnifiOs, &Method::POST, ["api", "auth", "login"])
        | (Software::SelfHosted, &Method::POST, ["api", "login"]) => door::login(console, call),
        (Software::UnifiOs, _, ["proxy", "network", rest @ ..]) => {
            behind_unifi_os(console, call, rest)
        }
        (Software::UnifiOs, _, _) => Reply::html(StatusCode::NOT_FOUND, "404 Not Found"),
        (Software::SelfHosted, &Method::GET, ["status"]) => classic::status(console),
        (Software::SelfHosted, _, rest) => application(console, call, rest),
    }
}

/// UniFi OS lets nobody through to the application who is not known, and says so in its own words.
fn behind_unifi_os(console: &mut Console, call: &Call, rest: &[&str]) -> Reply {
    match console.door.proof(&console.settings, call) {
        Proof::Nothing => os_refusal(StatusCode::UNAUTHORIZED, "Unauthorized"),
        Proof::ForgedSession => os_refusal(StatusCode::FORBIDDEN, "Forbidden"),
        Proof::Key | Proof::Session => application(console, call, rest),
    }
}

fn application(console: &mut Console, call: &Call, rest: &[&str]) -> Reply {
    let proof = console.door.proof(&console.settings, call);
    match rest {
        ["integration", "v1", rest @ ..] if console.is_at_least(9, 1) => {
            let sessions = console.settings.sessions_in_integration;
            match (proof, sessions) {
                (Proof::Key, _) | (Proof::Session, SessionsInIntegration::Accepted) => {
                    integration::answer(console, call, rest)
                }
                _ => integration::missing_credentials(console, call),
            }
        }
        ["v2", "api", "site", site, rest @ ..] if console.is_at_least(8, 2) => match proof {
            Proof::Key | Proof::Session => static_dns::answer(console, call, site, rest),
            Proof::Nothing | Proof::ForgedSession => classic::login_required(),
        },
        ["api", rest @ ..] => match proof {
            Proof::Key | Proof::Session => classic::answer(console, call, rest),
            Proof::Nothing | Proof::ForgedSession => classic::login_required(),
        },
        _ => Reply::html(StatusCode::NOT_FOUND, "404 Not Found"),
    }
}

fn os_refusal(status: StatusCode, message: &str) -> Reply {
    Reply::json(status, &json!({ "error": { "code": status.as_u16(), "message": message } }))
}

//! Who may come in: API keys, logins, sessions and their CSRF tokens.

use http::StatusCode;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::json;

use super::console::Console;
use super::settings::{Software, UnifiSettings};
use crate::call::{Call, Reply};
use crate::ids::Ids;

/// What a console remembers of logins.
#[derive(Debug, Default)]
pub(super) struct Door {
    sessions: Vec<Session>,
    /// When somebody tried to log in.
    attempts: Vec<Timestamp>,
}

#[derive(Debug)]
struct Session {
    token: String,
    csrf: String,
    /// The CSRF token changed and the client was not yet told.
    csrf_is_news: bool,
}

/// How a request proves who it is from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Proof {
    Key,
    Session,
    /// A session, but a write without its CSRF token.
    ForgedSession,
    Nothing,
}

#[derive(Deserialize)]
struct Login {
    username: String,
    password: String,
}

impl Door {
    pub(super) fn proof(&self, settings: &UnifiSettings, call: &Call) -> Proof {
        let key = call.header("x-api-key");
        if key.is_some() && key == settings.api_key.as_deref() {
            return Proof::Key;
        }
        match self.session_of(call) {
            None => Proof::Nothing,
            Some(session)
                if call.writes() && call.header("x-csrf-token") != Some(&session.csrf) =>
            {
                Proof::ForgedSession
            }
            Some(_) => Proof::Session,
        }
    }

    /// The CSRF token that the caller does not know yet, once.
    pub(super) fn csrf_news(&mut self, call: &Call) -> Option<String> {
        let token = session_cookie(call)?;
        let session = self.sessions.iter_mut().find(|session| session.token == token)?;
        std::mem::take(&mut session.csrf_is_news).then(|| session.csrf.clone())
    }

    pub(super) fn end_sessions(&mut self) {
        self.sessions.clear();
    }

    pub(super) fn rotate_csrf_tokens(&mut self, ids: &mut Ids) {
        for session in &mut self.sessions {
            session.csrf = ids.hex(32);
            session.csrf_is_news = true;
        }
    }

    pub(super) fn attempts_ever(&self) -> usize {
        self.attempts.len()
    }

    fn session_of(&self, call: &Call) -> Option<&Session> {
        let token = session_cookie(call)?;
        self.sessions.iter().find(|session| session.token == token)
    }

    fn attempts_since(&self, time: Timestamp) -> usize {
        self.attempts.iter().filter(|attempt| **attempt > time).count()
    }
}

/// `POST /api/auth/login` of UniFi OS, `POST /api/login` of the application alone.
pub(super) fn login(console: &mut Console, call: &Call) -> Reply {
    let software = console.settings.software;
    let now = console.settings.clock.now();
    let recent = console.door.attempts_since(now - SignedDuration::from_secs(60));
    console.door.attempts.push(now);
    if recent >= console.settings.logins_per_minute {
        return refused(
            software,
            StatusCode::TOO_MANY_REQUESTS,
            "AUTHENTICATION_FAILED_LIMIT_REACHED",
        );
    }
    let Ok(login) = call.json::<Login>() else {
        return refused(software, StatusCode::BAD_REQUEST, "INVALID_REQUEST");
    };
    let known = console
        .settings
        .user
        .as_ref()
        .is_some_and(|user| user.name == login.username && user.password == login.password);
    if !known {
        let code = "AUTHENTICATION_FAILED_INVALID_CREDENTIALS";
        return refused(software, StatusCode::FORBIDDEN, code);
    }
    let (token, csrf) = (console.ids.hex(64), console.ids.hex(32));
    let reply = match software {
        Software::UnifiOs => Reply::json(StatusCode::OK, &json!({ "username": login.username })),
        Software::SelfHosted => {
            Reply::json(StatusCode::OK, &json!({ "meta": { "rc": "ok" }, "data": [] }))
        }
    };
    let reply = reply
        .with("set-cookie", &format!("TOKEN={token}; path=/; secure; httponly; samesite=strict"))
        .with("x-csrf-token", &csrf);
    console.door.sessions.push(Session { token, csrf, csrf_is_news: false });
    reply
}

fn refused(software: Software, status: StatusCode, code: &str) -> Reply {
    match software {
        Software::UnifiOs => {
            let message = code.replace('_', " ").to_ascii_lowercase();
            Reply::json(status, &json!({ "code": code, "message": message, "level": "debug" }))
        }
        Software::SelfHosted => {
            let body = json!({ "meta": { "rc": "error", "msg": "api.err.Invalid" }, "data": [] });
            // The application alone says 400 where UniFi OS says 403. Unverified.
            let status =
                if status == StatusCode::FORBIDDEN { StatusCode::BAD_REQUEST } else { status };
            Reply::json(status, &body)
        }
    }
}

fn session_cookie(call: &Call) -> Option<&str> {
    let cookies = call.header("cookie")?.split(';');
    cookies.map(str::trim).find_map(|cookie| cookie.strip_prefix("TOKEN="))
}

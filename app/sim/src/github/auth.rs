//! Who asks: app tokens signed with the App's key, installation tokens, and people's tokens.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use anyhow::Context;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, header};
use jiff::{SignedDuration, Timestamp};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde::Deserialize;

use super::Shared;
use super::model::{Access, Role};

/// The longest life of an app token, and how far its `iat` may lie ahead.
const LONGEST_LIFE: SignedDuration = SignedDuration::from_secs(600);
const SKEW: SignedDuration = SignedDuration::from_secs(60);

/// The public half of the App's key.
pub(crate) struct AppKey(DecodingKey);

impl fmt::Debug for AppKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AppKey")
    }
}

/// What an app token claims.
#[derive(Deserialize)]
struct Claims {
    iat: f64,
    exp: f64,
    iss: Issuer,
}

/// The App's id; GitHub takes it as a number and as text.
#[derive(Deserialize)]
#[serde(untagged)]
enum Issuer {
    Number(u64),
    Text(String),
}

impl AppKey {
    pub(crate) fn from_pem(pem: &str) -> anyhow::Result<AppKey> {
        DecodingKey::from_rsa_pem(pem.as_bytes())
            .map(AppKey)
            .context("the App's public key is no RSA key in PEM")
    }

    /// What is wrong with an app token, in GitHub's words.
    fn check(&self, token: &str, app: u64, now: Timestamp) -> Result<(), &'static str> {
        let mut validation = Validation::new(Algorithm::RS256);
        // Times are held against this simulator's clock below.
        validation.validate_exp = false;
        validation.required_spec_claims.clear();
        let claims = jsonwebtoken::decode::<Claims>(token, &self.0, &validation)
            .map_err(|_| "A JSON web token could not be decoded")?
            .claims;
        let now = now.as_second() as f64;
        if claims.iat > now + SKEW.as_secs_f64() {
            return Err(
                "'Issued at' claim ('iat') must be an Integer representing the time that the assertion was issued",
            );
        }
        if claims.exp <= now {
            return Err(
                "'Expiration time' claim ('exp') must be a numeric value representing the future time at which the assertion expires",
            );
        }
        if claims.exp > now + (LONGEST_LIFE + SKEW).as_secs_f64() {
            return Err("'Expiration time' claim ('exp') is too far in the future");
        }
        let issued_by_app = match claims.iss {
            Issuer::Number(id) => id == app,
            Issuer::Text(id) => id == app.to_string(),
        };
        if issued_by_app { Ok(()) } else { Err("Integration not found") }
    }
}

/// A token that was handed out.
#[derive(Debug, Clone)]
pub(crate) enum Token {
    Installation(Scope),
    Person(String),
}

/// What an installation token reaches.
#[derive(Debug, Clone)]
pub(crate) struct Scope {
    pub(crate) installation: u64,
    pub(crate) permissions: BTreeMap<String, Access>,
    /// `None`: all that the installation has.
    pub(crate) repositories: Option<BTreeSet<u64>>,
    pub(crate) expires_at: Timestamp,
}

/// Who sent a request.
#[derive(Debug, Clone)]
pub(crate) enum Caller {
    Nobody,
    App,
    Installation(Scope),
    Person(String),
}

/// Why a request's credentials are refused, in GitHub's words; the status is 401, or 403 for a
/// suspended installation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refused {
    Credentials(&'static str),
    Suspended,
}

impl Caller {
    /// The account in whose name the caller acts.
    pub(crate) fn login(&self, shared: &Shared) -> String {
        match self {
            Caller::Person(login) => login.clone(),
            Caller::Nobody | Caller::App | Caller::Installation(_) => shared.world().app.bot(),
        }
    }

    /// Whether the caller reaches a repository, and with `access` to one of the named permissions.
    /// No names: to reach it is enough. `None`: it does not even see it.
    pub(crate) fn may(
        &self,
        shared: &Shared,
        repository: u64,
        access: Access,
        permissions: &[&str],
    ) -> Option<bool> {
        let world = shared.world();
        let known = world.repositories.get(&repository)?;
        match self {
            Caller::Nobody | Caller::App => (!known.private).then_some(permissions.is_empty()),
            Caller::Person(login) => {
                let role = known.roles.get(login).copied();
                let role = role.or((!known.private).then_some(Role::Read))?;
                Some(access == Access::Read || permissions.is_empty() || role >= Role::Write)
            }
            Caller::Installation(scope) => {
                let installation = world.installations.get(&scope.installation)?;
                let covered = installation.repositories.contains(&repository)
                    && scope.repositories.as_ref().is_none_or(|only| only.contains(&repository));
                if !covered {
                    return (!known.private).then_some(permissions.is_empty());
                }
                let held = |name: &&str| scope.permissions.get(*name) >= Some(&access);
                Some(permissions.is_empty() || permissions.iter().any(held))
            }
        }
    }
}

/// Reads `Authorization`: `Bearer` and `token` as the API takes them, `Basic` as git sends it.
pub(crate) fn caller(shared: &Shared, headers: &HeaderMap) -> Result<Caller, Refused> {
    let Some(value) = headers.get(header::AUTHORIZATION) else { return Ok(Caller::Nobody) };
    let bad = Refused::Credentials("Bad credentials");
    let (scheme, secret) = value.to_str().map_err(|_| bad)?.split_once(' ').ok_or(bad)?;
    let secret = match scheme.to_ascii_lowercase().as_str() {
        "bearer" | "token" => secret.trim().to_owned(),
        "basic" => basic_password(secret).ok_or(bad)?,
        _ => return Err(bad),
    };
    if secret.starts_with("eyJ") {
        let app = shared.world().app.id;
        shared.key.check(&secret, app, shared.token_clock.now()).map_err(Refused::Credentials)?;
        return Ok(Caller::App);
    }
    let world = shared.world();
    match world.tokens.get(&secret) {
        Some(Token::Person(login)) => Ok(Caller::Person(login.clone())),
        Some(Token::Installation(scope)) => {
            let installation = world.installations.get(&scope.installation).ok_or(bad)?;
            if installation.suspended_at.is_some() {
                return Err(Refused::Suspended);
            }
            if scope.expires_at <= shared.token_clock.now() {
                return Err(bad);
            }
            Ok(Caller::Installation(scope.clone()))
        }
        None => Err(bad),
    }
}

fn basic_password(encoded: &str) -> Option<String> {
    let decoded = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (_user, password) = decoded.split_once(':')?;
    Some(password.to_owned())
}

/// The least that an App like this asks for.
pub(crate) fn usual_permissions() -> BTreeMap<String, Access> {
    [
        ("actions", Access::Read),
        ("metadata", Access::Read),
        ("contents", Access::Read),
        ("issues", Access::Write),
        ("pull_requests", Access::Write),
        ("checks", Access::Write),
        ("deployments", Access::Write),
        ("merge_queues", Access::Read),
        ("members", Access::Read),
    ]
    .map(|(name, access)| (name.to_owned(), access))
    .into()
}

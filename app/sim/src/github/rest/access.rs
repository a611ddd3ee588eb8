//! Who may do what: every handler's way to a repository.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Path, Request};
use http::StatusCode;
use http::request::Parts;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::reply::{Refusal, Reply};
use crate::github::Shared;
use crate::github::act::Repo;
use crate::github::auth::{Caller, Scope};
use crate::github::model::Access;

/// What a handler needs of the repository: a level of access, to any one of the permissions. No
/// permissions: to see the repository is enough.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Need {
    pub(crate) access: Access,
    pub(crate) permissions: &'static [&'static str],
}

/// To see the repository.
pub(crate) const METADATA: Need = Need { access: Access::Read, permissions: &[] };

pub(crate) const fn read(permissions: &'static [&'static str]) -> Need {
    Need { access: Access::Read, permissions }
}

pub(crate) const fn write(permissions: &'static [&'static str]) -> Need {
    Need { access: Access::Write, permissions }
}

/// The repository that a path names, together with who asks.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) caller: Caller,
    shared: Arc<Shared>,
    owner: String,
    name: String,
    /// The path below `/repos/owner/name`, with its slash, and the query.
    rest: String,
}

impl FromRequestParts<Arc<Shared>> for Asked {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, shared: &Arc<Shared>) -> Reply<Asked> {
        let caller = Caller::from_request_parts(parts, shared).await?;
        let Path(named) = Path::<Vec<(String, String)>>::from_request_parts(parts, shared)
            .await
            .map_err(|_| Refusal::not_found())?;
        let part = |wanted: &str| {
            let found = named.iter().find(|(name, _)| name == wanted);
            found.map(|(_, value)| value.clone()).unwrap_or_default()
        };
        let rest: String = parts
            .uri
            .path()
            .splitn(5, '/')
            .nth(4)
            .map(|rest| format!("/{rest}"))
            .unwrap_or_default();
        let query = parts.uri.query().map(|query| format!("?{query}")).unwrap_or_default();
        Ok(Asked {
            caller,
            shared: shared.clone(),
            owner: part("owner"),
            name: part("repo"),
            rest: rest + &query,
        })
    }
}

impl Asked {
    /// The repository, if it is there and the caller may do what is needed.
    pub(crate) fn repo(&self, need: Need) -> Reply<Repo> {
        let full_name = format!("{}/{}", self.owner, self.name);
        let id = {
            let world = self.shared.world();
            match world.repository_id(&full_name) {
                Some(id) => id,
                None => {
                    let moved = world.renamed.get(&full_name.to_ascii_lowercase()).copied();
                    return Err(moved.map_or_else(Refusal::not_found, |id| self.moved(id)));
                }
            }
        };
        match self.caller.may(&self.shared, id, need.access, need.permissions) {
            None => Err(Refusal::not_found()),
            Some(false) if matches!(self.caller, Caller::Nobody) => {
                Err(Refusal::unauthorized("Requires authentication"))
            }
            Some(false) => {
                let level = need.access.name();
                let accepted: Vec<String> =
                    need.permissions.iter().map(|name| format!("{name}={level}")).collect();
                Err(Refusal::forbidden(&accepted.join("; ")))
            }
            Some(true) if need.access == Access::Write && self.is_archived(id) => {
                let read_only = "Repository was archived so is read-only.";
                Err(Refusal::new(StatusCode::FORBIDDEN, read_only))
            }
            Some(true) => Ok(Repo::new(self.shared.clone(), id)),
        }
    }

    fn is_archived(&self, id: u64) -> bool {
        self.shared.world().repository(id).is_ok_and(|repository| repository.archived)
    }

    fn moved(&self, id: u64) -> Refusal {
        let to = format!("{}/repositories/{id}{}", self.shared.urls().api, self.rest);
        Refusal::new(StatusCode::MOVED_PERMANENTLY, "Moved Permanently")
            .with("location", &to)
            .saying("url", &to)
    }

    pub(crate) fn login(&self) -> String {
        self.caller.login(&self.shared)
    }
}

/// The App itself, proven by an app token.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AsApp;

impl FromRequestParts<Arc<Shared>> for AsApp {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, shared: &Arc<Shared>) -> Reply<AsApp> {
        match Caller::from_request_parts(parts, shared).await? {
            Caller::App => Ok(AsApp),
            _ => Err(Refusal::unauthorized("A JSON web token could not be decoded")),
        }
    }
}

/// An installation, proven by its token.
#[derive(Debug, Clone)]
pub(crate) struct AsInstallation(pub(crate) Scope);

impl FromRequestParts<Arc<Shared>> for AsInstallation {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, shared: &Arc<Shared>) -> Reply<AsInstallation> {
        match Caller::from_request_parts(parts, shared).await? {
            Caller::Installation(scope) => Ok(AsInstallation(scope)),
            Caller::Nobody => Err(Refusal::unauthorized("Requires authentication")),
            Caller::App | Caller::Person(_) => Err(Refusal::forbidden("")),
        }
    }
}

/// `dress` has read the credentials and left the caller in the request.
impl FromRequestParts<Arc<Shared>> for Caller {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &Arc<Shared>) -> Reply<Caller> {
        Ok(parts.extensions.get::<Caller>().cloned().unwrap_or(Caller::Nobody))
    }
}

/// A body of JSON, whatever content type it claims, as GitHub reads it.
#[derive(Debug, Clone)]
pub(crate) struct Body(pub(crate) Value);

impl Body {
    pub(crate) fn text(&self, field: &str) -> Option<&str> {
        self.0.get(field)?.as_str()
    }

    /// A text that the description requires.
    pub(crate) fn required(&self, field: &str) -> Reply<&str> {
        match self.0.get(field) {
            None => Err(Refusal::missing(field)),
            Some(Value::String(text)) => Ok(text),
            Some(_) => Err(Refusal::unfit(&format!("For '/{field}', it is not a string."))),
        }
    }

    /// A condition that is `default` unless said.
    pub(crate) fn flag(&self, field: &str, default: bool) -> bool {
        self.0.get(field).and_then(Value::as_bool).unwrap_or(default)
    }

    /// The whole body in the shape of `T`.
    pub(crate) fn read<T: DeserializeOwned>(&self) -> Reply<T> {
        serde_json::from_value(self.0.clone()).map_err(|error| Refusal::unfit(&error.to_string()))
    }
}

impl FromRequest<Arc<Shared>> for Body {
    type Rejection = Refusal;

    async fn from_request(request: Request, shared: &Arc<Shared>) -> Reply<Body> {
        let problem = || Refusal::new(StatusCode::BAD_REQUEST, "Problems parsing JSON");
        let bytes = Bytes::from_request(request, shared).await.map_err(|_| problem())?;
        if bytes.is_empty() {
            return Ok(Body(Value::Object(serde_json::Map::new())));
        }
        let value: Value = serde_json::from_slice(&bytes).map_err(|_| problem())?;
        if value.is_object() {
            return Ok(Body(value));
        }
        Err(Refusal::new(StatusCode::BAD_REQUEST, "Body should be a JSON object"))
    }
}

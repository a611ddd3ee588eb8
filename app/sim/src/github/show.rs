//! How the simulated GitHub shows what it knows: the JSON of the REST API and of webhooks, with
//! every field that the descriptions require. Pure functions of the world; a client that depends on
//! a field finds it here or nowhere.

use serde_json::{Map, Value, json};

use super::model::{Repository, User};
use super::world::World;

mod app;
mod check;
mod comment;
mod commit;
mod deployment;
mod issue;
mod pull;
mod repository;
mod user;

pub(crate) use app::permissions;
pub(crate) use check::annotation;

/// The two addresses that every link begins with.
#[derive(Debug, Clone)]
pub(crate) struct Urls {
    pub(crate) web: String,
    pub(crate) api: String,
}

impl Urls {
    pub(crate) fn new(web: String, api: String) -> Urls {
        Urls { web, api }
    }

    /// Before the listeners have their ports; no answer is given then.
    pub(crate) fn unknown() -> Urls {
        Urls::new("http://127.0.0.1".to_owned(), "http://127.0.0.1".to_owned())
    }
}

/// The world as somebody outside sees it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct View<'a> {
    pub(crate) world: &'a World,
    pub(crate) urls: &'a Urls,
}

impl<'a> View<'a> {
    fn person(self, login: &str) -> User {
        self.world.user(login)
    }

    /// `https://api.../repos/owner/name`
    pub(crate) fn repository_api(self, repository: &Repository) -> String {
        format!("{}/repos/{}", self.urls.api, repository.full_name())
    }

    /// `https://github.com/owner/name`
    pub(crate) fn repository_web(self, repository: &Repository) -> String {
        format!("{}/{}", self.urls.web, repository.full_name())
    }

    /// What somebody is to a repository. It is no permission: a `COLLABORATOR` may have read only.
    fn association(self, repository: &Repository, login: &str) -> &'static str {
        if repository.owner == login {
            "OWNER"
        } else if repository.roles.contains_key(login) {
            "COLLABORATOR"
        } else {
            "NONE"
        }
    }
}

/// A node id: opaque to clients, so it only has to be unique and stable.
pub(crate) fn node_id(prefix: &str, id: u64) -> String {
    format!("{prefix}_kgDO{id:08x}")
}

fn link(href: &str) -> Value {
    json!({ "href": href })
}

/// One object with the fields of all `parts`.
fn joined<const N: usize>(parts: [Value; N]) -> Value {
    let mut shown = Map::new();
    for part in parts {
        if let Value::Object(part) = part {
            shown.extend(part);
        }
    }
    Value::Object(shown)
}

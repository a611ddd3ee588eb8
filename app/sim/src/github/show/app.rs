//! The App and its installations.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::user::kind_name;
use super::{View, node_id};
use crate::github::model::{Access, Installation, Repository};

impl View<'_> {
    pub(crate) fn app(self) -> Value {
        let app = &self.world.app;
        json!({
            "id": app.id,
            "slug": app.slug,
            "client_id": format!("Iv23li{:014}", app.id),
            "node_id": node_id("A", app.id),
            "owner": self.user(&app.owner),
            "name": app.slug,
            "description": "",
            "external_url": format!("{}/apps/{}", self.urls.web, app.slug),
            "html_url": format!("{}/apps/{}", self.urls.web, app.slug),
            "created_at": app.created_at,
            "updated_at": app.created_at,
            "permissions": permissions(&app.permissions),
            "events": app.events,
            "installations_count": self.world.installations.len(),
        })
    }

    pub(crate) fn installation(self, installation: &Installation) -> Value {
        let app = &self.world.app;
        let account = self.world.user(&installation.account);
        let suspended = installation.suspended_at;
        json!({
            "id": installation.id,
            "client_id": format!("Iv23li{:014}", app.id),
            "account": self.simple_user(&account),
            "repository_selection": installation.chosen.name(),
            "access_tokens_url": format!("{}/app/installations/{}/access_tokens", self.urls.api, installation.id),
            "repositories_url": format!("{}/installation/repositories", self.urls.api),
            "html_url": format!("{}/settings/installations/{}", self.urls.web, installation.id),
            "app_id": app.id,
            "app_slug": app.slug,
            "target_id": account.id,
            "target_type": kind_name(account.kind),
            "permissions": permissions(&installation.permissions),
            "events": app.events,
            "created_at": installation.created_at,
            "updated_at": installation.created_at,
            "single_file_name": null,
            "has_multiple_single_files": false,
            "single_file_paths": [],
            "suspended_by": suspended.map(|_| self.simple_user(&account)),
            "suspended_at": suspended,
        })
    }

    /// The installation as events about a repository carry it.
    pub(crate) fn installation_of(self, repository: &Repository) -> Option<Value> {
        let id = self.world.installation_of(repository.id)?.id;
        Some(json!({ "id": id, "node_id": node_id("MDIz", id) }))
    }

    pub(crate) fn organization(self, login: &str) -> Value {
        let user = self.world.user(login);
        let api = format!("{}/orgs/{login}", self.urls.api);
        json!({
            "login": login,
            "id": user.id,
            "node_id": node_id("O", user.id),
            "url": api,
            "repos_url": format!("{api}/repos"),
            "events_url": format!("{api}/events"),
            "hooks_url": format!("{api}/hooks"),
            "issues_url": format!("{api}/issues"),
            "members_url": format!("{api}/members{{/member}}"),
            "public_members_url": format!("{api}/public_members{{/member}}"),
            "avatar_url": format!("{}/avatars/{}", self.urls.web, user.id),
            "description": null,
        })
    }
}

pub(crate) fn permissions(permissions: &BTreeMap<String, Access>) -> Value {
    permissions.iter().map(|(name, access)| (name.clone(), Value::from(access.name()))).collect()
}

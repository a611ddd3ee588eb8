//! Accounts.

use serde_json::{Value, json};

use super::{View, node_id};
use crate::github::model::{User, UserKind};

impl View<'_> {
    pub(crate) fn user(self, login: &str) -> Value {
        self.simple_user(&self.person(login))
    }

    pub(crate) fn simple_user(self, user: &User) -> Value {
        let User { id, login, kind } = user;
        // An address has no brackets: `landfall[bot]` is escaped where it is a path, and its page is the App's.
        let escaped = login.replace('[', "%5B").replace(']', "%5D");
        let api = format!("{}/users/{escaped}", self.urls.api);
        let page = match kind {
            UserKind::Bot => format!("apps/{}", login.trim_end_matches("[bot]")),
            UserKind::Person | UserKind::Organization => login.clone(),
        };
        json!({
            "login": login,
            "id": id,
            "node_id": node_id("U", *id),
            "avatar_url": format!("{}/avatars/{id}", self.urls.web),
            "gravatar_id": "",
            "url": api,
            "html_url": format!("{}/{page}", self.urls.web),
            "followers_url": format!("{api}/followers"),
            "following_url": format!("{api}/following{{/other_user}}"),
            "gists_url": format!("{api}/gists{{/gist_id}}"),
            "starred_url": format!("{api}/starred{{/owner}}{{/repo}}"),
            "subscriptions_url": format!("{api}/subscriptions"),
            "organizations_url": format!("{api}/orgs"),
            "repos_url": format!("{api}/repos"),
            "events_url": format!("{api}/events{{/privacy}}"),
            "received_events_url": format!("{api}/received_events"),
            "type": kind_name(*kind),
            "site_admin": false,
        })
    }
}

pub(super) fn kind_name(kind: UserKind) -> &'static str {
    match kind {
        UserKind::Person => "User",
        UserKind::Organization => "Organization",
        UserKind::Bot => "Bot",
    }
}

//! Creating an App from a manifest, as a browser is led through it.
//!
//! The manifest is posted by the browser of whoever is to own the App; GitHub sends it back with a
//! code, which is good for one hour and one use; the code is exchanged here for the App's key and
//! secret. Source: <https://docs.github.com/apps/sharing-github-apps/registering-a-github-app-from-a-manifest>.

use std::collections::BTreeMap;
use std::fmt;

use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use url::Url;

use crate::actor::AppId;
use crate::app::{SettingsError, Timeouts, decode};
use crate::error::GithubError;
use crate::needs::{EVENTS, PERMISSIONS};
use crate::transport::{Call, Credentials, Path, Transport};

/// What an App is to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Manifest {
    name: String,
    url: Url,
    hook_attributes: HookAttributes,
    redirect_url: Url,
    description: &'static str,
    /// For the owner's repositories alone.
    public: bool,
    default_permissions: BTreeMap<&'static str, &'static str>,
    default_events: Vec<&'static str>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct HookAttributes {
    url: Url,
    /// GitHub logs what it could not deliver only where it tries.
    active: bool,
}

impl Manifest {
    /// An App with what Landfall needs and nothing else: `name`, of which GitHub has one in the world;
    /// `home`, a page for people; `hook`, where deliveries go; `back`, where the browser comes back to.
    #[must_use]
    pub fn new(name: String, home: Url, hook: Url, back: Url) -> Self {
        Self {
            name,
            url: home,
            hook_attributes: HookAttributes { url: hook, active: true },
            redirect_url: back,
            description: "Plans and applies what services need, reviewed on pull requests.",
            public: false,
            default_permissions: PERMISSIONS.iter().map(|p| (p.name, p.asked.as_str())).collect(),
            default_events: EVENTS.iter().map(|subscription| subscription.event).collect(),
        }
    }
}

/// Whose an App is to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Owner {
    /// Whoever sits at the browser.
    Person,
    /// An organisation, by its login.
    Organization(String),
}

/// Where a browser posts the manifest on the server at `web`, as the field `manifest`.
#[must_use]
pub fn form_address(web: &Url, owner: &Owner, state: &str) -> Url {
    let mut address = web.clone();
    if let Ok(mut segments) = address.path_segments_mut() {
        segments.pop_if_empty();
        if let Owner::Organization(login) = owner {
            segments.extend(["organizations", login]);
        }
        segments.extend(["settings", "apps", "new"]);
    }
    address.query_pairs_mut().append_pair("state", state);
    address
}

/// An App that was created.
#[derive(Deserialize)]
#[serde(from = "Converted")]
pub struct Created {
    /// Its number.
    pub id: AppId,
    /// Its name.
    pub name: String,
    /// Its public page.
    pub page: Url,
    /// Its private key, PEM.
    pub private_key: SecretString,
    /// What deliveries are signed with; GitHub does not always make one.
    pub webhook_secret: Option<SecretString>,
}

/// GitHub's answer. It has no Debug, and lives for a line.
#[derive(Deserialize)]
struct Converted {
    id: AppId,
    name: String,
    html_url: Url,
    pem: String,
    webhook_secret: Option<String>,
}

impl From<Converted> for Created {
    fn from(converted: Converted) -> Self {
        let Converted { id, name, html_url, pem, webhook_secret } = converted;
        Self {
            id,
            name,
            page: html_url,
            private_key: pem.into(),
            webhook_secret: webhook_secret.map(SecretString::from),
        }
    }
}

impl fmt::Debug for Created {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Created").field("id", &self.id).finish_non_exhaustive()
    }
}

/// What can go wrong while a code is exchanged.
#[derive(Debug, thiserror::Error)]
pub enum ExchangeError {
    /// The API's address cannot be used.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// GitHub did not answer, or not with an App.
    #[error(transparent)]
    Github(#[from] GithubError),
}

/// Exchanges the code that GitHub sent the browser back with. It is good once, whatever comes of it.
///
/// # Errors
/// As every write. [`NotFound`](crate::Failure::NotFound) for a code that GitHub does not know, or not any more.
pub async fn exchange(
    api_url: &Url,
    timeouts: Timeouts,
    code: &str,
) -> Result<Created, ExchangeError> {
    let Timeouts { connect, read, whole } = timeouts;
    let transport = Transport::new(api_url, connect, read, whole)
        .map_err(|error| SettingsError::Client(error.to_string()))?;
    let path = Path::new("app-manifests").then(code).then("conversions");
    let call = Call::post_nothing(path);
    // The code is as good as the key for as long as it lives, so no error repeats it.
    let named = "POST /app-manifests/{code}/conversions";
    let answer = transport.send(&call, Credentials::none()).await;
    let answer = answer.map_err(|failure| failure.on(named))?;
    let created = decode(&call, &answer, jiff::Timestamp::now());
    Ok(created.map_err(|GithubError { failure, .. }| failure.on(named))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        text.parse().unwrap()
    }

    #[test]
    fn a_manifest_asks_for_the_least() {
        let home = url("https://landfall.example.com/");
        let hook = url("https://landfall.example.com/webhook");
        let back = url("http://127.0.0.1:8080/setup/callback");
        let manifest = Manifest::new("landfall-acme".to_owned(), home, hook, back);
        let shown = serde_json::to_value(manifest).unwrap();
        assert_eq!(shown["public"], false);
        assert_eq!(shown["hook_attributes"]["active"], true);
        assert_eq!(shown["default_permissions"]["contents"], "read");
        let events: Vec<&str> =
            shown["default_events"].as_array().unwrap().iter().filter_map(|e| e.as_str()).collect();
        // GitHub refuses a manifest that names events which every App gets.
        assert!(!events.iter().any(|event| event.starts_with("installation")));
    }

    #[test]
    fn the_form_goes_to_the_owner_s_page_on_whichever_server() {
        let github = url("https://github.com");
        let address = form_address(&github, &Owner::Person, "a&b");
        assert_eq!(address.as_str(), "https://github.com/settings/apps/new?state=a%26b");
        let acme = Owner::Organization("acme/../x".to_owned());
        let address = form_address(&url("https://ghe.acme.lan/git/"), &acme, "s");
        assert_eq!(
            address.as_str(),
            "https://ghe.acme.lan/git/organizations/acme%2F..%2Fx/settings/apps/new?state=s"
        );
    }
}

//! How the App is registered at GitHub, for whoever looks after it: its permissions and events, its
//! hook, and what time GitHub has.

use std::collections::{BTreeMap, BTreeSet};

use http::header;
use jiff::SignedDuration;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Value, json};
use url::Url;

use super::{App, AppId};
use crate::error::GithubError;
use crate::transport::{Answer, Call, Credentials, Path};

/// The App as it is registered.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Registration {
    /// Its number.
    pub id: AppId,
    /// Its name.
    pub name: String,
    /// Its public page: `https://github.com/apps/landfall`.
    #[serde(rename = "html_url")]
    pub page: Url,
    /// What it asks every owner for: names of permissions and their levels.
    #[serde(default)]
    pub permissions: BTreeMap<String, String>,
    /// What it is subscribed to.
    #[serde(default)]
    pub events: BTreeSet<String>,
}

/// How the App's hook is set.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Hook {
    /// Where deliveries go; empty where nobody said.
    #[serde(default)]
    pub url: String,
    /// `json` or `form`.
    #[serde(default)]
    pub content_type: String,
    /// Whether deliveries are signed. The secret itself never comes back.
    #[serde(default, rename = "secret", deserialize_with = "is_there")]
    pub signed: bool,
    /// Whether GitHub looks at the certificate of whoever it delivers to.
    #[serde(default, rename = "insecure_ssl", deserialize_with = "is_checked")]
    pub verified: Verified,
}

/// Whether certificates are looked at.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Verified {
    /// They are.
    #[default]
    Checked,
    /// They are not: anybody on the way can read what is delivered.
    Unchecked,
}

fn is_there<'de, D: serde::Deserializer<'de>>(value: D) -> Result<bool, D::Error> {
    Ok(Option::<IgnoredAny>::deserialize(value)?.is_some())
}

/// GitHub writes this flag as a number or as text.
fn is_checked<'de, D: serde::Deserializer<'de>>(value: D) -> Result<Verified, D::Error> {
    Ok(match Value::deserialize(value)? {
        Value::String(text) if text != "0" => Verified::Unchecked,
        Value::Number(number) if number.as_u64() != Some(0) => Verified::Unchecked,
        _ => Verified::Checked,
    })
}

impl App {
    /// How the App is registered now. Unlike [`App::identity`] this is asked each time.
    ///
    /// # Errors
    /// As every call.
    pub async fn registration(&self) -> Result<Registration, GithubError> {
        self.as_app(Call::get(Path::new("app"))).await
    }

    /// How its hook is set.
    ///
    /// # Errors
    /// As every call.
    pub async fn hook(&self) -> Result<Hook, GithubError> {
        self.as_app(Call::get(hook_config())).await
    }

    /// Has deliveries signed with `secret` and sent as JSON from now on.
    ///
    /// # Errors
    /// As every write.
    pub async fn sign_deliveries(&self, secret: &SecretString) -> Result<Hook, GithubError> {
        let body = json!({ "content_type": "json", "secret": secret.expose_secret() });
        self.as_app(Call::patch(hook_config(), body)).await
    }

    /// Has deliveries sent as JSON from now on.
    ///
    /// # Errors
    /// As every write.
    pub async fn deliver_json(&self) -> Result<Hook, GithubError> {
        self.as_app(Call::patch(hook_config(), json!({ "content_type": "json" }))).await
    }

    /// How far this machine's clock is ahead of GitHub's, in whole seconds; none where GitHub does
    /// not say. Asked without credentials, because a clock that is wrong has them refused.
    ///
    /// # Errors
    /// As every call, but every answer is one.
    pub async fn clock_skew(&self) -> Result<Option<SignedDuration>, GithubError> {
        let call = Call::get(Path::new("meta"));
        let answer = self.transport().send(&call, Credentials::none()).await;
        let answer = answer.map_err(|failure| failure.on(call.to_string()))?;
        Ok(self.skew(&answer))
    }

    /// How far our clock was ahead of GitHub's when `answer` came.
    pub(super) fn skew(&self, answer: &Answer) -> Option<SignedDuration> {
        let date = answer.headers.get(header::DATE)?.to_str().ok()?;
        let date = jiff::fmt::rfc2822::parse(date).ok()?.timestamp();
        Some(SignedDuration::from_secs(self.now().duration_since(date).as_secs()))
    }
}

fn hook_config() -> Path {
    Path::new("app").then("hook").then("config")
}

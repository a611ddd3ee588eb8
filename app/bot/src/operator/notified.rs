//! Who is notified of runs beside GitHub: the targets that the operator names, and of what each
//! wants to hear.
//!
//! The URL of a chat's incoming webhook lets whoever knows it write there, so it is a secret: the
//! file has a reference to it, and nothing but the request itself has the URL.

use std::path::Path;

use landfall_core::config::secret::SecretRef;
use landfall_core::name::{EnvironmentName, RepositoryName};
use landfall_core::report::RunStage;
use landfall_secrets::Policy;
use serde::{Deserialize, Deserializer, Serialize};

/// A target.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NotificationTarget {
    /// What it is called here and in the log.
    pub name: TargetName,
    /// Where it is: a reference to the URL.
    #[serde(deserialize_with = "reference")]
    pub url: SecretRef,
    /// What it understands.
    pub format: Format,
    /// The repositories that it hears of; all of them if none is named.
    #[serde(default)]
    repositories: Vec<Repositories>,
    /// The environments that it hears of; all of them if none is named.
    #[serde(default)]
    environments: Vec<EnvironmentName>,
    /// What it hears of: whatever needs somebody, unless said otherwise.
    #[serde(default = "needs_somebody")]
    on: Vec<Event>,
    /// Whether the URL may begin with `http:`. Whoever listens on the way then learns it.
    #[serde(default)]
    pub allow_http: bool,
}

/// The name of a target: letters, digits, `-` and `_`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct TargetName(String);

impl TryFrom<String> for TargetName {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        match name.len() {
            1..=64 if name.chars().all(plain) => Ok(Self(name)),
            _ => Err("a target's name is made of up to 64 letters, digits, `-` and `_`".to_owned()),
        }
    }
}

impl std::fmt::Display for TargetName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a target understands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// Slack's incoming webhooks.
    Slack,
    /// Discord's webhooks.
    Discord,
    /// A program: what happened, field by field.
    Json,
}

/// What may be heard of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// It waits for a person.
    Held,
    /// Not all of it could be applied, or nothing could be planned.
    Failed,
    /// Nobody knows what came of a step.
    NeedsAttention,
    /// Everything is as the commit says.
    Succeeded,
}

impl Event {
    /// What a stage of a run is to those who are notified; none for those on the way.
    #[must_use]
    pub fn of(stage: &RunStage) -> Option<Self> {
        match stage {
            RunStage::Held(_) => Some(Self::Held),
            RunStage::Failed(_) | RunStage::Orphaned(_) | RunStage::Invalid(_) => {
                Some(Self::Failed)
            }
            RunStage::NeedsAttention(_) => Some(Self::NeedsAttention),
            RunStage::Succeeded => Some(Self::Succeeded),
            RunStage::Running | RunStage::Superseded(_) | RunStage::Cancelled(_) => None,
        }
    }

    /// As it is written in the operator file.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Held => "held",
            Self::Failed => "failed",
            Self::NeedsAttention => "needs_attention",
            Self::Succeeded => "succeeded",
        }
    }
}

fn needs_somebody() -> Vec<Event> {
    vec![Event::Held, Event::Failed, Event::NeedsAttention]
}

/// `acme/homelab`, or `acme/*` for all of an account. GitHub does not tell upper from lower case.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
enum Repositories {
    One(RepositoryName),
    Of(String),
}

impl TryFrom<String> for Repositories {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let wrong = || format!("`{text}` is neither `owner/name` nor `owner/*`");
        match text.strip_suffix("/*") {
            // Whoever may own one repository may own all of them.
            Some(owner) => match RepositoryName::new(format!("{owner}/x")) {
                Ok(_) => Ok(Self::Of(owner.to_owned())),
                Err(_) => Err(wrong()),
            },
            None => text.parse().map(Self::One).map_err(|_| wrong()),
        }
    }
}

impl Repositories {
    fn have(&self, repository: &RepositoryName) -> bool {
        match self {
            Self::One(one) => one.as_str().eq_ignore_ascii_case(repository.as_str()),
            Self::Of(owner) => owner.eq_ignore_ascii_case(repository.owner()),
        }
    }
}

impl NotificationTarget {
    /// Whether it hears of this.
    #[must_use]
    pub fn hears_of(
        &self,
        repository: &RepositoryName,
        environment: &EnvironmentName,
        event: Event,
    ) -> bool {
        let (repositories, environments) = (&self.repositories, &self.environments);
        (repositories.is_empty() || repositories.iter().any(|some| some.have(repository)))
            && (environments.is_empty() || environments.contains(environment))
            && self.on.contains(&event)
    }

    /// What its reference may reach. The operator wrote it, so a file in any folder will do.
    #[must_use]
    pub fn policy(&self) -> Policy {
        let folder = Path::new(self.url.path()).parent().filter(|_| self.url.backend() == "file");
        Policy { folders: folder.into_iter().map(Path::to_owned).collect(), ..Policy::default() }
    }
}

fn reference<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SecretRef, D::Error> {
    let text = String::deserialize(deserializer)?;
    SecretRef::parse(&text).map_err(serde::de::Error::custom)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHAT: &str =
        "name = \"chat\"\nurl = \"ref+env://LANDFALL_SECRET_CHAT\"\nformat = \"slack\"\n";

    fn target(more: &str) -> NotificationTarget {
        toml::from_str(&format!("{CHAT}{more}")).unwrap()
    }

    fn hears(
        target: &NotificationTarget,
        repository: &str,
        environment: &str,
        event: Event,
    ) -> bool {
        target.hears_of(&repository.parse().unwrap(), &environment.parse().unwrap(), event)
    }

    #[test]
    fn a_target_hears_of_all_that_needs_somebody_unless_told_otherwise() {
        let target = target("");
        assert!(hears(&target, "acme/homelab", "production", Event::Held));
        assert!(!hears(&target, "acme/homelab", "production", Event::Succeeded));
    }

    #[test]
    fn a_target_hears_of_what_it_names_alone() {
        let target = target(
            "repositories = [\"acme/*\", \"other/one\"]\nenvironments = [\"production\"]\non = [\"succeeded\"]",
        );
        let hears =
            |repository, environment| hears(&target, repository, environment, Event::Succeeded);
        assert!(hears("Acme/homelab", "production") && hears("other/One", "production"));
        assert!(!hears("acme/homelab", "staging"));
        assert!(!hears("acme-too/homelab", "production") && !hears("other/two", "production"));
    }

    #[test]
    fn an_url_in_the_file_is_refused_and_not_repeated() {
        let text =
            CHAT.replace("ref+env://LANDFALL_SECRET_CHAT", "https://hooks.example.com/hunter2");
        let error = toml::from_str::<NotificationTarget>(&text).unwrap_err();
        assert!(!error.message().contains("hunter2"), "{error}");
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        for line in ["repositories = [\"acme\"]", "on = [\"running\"]", "to = \"me\""] {
            assert!(toml::from_str::<NotificationTarget>(&format!("{CHAT}{line}")).is_err());
        }
        let spaced = CHAT.replace("\"chat\"", "\"the chat\"");
        assert!(toml::from_str::<NotificationTarget>(&spaced).is_err());
    }
}

//! The operator file: what the one who runs the server allows repositories to reach, who is notified
//! of runs, and how fast GitHub is told things.
//!
//! TOML, named by `LANDFALL_CONFIG`. Without it the defaults of `landfall_secrets::Policy` hold, and
//! nobody but GitHub is told anything.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use landfall_core::name::{EnvironmentName, RepositoryName};
use landfall_secrets::Policy;
use serde::Deserialize;

mod github;
mod notified;

pub use github::GithubLimits;
pub use notified::{Event, Format, NotificationTarget, TargetName};

/// What the file says.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Operator {
    /// For a repository, written `owner/name`. Once there is one, those that are not named may read
    /// what `others` says.
    #[serde(default)]
    repositories: BTreeMap<RepositoryName, Allowed>,
    /// For repositories that are not named.
    others: Option<Allowed>,
    /// Who is notified of runs.
    #[serde(default)]
    notifications: Vec<NotificationTarget>,
    /// Whether a repository without rules is told how to begin.
    #[serde(default)]
    onboarding: Onboarding,
    /// What GitHub allows, if that is not what GitHub says it allows.
    github: Option<GithubLimits>,
}

/// How a repository without rules is told how to begin.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Onboarding {
    /// In one issue, once.
    #[default]
    Issue,
    /// Not at all.
    Off,
}

/// What is allowed for a repository, and more for single environments of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Allowed {
    /// How the names of environment variables begin that `ref+env://` may read.
    env_prefixes: Option<Vec<String>>,
    /// Folders, by absolute path, whose files `ref+file://` may read.
    folders: Option<Vec<PathBuf>>,
    /// For single environments; what is said there takes the place of what is said above.
    #[serde(default)]
    environments: BTreeMap<EnvironmentName, Allowed>,
}

impl Operator {
    /// Reads the file.
    ///
    /// # Errors
    /// It cannot be read, or something in it is not known; the message says where.
    pub fn read(path: &Path) -> anyhow::Result<Self> {
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("LANDFALL_CONFIG {}", path.display()))?;
        let operator: Self = toml::from_str(&text).map_err(|error| {
            // The library would repeat the line, and there may be a secret in it that should not.
            let before = text.get(..error.span().unwrap_or_default().start).unwrap_or_default();
            let line = before.matches('\n').count() + 1;
            anyhow::anyhow!("LANDFALL_CONFIG {}, line {line}: {}", path.display(), error.message())
        })?;
        let all = operator.repositories.values().chain(&operator.others);
        let folders = all.flat_map(Allowed::all_folders);
        for folder in folders {
            anyhow::ensure!(
                folder.is_absolute(),
                "LANDFALL_CONFIG: the folder {} is not absolute",
                folder.display()
            );
        }
        let mut names = BTreeSet::new();
        for target in &operator.notifications {
            let name = &target.name;
            anyhow::ensure!(
                names.insert(name),
                "LANDFALL_CONFIG: two notification targets are called `{name}`"
            );
        }
        Ok(operator)
    }

    /// Everybody who is notified of something.
    #[must_use]
    pub fn targets(&self) -> &[NotificationTarget] {
        &self.notifications
    }

    /// Whether a repository without rules is told how to begin.
    #[must_use]
    pub fn onboarding(&self) -> Onboarding {
        self.onboarding
    }

    /// What GitHub allows, where the operator says.
    #[must_use]
    pub fn github(&self) -> Option<&GithubLimits> {
        self.github.as_ref()
    }

    /// Whether every repository that the App is on may read all that any other may: nobody said which
    /// secrets are whose.
    #[must_use]
    pub fn trusts_all(&self) -> bool {
        self.repositories.is_empty() && self.others.is_none()
    }

    /// What the references of an environment may reach. Where the file names repositories, one that it
    /// does not name (it is new, or has another name since) may read nothing: a secret's name is no
    /// secret, and whoever writes a connection says where it is sent.
    #[must_use]
    pub fn policy(&self, repository: &RepositoryName, environment: &EnvironmentName) -> Policy {
        let default = Policy::default();
        let Some(allowed) = self.repositories.get(repository).or(self.others.as_ref()) else {
            return if self.trusts_all() { default } else { Policy::nothing() };
        };
        let nearer = allowed.environments.get(environment);
        let pick = |field: fn(&Allowed) -> Option<&Vec<String>>| {
            nearer.and_then(field).or_else(|| field(allowed))
        };
        let folders = nearer.and_then(|a| a.folders.as_ref()).or(allowed.folders.as_ref());
        Policy {
            env_prefixes: pick(|a| a.env_prefixes.as_ref())
                .cloned()
                .unwrap_or(default.env_prefixes),
            folders: folders.cloned().unwrap_or(default.folders),
        }
    }
}

impl Allowed {
    fn all_folders(&self) -> impl Iterator<Item = &PathBuf> {
        let nearer = self.environments.values().filter_map(|allowed| allowed.folders.as_ref());
        self.folders.iter().chain(nearer).flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_environment_takes_the_place_of_its_repository_and_that_of_the_default() {
        let operator: Operator = toml::from_str(
            r#"
            [repositories."acme/homelab"]
            env_prefixes = ["HOMELAB_"]
            [repositories."acme/homelab".environments.production]
            folders = ["/run/secrets/production"]
            "#,
        )
        .unwrap();
        let policy = |repository: &str, environment: &str| {
            operator.policy(&repository.parse().unwrap(), &environment.parse().unwrap())
        };
        assert_eq!(policy("acme/other", "production"), Policy::nothing());
        assert_eq!(policy("acme/homelab", "staging").env_prefixes, ["HOMELAB_"]);
        assert_eq!(policy("acme/homelab", "staging").folders, Vec::<PathBuf>::new());
        let production = policy("acme/homelab", "production");
        assert_eq!(production.folders, [PathBuf::from("/run/secrets/production")]);
        assert_eq!(production.env_prefixes, ["HOMELAB_"]);
    }

    #[test]
    fn who_is_not_named_may_read_what_is_said_of_others() {
        let policy = |text: &str| {
            let operator: Operator = toml::from_str(text).unwrap();
            let policy =
                operator.policy(&"acme/new".parse().unwrap(), &"production".parse().unwrap());
            (operator.trusts_all(), policy.env_prefixes)
        };
        let prefix = |text: &str| vec![text.to_owned()];
        assert_eq!(policy("onboarding = \"off\""), (true, prefix(Policy::ENV_PREFIX)));
        let named = "[repositories.\"acme/homelab\"]\n";
        assert_eq!(policy(named), (false, Vec::new()));
        let others = format!("{named}[others]\nenv_prefixes = [\"LAB_\"]\n");
        assert_eq!(policy(&others), (false, prefix("LAB_")));
    }

    #[test]
    fn what_is_not_known_is_refused() {
        assert!(toml::from_str::<Operator>("[repositories.\"a/b\"]\nprefix = []").is_err());
        assert!(toml::from_str::<Operator>("[github]\nper_minute = 80").is_err());
    }

    #[test]
    fn a_pace_that_is_not_named_stays_as_it_is_and_none_is_zero() {
        let operator: Operator = toml::from_str("[github]\ncontent_per_minute = 0").unwrap();
        assert_eq!(operator.github().unwrap().paces(), GithubLimits::default().paces()[1..]);
    }

    fn fault(text: &str) -> String {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        let fault = format!("{:#}", Operator::read(file.path()).unwrap_err());
        fault.replace(&*file.path().to_string_lossy(), "operator.toml")
    }

    #[test]
    fn a_fault_names_the_line_and_does_not_repeat_it() {
        let file = "\n[[notifications]]\nurl = \"https://hooks.example.com/hunter2\"\n";
        let fault = fault(file);
        assert!(fault.starts_with("LANDFALL_CONFIG operator.toml, line 3: "), "{fault}");
        assert!(!fault.contains("hunter2"), "{fault}");
    }

    #[test]
    fn a_name_is_one_target_s() {
        let chat = "[[notifications]]\nname = \"chat\"\nurl = \"ref+env://LANDFALL_SECRET_CHAT\"\nformat = \"json\"\n";
        let fault = fault(&chat.repeat(2));
        assert_eq!(fault, "LANDFALL_CONFIG: two notification targets are called `chat`");
    }
}

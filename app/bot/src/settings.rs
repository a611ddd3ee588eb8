//! The settings: environment variables, all faults told at once.
//!
//! Nothing else in the binary reads the process environment. Secrets go straight into
//! `SecretString` and are never echoed, also not in a fault.

use std::net::SocketAddr;
use std::path::PathBuf;

use landfall_os::http::AddressRules;
use secrecy::{ExposeSecret as _, SecretString};
use url::Url;

mod backup;
mod local;
mod setup;

pub use backup::{BackupSettings, StoreSettings};
pub use local::LocalSettings;
pub use setup::SetupSettings;

/// What `landfall serve` runs with.
#[derive(Debug, Clone)]
pub struct Settings {
    /// `LANDFALL_LISTEN`: where webhooks are received. Default `127.0.0.1:8080`.
    pub listen: SocketAddr,
    /// `LANDFALL_DATABASE_URL`: `sqlite:PATH` or `postgres://…`, which may have a password in it.
    /// Default: `landfall.db` in the data directory.
    pub database_url: SecretString,
    /// `LANDFALL_BACKUP`: where the server backs up to by itself.
    pub backup: BackupSettings,
    /// `LANDFALL_DATA_DIR`: mirrors and the database. Default `./data`.
    pub data_dir: PathBuf,
    /// `LANDFALL_CONFIG`: the operator file.
    pub operator_file: Option<PathBuf>,
    /// `LANDFALL_TEMPLATES`: a folder whose files take the place of built-in templates.
    pub templates: Option<PathBuf>,
    /// `LANDFALL_ALLOW_HOSTS`: hosts and networks that connections may lead to beside public ones.
    pub rules: AddressRules,
    /// `LANDFALL_WEBHOOKS`: how events come here. Default `push`.
    pub webhooks: Webhooks,
    /// What is known of the App at GitHub.
    pub github: GithubSettings,
}

/// How events come here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Webhooks {
    /// GitHub sends them.
    Push,
    /// They are fetched from GitHub's delivery log every few seconds: for a server that GitHub cannot
    /// reach. What is sent all the same is taken, if there is a secret to believe it by.
    Pull,
}

/// The App, and where GitHub is.
#[derive(Debug, Clone)]
pub struct GithubSettings {
    /// `GITHUB_APP_ID`.
    pub app_id: u64,
    /// `GITHUB_PRIVATE_KEY`, or the content of the file at `GITHUB_PRIVATE_KEY_PATH`.
    pub private_key: SecretString,
    /// `GITHUB_WEBHOOK_SECRET`; during a rotation the old one goes into `GITHUB_WEBHOOK_SECRET_PREVIOUS`.
    /// In pull mode there may be none.
    pub webhook_secrets: Vec<SecretString>,
    /// `GITHUB_API_URL`. Default `https://api.github.com`.
    pub api_url: Url,
    /// `GITHUB_URL`: where repositories are cloned from. Default `https://github.com`.
    pub url: Url,
}

/// A variable that is missing or wrong, and what it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{variable}: {problem}")]
pub struct Fault {
    /// The variable.
    pub variable: &'static str,
    /// What is wrong and what would be right.
    pub problem: String,
}

/// A source of variables: the process environment, or a test's.
pub type Variables<'a> = dyn Fn(&str) -> Option<String> + 'a;

impl Settings {
    /// Reads the settings.
    ///
    /// # Errors
    /// Every variable that is missing or wrong.
    pub fn read(variables: &Variables<'_>) -> Result<Self, Vec<Fault>> {
        match Self::examine(variables) {
            (settings, faults) if faults.is_empty() => Ok(settings),
            (_, faults) => Err(faults),
        }
    }

    /// Reads the settings and every fault in them. What a fault is about has its default, or
    /// nothing where there is none, so this is for looking at the others alone.
    #[must_use]
    pub fn examine(variables: &Variables<'_>) -> (Self, Vec<Fault>) {
        let mut reader = Reader { variables, faults: Vec::new() };
        let data_dir = PathBuf::from(reader.or("LANDFALL_DATA_DIR", "data"));
        let listen = reader.listen();
        let rules = reader.rules();
        let webhooks = reader.webhooks();
        reader.whole_github();
        let github = GithubSettings {
            app_id: reader.app_id(),
            private_key: reader.private_key(),
            webhook_secrets: reader.webhook_secrets(webhooks),
            api_url: reader.github_api_url(),
            url: reader.github_url(),
        };
        let settings = Self {
            listen,
            database_url: reader.database_url(),
            backup: reader.backup(),
            data_dir,
            operator_file: reader.get("LANDFALL_CONFIG").map(PathBuf::from),
            templates: reader.get("LANDFALL_TEMPLATES").map(PathBuf::from),
            rules,
            webhooks,
            github,
        };
        (settings, reader.faults)
    }
}

/// The password in a store's URL, as it is written there and as it is meant.
pub(crate) fn passwords_in(database_url: &SecretString) -> Vec<SecretString> {
    let url = Url::parse(database_url.expose_secret()).ok();
    let Some(password) = url.as_ref().and_then(Url::password) else { return Vec::new() };
    let meant = percent_encoding::percent_decode_str(password).decode_utf8_lossy();
    [password, meant.as_ref()].map(SecretString::from).to_vec()
}

/// All faults as one error.
#[must_use]
pub fn told(faults: &[Fault]) -> anyhow::Error {
    let lines: Vec<String> = faults.iter().map(|fault| format!("  {fault}")).collect();
    anyhow::anyhow!("the settings cannot be used:\n{}", lines.join("\n"))
}

struct Reader<'a> {
    variables: &'a Variables<'a>,
    faults: Vec<Fault>,
}

impl Reader<'_> {
    /// An empty variable counts as missing: that is how a compose file spells "not set".
    fn get(&self, variable: &str) -> Option<String> {
        (self.variables)(variable).filter(|value| !value.trim().is_empty())
    }

    fn or(&self, variable: &str, default: &str) -> String {
        self.get(variable).unwrap_or_else(|| default.to_owned())
    }

    fn fault(&mut self, variable: &'static str, problem: impl Into<String>) {
        self.faults.push(Fault { variable, problem: problem.into() });
    }

    /// A value that `default` is one of, so that a fault can go on with it.
    fn parsed<T: std::str::FromStr>(
        &mut self,
        variable: &'static str,
        default: &str,
        what: &str,
    ) -> T {
        let text = self.or(variable, default);
        text.parse().unwrap_or_else(|_| {
            self.fault(variable, format!("`{text}` is not {what}"));
            default.parse().unwrap_or_else(|_| unreachable!("the default of {variable} parses"))
        })
    }

    fn listen(&mut self) -> SocketAddr {
        let what = "an address and a port, as in `0.0.0.0:8080`";
        self.parsed("LANDFALL_LISTEN", "127.0.0.1:8080", what)
    }

    fn github_api_url(&mut self) -> Url {
        self.parsed("GITHUB_API_URL", "https://api.github.com", "a URL")
    }

    fn github_url(&mut self) -> Url {
        self.parsed("GITHUB_URL", "https://github.com", "a URL")
    }

    /// A server of one's own has two addresses. With one of them alone, what is for it would go to
    /// github.com: its tokens, with every fetch.
    fn whole_github(&mut self) {
        if self.get("GITHUB_URL").is_some() != self.get("GITHUB_API_URL").is_some() {
            let problem = "is set without its other half: a server of yours has GITHUB_URL \
                           (https://HOST) and GITHUB_API_URL (https://HOST/api/v3)";
            self.fault("GITHUB_URL", problem);
        }
    }

    fn rules(&mut self) -> AddressRules {
        let text = self.or("LANDFALL_ALLOW_HOSTS", "");
        match text.parse() {
            Ok(rules) => rules,
            Err(problem) => {
                self.fault("LANDFALL_ALLOW_HOSTS", format!("{problem}"));
                AddressRules::default()
            }
        }
    }

    fn webhooks(&mut self) -> Webhooks {
        match self.or("LANDFALL_WEBHOOKS", "push").as_str() {
            "push" => Webhooks::Push,
            "pull" => Webhooks::Pull,
            other => {
                self.fault("LANDFALL_WEBHOOKS", format!("`{other}` is neither `push` nor `pull`"));
                Webhooks::Push
            }
        }
    }

    fn app_id(&mut self) -> u64 {
        let Some(text) = self.get("GITHUB_APP_ID") else {
            self.fault(
                "GITHUB_APP_ID",
                "is not set: the number under \"App ID\" on the App's page",
            );
            return 0;
        };
        text.trim().parse().unwrap_or_else(|_| {
            self.fault("GITHUB_APP_ID", format!("`{text}` is not a number"));
            0
        })
    }

    fn private_key(&mut self) -> SecretString {
        let key = match (self.get("GITHUB_PRIVATE_KEY"), self.get("GITHUB_PRIVATE_KEY_PATH")) {
            (Some(_), Some(_)) => {
                self.fault(
                    "GITHUB_PRIVATE_KEY",
                    "is set beside GITHUB_PRIVATE_KEY_PATH; set one of them",
                );
                String::new()
            }
            // A variable in a `.env` file has no line breaks of its own.
            // Some who read such a file leave the quotes there that a shell wants.
            (Some(key), None) => key.trim().trim_matches(['\'', '"']).replace("\\n", "\n"),
            (None, Some(path)) => std::fs::read_to_string(&path).unwrap_or_else(|error| {
                self.fault("GITHUB_PRIVATE_KEY_PATH", format!("`{path}` cannot be read: {error}"));
                String::new()
            }),
            (None, None) => {
                self.fault(
                    "GITHUB_PRIVATE_KEY",
                    "is not set, and neither is GITHUB_PRIVATE_KEY_PATH",
                );
                String::new()
            }
        };
        if !key.is_empty() && !key.contains("PRIVATE KEY-----") {
            self.fault("GITHUB_PRIVATE_KEY", "is not a private key in PEM form");
        }
        SecretString::from(key)
    }

    fn webhook_secrets(&mut self, webhooks: Webhooks) -> Vec<SecretString> {
        let current = self.get("GITHUB_WEBHOOK_SECRET");
        if current.is_none() && webhooks == Webhooks::Push {
            self.fault("GITHUB_WEBHOOK_SECRET", "is not set: without it anybody could send events");
        }
        let previous = self.get("GITHUB_WEBHOOK_SECRET_PREVIOUS");
        current.into_iter().chain(previous).map(SecretString::from).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    const KEY: &str = "-----BEGIN RSA PRIVATE KEY-----\\nabc\\n-----END RSA PRIVATE KEY-----";

    fn read(pairs: &[(&str, &str)]) -> Result<Settings, Vec<Fault>> {
        let map: BTreeMap<String, String> =
            pairs.iter().map(|(k, v)| ((*k).into(), (*v).into())).collect();
        Settings::read(&|name| map.get(name).cloned())
    }

    fn faults(pairs: &[(&str, &str)]) -> Vec<String> {
        read(pairs).unwrap_err().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn the_app_is_all_that_has_to_be_said() {
        let app =
            [("GITHUB_APP_ID", "7"), ("GITHUB_PRIVATE_KEY", KEY), ("GITHUB_WEBHOOK_SECRET", "s")];
        for quote in ["'", "\""] {
            let quoted = format!("{quote}{KEY}{quote}");
            let app = [app[0], ("GITHUB_PRIVATE_KEY", quoted.as_str()), app[2]];
            let key = read(&app).unwrap().github.private_key;
            assert!(key.expose_secret().starts_with("-----BEGIN RSA PRIVATE KEY-----\nabc"));
        }
        let settings = read(&app).unwrap();
        assert_eq!(settings.database_url.expose_secret(), "sqlite:data/landfall.db");
        assert!(passwords_in(&settings.database_url).is_empty());
        assert_eq!(settings.github.api_url.as_str(), "https://api.github.com/");
    }

    #[test]
    fn half_a_server_of_one_s_own_is_none() {
        let app =
            [("GITHUB_APP_ID", "7"), ("GITHUB_PRIVATE_KEY", KEY), ("GITHUB_WEBHOOK_SECRET", "s")];
        for half in
            [("GITHUB_URL", "https://ghe.lan"), ("GITHUB_API_URL", "https://ghe.lan/api/v3")]
        {
            let found = faults(&[app.as_slice(), &[half]].concat());
            assert!(found.len() == 1 && found[0].contains("other half"), "{found:?}");
        }
    }

    #[test]
    fn a_password_in_the_store_s_url_is_a_secret() {
        let url = "postgres://landfall:hunter2%21@db.example.org/landfall";
        let settings = read(&[
            ("GITHUB_APP_ID", "7"),
            ("GITHUB_PRIVATE_KEY", KEY),
            ("GITHUB_WEBHOOK_SECRET", "s"),
            ("LANDFALL_DATABASE_URL", url),
        ])
        .unwrap();
        assert!(!format!("{settings:?}").contains("hunter2"));
        let passwords = passwords_in(&settings.database_url);
        let passwords: Vec<&str> = passwords.iter().map(|secret| secret.expose_secret()).collect();
        assert_eq!(passwords, ["hunter2%21", "hunter2!"]);
    }

    #[test]
    fn all_faults_are_told_at_once_and_repeat_no_secret() {
        let found = faults(&[
            ("LANDFALL_LISTEN", "here"),
            ("GITHUB_APP_ID", "seven"),
            ("GITHUB_PRIVATE_KEY", "hunter2"),
            ("GITHUB_WEBHOOK_SECRET", " "),
            ("LANDFALL_WEBHOOKS", "poll"),
        ]);
        assert_eq!(found.len(), 5, "{found:?}");
        assert!(found.iter().all(|fault| !fault.contains("hunter2")), "{found:?}");
    }

    #[test]
    fn only_a_server_that_fetches_its_webhooks_needs_no_secret_for_them() {
        let app = [("GITHUB_APP_ID", "7"), ("GITHUB_PRIVATE_KEY", KEY)];
        assert_eq!(
            faults(&app),
            ["GITHUB_WEBHOOK_SECRET: is not set: without it anybody could send events"]
        );
        let settings = read(&[app[0], app[1], ("LANDFALL_WEBHOOKS", "pull")]).unwrap();
        assert_eq!(settings.webhooks, Webhooks::Pull);
        assert!(settings.github.webhook_secrets.is_empty());
    }

    #[test]
    fn a_key_is_given_once() {
        let found = faults(&[
            ("GITHUB_APP_ID", "7"),
            ("GITHUB_PRIVATE_KEY", KEY),
            ("GITHUB_PRIVATE_KEY_PATH", "key.pem"),
            ("GITHUB_WEBHOOK_SECRET", "s"),
        ]);
        assert_eq!(
            found,
            ["GITHUB_PRIVATE_KEY: is set beside GITHUB_PRIVATE_KEY_PATH; set one of them"]
        );
    }
}

//! Where the App's key and settings go: two files for their owner alone, or standard output.
//!
//! Nothing that is there is written over: a key that is lost makes an App useless. What
//! `landfall.env` says already stays, and what is new is added at its end.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail, ensure};
use clap::ValueEnum;
use landfall_github::manifest::Created;
use secrecy::{ExposeSecret as _, SecretString};
use url::Url;

use super::say;
use crate::server::setup::{Keep, Order};
use crate::settings::Webhooks;

/// As what they are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Form {
    /// Lines of a file for the environment.
    Env,
    /// A command that sets them at fly.io.
    Fly,
}

/// Where they go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// Into files of this folder.
    Folder(PathBuf),
    /// To standard output.
    Printed(Form),
}

/// For the owner of the file alone.
const PRIVATE: u32 = 0o600;

impl Place {
    /// A folder that takes both files.
    ///
    /// # Errors
    /// It cannot be made or written to, or an App was set up there before.
    pub(super) fn folder(folder: &Path) -> anyhow::Result<Self> {
        let shown = folder.display();
        std::fs::create_dir_all(folder).with_context(|| format!("{shown} cannot be made"))?;
        let folder = folder.canonicalize().with_context(|| format!("{shown} cannot be used"))?;
        tempfile::tempfile_in(&folder)
            .with_context(|| format!("{shown} cannot be written to; --output names another one"))?;
        let key = folder.join("landfall.pem");
        ensure!(!key.exists(), "{} is there already: move it away first", key.display());
        let settings = folder.join("landfall.env");
        for line in read(&settings)?.lines() {
            let set = line.trim_start().strip_prefix("GITHUB_APP_ID=");
            let set = set.map(|id| id.trim().trim_matches(['"', '\'']));
            if set.is_some_and(|id| id.parse::<u64>().is_ok()) {
                bail!("{} has an App in it already: move it away first", settings.display());
            }
        }
        Ok(Self::Folder(folder))
    }
}

/// What the server has to be told, beside the key and the secret.
#[derive(Debug, Clone)]
struct Surroundings {
    webhooks: Webhooks,
    /// The addresses of a GitHub that is not github.com.
    enterprise: Option<(Url, Url)>,
}

/// How an App is kept, and what is told of it afterwards.
#[derive(Debug, Clone)]
pub(super) struct Kept {
    place: Place,
    around: Surroundings,
}

impl Kept {
    pub(super) fn new(place: Place, order: &Order) -> Self {
        let own = order.web_url.host_str() != Some("github.com");
        let enterprise = own.then(|| (order.web_url.clone(), order.api_url.clone()));
        Self { place, around: Surroundings { webhooks: order.webhooks, enterprise } }
    }

    /// Puts everything there at once.
    pub(super) fn keep(&self) -> Keep {
        let Self { place, around } = self.clone();
        Box::new(move |created| match &place {
            Place::Folder(folder) => write(folder, created, &around),
            Place::Printed(form) => say(&printed(*form, created, &around)),
        })
    }

    /// Where it is now.
    pub(super) fn told(&self) -> String {
        let Place::Folder(folder) = &self.place else { return String::new() };
        let (key, settings) = (folder.join("landfall.pem"), folder.join("landfall.env"));
        format!("  its key       {}\n  its settings  {}\n", key.display(), settings.display())
    }
}

/// All of it as text.
fn printed(form: Form, created: &Created, around: &Surroundings) -> String {
    let all = variables(created, around, Key::Inside).into_iter();
    match form {
        Form::Env => {
            let line = |(name, value): (_, SecretString)| {
                format!("{name}={}\n", quoted(value.expose_secret()))
            };
            all.map(line).collect::<String>() + "\n"
        }
        Form::Fly => {
            let word = |(name, value): (_, SecretString)| {
                format!("{name}={}", quoted(value.expose_secret()))
            };
            format!("fly secrets set {}\n\n", all.map(word).collect::<Vec<_>>().join(" "))
        }
    }
}

/// Where the key is when the settings are read.
#[derive(Clone, Copy)]
enum Key<'a> {
    File(&'a Path),
    Inside,
}

/// The environment variables of a server for this App.
fn variables(
    created: &Created,
    around: &Surroundings,
    key: Key<'_>,
) -> Vec<(&'static str, SecretString)> {
    let mut all = vec![("GITHUB_APP_ID", created.id.to_string().into())];
    all.push(match key {
        Key::File(path) => ("GITHUB_PRIVATE_KEY_PATH", path.display().to_string().into()),
        // On one line, as every file for an environment and every shell takes it.
        Key::Inside => {
            let key = created.private_key.expose_secret().trim_end().replace('\n', "\\n");
            ("GITHUB_PRIVATE_KEY", key.into())
        }
    });
    all.extend(created.webhook_secret.clone().map(|secret| ("GITHUB_WEBHOOK_SECRET", secret)));
    if around.webhooks == Webhooks::Pull {
        all.push(("LANDFALL_WEBHOOKS", "pull".into()));
    }
    if let Some((web, api)) = &around.enterprise {
        all.push(("GITHUB_URL", web.as_str().trim_end_matches('/').into()));
        all.push(("GITHUB_API_URL", api.as_str().trim_end_matches('/').into()));
    }
    all
}

/// A word of a shell, whatever is in it.
fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:".contains(c);
    match text.chars().all(plain) {
        true => text.to_owned(),
        false => format!("'{}'", text.replace('\'', r"'\''")),
    }
}

/// The key first: settings that lead to a key which is not there are worse than none.
fn write(folder: &Path, created: &Created, around: &Surroundings) -> anyhow::Result<()> {
    let (key, settings) = (folder.join("landfall.pem"), folder.join("landfall.env"));
    let unwritten = |path: &Path| format!("{} cannot be written", path.display());
    let mut file = OpenOptions::new();
    let file = file.write(true).create_new(true).mode(PRIVATE).open(&key);
    put(file, created.private_key.expose_secret()).with_context(|| unwritten(&key))?;

    let before = read(&settings)?;
    let gap = if before.is_empty() || before.ends_with('\n') { "" } else { "\n" };
    let lines = variables(created, around, Key::File(&key)).into_iter();
    let lines = lines.map(|(name, value)| format!("{name}={}\n", quoted(value.expose_secret())));
    let lines: String = lines.collect();
    let mut file = OpenOptions::new();
    let file = file.append(true).create(true).mode(PRIVATE).open(&settings);
    if let Ok(file) = &file {
        // It may have been there, for everybody to read.
        let private = file.set_permissions(std::fs::Permissions::from_mode(PRIVATE));
        private.with_context(|| unwritten(&settings))?;
    }
    put(file, &format!("{gap}{lines}")).with_context(|| unwritten(&settings))
}

/// On disk when this returns: GitHub gives none of it again.
fn put(file: std::io::Result<File>, text: &str) -> std::io::Result<()> {
    let mut file = file?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

fn read(path: &Path) -> anyhow::Result<String> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(text),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(String::new()),
        Err(error) => Err(error).with_context(|| format!("{} cannot be read", path.display())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_reads_back_what_was_quoted() {
        assert_eq!(quoted("/srv/landfall.pem"), "/srv/landfall.pem");
        assert_eq!(quoted("a b"), "'a b'");
        assert_eq!(quoted("it's"), r"'it'\''s'");
        assert_eq!(quoted("$(rm)"), "'$(rm)'");
    }

    #[test]
    fn an_app_that_was_set_up_is_not_written_over() {
        let folder = tempfile::tempdir().unwrap();
        let env = folder.path().join("landfall.env");
        std::fs::write(&env, "GITHUB_APP_ID=NUMBER_OF_THE_APP\n").unwrap();
        assert!(Place::folder(folder.path()).is_ok());
        std::fs::write(&env, "LANDFALL_DATA_DIR=data\n GITHUB_APP_ID='7'\n").unwrap();
        assert!(Place::folder(folder.path()).is_err());
        std::fs::remove_file(&env).unwrap();
        std::fs::write(folder.path().join("landfall.pem"), "").unwrap();
        assert!(Place::folder(folder.path()).is_err());
    }
}

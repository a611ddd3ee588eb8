//! What a command on a working copy has in place of a house: the providers, and the state of its
//! environments.
//!
//! An environment without branches is for the command line: its state is a file in the data
//! directory, made by the first `landfall apply`. What an environment with branches owns stands in
//! the store of the server; that is read where it can be reached, and never written.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use landfall_core::config::Environment;
use landfall_core::name::{BranchName, InstallationId, RepositoryId, RepositoryName};
use landfall_os::redact::Redactor;
use landfall_providers::Registry;
use landfall_secrets::Resolver;
use landfall_store::{Repository, Store, SystemClock};

use secrecy::{ExposeSecret as _, SecretString};

use super::working::Working;
use crate::gather::Sessions;
use crate::gather::session::Reach;
use crate::house::{Timing, Tools};
use crate::operator::Operator;
use crate::render::Templates;
use crate::settings::{LocalSettings, passwords_in, told};

/// The number that the working copy has in its own state. GitHub counts from 1.
pub(super) const WORKING_COPY: RepositoryId = RepositoryId(0);
/// The installation that jobs of the command line count among.
pub(super) const NO_INSTALLATION: InstallationId = InstallationId(0);

/// The surroundings of a command.
pub(super) struct Local {
    settings: LocalSettings,
    pub(super) reach: Reach,
    operator: Operator,
    timing: Timing,
    pub(super) redactor: Redactor,
    root: PathBuf,
    name: RepositoryName,
}

/// What is known of an environment's state.
pub(super) struct State {
    pub(super) store: Arc<dyn Store>,
    /// The number of the repository in that store.
    pub(super) repository: RepositoryId,
    pub(super) ownership: Ownership,
}

/// Whether it is known what is ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Ownership {
    Known,
    /// Planned as if nothing were ours, and why.
    Unknown(String),
}

impl Local {
    /// Reads the settings and finds out what the repository is called.
    ///
    /// # Errors
    /// A setting is wrong, or git failed.
    pub(super) async fn open(working: &Working) -> anyhow::Result<Self> {
        let settings =
            LocalSettings::read(&|name| std::env::var(name).ok()).map_err(|found| told(&found))?;
        let operator = match &settings.operator_file {
            Some(path) => Operator::read(path)?,
            None => Operator::default(),
        };
        let redactor = Redactor::new();
        // A command that was killed should not keep the next one waiting for long.
        let timing = Timing { job_lease: Duration::from_secs(15), ..Timing::default() };
        let reach = Reach {
            registry: Arc::new(Registry::new()),
            resolver: Resolver::of_process(redactor.clone()),
            rules: settings.rules.clone(),
            deadline: timing.request,
        };
        let (root, name) = (working.root.clone(), working.name().await?);
        Ok(Self { settings, reach, operator, timing, redactor, root, name })
    }

    /// What planning and applying take, with the state of `store`.
    pub(super) fn tools<'a>(&'a self, store: &'a dyn Store) -> Tools<'a> {
        Tools { store, reach: &self.reach, timing: &self.timing, redactor: &self.redactor }
    }

    /// Who runs the command, for the record.
    pub(super) fn user(&self) -> &str {
        &self.settings.user
    }

    /// The connections of `environment`.
    pub(super) fn sessions<'a>(
        &'a self,
        environment: &'a Environment,
        repository: RepositoryId,
    ) -> Sessions<'a> {
        let policy = self.operator.policy(&self.name, &environment.name);
        Sessions::new(&self.reach, environment, repository, policy)
    }

    /// The templates that people's documents are printed with.
    ///
    /// # Errors
    /// One of the operator's does not parse.
    pub(super) fn templates(&self) -> anyhow::Result<Templates> {
        Templates::load(self.settings.templates.as_deref())
    }

    /// The state of `environment`, for reading. Where there is none yet, nothing is made.
    ///
    /// # Errors
    /// A store cannot be opened, or is another repository's.
    pub(super) async fn state(&self, environment: &Environment) -> anyhow::Result<State> {
        if environment.branches.is_empty() {
            return match self.file().is_file() {
                true => Ok(State::of_working_copy(self.own_store().await?)),
                false => Ok(State::of_working_copy(nothing().await?)),
            };
        }
        let unknown = |why: String| async {
            let ownership = Ownership::Unknown(why);
            anyhow::Ok(State { store: nothing().await?, repository: WORKING_COPY, ownership })
        };
        let Some(url) = self.settings.server_store() else {
            return unknown("it stands in the server's store".to_owned()).await;
        };
        passwords_in(&url).iter().for_each(|password| self.redactor.learn(password));
        let store = open(&url).await.context("LANDFALL_DATABASE_URL")?;
        let repositories = store.active_repositories().await?;
        match repositories.into_iter().find(|repository| repository.name == self.name) {
            Some(found) => Ok(State { store, repository: found.id, ownership: Ownership::Known }),
            None => {
                let name = &self.name;
                unknown(format!("the store at LANDFALL_DATABASE_URL does not know {name}")).await
            }
        }
    }

    /// The state of the environments without branches, made if it is not there.
    ///
    /// # Errors
    /// It cannot be opened, or is another repository's.
    pub(super) async fn own_store(&self) -> anyhow::Result<Arc<dyn Store>> {
        let file = self.file();
        if let Some(folder) = file.parent().filter(|folder| !folder.is_dir()) {
            let made = || format!("the data directory {} cannot be made", folder.display());
            std::fs::create_dir_all(folder).with_context(made)?;
            // It lies in the repository and is no part of it.
            std::fs::write(folder.join(".gitignore"), "*\n").with_context(made)?;
        }
        let url = format!("sqlite:{}", file.display());
        let store = landfall_store::open(&url, Arc::new(SystemClock)).await;
        let store = store.with_context(|| format!("the state in {}", file.display()))?;
        self.claim(&*store).await?;
        Ok(store)
    }

    /// Two repositories in one data directory would take each other's services for removed ones.
    async fn claim(&self, store: &dyn Store) -> anyhow::Result<()> {
        match store.repository(WORKING_COPY).await? {
            Some(known) if known.name == self.name => Ok(()),
            Some(known) => anyhow::bail!(
                "the state in {} is that of {}, and this is {}\nhelp: give each repository a LANDFALL_DATA_DIR of its own",
                self.file().display(),
                known.name,
                self.name
            ),
            None => Ok(store
                .upsert_repository(&Repository {
                    id: WORKING_COPY,
                    name: self.name.clone(),
                    installation: NO_INSTALLATION,
                    default_branch: BranchName::new("main")?,
                    active: false,
                })
                .await?),
        }
    }

    fn file(&self) -> PathBuf {
        self.settings.data_dir(&self.root).join("working-copy.db")
    }
}

impl State {
    fn of_working_copy(store: Arc<dyn Store>) -> Self {
        Self { store, repository: WORKING_COPY, ownership: Ownership::Known }
    }
}

/// A store in which nothing is.
async fn nothing() -> anyhow::Result<Arc<dyn Store>> {
    Ok(landfall_store::open("sqlite::memory:", Arc::new(SystemClock)).await?)
}

/// A store that is there already: a misspelt one must not come into being.
async fn open(url: &SecretString) -> anyhow::Result<Arc<dyn Store>> {
    let url = url.expose_secret();
    if let Some(path) = url.strip_prefix("sqlite:") {
        let path = path.strip_prefix("//").unwrap_or(path).split('?').next().unwrap_or_default();
        anyhow::ensure!(PathBuf::from(path).is_file(), "there is no store at {path}");
    }
    Ok(landfall_store::open(url, Arc::new(SystemClock)).await?)
}

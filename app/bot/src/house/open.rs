//! Putting the house together from the settings.

use std::sync::Arc;

use anyhow::Context as _;
use landfall_github::webhook::Verifier;
use landfall_github::{App, AppId, AppSettings, Timeouts};
use landfall_os::redact::Redactor;
use landfall_providers::Registry;
use landfall_repo::{GitSettings, Mirrors};
use landfall_secrets::Resolver;
use landfall_store::{Clock, SystemClock};
use secrecy::ExposeSecret as _;

use super::{House, Timing};
use crate::backup::Backups;
use crate::flow::guard::KnownGuards;
use crate::flow::restored::follow_up;
use crate::gather::Caches;
use crate::gather::known::KnownTargets;
use crate::gather::session::Reach;
use crate::operator::Operator;
use crate::panics::Panics;
use crate::render::Templates;
use crate::settings::{BackupSettings, Settings, Webhooks, passwords_in};

/// What differs between a server, the demo and a test, beside the settings.
#[derive(Clone)]
pub struct Surroundings {
    /// Resolves references to secrets.
    pub resolver: Resolver,
    /// Takes secrets out of what is shown. The resolver tells it of each.
    pub redactor: Redactor,
    /// The time that leases and retries are measured with.
    pub clock: Arc<dyn Clock>,
    /// How long things may take.
    pub timing: Timing,
}

impl Surroundings {
    /// Those of a server: the process environment and the machine's clock.
    #[must_use]
    pub fn of_process() -> Self {
        let redactor = Redactor::new();
        Self {
            resolver: Resolver::of_process(redactor.clone()),
            redactor,
            clock: Arc::new(SystemClock),
            timing: Timing::default(),
        }
    }
}

impl std::fmt::Debug for Surroundings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Surroundings").field("timing", &self.timing).finish_non_exhaustive()
    }
}

impl House {
    /// Opens the store, finds git, reads the operator file and the templates, and asks for what
    /// follows from a restore. Nothing is sent.
    ///
    /// # Errors
    /// What is missing or wrong, with the setting that it comes from.
    pub async fn open(settings: &Settings, around: Surroundings) -> anyhow::Result<Self> {
        std::fs::create_dir_all(&settings.data_dir).with_context(|| {
            format!("LANDFALL_DATA_DIR {} cannot be made", settings.data_dir.display())
        })?;
        let url = &settings.database_url;
        passwords_in(url).iter().for_each(|password| around.redactor.learn(password));
        let BackupSettings { schedule, credentials } = settings.backup.clone();
        credentials.secrets().for_each(|secret| around.redactor.learn(secret));
        let backups = schedule.map(|schedule| {
            (Backups::new(url.clone(), Arc::clone(&around.clock), credentials), schedule)
        });
        let store = landfall_store::open(url.expose_secret(), Arc::clone(&around.clock)).await;
        let store = store.context("LANDFALL_DATABASE_URL: the store cannot be opened")?;
        let git = GitSettings { redactor: around.redactor.clone(), ..GitSettings::default() };
        let mirrors = Mirrors::open(settings.data_dir.join("mirrors"), git).await?;
        let operator = match &settings.operator_file {
            Some(path) => Operator::read(path)?,
            None => Operator::default(),
        };
        crate::publish::notification::check(&operator, &around.resolver).await?;
        let reach = Reach {
            registry: Arc::new(Registry::new()),
            resolver: around.resolver,
            rules: settings.rules.clone(),
            deadline: around.timing.request,
        };
        let house = Self {
            store,
            github: app(settings, &around.redactor)?,
            mirrors,
            reach,
            caches: Caches::default(),
            known_targets: KnownTargets::default(),
            guards: KnownGuards::default(),
            templates: Templates::load(settings.templates.as_deref())?,
            timing: match operator.github() {
                Some(limits) => Timing { pace: limits.paces(), ..around.timing },
                None => around.timing,
            },
            webhooks: settings.webhooks,
            redactor: around.redactor,
            operator,
            panics: Panics::default(),
            backups,
        };
        follow_up(&house).await.context("what follows from a restore could not be asked for")?;
        Ok(house)
    }
}

/// The App of the settings. The redactor learns its key and secrets.
///
/// # Errors
/// The key is none, or the API's address cannot be used.
pub(crate) fn app(settings: &Settings, redactor: &Redactor) -> anyhow::Result<App> {
    let github = &settings.github;
    let app = AppSettings {
        app_id: AppId(github.app_id),
        private_key: github.private_key.clone(),
        api_url: github.api_url.clone(),
        web_url: github.url.clone(),
        timeouts: Timeouts::default(),
    };
    // The key and the webhook secrets stay the same; tokens last an hour, and the redactor knows
    // them by their form.
    redactor.learn(&github.private_key);
    github.webhook_secrets.iter().for_each(|secret| redactor.learn(secret));
    Ok(App::new(app, Arc::new(|_| {}), Arc::new(jiff::Timestamp::now))?)
}

/// Whom to believe that a delivery is from GitHub. Nobody, where deliveries are fetched and no
/// secret was agreed on.
///
/// # Errors
/// There is no secret, or an empty one.
pub fn verifier(settings: &Settings) -> anyhow::Result<Option<Verifier>> {
    let mut secrets = settings.github.webhook_secrets.iter().cloned();
    let Some(current) = secrets.next() else {
        anyhow::ensure!(settings.webhooks == Webhooks::Pull, "GITHUB_WEBHOOK_SECRET is not set");
        return Ok(None);
    };
    Ok(Some(Verifier::new(current, secrets.next())?))
}

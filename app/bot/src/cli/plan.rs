//! `landfall plan`: what would happen if the working copy were applied. Nothing is written.

use std::path::PathBuf;

use clap::Args;
use landfall_core::config::Environment;
use landfall_core::coverage::Past;
use landfall_core::name::{EnvironmentName, KindName, ServiceName};
use landfall_core::plan::Adoption;
use landfall_core::report::NextStep;
use landfall_providers::Registry;

use super::Ended;
use super::choose::{Part, environment};
use super::document::{Chapter, Document, Whole};
use super::findings;
use super::local::{Local, Ownership};
use super::survey::View;
use super::terminal::{Format, Paint, Progress, print};
use super::working::{Which, Working};
use crate::gather::facts::Place;
use crate::gather::{Declared, LoadError};
use crate::house::Kinds;

/// Say what would happen if the working copy were applied, without changing anything.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  landfall plan                                  every environment
  landfall plan --env staging --service jellyfin
  landfall plan --env production --only cloudflare_dns
  landfall plan --env dev --adopt --format json

Secrets are read from the environment variables that landfall.yaml names. What an environment
without branches owns is in the data directory; what one with branches owns is in the server's
store, and where that cannot be read the plan is made as if nothing were owned, and says so.

Environment:
  LANDFALL_DATA_DIR       state of environments without branches [.landfall in the repository]
  LANDFALL_DATABASE_URL   the server's store, to know what environments with branches own
  LANDFALL_ALLOW_HOSTS    hosts and networks that connections may lead to beside public ones,
                          as in 192.168.1.0/24,unifi.lan
  LANDFALL_CONFIG         the operator file (TOML)

Exit code: 0 nothing to do; 1 an error, or an environment that cannot be planned; 2 there are
changes, or something that stands in their way.")]
pub(super) struct Plan {
    /// An environment; all of them without it. May be given several times.
    #[arg(long, value_name = "NAME")]
    env: Vec<EnvironmentName>,
    /// Show only this service. May be given several times.
    #[arg(long, value_name = "NAME")]
    service: Vec<ServiceName>,
    /// Show only this kind of component, as in `unifi_dns`.
    #[arg(long, value_name = "KIND")]
    only: Option<KindName>,
    /// Plan to take over everything that is wanted, exists and is nobody's.
    #[arg(long)]
    adopt: bool,
    /// What to print.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// A folder of the repository.
    #[arg(long, value_name = "FOLDER", default_value = ".")]
    path: PathBuf,
}

impl Plan {
    pub(super) async fn run(self) -> anyhow::Result<Ended> {
        let working = Working::open(&self.path, Which::Files).await?;
        let Some(declared) = declared(&working).await? else { return Ok(Ended::Errors) };
        let local = Local::open(&working).await?;
        let config = &declared.tree.repository;
        let names: Vec<&EnvironmentName> = match self.env.is_empty() {
            true => config.environments.keys().collect(),
            false => self.env.iter().collect(),
        };
        let part = Part { services: self.service, kind: self.only };
        let progress = Progress::begin();
        let mut chapters = Vec::new();
        for name in names {
            let wanted = with_adoption(environment(config, Some(name))?, self.adopt);
            progress.say(&format!("asking what lives in {name}"));
            chapters.push(chapter(&local, &declared, &wanted, &part).await?);
        }
        progress.clear();
        let registry = Registry::new();
        let plans = chapters.iter().filter_map(|chapter| chapter.report.plan.as_ref().ok());
        part.check(Kinds::of(&registry).registry(), &declared.tree, plans)?;
        let document = Document { chapters, warnings: &declared.tree.warnings };
        let text = match self.format {
            Format::Text => {
                let found = &declared.tree.warnings;
                let texts = findings::texts(working.source(), found).await?;
                let warnings = findings::snippets(found, &texts, Paint::of_stdout());
                warnings + &document.text(Paint::of_stdout())
            }
            Format::Markdown => document.markdown(&local.templates()?)?,
            Format::Json => document.json_text(),
        };
        print(&local.redactor, &text)?;
        Ok(document.ended())
    }
}

/// What the working copy declares; none when its errors were shown instead.
pub(super) async fn declared(working: &Working) -> anyhow::Result<Option<Declared>> {
    let registry = Registry::new();
    match working.declared(Kinds::of(&registry).registry()).await {
        Ok(declared) => Ok(Some(declared)),
        Err(LoadError::Invalid(found)) => {
            let texts = findings::texts(working.source(), &found).await?;
            let snippets = findings::snippets(&found, &texts, Paint::of_stderr());
            eprintln!("{snippets}{}, so nothing is planned", findings::counted(&found));
            Ok(None)
        }
        Err(LoadError::NoConfig) => Err(working.no_config()),
        Err(LoadError::Source(error)) => Err(error),
    }
}

/// The environment, with what `--adopt` means for it.
pub(super) fn with_adoption(environment: &Environment, adopt: bool) -> Environment {
    let adoption = if adopt { Adoption::All } else { environment.adopt };
    Environment { adopt: adoption, ..environment.clone() }
}

async fn chapter(
    local: &Local,
    declared: &Declared,
    environment: &Environment,
    part: &Part,
) -> anyhow::Result<Chapter> {
    let state = local.state(environment).await?;
    let sessions = local.sessions(environment, state.repository);
    let place = Place {
        tools: local.tools(&*state.store),
        repository: state.repository,
        environment,
        earlier: None,
        past: Past::Known,
    };
    let view = View { place, sessions: &sessions, tree: &declared.tree };
    let survey = match view.locate().await? {
        Ok((located, pending)) => view.survey(&located, &pending).await?,
        Err(why) => Err(why),
    };
    let (mut report, whole) = match survey {
        Ok(survey) => {
            let whole = (!part.is_whole()).then(|| Whole::of(&survey.plan));
            (view.report(&survey, part).await?, whole)
        }
        Err(why) => (view.no_report(&why), None),
    };
    state.store.close().await;
    if state.ownership != Ownership::Known && report.next == NextStep::Mend && report.plan.is_ok() {
        // What is in the way here may well be ours where it is applied.
        report.next = NextStep::MergeLater;
    }
    Ok(Chapter { report, ownership: state.ownership, whole })
}

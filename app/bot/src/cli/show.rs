//! `landfall show`: the effective config of a service in an environment, and where each value was
//! written.

use std::path::PathBuf;

use clap::Args;
use landfall_core::config::{Line, RepositoryConfig, ServiceFile, effective, show as lines_of};
use landfall_core::diagnostic::Diagnostic;
use landfall_core::markdown;
use landfall_core::name::EnvironmentName;
use landfall_core::yaml::did_you_mean;
use landfall_os::redact::Redactor;
use landfall_providers::Registry;
use serde_json::json;

use super::Ended;
use super::choose::environment;
use super::findings;
use super::terminal::{Format, Paint, Tone, harmless, json, print};
use super::working::{Which, Working};
use crate::gather::LoadError;
use crate::gather::source::File;
use crate::gather::tree::content;
use crate::house::Kinds;

/// Print what a service comes to in an environment, and the line each value is from.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  landfall show jellyfin --env staging
  landfall show services/jellyfin.yaml --env production --format json")]
pub(super) struct Show {
    /// The service: its name, or the path of its file.
    service: String,
    /// The environment; not needed where there is only one.
    #[arg(long, value_name = "NAME")]
    env: Option<EnvironmentName>,
    /// What to print.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// A folder of the repository.
    #[arg(long, value_name = "FOLDER", default_value = ".")]
    path: PathBuf,
}

/// What is said of a service that an environment has no part of.
const NOT_HERE: &str = "# does not live in this environment: see `only:` in its file";
/// Lines of comments begin here, unless the values reach further.
const COMMENT_COLUMN: usize = 40;
/// Values that reach further than this do not move the comments of all others.
const WIDEST: usize = 72;

impl Show {
    pub(super) async fn run(self) -> anyhow::Result<Ended> {
        let working = Working::open(&self.path, Which::Files).await?;
        match self.lines(&working).await {
            Ok((lines, lives)) => {
                print(&Redactor::new(), &self.printed(&lines, lives))?;
                Ok(Ended::Done)
            }
            Err(LoadError::Invalid(found)) => {
                let texts = findings::texts(working.source(), &found).await?;
                eprint!("{}", findings::snippets(&found, &texts, Paint::of_stderr()));
                Ok(Ended::Errors)
            }
            Err(LoadError::NoConfig) => Err(working.no_config()),
            Err(LoadError::Source(error)) => Err(error),
        }
    }

    /// The lines, and whether the service lives in the environment. What is wrong with other
    /// services does not matter here.
    async fn lines(&self, working: &Working) -> Result<(Vec<Line>, bool), LoadError> {
        let registry = Registry::new();
        let kinds = Kinds::of(&registry);
        let config = working.repository_config(kinds.registry()).await?;
        let environment = environment(&config, self.env.as_ref())?;
        let file = self.file(working, &config).await?;
        let contents = working.source().contents(std::slice::from_ref(&file.blob)).await?;
        let bytes = content(&contents, &file).map_err(LoadError::Invalid)?;
        let service =
            ServiceFile::parse(kinds.registry(), &file.path, bytes).map_err(LoadError::Invalid)?;
        let wrong: Vec<Diagnostic> = service.check_environments(&config);
        if !wrong.is_empty() {
            return Err(LoadError::Invalid(wrong));
        }
        let node = effective(environment, &service).map_err(LoadError::Invalid)?;
        Ok((lines_of(&node), service.lives_in(&environment.name)))
    }

    async fn file(&self, working: &Working, config: &RepositoryConfig) -> anyhow::Result<File> {
        let files = working.source().files().await?.into_iter();
        let services: Vec<File> =
            files.filter(|file| file.is_plain() && config.services.matches(&file.path)).collect();
        let wanted = self.service.trim_start_matches("./");
        let is_it = |file: &&File| file.path.as_str() == wanted || file.path.stem() == wanted;
        if let Some(file) = services.iter().find(is_it) {
            return Ok(file.clone());
        }
        let near = did_you_mean(wanted, services.iter().map(|file| file.path.stem()));
        let near = near.unwrap_or_else(|| format!("services are `{}`", config.services.as_str()));
        anyhow::bail!("there is no service `{}`\nhelp: {near}", harmless(&self.service))
    }

    fn printed(&self, lines: &[Line], lives: bool) -> String {
        match self.format {
            Format::Text => {
                let paint = Paint::of_stdout();
                let warned = format!("{}\n", paint.tone(Tone::Warning, NOT_HERE));
                let note = if lives { String::new() } else { warned };
                note + &aligned(lines, paint)
            }
            Format::Markdown => {
                let note = if lives { String::new() } else { format!("{NOT_HERE}\n") };
                markdown::fence("yaml", &(note + &aligned(lines, Paint::Plain))) + "\n"
            }
            Format::Json => {
                let line = |line: &Line| json!({ "text": line.text, "origin": line.origin });
                let lines: Vec<_> = lines.iter().map(line).collect();
                json(&json!({ "lives": lives, "lines": lines }))
            }
        }
    }
}

/// The lines with their places behind them, in one column.
fn aligned(lines: &[Line], paint: Paint) -> String {
    let texts: Vec<String> = lines.iter().map(|line| harmless(&line.text)).collect();
    let widths = texts.iter().map(|text| text.chars().count()).filter(|width| *width <= WIDEST);
    let column = widths.max().unwrap_or(0).max(COMMENT_COLUMN);
    let line = |(line, text): (&Line, &String)| match &line.origin {
        None => format!("{text}\n"),
        Some(span) => {
            let place = harmless(&format!("# {}:{}", span.file, span.start.line));
            format!("{text:column$}  {}\n", paint.tone(Tone::Aside, place))
        }
    };
    lines.iter().zip(&texts).map(line).collect()
}

//! `landfall validate`: what the configuration of a working copy says, checked without asking anybody.

use std::path::PathBuf;

use clap::Args;
use landfall_core::diagnostic::{Diagnostic, Severity};
use landfall_os::redact::Redactor;
use landfall_providers::Registry;
use serde_json::json;

use super::Ended;
use super::findings::{self, counted, many};
use super::terminal::{Format, Paint, Tone, json, print};
use super::working::{Which, Working};
use crate::gather::LoadError;
use crate::house::Kinds;

/// Check landfall.yaml and every service, without asking anybody.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  landfall validate                     the files as they are, tracked or not
  landfall validate --staged            what would be committed: for a pre-commit hook
  landfall validate ../homelab --format json

As a pre-commit hook (.git/hooks/pre-commit):
  #!/bin/sh
  exec landfall validate --staged

Exit code: 0 no errors, perhaps warnings; 1 errors.")]
pub(super) struct Validate {
    /// A folder of the repository, or a file in it.
    #[arg(default_value = ".")]
    path: PathBuf,
    /// Check what is staged instead of what lies in the folder.
    #[arg(long)]
    staged: bool,
    /// What to print.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// What there is besides findings.
struct Extent {
    services: usize,
    environments: usize,
    units: usize,
}

impl Validate {
    pub(super) async fn run(self) -> anyhow::Result<Ended> {
        let which = if self.staged { Which::Staged } else { Which::Files };
        let working = Working::open(&self.path, which).await?;
        let registry = Registry::new();
        let (found, extent) = match working.declared(Kinds::of(&registry).registry()).await {
            Ok(declared) => {
                let extent = Extent {
                    services: declared.tree.services.len(),
                    environments: declared.tree.repository.environments.len(),
                    units: declared.tree.units().count(),
                };
                (declared.tree.warnings.clone(), Some(extent))
            }
            Err(LoadError::Invalid(found)) => (found, None),
            Err(LoadError::NoConfig) => return Err(working.no_config()),
            Err(LoadError::Source(error)) => return Err(error),
        };
        let text = match self.format {
            Format::Text => {
                let texts = findings::texts(working.source(), &found).await?;
                let paint = Paint::of_stdout();
                let snippets = findings::snippets(&found, &texts, paint);
                format!("{snippets}{}\n", painted(&found, extent.as_ref(), paint))
            }
            Format::Markdown => {
                format!("{}\n\n{}", summary(&found, extent.as_ref()), findings::list(&found))
            }
            Format::Json => json(&document(&found, extent.as_ref())),
        };
        print(&Redactor::new(), text.trim_end_matches('\n'))?;
        print(&Redactor::new(), "\n")?;
        Ok(if extent.is_some() { Ended::Done } else { Ended::Errors })
    }
}

/// One line: what was checked and what was found.
fn summary(found: &[Diagnostic], extent: Option<&Extent>) -> String {
    let counts = counted(found);
    let Some(extent) = extent else { return counts };
    let checked = format!(
        "{} in {}, {}",
        many(extent.services, "service"),
        many(extent.environments, "environment"),
        many(extent.units, "unit")
    );
    match counts.is_empty() {
        true => format!("{checked}: no errors"),
        false => format!("{checked}: no errors, {counts}"),
    }
}

fn painted(found: &[Diagnostic], extent: Option<&Extent>, paint: Paint) -> String {
    let tone = match extent {
        None => Tone::Goes,
        Some(_) if found.is_empty() => Tone::Comes,
        Some(_) => Tone::Changes,
    };
    paint.tone(tone, summary(found, extent))
}

fn document(found: &[Diagnostic], extent: Option<&Extent>) -> serde_json::Value {
    let number = |severity| found.iter().filter(|finding| finding.severity == severity).count();
    json!({
        "errors": number(Severity::Error),
        "warnings": number(Severity::Warning),
        "services": extent.map(|extent| extent.services),
        "environments": extent.map(|extent| extent.environments),
        "units": extent.map(|extent| extent.units),
        "findings": found,
    })
}

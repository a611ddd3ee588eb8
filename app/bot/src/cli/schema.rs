//! `landfall schema`: JSON Schema of both files, for editors.

use clap::{Args, ValueEnum};
use landfall_core::config::schema;
use landfall_os::redact::Redactor;
use landfall_providers::Registry;

use super::Ended;
use super::terminal::{json, print};
use crate::house::Kinds;

/// Print the JSON Schema of landfall.yaml or of a service file.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  landfall schema repository > landfall.schema.json
  landfall schema service > service.schema.json

Editors with the YAML language server take it from the first line of a file:
  # yaml-language-server: $schema=../service.schema.json")]
pub(super) struct Schema {
    /// Which file.
    #[arg(value_enum)]
    file: File,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum File {
    /// landfall.yaml
    Repository,
    /// services/NAME.yaml
    Service,
}

impl Schema {
    pub(super) fn run(self) -> anyhow::Result<Ended> {
        let registry = Registry::new();
        let kinds = Kinds::of(&registry);
        let schema = match self.file {
            File::Repository => schema::repository(kinds.registry()),
            File::Service => schema::service(kinds.registry()),
        };
        print(&Redactor::new(), &json(&schema))?;
        Ok(Ended::Done)
    }
}

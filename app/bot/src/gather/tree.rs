//! Reading what a commit declares: its files, through the caches, to a checked configuration.

use std::collections::HashMap;
use std::sync::Arc;

use landfall_core::check;
use landfall_core::config::{
    self, Budget, REPOSITORY_CONFIG, RepositoryConfig, ServiceFile, Tree, units,
};
use landfall_core::diagnostic::{Diagnostic, Position, Span};
use landfall_core::name::{BlobSha, ConfigPath};

use super::source::File;
use super::{Caches, Source};

/// After so many findings no further file is read: nobody reads more.
const MAX_FINDINGS: usize = 1000;

/// What a commit declares, and the files that it has.
#[derive(Debug, Clone)]
pub struct Declared {
    /// The configuration.
    pub tree: Arc<Tree>,
    /// Every file of the commit.
    pub paths: Arc<Vec<ConfigPath>>,
}

/// Why a commit declares nothing that can be used.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The configuration has errors; warnings may be among them.
    #[error("the configuration has errors")]
    Invalid(Vec<Diagnostic>),
    /// There is no repository config.
    #[error("there is no `{REPOSITORY_CONFIG}`")]
    NoConfig,
    /// The files could not be read.
    #[error(transparent)]
    Source(#[from] anyhow::Error),
}

/// Reads the repository config of `source`, and says under which name its content is known.
///
/// # Errors
/// It is not there, or wrong.
pub async fn repository_config(
    source: &dyn Source,
    registry: config::Registry<'_>,
) -> Result<(RepositoryConfig, BlobSha), LoadError> {
    let path = ConfigPath::new(REPOSITORY_CONFIG).map_err(anyhow::Error::from)?;
    let File { path, blob, plain } = source.file(&path).await?.ok_or(LoadError::NoConfig)?;
    if !plain {
        return Err(LoadError::Invalid(vec![linked(&path)]));
    }
    let contents = source.contents(std::slice::from_ref(&blob)).await?;
    let bytes = contents.get(&blob).map(|bytes| &bytes[..]).unwrap_or_default();
    let config =
        RepositoryConfig::load(registry, REPOSITORY_CONFIG, bytes).map_err(LoadError::Invalid)?;
    Ok((config, blob))
}

/// Reads every service of `source` as `repository` says.
///
/// # Errors
/// All errors of all files; or the files could not be read.
pub async fn declared(
    source: &dyn Source,
    registry: config::Registry<'_>,
    repository: Arc<RepositoryConfig>,
    caches: &Caches,
) -> Result<Declared, LoadError> {
    let files = source.files().await?;
    let matching = files.iter().filter(|file| repository.services.matches(&file.path)).cloned();
    let (services, links): (Vec<File>, Vec<File>) = matching.partition(|file| file.plain);
    let parsed = parse(source, registry, &services, caches).await?;
    let blobs: HashMap<&ConfigPath, &BlobSha> =
        services.iter().map(|file| (&file.path, &file.blob)).collect();
    let mut read = Vec::with_capacity(services.len());
    let mut findings = check::tracked(files.iter().map(|file| &file.path));
    findings.extend(links.iter().map(|link| linked(&link.path)));
    let mut budget = Budget::default();
    for file in parsed {
        match file {
            Ok(file) => {
                budget.take(&repository, &file).map_err(|e| LoadError::Invalid(vec![e]))?;
                read.push(file);
            }
            Err(errors) => findings.extend(errors),
        }
        if findings.len() > MAX_FINDINGS {
            break;
        }
    }
    if !findings.is_empty() {
        return Err(LoadError::Invalid(findings));
    }
    let tree =
        Tree::load_with(Arc::clone(&repository), read, |repository, environment, service| {
            let environment = &repository.environments[environment];
            let make = || units(registry, repository, environment, service).map(Into::into);
            match blobs.get(&service.path) {
                Some(blob) => caches.units((&service.path, blob, &environment.digest), make),
                None => make(),
            }
        });
    let tree = tree.map_err(LoadError::Invalid)?;
    let paths = files.into_iter().map(|file| file.path).collect();
    Ok(Declared { tree: Arc::new(tree), paths: Arc::new(paths) })
}

type Parsed = Result<Arc<ServiceFile>, Vec<Diagnostic>>;

/// Parses each file that is not known yet, when it is asked for: their contents are read all at
/// once, and the trees made of them are larger, so whoever asks stops when it is too much.
async fn parse<'a>(
    source: &dyn Source,
    registry: config::Registry<'a>,
    services: &'a [File],
    caches: &'a Caches,
) -> anyhow::Result<impl Iterator<Item = Parsed> + 'a> {
    let known: Vec<Option<Parsed>> =
        services.iter().map(|file| caches.file(&file.path, &file.blob)).collect();
    let unknown = services.iter().zip(&known).filter(|(_, known)| known.is_none());
    let unknown: Vec<BlobSha> = unknown.map(|(file, _)| file.blob.clone()).collect();
    let contents =
        if unknown.is_empty() { HashMap::new() } else { source.contents(&unknown).await? };
    let parse = move |(File { path, blob, .. }, known): (&File, Option<Parsed>)| {
        known.unwrap_or_else(|| {
            let bytes = contents.get(blob).map(|bytes| &bytes[..]).unwrap_or_default();
            let parsed = ServiceFile::parse(registry, path, bytes).map(Arc::new);
            caches.keep_file(path, blob, parsed.clone());
            parsed
        })
    };
    Ok(services.iter().zip(known).map(parse))
}

/// A link in a service's place would otherwise look like a service that was removed.
fn linked(path: &ConfigPath) -> Diagnostic {
    let at = Position { line: 1, column: 1 };
    let span = Span { file: Arc::from(path.as_str()), start: at, end: at };
    Diagnostic::error("linked-file", span, "this is a symbolic link, and links are not followed")
        .help("put a file in its place")
}

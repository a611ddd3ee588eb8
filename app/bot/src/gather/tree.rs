//! Reading what a commit declares: its files, through the caches, to a checked configuration.

use std::collections::HashMap;
use std::sync::Arc;

use landfall_core::check;
use landfall_core::config::{
    self, Budget, REPOSITORY_CONFIG, RepositoryConfig, ServiceFile, Tree, units,
};
use landfall_core::diagnostic::{Diagnostic, Position, Span};
use landfall_core::name::{BlobSha, ConfigPath};
use landfall_repo::{Blob, RepoError};

use super::source::{File, Form, MAX_FILE};
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
    let file = source.file(&path).await?.ok_or(LoadError::NoConfig)?;
    if !file.is_plain() {
        return Err(LoadError::Invalid(vec![no_file(&file)]));
    }
    let contents = contents(source, std::slice::from_ref(&file.blob)).await?;
    let bytes = content(&contents, &file).map_err(LoadError::Invalid)?;
    let config =
        RepositoryConfig::load(registry, REPOSITORY_CONFIG, bytes).map_err(LoadError::Invalid)?;
    Ok((config, file.blob))
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
    let (services, others): (Vec<File>, Vec<File>) = matching.partition(File::is_plain);
    let parsed = parse(source, registry, &services, caches).await?;
    let blobs: HashMap<&ConfigPath, &BlobSha> =
        services.iter().map(|file| (&file.path, &file.blob)).collect();
    let mut read = Vec::with_capacity(services.len());
    let mut findings = check::tracked(files.iter().map(|file| &file.path));
    findings.extend(others.iter().map(no_file));
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
) -> Result<impl Iterator<Item = Parsed> + 'a, LoadError> {
    let known: Vec<Option<Parsed>> =
        services.iter().map(|file| caches.file(&file.path, &file.blob)).collect();
    let unknown = services.iter().zip(&known).filter(|(_, known)| known.is_none());
    let unknown: Vec<BlobSha> = unknown.map(|(file, _)| file.blob.clone()).collect();
    let contents =
        if unknown.is_empty() { HashMap::new() } else { contents(source, &unknown).await? };
    let parse = move |(file, known): (&File, Option<Parsed>)| {
        known.unwrap_or_else(|| {
            let parsed = content(&contents, file)
                .and_then(|bytes| ServiceFile::parse(registry, &file.path, bytes).map(Arc::new));
            caches.keep_file(&file.path, &file.blob, parsed.clone());
            parsed
        })
    };
    Ok(services.iter().zip(known).map(parse))
}

/// The contents of blobs, as far as each is small enough.
async fn contents(
    source: &dyn Source,
    blobs: &[BlobSha],
) -> Result<HashMap<BlobSha, Blob>, LoadError> {
    let too_much = |limit: &u64| {
        let message = format!("the services have more than {limit} bytes together");
        let help =
            "divide them among several repositories, or say with `services:` which are meant";
        LoadError::Invalid(vec![about(REPOSITORY_CONFIG, "too-large", message).help(help)])
    };
    source.contents(blobs).await.map_err(|error| match error.downcast_ref() {
        Some(RepoError::TooLarge { limit }) => too_much(limit),
        _ => LoadError::Source(error),
    })
}

/// The content of a file among those that were read; or that there is too much of it.
pub(crate) fn content<'c>(
    contents: &'c HashMap<BlobSha, Blob>,
    file: &File,
) -> Result<&'c [u8], Vec<Diagnostic>> {
    let (code, message) = match contents.get(&file.blob) {
        Some(Blob::Content(content)) => return Ok(content),
        Some(Blob::TooLarge { size }) => {
            ("too-large", format!("the file has {size} bytes, at most {MAX_FILE} are read"))
        }
        // An empty file would declare nothing, and what it declared before would go.
        None => ("unreadable-file", "the file was not found where it was listed".to_owned()),
    };
    Err(vec![about(file.path.as_str(), code, message)])
}

/// Something else in a service's place would otherwise look like a service that was removed.
fn no_file(file: &File) -> Diagnostic {
    let (code, message, help) = match file.form {
        Form::Submodule => (
            "submodule",
            "this is a submodule, and other repositories are not looked into",
            "put a file in its place",
        ),
        Form::Odd => (
            "odd-path",
            "the path of this file is too long or has characters that a path should not have",
            "give it another name",
        ),
        Form::Link | Form::Plain => (
            "linked-file",
            "this is a symbolic link, and links are not followed",
            "put a file in its place",
        ),
    };
    about(file.path.as_str(), code, message.to_owned()).help(help)
}

/// A finding about a file as a whole.
fn about(file: &str, code: &'static str, message: String) -> Diagnostic {
    let span = Span::new(&Arc::from(file), Position::START, Position::START);
    Diagnostic::error(code, span, message)
}

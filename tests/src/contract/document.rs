//! One vendor's description: its operations, and validators for the schemas in it.
//!
//! Validators are compiled when they are first asked for and kept; all references stay inside the document, so compiling reads
//! nothing. A document is shared by all tests of a process.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use jsonschema::{Draft, Registry, Validator};
use serde_json::{Value, json};

use super::schema::{Side, Translator};
use super::template::{Template, Values};
use super::{known, pointer};

/// Whose description it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Vendor {
    GitHub,
    Webhooks,
    Unifi,
    Cloudflare,
}

impl Vendor {
    fn file(self) -> &'static str {
        match self {
            Vendor::GitHub => "github-openapi-subset.json",
            Vendor::Webhooks => "github-webhooks-openapi-subset.json",
            Vendor::Unifi => "unifi-integration-openapi-subset.json",
            Vendor::Cloudflare => "cloudflare-openapi-subset.json",
        }
    }
}

/// A description.
#[derive(Debug)]
pub(super) struct Document {
    source: Value,
    operations: Vec<Operation>,
    ours: Schemas,
    theirs: Schemas,
}

#[derive(Debug)]
struct Operation {
    /// In lower case, as the document has it.
    method: String,
    /// As the document has it.
    path: String,
    template: Template,
}

/// The operation that a request means, with the values in its path.
#[derive(Debug)]
pub(super) struct Matched<'a> {
    pub(super) place: Place<'a>,
    pub(super) values: Values<'a>,
}

/// A place in a document, with references followed.
#[derive(Debug, Clone)]
pub(super) struct Place<'a> {
    document: &'a Document,
    /// Where it is, as `#/components/...`.
    pub(super) fragment: String,
    pub(super) value: &'a Value,
}

impl Document {
    pub(super) fn read(folder: &Path, vendor: Vendor) -> Result<Document, String> {
        let file = folder.join(vendor.file());
        let text = std::fs::read(&file).map_err(|error| {
            format!(
                "the contract tests need the vendor's description {}: {error}; set LANDFALL_SPECS to the folder that has it",
                file.display()
            )
        })?;
        let unfit = |error: String| format!("{} is no OpenAPI document: {error}", file.display());
        let mut source = serde_json::from_slice(&text).map_err(|error| unfit(error.to_string()))?;
        known::amend(vendor, &mut source).map_err(unfit)?;
        Document::new(source).map_err(unfit)
    }

    fn new(source: Value) -> Result<Document, String> {
        let ours = Schemas::new(&source, Side::Ours)?;
        let theirs = Schemas::new(&source, Side::Theirs)?;
        let operations = operations(&source);
        Ok(Document { source, operations, ours, theirs })
    }

    /// The operation that a method and a path mean.
    pub(super) fn find(&self, method: &str, path: &str) -> Option<Matched<'_>> {
        let fitting = self.operations.iter().filter_map(|operation| {
            let values = operation.template.values(path)?;
            operation.method.eq_ignore_ascii_case(method).then_some((operation, values))
        });
        let (operation, values) =
            fitting.max_by(|(a, _), (b, _)| a.template.specificity(&b.template))?;
        let place = self.place(&["paths", &operation.path, &operation.method])?;
        Some(Matched { place, values })
    }

    /// A place by the keys that lead to it.
    pub(super) fn place(&self, keys: &[&str]) -> Option<Place<'_>> {
        Place { document: self, fragment: "#".to_owned(), value: &self.source }.under(keys)
    }

    /// The validator of the schema at a place of this document.
    pub(super) fn validator(&self, side: Side, fragment: &str) -> Arc<Validator> {
        match side {
            Side::Ours => self.ours.validator(fragment),
            Side::Theirs => self.theirs.validator(fragment),
        }
    }
}

impl<'a> Place<'a> {
    /// The place that `keys` lead to from here.
    pub(super) fn under(&self, keys: &[&str]) -> Option<Place<'a>> {
        let mut place = self.clone();
        for key in keys {
            let step = pointer::fragment(&[key]);
            let fragment = format!("{}{}", place.fragment, step.trim_start_matches('#'));
            place = Place { value: place.value.get(*key)?, fragment, ..place }.resolved()?;
        }
        Some(place)
    }

    /// The place of the schema here. It is not followed: a schema that refers to another one can say more than that one.
    pub(super) fn schema(&self) -> Option<Place<'a>> {
        let fragment = format!("{}/schema", self.fragment);
        Some(Place { document: self.document, value: self.value.get("schema")?, fragment })
    }

    /// The places of the elements of a list.
    pub(super) fn elements(&self) -> Vec<Place<'a>> {
        let count = self.value.as_array().map_or(0, Vec::len);
        let element = |place: usize| {
            let fragment = format!("{}/{place}", self.fragment);
            Place { value: &self.value[place], fragment, document: self.document }.resolved()
        };
        (0..count).filter_map(element).collect()
    }

    fn resolved(self) -> Option<Place<'a>> {
        match self.value.get("$ref").and_then(Value::as_str) {
            Some(reference) => {
                let value = pointer::find(&self.document.source, reference)?;
                Place { value, fragment: pointer::tidy(reference), ..self }.resolved()
            }
            None => Some(self),
        }
    }
}

fn operations(source: &Value) -> Vec<Operation> {
    let paths = source["paths"].as_object().into_iter().flatten();
    paths
        .flat_map(|(path, methods)| {
            methods.as_object().into_iter().flatten().map(|(method, _)| Operation {
                method: method.clone(),
                path: path.clone(),
                template: Template::parse(path),
            })
        })
        .collect()
}

/// The schemas of a document for one side.
#[derive(Debug)]
struct Schemas {
    registry: Registry<'static>,
    compiled: Mutex<HashMap<String, Arc<Validator>>>,
}

/// A name for the document; nothing is fetched from it.
const ADDRESS: &str = "urn:landfall:description";

impl Schemas {
    fn new(source: &Value, side: Side) -> Result<Schemas, String> {
        let document = Translator::new(source, side).document();
        let registry = Registry::new()
            .draft(Draft::Draft202012)
            .add(ADDRESS, document)
            .and_then(|registry| registry.prepare())
            .map_err(|error| error.to_string())?;
        Ok(Schemas { registry, compiled: Mutex::default() })
    }

    fn validator(&self, fragment: &str) -> Arc<Validator> {
        let mut compiled = self.compiled.lock().unwrap_or_else(PoisonError::into_inner);
        let compile = || {
            jsonschema::options()
                .with_draft(Draft::Draft202012)
                .with_registry(&self.registry)
                .should_validate_formats(true)
                .with_format("uri", known::is_address)
                .offline()
                .build(&json!({ "$ref": format!("{ADDRESS}{fragment}") }))
                .map(Arc::new)
                .unwrap_or_else(|error| panic!("{fragment} is no schema: {error}"))
        };
        compiled.entry(fragment.to_owned()).or_insert_with(compile).clone()
    }
}

//! Resources: one thing at a provider, as desired, as it lives, as we own it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::Cnames;
use crate::diagnostic::Span;
use crate::name::{KindName, NameError, RepositoryId, UnitName};

/// A resource's value in the provider's normal form. Two values are equal when they are the same
/// JSON; providers bring both sides into one form (case, trailing dots, order of a set) before.
pub type Value = serde_json::Value;

/// The identity of what is written to, as the provider reports it: a zone's id, a site's uuid,
/// an account and a tunnel's name. Never an address. Written `cloudflare_dns:023e105f…`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Target {
    /// The provider that writes to it.
    pub provider: KindName,
    /// The identity within the provider.
    pub id: String,
}

impl Target {
    /// A target of `provider`.
    pub fn new(provider: KindName, id: impl Into<String>) -> Self {
        Self { provider, id: id.into() }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.provider, self.id)
    }
}

impl FromStr for Target {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        match text.split_once(':') {
            Some((provider, id)) if !id.is_empty() => Ok(Self::new(provider.parse()?, id)),
            _ => Err(NameError::new("a target", text, "`provider:identity`")),
        }
    }
}

impl TryFrom<String> for Target {
    type Error = NameError;

    fn try_from(text: String) -> Result<Self, NameError> {
        text.parse()
    }
}

impl From<Target> for String {
    fn from(target: Target) -> String {
        target.to_string()
    }
}

/// What a resource is called before it exists: target, type and name.
/// The order (target, name, type) is the order in which changes are shown.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ResourceKey {
    /// What it is written to.
    pub target: Target,
    /// Its name at the provider: `jellyfin.internal.lan`, `jellyfin.example.com/api`.
    pub name: String,
    /// Its type at the provider: `A`, `CNAME`, `rule`.
    #[serde(rename = "type")]
    pub rtype: String,
}

impl ResourceKey {
    /// The key of `rtype` `name` at `target`.
    pub fn new(target: Target, rtype: impl Into<String>, name: impl Into<String>) -> Self {
        Self { target, name: name.into(), rtype: rtype.into() }
    }
}

/// What a resource is called wherever it is written to: what a configuration says of it before
/// anybody was asked about targets.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ResourceName {
    /// Its name at the provider.
    pub name: String,
    /// Its type at the provider.
    pub rtype: String,
}

impl ResourceName {
    /// The name of `rtype` `name`.
    pub fn new(rtype: impl Into<String>, name: impl Into<String>) -> Self {
        Self { name: name.into(), rtype: rtype.into() }
    }
}

impl fmt::Display for ResourceKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.rtype, self.name)
    }
}

/// A resource as the configuration wants it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Desired {
    /// What it is called.
    pub key: ResourceKey,
    /// What it should be.
    pub value: Value,
    /// Whether the entry says `adopt: true`.
    pub adopt: bool,
    /// Where the configuration says so.
    pub span: Span,
}

/// A resource as it lives at the provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LiveResource {
    /// What it is.
    pub value: Value,
    /// The provider's ids of it; a record set has one for each record.
    pub ids: Vec<String>,
}

/// What was found at one target.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Live {
    /// The resources that were asked for and exist, and any others that came along.
    pub resources: BTreeMap<ResourceKey, LiveResource>,
    /// Whether a resource can be changed in place; where not, an update is planned as a replace.
    pub replaces: bool,
    /// What may stand beside a CNAME there.
    pub cnames: Cnames,
    /// Those of `resources` that nobody can change: a console made them for itself.
    pub fixed: BTreeSet<ResourceKey>,
    /// Containers (a tunnel) that a change needs and that do not exist yet; they are created with the effect.
    pub missing_containers: Vec<String>,
}

/// Who owns a resource: a unit of a repository.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Owner {
    /// The repository.
    pub repository: RepositoryId,
    /// The unit.
    pub unit: UnitName,
}

/// A resource that we own, as state has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owned {
    /// Whose it is.
    pub owner: Owner,
    /// What was applied last.
    pub value: Value,
    /// The provider's ids of it.
    pub ids: Vec<String>,
}

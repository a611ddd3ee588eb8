//! Guardrails: limits on a plan, whoever reviewed it.
//!
//! They look at what a plan takes away or takes over: how much of the environment goes at once,
//! and whether a protected resource is among it.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::name::{DnsName, NameError};
use crate::plan::{Action, Change, Plan, ResourceKey, Target};

/// A plan that deletes fewer resources than this passes, whatever their share: small environments
/// would otherwise stumble over every removal.
pub const DELETES_ALWAYS_ALLOWED: usize = 4;

/// The longest pattern of what is protected, in bytes; a name has at most 253.
const LONGEST: usize = 300;

/// The limits of one environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Guardrails {
    /// How much of what the environment owns may be deleted at once, in percent.
    pub max_deletes: u8,
    /// What must not be deleted, replaced or taken over.
    pub protect: Vec<Protect>,
}

impl Default for Guardrails {
    /// 30 %; the apex of a zone, wildcards, NS and MX record sets.
    fn default() -> Self {
        let protect = vec![
            Protect::Apex,
            Protect::Wildcard,
            Protect::pattern("*", "NS", "*"),
            Protect::pattern("*", "MX", "*"),
        ];
        Self { max_deletes: 30, protect }
    }
}

/// What is protected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Protect {
    /// `apex`: everything at the name of a zone itself.
    Apex,
    /// `wildcard`: every name that begins with `*.`.
    Wildcard,
    /// `provider:type:name`, each part with `*` for anything.
    Pattern {
        /// The provider's kind.
        provider: String,
        /// The resource's type.
        rtype: String,
        /// The resource's name.
        name: String,
    },
}

impl Protect {
    fn pattern(provider: &str, rtype: &str, name: &str) -> Self {
        Self::Pattern { provider: provider.into(), rtype: rtype.into(), name: name.into() }
    }

    fn matches(&self, key: &ResourceKey, zones: &BTreeMap<Target, DnsName>) -> bool {
        match self {
            Self::Apex => zones.get(&key.target).is_some_and(|zone| zone.as_str() == key.name),
            Self::Wildcard => key.name.starts_with("*."),
            Self::Pattern { provider, rtype, name } => {
                glob(provider, key.target.provider.as_str())
                    && glob(rtype, &key.rtype)
                    && glob(name, &key.name)
            }
        }
    }
}

impl fmt::Display for Protect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Apex => f.write_str("apex"),
            Self::Wildcard => f.write_str("wildcard"),
            Self::Pattern { provider, rtype, name } => write!(f, "{provider}:{rtype}:{name}"),
        }
    }
}

impl FromStr for Protect {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        if text.len() > LONGEST {
            return Err(NameError::new("something to protect", text, "at most 300 characters"));
        }
        let parts: Vec<&str> = text.splitn(3, ':').collect();
        match parts[..] {
            ["apex"] => Ok(Self::Apex),
            ["wildcard"] => Ok(Self::Wildcard),
            [provider, rtype, name] if parts.iter().all(|part| !part.is_empty()) => {
                Ok(Self::pattern(provider, rtype, name))
            }
            _ => Err(NameError::new(
                "something to protect",
                text,
                "`apex`, `wildcard`, or `provider:type:name` as in `cloudflare_dns:MX:*`",
            )),
        }
    }
}

impl TryFrom<String> for Protect {
    type Error = NameError;

    fn try_from(text: String) -> Result<Self, NameError> {
        text.parse()
    }
}

impl From<Protect> for String {
    fn from(protect: Protect) -> String {
        protect.to_string()
    }
}

/// `*` stands for anything, also for nothing. Each part between two stars is taken where it first
/// occurs, which leaves the most to the ones behind it: so nothing has to be tried twice.
fn glob(pattern: &str, text: &str) -> bool {
    let Some((head, rest)) = pattern.split_once('*') else { return pattern == text };
    let (parts, tail) = rest.rsplit_once('*').unwrap_or(("", rest));
    let Some(mut between) = text.strip_prefix(head).and_then(|text| text.strip_suffix(tail)) else {
        return false;
    };
    parts.split('*').all(|part| match between.find(part) {
        Some(at) => {
            between = &between[at + part.len()..];
            true
        }
        None => false,
    })
}

/// A limit that a plan passes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Violation {
    /// Too much would go at once.
    Deletes {
        /// How many resources would go.
        deletes: usize,
        /// How many the environment owns.
        owned: usize,
        /// The limit, in percent.
        limit: u8,
    },
    /// A protected resource is deleted, replaced or taken over.
    Protected {
        /// What would happen to it.
        action: Action,
        /// The resource.
        key: ResourceKey,
        /// The rule that protects it.
        rule: Protect,
    },
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Deletes { deletes, owned, limit } => {
                write!(
                    f,
                    "{deletes} of {owned} resources would be deleted; `max_deletes` allows {limit} %"
                )
            }
            Self::Protected { action, key, rule } => {
                write!(f, "{action} of {key} is protected by `{rule}`")
            }
        }
    }
}

/// The limits that `plan` passes under any of `rules` (the ones of the last succeeded run and the
/// ones of the run's own commit: a merge cannot be judged only by the rules it brings).
/// `owned` counts what the environment owns; `zones` names the zone behind a target.
#[must_use]
pub fn violations(
    plan: &Plan,
    rules: &[&Guardrails],
    owned: usize,
    zones: &BTreeMap<Target, DnsName>,
) -> Vec<Violation> {
    let deletes = plan.changes().filter(|change| change.action == Action::Delete).count();
    let limit = rules.iter().map(|rules| rules.max_deletes).min().unwrap_or(100);
    let mut found = Vec::new();
    if deletes > DELETES_ALWAYS_ALLOWED && deletes * 100 > owned * usize::from(limit) {
        found.push(Violation::Deletes { deletes, owned, limit });
    }
    for change in plan.changes().filter(|change| change.action.is_destructive()) {
        let Change { action, key, .. } = change;
        let rule =
            rules.iter().flat_map(|rules| &rules.protect).find(|rule| rule.matches(key, zones));
        if let Some(rule) = rule {
            found.push(Violation::Protected {
                action: *action,
                key: key.clone(),
                rule: rule.clone(),
            });
        }
    }
    found
}

#[cfg(test)]
mod tests;

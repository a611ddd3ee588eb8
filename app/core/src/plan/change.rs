//! Changes, effects and what becomes of them.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Digest, ResourceKey, Target, Value};
use crate::name::UnitName;

/// What a change does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// It does not exist and will.
    Create,
    /// It is ours and will be changed in place.
    Update,
    /// It is ours and can only be changed by deleting and creating it.
    Replace,
    /// It is ours and will be gone.
    Delete,
    /// It exists, is nobody's, and becomes ours, changed where it differs.
    Adopt,
    /// It moves from one unit of ours to another, changed where it differs.
    Transfer,
    /// It stays where it is and stops being ours.
    Forget,
    /// It is gone already and stops being ours.
    Release,
    /// Something is run (a Terraform apply).
    Run,
}

impl Action {
    /// The word as people read it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Replace => "replace",
            Self::Delete => "delete",
            Self::Adopt => "adopt",
            Self::Transfer => "transfer",
            Self::Forget => "forget",
            Self::Release => "release",
            Self::Run => "run",
        }
    }

    /// Whether something that exists is taken away or taken over: counted by guardrails.
    #[must_use]
    pub fn is_destructive(self) -> bool {
        matches!(self, Self::Delete | Self::Replace | Self::Adopt | Self::Forget)
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// One difference of one resource.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// The unit that wants it, or that it is taken from.
    pub unit: UnitName,
    /// What is done.
    pub action: Action,
    /// To what.
    pub key: ResourceKey,
    /// The value found, if there is one.
    pub before: Option<Value>,
    /// The value wanted, if there is one.
    pub after: Option<Value>,
    /// For a transfer: the unit that had it.
    pub from: Option<UnitName>,
    /// The provider's ids of what was found. Not in the digest: they say where, not what.
    pub ids: Vec<String>,
}

impl Change {
    /// Whether the provider has to be written to, or only state changes.
    #[must_use]
    pub fn touches_provider(&self) -> bool {
        match self.action {
            Action::Forget | Action::Release => false,
            Action::Adopt | Action::Transfer => self.before != self.after,
            _ => true,
        }
    }

    /// The digest of this change; see [`Digest`] for what is in it.
    #[must_use]
    pub fn digest(&self) -> Digest {
        // Destructured so that a new field cannot be forgotten.
        let Self { unit, action, key, before, after, from, ids: _ } = self;
        Digest::of(&serde_json::json!({
            "unit": unit, "action": action, "target": key.target, "type": key.rtype,
            "name": key.name, "before": before, "after": after, "from": from,
        }))
    }
}

/// One call to a provider: ordered changes of one target, of one or more units.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Effect {
    /// What is written to.
    pub target: Target,
    /// What changes, in this order.
    pub changes: Vec<Change>,
}

/// What an effect came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// All of its changes are in place; the ids are those of every resource that exists now.
    Done(BTreeMap<ResourceKey, Vec<String>>),
    /// The provider refused, or could not be reached before anything was sent: nothing changed.
    Failed(String),
    /// What lives is not what the plan was made for: nothing was sent.
    Moved(String),
    /// It was sent and nobody knows what became of it: a timeout, a 5xx, a cut connection.
    Unknown(String),
}

/// What reading back shows of one change whose outcome was not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Landed {
    /// The value wanted is there.
    After,
    /// The value found before is still there.
    Before,
    /// Part of the change is there and nothing else: it may be finished.
    Partly,
    /// Something else is there.
    Foreign,
}

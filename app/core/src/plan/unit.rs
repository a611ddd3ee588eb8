//! The plan of one environment: its units, their changes, and what stands in their way.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Action, Change, Digest, ResourceKey, Target, UnitHash, Value, value_text};
use crate::name::{EnvironmentName, RepositoryId, UnitName};

/// The ordered changes of the pending units of one environment for one tree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// The environment.
    pub environment: EnvironmentName,
    /// The units, by name.
    pub units: BTreeMap<UnitName, UnitPlan>,
    /// Containers (a tunnel) that will be created because a change needs them. Owned by no unit,
    /// so no part of a digest.
    pub containers: BTreeMap<Target, Vec<String>>,
}

/// Why a unit is in a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// Its hash differs between the target branch and the merged tree.
    Changed,
    /// It is not as applied last, whoever changed it: "not from this pull request".
    Pending,
}

/// One unit's part of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnitPlan {
    /// Why it is here.
    pub origin: Origin,
    /// Its hash in the tree; none when the tree has it no more.
    pub hash: Option<UnitHash>,
    /// What changes, sorted by key.
    pub changes: Vec<Change>,
    /// What stands in the way. A unit with conflicts has no changes: it is applied whole or not at all.
    pub conflicts: Vec<Conflict>,
}

/// Why a unit cannot be applied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Conflict {
    /// The resource exists and is nobody's; it may be adopted.
    Exists {
        /// The resource.
        key: ResourceKey,
        /// What lives.
        live: Value,
        /// What is wanted.
        desired: Value,
    },
    /// The resource exists, and is the provider's own: it can neither be adopted nor changed.
    Fixed {
        /// The resource.
        key: ResourceKey,
    },
    /// Another unit, perhaps of another environment or repository, owns it.
    OwnedElsewhere {
        /// The resource.
        key: ResourceKey,
        /// The unit.
        unit: UnitName,
        /// The repository that it is of, where that is not the one that plans.
        repository: Option<RepositoryId>,
    },
    /// Something of another type stands at the name, and nobody takes it away.
    InTheWay {
        /// The resource that is wanted.
        key: ResourceKey,
        /// What stands there.
        other: ResourceKey,
    },
    /// Two units of this plan want it.
    WantedTwice {
        /// The resource.
        key: ResourceKey,
        /// The other unit.
        other: UnitName,
    },
    /// A unit that takes something over from this one, or the other way round, is blocked.
    Entangled {
        /// The other unit.
        other: UnitName,
    },
    /// A look-up has no answer, or the provider could not be asked. The text is fit for a comment.
    Unanswered {
        /// What was asked and what came back.
        message: String,
    },
}

impl fmt::Display for Conflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exists { key, live, desired } if live == desired => {
                write!(f, "{key} exists already, just as wanted, and is not ours")
            }
            Self::Exists { key, live, desired } => {
                let (live, desired) = (value_text(live), value_text(desired));
                write!(f, "{key} exists as `{live}` and is not ours; wanted is `{desired}`")
            }
            Self::Fixed { key } => {
                write!(f, "{key} exists already, and is the provider's own: it cannot be changed")
            }
            Self::OwnedElsewhere { key, unit, repository: None } => {
                write!(f, "{key} belongs to `{unit}`")
            }
            // By its number: whoever reads this may not even know that the other one exists.
            Self::OwnedElsewhere { key, unit, repository: Some(id) } => {
                write!(f, "{key} belongs to `{unit}` of another repository (number {id})")
            }
            Self::InTheWay { key, other } => write!(f, "{other} stands in the way of {key}"),
            Self::WantedTwice { key, other } => write!(f, "{key} is wanted by `{other}` too"),
            Self::Entangled { other } => {
                write!(f, "`{other}` is blocked, and something moves between the two")
            }
            Self::Unanswered { message } => f.write_str(message),
        }
    }
}

impl Conflict {
    /// The resource that it is about.
    fn key(&self) -> Option<&ResourceKey> {
        match self {
            Self::Exists { key, .. }
            | Self::Fixed { key }
            | Self::OwnedElsewhere { key, .. }
            | Self::InTheWay { key, .. }
            | Self::WantedTwice { key, .. } => Some(key),
            Self::Entangled { .. } | Self::Unanswered { .. } => None,
        }
    }

    /// What would mend it, where that can be said in general.
    #[must_use]
    pub fn help(&self) -> Option<&'static str> {
        match self {
            Self::Exists { live, desired, .. } if live == desired => Some(
                "`adopt: true` at the entry takes it over; `adopt: equal` at the environment takes over all that is as wanted",
            ),
            Self::Exists { .. } => Some("`adopt: true` at the entry takes it over and changes it"),
            Self::Fixed { .. } => Some("give it another name here"),
            Self::OwnedElsewhere { .. } => {
                Some("remove it there first, or give it another name here")
            }
            Self::InTheWay { .. } => Some("they cannot stand at one name; remove one of them"),
            Self::WantedTwice { .. } => Some("let one unit declare it"),
            Self::Entangled { .. } | Self::Unanswered { .. } => None,
        }
    }
}

impl UnitPlan {
    /// The hash of its sorted change digests.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of_all(self.changes.iter().map(Change::digest))
    }
}

impl Plan {
    /// A plan with nothing in it.
    #[must_use]
    pub fn empty(environment: EnvironmentName) -> Self {
        Self { environment, units: BTreeMap::new(), containers: BTreeMap::new() }
    }

    /// The hash of its units' digests. Units without changes do not count.
    #[must_use]
    pub fn digest(&self) -> Digest {
        let units = self.units.values().filter(|unit| !unit.changes.is_empty());
        Digest::of_all(units.map(UnitPlan::digest))
    }

    /// All changes, unit by unit.
    pub fn changes(&self) -> impl Iterator<Item = &Change> {
        self.units.values().flat_map(|unit| &unit.changes)
    }

    /// All conflicts, with their units.
    pub fn conflicts(&self) -> impl Iterator<Item = (&UnitName, &Conflict)> {
        self.units.iter().flat_map(|(name, unit)| unit.conflicts.iter().map(move |c| (name, c)))
    }

    /// Whether carrying one of the two out may change what the other one says: they have a unit or a
    /// resource in common.
    #[must_use]
    pub fn overlaps(&self, other: &Self) -> bool {
        let common = |unit| other.units.contains_key(unit);
        self.units.keys().any(common) || !self.resources().is_disjoint(&other.resources())
    }

    fn resources(&self) -> BTreeSet<&ResourceKey> {
        let changed = self.changes().map(|change| &change.key);
        changed.chain(self.conflicts().filter_map(|(_, conflict)| conflict.key())).collect()
    }

    /// Whether nothing changes and nothing stands in the way.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.changes().next().is_none() && self.conflicts().next().is_none()
    }

    /// How many changes of each action there are, in the order of [`Action`].
    #[must_use]
    pub fn counts(&self) -> BTreeMap<Action, usize> {
        let mut counts = BTreeMap::new();
        for change in self.changes() {
            *counts.entry(change.action).or_default() += 1;
        }
        counts
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{change, key, plan, unit};
    use super::*;

    #[test]
    fn plans_overlap_in_a_unit_or_a_resource() {
        let nas = key("unifi_dns:s", "A", "nas.lan");
        let tv = key("unifi_dns:s", "A", "tv.lan");
        let moves = plan([change("nas/unifi_dns", Action::Update, nas.clone())]);
        let same_unit = plan([change("nas/unifi_dns", Action::Create, tv.clone())]);
        let same_resource = plan([change("other/unifi_dns", Action::Create, nas.clone())]);
        let apart = plan([change("tv/unifi_dns", Action::Create, tv)]);
        assert!(moves.overlaps(&moves));
        assert!(moves.overlaps(&same_unit) && same_unit.overlaps(&moves));
        assert!(moves.overlaps(&same_resource) && same_resource.overlaps(&moves));
        assert!(!moves.overlaps(&apart) && !apart.overlaps(&moves));
        assert!(!moves.overlaps(&Plan::empty(moves.environment.clone())));

        let mut waits = apart;
        let blocked = waits.units.get_mut(&unit("tv/unifi_dns")).unwrap();
        blocked.conflicts = vec![Conflict::OwnedElsewhere {
            key: nas,
            unit: unit("nas/unifi_dns"),
            repository: None,
        }];
        assert!(waits.overlaps(&moves), "what stands in its way may go");
    }
}

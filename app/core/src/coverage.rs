//! Coverage: whether a run does only what was reviewed.
//!
//! A run plans for itself, right before it acts. This module says whether that plan may be
//! applied: all of it was in a plan that somebody saw on a pull request that was merged, and what
//! they saw beyond it is in place already; or somebody named its digest. [`ApprovedPlan`] is the
//! proof, and [`confirm`] its only source.

use std::collections::{BTreeMap, BTreeSet};

use crate::name::PullNumber;
use crate::plan::{Action, Change, Digest, Owned, Plan, ResourceKey};

/// A plan that was reviewed: made for the head that was merged, and published before the merge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reviewed {
    /// The pull request that it was published on.
    pub pull: PullNumber,
    /// What it said.
    pub changes: Vec<Change>,
    /// Whether a pull request that was merged later was planned on top of this one. A plan is of
    /// everything that is pending, so the later one says what is left of this.
    pub overtaken: bool,
}

/// What an environment does when a run would do something that was not reviewed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PlanChanged {
    /// It waits for `/apply` with the digest.
    #[default]
    Hold,
    /// It goes on and says so.
    Apply,
}

/// What is known of an environment before a run. Where little is, the run waits for somebody to say
/// `/apply`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Past {
    /// It never ran.
    Never,
    /// It did not run since the store was restored from a backup: what is known of it may be older
    /// than the world.
    Restored,
    /// What it was last brought to.
    Known,
}

/// What speaks for a run.
#[derive(Debug, Clone)]
pub struct Evidence<'a> {
    /// The reviewed plans of every pull request that the run brings, the one merged last at the end.
    pub reviewed: &'a [Reviewed],
    /// The changes of plans of this run whose digests somebody with the right to do so named in
    /// `/apply`. After a run was cut off, what is left of such a plan needs no second word.
    pub approved: &'a [Vec<Change>],
    /// What is known of the environment before this run.
    pub past: Past,
    /// What we own now.
    pub owned: &'a BTreeMap<ResourceKey, Owned>,
    /// Digests of changes that one of our steps has done.
    pub proven: &'a BTreeSet<Digest>,
    /// Digests of changes that one of our steps was cut off in the middle of. Finishing one needs
    /// no second word, although it is another change from where it stands now.
    pub begun: &'a BTreeSet<Digest>,
    /// What the environment says.
    pub plan_changed: PlanChanged,
}

/// A plan that may be applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApprovedPlan {
    plan: Plan,
    unreviewed: Vec<Change>,
}

impl ApprovedPlan {
    /// The plan.
    #[must_use]
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Changes that nobody saw before, applied because the environment says `plan_changed: apply`.
    #[must_use]
    pub fn unreviewed(&self) -> &[Change] {
        &self.unreviewed
    }
}

/// Why a run waits for somebody to name its digest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Uncovered {
    /// The environment never ran.
    Bootstrap,
    /// The environment did not run since the store was restored from a backup.
    Restored,
    /// Something that exists would become ours; that is always confirmed by name.
    Adopts(Vec<ResourceKey>),
    /// Something of ours would be left where it is, because nothing leads there any more.
    Forgets(Vec<ResourceKey>),
    /// What was reviewed and what would happen differ.
    Differs {
        /// Would happen and was not reviewed.
        extra: Vec<Change>,
        /// Was reviewed and would not happen so: another change of something in `extra`, or one that
        /// is neither planned nor in place.
        missing: Vec<Change>,
    },
}

/// Confirms a plan.
///
/// # Errors
/// Why it waits; the plan was not lost, its owner still has it.
pub fn confirm(plan: &Plan, evidence: &Evidence<'_>) -> Result<ApprovedPlan, Uncovered> {
    let approved = |unreviewed| ApprovedPlan { plan: plan.clone(), unreviewed };
    let named = evidence.approved.iter().any(|named| {
        let named = [named.as_slice()];
        let (extra, missing) = differences(plan, &named, &named, evidence);
        extra.is_empty() && missing.is_empty()
    });
    if named || plan.changes().next().is_none() {
        return Ok(approved(Vec::new()));
    }
    if let Some(uncovered) = always_waits(plan, evidence.past) {
        return Err(uncovered);
    }
    let seen: Vec<&[Change]> = evidence.reviewed.iter().map(|one| one.changes.as_slice()).collect();
    let last = evidence.reviewed.iter().filter(|one| !one.overtaken);
    let promised: Vec<&[Change]> = last.map(|one| one.changes.as_slice()).collect();
    let (extra, missing) = differences(plan, &seen, &promised, evidence);
    match evidence.plan_changed {
        _ if extra.is_empty() && missing.is_empty() => Ok(approved(Vec::new())),
        PlanChanged::Apply => Ok(approved(extra)),
        PlanChanged::Hold => Err(Uncovered::Differs { extra, missing }),
    }
}

/// What of the changes that a run has `done` stands in nothing that was `seen`: the plans that were
/// reviewed or named. One that only finishes what the run began, cut off in between, was seen when it
/// was begun.
#[must_use]
pub fn unseen(done: &[Change], seen: &[Change]) -> Vec<Change> {
    let known: BTreeSet<Digest> = seen.iter().map(Change::digest).collect();
    let begun: BTreeSet<Digest> = done.iter().map(Change::digest).collect();
    let finishes = |change: &Change| {
        let same = |seen: &&Change| {
            seen.key == change.key && seen.unit == change.unit && seen.after == change.after
        };
        seen.iter().filter(same).any(|seen| begun.contains(&seen.digest()))
    };
    let unseen = done.iter().filter(|change| !known.contains(&change.digest()));
    unseen.filter(|change| !finishes(change)).cloned().collect()
}

/// Why a plan waits for its digest to be named whoever reviewed it: it is the environment's first,
/// or the first after a restore, takes something over, or leaves something behind.
#[must_use]
pub fn always_waits(plan: &Plan, past: Past) -> Option<Uncovered> {
    let keys = |action: Action| -> Vec<ResourceKey> {
        let changes = plan.changes().filter(|change| change.action == action);
        changes.map(|change| change.key.clone()).collect()
    };
    let (adopts, forgets) = (keys(Action::Adopt), keys(Action::Forget));
    match () {
        () if past == Past::Never => Some(Uncovered::Bootstrap),
        () if past == Past::Restored => Some(Uncovered::Restored),
        () if !adopts.is_empty() => Some(Uncovered::Adopts(adopts)),
        () if !forgets.is_empty() => Some(Uncovered::Forgets(forgets)),
        () => None,
    }
}

/// What the run would do beyond the plans that were seen, and what those that were promised said of
/// the same resources or of others that neither change now nor are in place. Where several pull
/// requests changed one resource, the last one merged speaks for it: its plan showed what the ones
/// before had made of it.
fn differences(
    plan: &Plan,
    seen_plans: &[&[Change]],
    promised: &[&[Change]],
    evidence: &Evidence<'_>,
) -> (Vec<Change>, Vec<Change>) {
    let mut reviewed: BTreeMap<&ResourceKey, &Change> = BTreeMap::new();
    let mut seen = BTreeSet::new();
    for change in seen_plans.iter().copied().flatten() {
        reviewed.insert(&change.key, change);
        seen.insert(change.digest());
    }
    let finishes = |change: &Change| {
        let reviewed = reviewed
            .get(&change.key)
            .filter(|reviewed| reviewed.unit == change.unit && reviewed.after == change.after);
        reviewed.is_some_and(|reviewed| evidence.begun.contains(&reviewed.digest()))
    };
    let extra = plan.changes().filter(|change| !seen.contains(&change.digest()));
    let extra: Vec<Change> = extra.filter(|change| !finishes(change)).cloned().collect();
    let planned: BTreeSet<&ResourceKey> = plan.changes().map(|change| &change.key).collect();
    let differs: BTreeSet<&ResourceKey> = extra.iter().map(|change| &change.key).collect();
    let promised: BTreeSet<&ResourceKey> =
        promised.iter().copied().flatten().map(|change| &change.key).collect();
    let promised = reviewed.into_values().filter(|change| promised.contains(&change.key));
    let missing = promised.filter(|change| match planned.contains(&change.key) {
        true => differs.contains(&change.key),
        false => !is_in_place(change, evidence),
    });
    let missing = missing.cloned().collect();
    (extra, missing)
}

fn is_in_place(change: &Change, evidence: &Evidence<'_>) -> bool {
    let owned = evidence.owned.get(&change.key);
    let as_reviewed = match (&change.after, owned) {
        (Some(after), Some(owned)) => owned.owner.unit == change.unit && owned.value == *after,
        (None, owned) => owned.is_none(),
        (Some(_), None) => false,
    };
    as_reviewed || evidence.proven.contains(&change.digest())
}

#[cfg(test)]
mod tests;

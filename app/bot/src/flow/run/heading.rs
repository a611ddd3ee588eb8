//! Heading: which commit of which branch an environment goes to next.
//!
//! An environment follows one branch, noted with its first run. A push to another one that it may
//! follow is an offer: nothing is taken back by it before somebody says so. A branch that is gone
//! leads nowhere, so the environment stays where it is.

use landfall_core::config::Environment;
use landfall_core::name::{BranchName, CommitSha};
use landfall_core::report::Detour;

use super::super::ground::Ground;

/// Where an environment may go.
#[derive(Debug, Clone)]
pub(super) struct Heading {
    /// The branch.
    pub(super) branch: BranchName,
    /// Its tip.
    pub(super) tip: CommitSha,
    /// The switch that it takes to get there; none for the branch that is followed.
    pub(super) switch: Option<Detour>,
}

/// Where `environment` may go, what it follows first.
pub(super) fn headings(
    ground: &Ground,
    environment: &Environment,
    row: Option<&landfall_store::Environment>,
) -> Vec<Heading> {
    let to = |branch: &BranchName| {
        let tip = ground.tip(branch).ok()?.clone();
        Some(Heading { branch: branch.clone(), tip, switch: None })
    };
    let first = || environment.branches.iter().find_map(to);
    let Some(followed) = row.and_then(|row| row.branch.as_ref()) else {
        return first().into_iter().collect();
    };
    let may_follow = |branch: &&BranchName| environment.branches.contains(branch);
    let (own, other) = match may_follow(&followed) {
        true => {
            let offered = row.and_then(|row| row.offered.as_ref());
            (to(followed), offered.filter(may_follow).and_then(to))
        }
        // The rules name other branches now.
        false => (None, first()),
    };
    let switch = |heading: Heading| {
        let switch = Detour::Switch { from: followed.clone(), to: heading.branch.clone() };
        Heading { switch: Some(switch), ..heading }
    };
    own.into_iter().chain(other.map(switch)).collect()
}

/// The commits that `environment` may go to.
pub(crate) fn leads_to(
    ground: &Ground,
    environment: &Environment,
    row: Option<&landfall_store::Environment>,
) -> Vec<CommitSha> {
    headings(ground, environment, row).into_iter().map(|heading| heading.tip).collect()
}

//! The checks over a whole configuration, within and across environments.
//!
//! They see components only through the [`Names`](crate::config::names::Names) that these declare, so
//! nothing here knows a kind. Each check is one function that takes a `Scene` and says what it
//! found; `ALL` is the list. Nothing here asks anybody: what lives at a provider is for the plan.

mod across;
mod claims;
mod device;
mod needs;
mod origin;
mod records;
mod repeated;
mod scene;
mod tracked;

pub use tracked::tracked;

use crate::config::Tree;
use crate::diagnostic::Diagnostic;
use scene::{Reaches, Scene};

/// A check.
type Check = fn(&Scene<'_>) -> Vec<Diagnostic>;

/// All checks. Adding one is a function and a line here.
const ALL: &[Check] = &[
    needs::services_declared_twice,
    needs::needs,
    records::declared_twice,
    records::cname_beside_another_type,
    records::ns_beside_another_type,
    records::two_cnames,
    records::outside_zones,
    records::outside_scope,
    origin::public_origin,
    origin::unknown_origin,
    device::two_names,
    across::two_environments,
    repeated::repeated_in_every_override,
];

/// Everything that the checks find in `tree`, unsorted.
#[must_use]
pub fn all(tree: &Tree) -> Vec<Diagnostic> {
    let reaches = Reaches::of(&tree.repository);
    let scene = Scene::new(tree, &reaches);
    ALL.iter().flat_map(|check| check(&scene)).collect()
}

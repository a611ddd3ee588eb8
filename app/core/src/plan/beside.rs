//! Which types of record may stand beside each other at one name.

use super::ResourceKey;

/// Whether two resources cannot exist at once.
pub(super) fn excludes(one: &ResourceKey, other: &ResourceKey) -> bool {
    let cname = one.rtype == "CNAME" || other.rtype == "CNAME";
    cname && one.rtype != other.rtype && one.name == other.name && one.target == other.target
}

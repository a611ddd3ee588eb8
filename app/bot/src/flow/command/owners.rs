//! Who owns a service: what its file says, else CODEOWNERS, both as they are on the branch that the
//! pull request goes into. Nothing of the pull request itself is believed.

use landfall_core::codeowners::{Codeowners, LARGEST, Owner, PLACES};
use landfall_core::name::{ConfigPath, ServiceName, TreeSha};
use landfall_repo::Blob;

use super::Said;
use super::rights::Standing;
use crate::flow::resolve::lags;
use crate::gather::{Declared, LoadError};

/// Owners as the base branch has them.
pub(super) struct Owners {
    declared: Declared,
    code: Codeowners,
}

impl Owners {
    /// The owners of a service; nobody's where neither says anything, and for one that is not on the base
    /// branch.
    pub(super) fn of(&self, service: &ServiceName) -> Vec<Owner> {
        let file = self.declared.tree.services.iter().find(|file| file.name == *service);
        let Some(file) = file else { return Vec::new() };
        match file.owners.as_slice() {
            [] => self.code.of(file.path.as_str()).to_vec(),
            listed => listed.iter().filter_map(|owner| Owner::parse(owner)).collect(),
        }
    }
}

/// Whose a service is, for people.
pub(super) fn told(service: &ServiceName, owners: &[Owner]) -> String {
    let named: Vec<String> = owners.iter().map(|owner| format!("`{owner}`")).collect();
    match named.as_slice() {
        [] => format!("Nobody owns {service} on the branch that this goes into."),
        _ => format!("{service} belongs to {}.", named.join(", ")),
    }
}

impl Said<'_> {
    /// The owners of services, or why nobody can say who they are.
    pub(super) async fn owners(&self) -> anyhow::Result<Result<Owners, String>> {
        let Standing::Rules(rules) = &self.standing else {
            return Ok(Err("Without rules nobody owns anything.".to_owned()));
        };
        let branch = &self.pull.base.branch;
        let tip = match self.ground.newest(branch).await {
            Ok(tip) => tip,
            Err(error) if lags(&error) => {
                return Ok(Err(format!("{branch} is gone, so nobody owns what is on it.")));
            }
            Err(error) => return Err(error),
        };
        let tree = self.ground.mirror.tree(&tip).await?;
        let declared = match self.ground.declared(self.house, rules, &tree).await {
            Ok(declared) => declared,
            Err(LoadError::Source(error)) => return Err(error),
            Err(_) => return Ok(Err(format!("What {branch} declares cannot be read."))),
        };
        Ok(self.codeowners(&tree).await?.map(|code| Owners { declared, code }))
    }

    async fn codeowners(&self, tree: &TreeSha) -> anyhow::Result<Result<Codeowners, String>> {
        let mirror = &self.ground.mirror;
        for place in PLACES {
            let Some(entry) = mirror.file(tree, &ConfigPath::new(place)?).await? else { continue };
            let unreadable = || format!("`{place}` cannot be read, so nobody owns anything.");
            let bytes = mirror.blobs(std::slice::from_ref(&entry.blob), LARGEST as u64).await?;
            let Some(Blob::Content(bytes)) = bytes.get(&entry.blob) else {
                return Ok(Err(unreadable()));
            };
            let Ok(text) = std::str::from_utf8(bytes) else { return Ok(Err(unreadable())) };
            return Ok(Codeowners::parse(text)
                .map_err(|error| format!("Nobody owns anything by `{place}`: {error}.")));
        }
        Ok(Ok(Codeowners::default()))
    }
}

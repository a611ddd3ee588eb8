//! Who owns a service: what its file says, else CODEOWNERS.
//!
//! The file counts as it was applied to the environment last. What was merged since is what somebody
//! asks to apply, so nobody becomes an owner by the pull request that a word is about, nor by another
//! one that waits with it; and whoever is taken off owns until that is applied. A service that a pull
//! request removes has its owners still.
//!
//! CODEOWNERS counts as it is on the default branch, like the rules that ask for owners: whoever may
//! change the one there may change the other, and what is put right there helps at once. A service that
//! was never applied has nothing else, whoever its file names: of it, only the path is believed.

use landfall_core::codeowners::{Codeowners, LARGEST, Owner, PLACES};
use landfall_core::name::{ConfigPath, EnvironmentName, ServiceName, TreeSha};
use landfall_github::PullState;
use landfall_repo::{Blob, Merged};

use super::Said;
use super::rights::Standing;
use crate::flow::ground::Rules;
use crate::gather::{Declared, LoadError};

/// The owners of an environment's services.
pub(super) struct Owners {
    /// What was applied last; none where nothing was.
    applied: Option<Declared>,
    /// What declares services that were not applied yet, in as far as it can be read.
    brought: Vec<Declared>,
    code: Codeowners,
}

impl Owners {
    /// The owners of a service, and where its file is. Nobody owns one that is nowhere to be found.
    pub(super) fn of(&self, service: &ServiceName) -> Ownership {
        let file_in = |declared: &Declared| {
            let file = declared.tree.services.iter().find(|file| file.name == *service)?;
            Some((file.path.clone(), file.owners.clone()))
        };
        let applied = self.applied.as_ref().and_then(file_in);
        let (path, listed) = match applied {
            Some((path, listed)) => (Some(path), listed),
            // What it says of its owners, nobody has applied.
            None => (self.brought.iter().find_map(file_in).map(|(path, _)| path), Vec::new()),
        };
        let owners = match (listed.as_slice(), &path) {
            ([], Some(path)) => self.code.of(path.as_str()).to_vec(),
            ([], None) => Vec::new(),
            (listed, _) => listed.iter().filter_map(|owner| Owner::parse(owner)).collect(),
        };
        Ownership { owners, path }
    }
}

/// Whose a service is.
pub(super) struct Ownership {
    pub(super) owners: Vec<Owner>,
    path: Option<ConfigPath>,
}

impl Ownership {
    /// For people, with what would make somebody an owner of what is nobody's.
    pub(super) fn told(&self, service: &ServiceName, default_branch: &str) -> String {
        let named: Vec<String> = self.owners.iter().map(|owner| format!("`{owner}`")).collect();
        match (named.as_slice(), &self.path) {
            ([], Some(path)) => format!(
                "Nobody owns {service}: nobody was applied as its owner, and `CODEOWNERS` on {default_branch} names nobody for `{path}`. A line there helps."
            ),
            ([], None) => format!("Nobody owns {service}, which is nowhere to be found."),
            _ => format!("{service} belongs to {}.", named.join(", ")),
        }
    }
}

impl Said<'_> {
    /// The owners of an environment's services, or why nobody can say who they are.
    pub(super) async fn owners(
        &self,
        environment: &EnvironmentName,
    ) -> anyhow::Result<Result<Owners, String>> {
        let Standing::Rules(rules) = &self.standing else {
            return Ok(Err("Without rules nobody owns anything.".to_owned()));
        };
        let tip = self.ground.tip(&self.ground.repository.default_branch)?;
        let code = match self.codeowners(&self.ground.mirror.tree(tip).await?).await? {
            Ok(code) => code,
            Err(note) => return Ok(Err(note)),
        };
        let row = self.house.store.environment(self.ground.repository.id, environment).await?;
        let applied = match row.and_then(|row| row.last) {
            None => None,
            Some(last) => {
                let unreadable =
                    format!("What was applied to {environment} cannot be read any more.");
                if !self.ground.mirror.has(&last.commit).await? {
                    return Ok(Err(unreadable));
                }
                let tree = self.ground.mirror.tree(&last.commit).await?;
                match self.readable(rules, &tree).await? {
                    Some(declared) => Some(declared),
                    None => return Ok(Err(unreadable)),
                }
            }
        };
        let brought = self.brought(rules, environment).await?;
        Ok(Ok(Owners { applied, brought, code }))
    }

    /// What the newest run of an environment brings there, and what the pull request would.
    async fn brought(
        &self,
        rules: &Rules,
        environment: &EnvironmentName,
    ) -> anyhow::Result<Vec<Declared>> {
        let (store, mirror) = (&self.house.store, &self.ground.mirror);
        let mut trees = Vec::new();
        let newest = store.recent_runs(self.ground.repository.id, environment, 1).await?.pop();
        if let Some(run) = newest
            && mirror.has(&run.run.commit).await?
        {
            trees.push(mirror.tree(&run.run.commit).await?);
        }
        if self.pull.state == PullState::Open {
            let head = &self.pull.head.sha;
            self.ground.prove_head(self.pull.number, head).await?;
            let base = self.ground.newest(&self.pull.base.branch).await?;
            if let Merged::Tree(tree) = mirror.merge_tree(&base, head).await? {
                trees.push(tree);
            }
        }
        let mut brought = Vec::new();
        for tree in &trees {
            brought.extend(self.readable(rules, tree).await?);
        }
        Ok(brought)
    }

    /// What a tree declares; none where that cannot be read.
    async fn readable(&self, rules: &Rules, tree: &TreeSha) -> anyhow::Result<Option<Declared>> {
        match self.ground.declared(self.house, rules, tree).await {
            Ok(declared) => Ok(Some(declared)),
            Err(LoadError::Source(error)) => Err(error),
            Err(_) => Ok(None),
        }
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

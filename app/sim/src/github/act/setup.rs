//! Accounts and repositories: what exists before the story begins, and what an administrator does
//! to it later.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context;
use jiff::Timestamp;

use super::Repo;
use serde_json::json;

use crate::github::GithubSim;
use crate::github::auth::Token;
use crate::github::git::{Bare, Edit, NewCommit, Person};
use crate::github::model::{Repository, Role, Standing, UserKind};

/// The branch that new repositories begin with.
const MAIN: &str = "main";

impl GithubSim {
    /// Makes a private repository whose `main` holds `files` in one commit, and installs the App on
    /// it. The owner is an organisation. No webhook tells of the first commit.
    ///
    /// # Errors
    /// The name is not `owner/name` or is taken, or git cannot be run.
    pub async fn create_repository<E: Into<Edit>>(
        &self,
        full_name: &str,
        files: impl IntoIterator<Item = E>,
    ) -> anyhow::Result<Repo> {
        let (owner, name) = full_name.split_once('/').context("a repository is `owner/name`")?;
        let (id, at) = {
            let mut world = self.shared.world();
            anyhow::ensure!(world.repository_id(full_name).is_none(), "`{full_name}` exists");
            world.ensure_user(owner, UserKind::Organization);
            (world.next_id(), world.tick())
        };
        let git = Bare::init(self.shared.folder.path().join(format!("{id}.git")), MAIN).await?;
        let files: Vec<Edit> = files.into_iter().map(Into::into).collect();
        let author = Person::of(owner);
        let commit = NewCommit::by(&author, at, "Begin");
        git.commit_edits(MAIN, None, &commit, &files).await?;
        let repository = new_repository(id, (owner, name), at, git);
        self.shared.world().repositories.insert(id, repository);
        let repo = Repo::new(self.shared.clone(), id);
        repo.install()?;
        Ok(repo)
    }

    /// A repository by its name.
    pub fn repository(&self, full_name: &str) -> Option<Repo> {
        let id = self.shared.world().repository_id(full_name)?;
        Some(Repo::new(self.shared.clone(), id))
    }

    /// A token with which a person uses the API and git.
    pub fn person_token(&self, login: &str) -> String {
        let mut world = self.shared.world();
        let user = world.ensure_user(login, UserKind::Person);
        let token = format!("ghp_{:036}", user.id);
        world.tokens.insert(token.clone(), Token::Person(login.to_owned()));
        token
    }

    /// Puts a person into a team of an organisation, made at first mention, or invites them.
    pub fn add_to_team(&self, organization: &str, slug: &str, login: &str, standing: Standing) {
        let mut world = self.shared.world();
        world.ensure_user(login, UserKind::Person);
        let team = world.teams.entry((organization.to_owned(), slug.to_owned())).or_default();
        team.insert(login.to_owned(), standing);
    }

    /// Makes every installation token that was handed out worthless, as a revocation does.
    pub fn revoke_installation_tokens(&self) {
        self.shared.world().tokens.retain(|_, token| matches!(token, Token::Person(_)));
    }

    /// After a merge, `commits/{sha}/pulls` answers an empty list this often, as while GitHub's
    /// index is behind.
    pub fn lag_index(&self, answers: u32) {
        self.shared.world().lags.index = answers;
    }

    /// After a push to a pull request, this many fetches still see the old `refs/pull/N/head`.
    pub fn lag_pull_refs(&self, fetches: u32) {
        self.shared.world().lags.pull_refs = fetches;
    }

    /// After a push to a pull request, `mergeable` is null this often.
    pub fn lag_mergeable(&self, answers: u32) {
        self.shared.world().lags.mergeable = answers;
    }
}

impl Repo {
    /// Gives a person a role.
    ///
    /// # Errors
    /// The repository is gone.
    pub fn add_user(&self, login: &str, role: Role) -> anyhow::Result<()> {
        self.shared.world().ensure_user(login, UserKind::Person);
        self.change(|repository| repository.roles.insert(login.to_owned(), role)).map(drop)
    }

    /// Takes a person's role away.
    ///
    /// # Errors
    /// The repository is gone.
    pub fn remove_user(&self, login: &str) -> anyhow::Result<()> {
        self.change(|repository| repository.roles.remove(login)).map(drop)
    }

    /// Lets everybody read it.
    ///
    /// # Errors
    /// The repository is gone.
    pub fn publish(&self) -> anyhow::Result<()> {
        self.change(|repository| repository.private = false)
    }

    /// Protects a branch: the API says so, and a forced push is refused.
    ///
    /// # Errors
    /// The repository is gone.
    pub fn protect(&self, branch: &str) -> anyhow::Result<()> {
        self.change(|repository| repository.protected.insert(branch.to_owned())).map(drop)
    }

    /// Takes the protection of a branch away again.
    ///
    /// # Errors
    /// The repository is gone.
    pub fn unprotect(&self, branch: &str) -> anyhow::Result<()> {
        self.change(|repository| repository.protected.remove(branch)).map(drop)
    }

    /// Has a rule of a branch require a check: of an App, or of anybody. It stops no merge here, but the
    /// API says so.
    ///
    /// # Errors
    /// The repository is gone.
    pub fn require_check(&self, branch: &str, check: &str, app: Option<u64>) -> anyhow::Result<()> {
        let required = (branch.to_owned(), check.to_owned(), app);
        self.change(|repository| repository.required.push(required))
    }

    /// Makes another branch the default.
    ///
    /// # Errors
    /// The repository is gone.
    pub fn set_default_branch(&self, branch: &str) -> anyhow::Result<()> {
        self.change(|repository| branch.clone_into(&mut repository.default_branch))
    }

    /// Gives it another name. The old one is redirected, as at GitHub.
    ///
    /// # Errors
    /// The repository is gone.
    pub fn rename(&self, name: &str) -> anyhow::Result<()> {
        let (old, owner) = (self.full_name(), self.read(|repository| repository.owner.clone())?);
        let was = self.change(|repository| std::mem::replace(&mut repository.name, name.into()))?;
        self.shared.world().renamed.insert(old.to_ascii_lowercase(), self.id);
        let changes = json!({ "repository": { "name": { "from": was } } });
        self.tell_repository("renamed", &owner, json!({ "changes": changes }));
        Ok(())
    }

    /// Puts it into the archive: from now on it can only be read.
    ///
    /// # Errors
    /// The repository is gone.
    pub fn archive(&self, user: &str) -> anyhow::Result<()> {
        self.change(|repository| repository.archived = true)?;
        self.tell_repository("archived", user, json!({}));
        Ok(())
    }

    /// Takes it out of the archive.
    ///
    /// # Errors
    /// The repository is gone.
    pub fn unarchive(&self, user: &str) -> anyhow::Result<()> {
        self.change(|repository| repository.archived = false)?;
        self.tell_repository("unarchived", user, json!({}));
        Ok(())
    }

    /// A fork, owned by a person. It shares nothing but the commits of now; the App is not on it.
    ///
    /// # Errors
    /// The repository is gone, or git cannot be run.
    pub async fn fork(&self, owner: &str) -> anyhow::Result<Repo> {
        let (id, at) = {
            let mut world = self.shared.world();
            world.ensure_user(owner, UserKind::Person);
            (world.next_id(), world.tick())
        };
        let (name, branch) = self.read(|r| (r.name.clone(), r.default_branch.clone()))?;
        let folder = self.shared.folder.path().join(format!("{id}.git"));
        let git = self.git()?.fork(folder, &branch).await?;
        let mut fork = new_repository(id, (owner, &name), at, git);
        fork.parent = Some(self.id);
        fork.default_branch = branch;
        fork.private = self.read(|repository| repository.private)?;
        fork.roles.insert(owner.to_owned(), Role::Admin);
        self.shared.world().repositories.insert(id, fork);
        Ok(Repo::new(self.shared.clone(), id))
    }

    /// Deletes it. Pull requests that it brought stay, without a head repository.
    pub fn delete(&self) {
        let mut world = self.shared.world();
        world.repositories.remove(&self.id);
        for installation in world.installations.values_mut() {
            installation.repositories.remove(&self.id);
        }
    }
}

fn new_repository(id: u64, (owner, name): (&str, &str), at: Timestamp, git: Bare) -> Repository {
    Repository {
        id,
        owner: owner.to_owned(),
        name: name.to_owned(),
        private: true,
        default_branch: MAIN.to_owned(),
        archived: false,
        created_at: at,
        pushed_at: at,
        parent: None,
        protected: BTreeSet::new(),
        required: Vec::new(),
        roles: BTreeMap::from([(owner.to_owned(), Role::Admin)]),
        pulls: BTreeMap::new(),
        issues: BTreeMap::new(),
        comments: BTreeMap::new(),
        check_runs: BTreeMap::new(),
        deployments: BTreeMap::new(),
        gated: BTreeMap::new(),
        git,
    }
}

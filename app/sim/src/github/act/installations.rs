//! Where the App is installed, and how that changes.

use std::collections::BTreeSet;

use anyhow::Context;

use super::Repo;
use crate::github::GithubSim;
use crate::github::auth::Token;
use crate::github::model::{Chosen, Installation};

impl GithubSim {
    pub fn installations(&self) -> Vec<Installation> {
        self.shared.world().installations.values().cloned().collect()
    }

    /// Suspends or resumes an installation: its tokens are refused meanwhile.
    ///
    /// # Errors
    /// There is no such installation.
    pub fn suspend(&self, installation: u64, user: &str) -> anyhow::Result<()> {
        self.set_suspended(installation, user, "suspend", true)
    }

    /// Makes an installation one for all repositories of its account, as if nobody had chosen any.
    ///
    /// # Errors
    /// There is no such installation.
    pub fn choose_all(&self, installation: u64) -> anyhow::Result<()> {
        let mut world = self.shared.world();
        let known = world.installations.get_mut(&installation).context("no such installation")?;
        known.chosen = Chosen::All;
        Ok(())
    }

    /// Ends a suspension.
    ///
    /// # Errors
    /// There is no such installation.
    pub fn resume(&self, installation: u64, user: &str) -> anyhow::Result<()> {
        self.set_suspended(installation, user, "unsuspend", false)
    }

    fn set_suspended(
        &self,
        installation: u64,
        user: &str,
        action: &str,
        suspended: bool,
    ) -> anyhow::Result<()> {
        let mut world = self.shared.world();
        let at = world.tick();
        let known = world.installations.get_mut(&installation).context("no such installation")?;
        known.suspended_at = suspended.then_some(at);
        drop(world);
        self.shared.tell_installation(installation, action, user);
        Ok(())
    }

    /// Removes an installation with its tokens.
    ///
    /// # Errors
    /// There is no such installation.
    pub fn uninstall(&self, installation: u64, user: &str) -> anyhow::Result<()> {
        self.shared.world().tick();
        self.shared.tell_installation(installation, "deleted", user);
        let mut world = self.shared.world();
        world.installations.remove(&installation).context("no such installation")?;
        world.tokens.retain(|_, token| match token {
            Token::Person(_) => true,
            Token::Installation(scope) => scope.installation != installation,
        });
        Ok(())
    }
}

impl Repo {
    /// Installs the App on this repository: a new installation for its owner, or one more
    /// repository in the owner's installation.
    ///
    /// # Errors
    /// The repository is gone.
    pub fn install(&self) -> anyhow::Result<u64> {
        let mut world = self.shared.world();
        let owner = world.repository(self.id)?.owner.clone();
        let known = world.installations.values_mut().find(|known| known.account == owner);
        if let Some(known) = known {
            known.repositories.insert(self.id);
            let id = known.id;
            drop(world);
            self.shared.tell_installed_on(id, self.id, true);
            return Ok(id);
        }
        let id = world.next_id();
        let installation = Installation {
            id,
            account: owner.clone(),
            repositories: BTreeSet::from([self.id]),
            chosen: Chosen::Selected,
            permissions: world.app.permissions.clone(),
            created_at: world.clock.now(),
            suspended_at: None,
        };
        world.installations.insert(id, installation);
        drop(world);
        self.shared.tell_installation(id, "created", &owner);
        Ok(id)
    }

    /// Takes the App off this repository; the owner's installation stays.
    ///
    /// # Errors
    /// The App is not on it.
    pub fn take_off(&self) -> anyhow::Result<()> {
        let mut world = self.shared.world();
        let id = world.installation_of(self.id).context("the App is not installed here")?.id;
        if let Some(installation) = world.installations.get_mut(&id) {
            installation.repositories.remove(&self.id);
        }
        drop(world);
        self.shared.tell_installed_on(id, self.id, false);
        Ok(())
    }
}
